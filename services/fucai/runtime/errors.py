"""gRPC errors with google.rpc details: how a service refuses, and how a client tells a person why."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import grpc
import grpc.aio
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

Context = grpc.aio.ServicerContext[Any, Any]


class FatalError(Exception):
    """Ends the process with one log line and `exit_code` (sysexits), without a traceback: the message says it all."""

    def __init__(self, message: str, *, exit_code: int = os.EX_SOFTWARE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Violation:
    """One unusable field of a request: its path ("events[3].amount_fen") and what is wrong with its value."""

    field: str
    description: str


async def abort(context: Context, code: grpc.StatusCode, message: str, details: Iterable[Message] = ()) -> NoReturn:
    """Ends the RPC with `code`, `message` and google.rpc detail messages. Raises grpc.aio.AbortError, always."""
    status = rpc_status.to_status(_status(code, message, details))
    await context.abort(code, status.details, status.trailing_metadata)
    raise AssertionError("abort returned")


async def invalid_argument(context: Context, violations: Sequence[Violation], message: str = "") -> NoReturn:
    """Ends the RPC with INVALID_ARGUMENT and BadRequest; the message defaults to the violations in words."""
    text = message or "; ".join(f"{violation.field}: {violation.description}" for violation in violations)
    bad_request = error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=violation.field, description=violation.description)
            for violation in violations
        ]
    )
    await abort(context, grpc.StatusCode.INVALID_ARGUMENT, text, [bad_request])


async def resource_exhausted(context: Context, message: str, *, retry_after_ms: int) -> NoReturn:
    """Ends the RPC with RESOURCE_EXHAUSTED and RetryInfo: come back in `retry_after_ms`."""
    await abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, message, [_retry_info(retry_after_ms)])


async def unavailable(context: Context, message: str, *, retry_after_ms: int | None = None) -> NoReturn:
    """Ends the RPC with UNAVAILABLE, and RetryInfo if a delay is given: something behind this service is away."""
    details = [] if retry_after_ms is None else [_retry_info(retry_after_ms)]
    await abort(context, grpc.StatusCode.UNAVAILABLE, message, details)


async def not_found(context: Context, kind: str, name: str, message: str = "") -> NoReturn:
    """Ends the RPC with NOT_FOUND and ResourceInfo, for example kind "outlet", name "GZ-0001"."""
    info = error_details_pb2.ResourceInfo(resource_type=kind, resource_name=name)
    await abort(context, grpc.StatusCode.NOT_FOUND, message or f"no {kind} {name!r}", [info])


async def failed_precondition(context: Context, message: str) -> NoReturn:
    """Ends the RPC with FAILED_PRECONDITION: the system is not in the state that the request needs."""
    await abort(context, grpc.StatusCode.FAILED_PRECONDITION, message)


def code_of(error: grpc.RpcError) -> grpc.StatusCode:
    """The status code of a failed call; UNKNOWN where the error carries none."""
    return error.code() if isinstance(error, grpc.Call | grpc.aio.AioRpcError) else grpc.StatusCode.UNKNOWN


def violations_of(error: grpc.RpcError) -> list[Violation]:
    """The field violations that came with a failed call."""
    return [
        Violation(violation.field, violation.description)
        for detail in _details(error, error_details_pb2.BadRequest)
        for violation in detail.field_violations
    ]


def retry_after_ms(error: grpc.RpcError) -> int | None:
    """The delay that the server asked for, in ms; None if it named none."""
    for detail in _details(error, error_details_pb2.RetryInfo):
        return cast("int", detail.retry_delay.ToMilliseconds())
    return None


def explain(error: grpc.RpcError) -> str:
    """One line for a person: the status, the message, the violations it does not already name, the retry delay."""
    code = code_of(error)
    message = str(error.details() or "") if isinstance(error, grpc.Call | grpc.aio.AioRpcError) else str(error)
    parts = [f"{code.name}: {' '.join(message.split())}" if message else code.name]
    named = [f"{v.field}: {v.description}" for v in violations_of(error)]
    parts += [text for text in named if text not in message]
    delay_ms = retry_after_ms(error)
    if delay_ms is not None:
        parts.append(f"retry in {delay_ms} ms")
    return "; ".join(parts)


def _status(code: grpc.StatusCode, message: str, details: Iterable[Message]) -> status_pb2.Status:
    packed = []
    for detail in details:
        wrapper = any_pb2.Any()
        wrapper.Pack(detail)
        packed.append(wrapper)
    return status_pb2.Status(code=code_pb2.Code.Value(code.name), message=message, details=packed)


def _retry_info(delay_ms: int) -> error_details_pb2.RetryInfo:
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(delay_ms)
    return info


def _details(error: grpc.RpcError, kind: type[Any]) -> list[Any]:
    """The details of one kind; none when the peer sent details that contradict its status or do not parse."""
    try:
        status = rpc_status.from_call(cast("grpc.Call", error))
    except (AttributeError, ValueError, DecodeError):
        return []
    found = []
    for wrapper in status.details if status is not None else ():
        detail = kind()
        if wrapper.Unpack(detail):
            found.append(detail)
    return found
