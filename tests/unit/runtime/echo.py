"""A gRPC service of the tests' own: four kinds of methods over StringValue, which echo or do what the text says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.wrappers_pb2 import StringValue
from structlog import get_logger

from fucai.runtime import errors
from fucai.runtime.client import connect
from fucai.runtime.errors import Violation
from fucai.runtime.service import Service
from fucai.runtime.settings import ServiceSettings

SERVICE = "test.Echo"
SECRET = "password of the database"  # noqa: S105 (what must not leak)


async def answer(request: StringValue, context: Any) -> StringValue:
    """Echoes, or fails in the way that the text names."""
    match request.value:
        case "raise":
            raise RuntimeError(SECRET)
        case "hang":
            await asyncio.Event().wait()
        case "refuse":
            await errors.invalid_argument(context, [Violation("events[3].amount_fen", "is 0, must be above 0")])
        case "busy":
            await errors.resource_exhausted(context, "the broker cannot keep up", retry_after_ms=1500)
        case "missing":
            await errors.not_found(context, "outlet", "GZ-0001")
        case "away":
            await errors.unavailable(context, "ClickHouse is away")
        case "early":
            await errors.failed_precondition(context, "the draw is not sealed")
    return request


async def chat(requests: AsyncIterator[StringValue], context: Any) -> AsyncIterator[StringValue]:
    """Answers each message in order."""
    async for request in requests:
        yield await answer(request, context)


async def chat_by_hand(requests: AsyncIterator[StringValue], context: Any) -> None:
    """As `chat`, written with context.write instead of yield."""
    async for request in requests:
        await context.write(await answer(request, context))


async def spread(request: StringValue, context: Any) -> AsyncIterator[StringValue]:
    """Answers one message twice."""
    yield await answer(request, context)
    yield request


async def gather(requests: AsyncIterator[StringValue], context: Any) -> StringValue:
    """Answers many messages with their concatenation."""
    texts = [(await answer(request, context)).value async for request in requests]
    return StringValue(value="".join(texts))


def add_to_server(_servicer: object, server: Any) -> None:
    """Registers the service in the way that generated code does."""
    form: dict[str, Any] = {
        "request_deserializer": StringValue.FromString,
        "response_serializer": StringValue.SerializeToString,
    }
    handlers = {
        "Answer": grpc.unary_unary_rpc_method_handler(answer, **form),
        "Chat": grpc.stream_stream_rpc_method_handler(chat, **form),
        "ChatByHand": grpc.stream_stream_rpc_method_handler(chat_by_hand, **form),
        "Spread": grpc.unary_stream_rpc_method_handler(spread, **form),
        "Gather": grpc.stream_unary_rpc_method_handler(gather, **form),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_registered_method_handlers(SERVICE, handlers)


class Client:
    """Calls the echo service with StringValue, or with raw bytes."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    def call(self, kind: str, method: str, *, raw: bool = False) -> Any:
        """The multi-callable of one method; `kind` is grpc's, for example "unary_unary"."""
        serializer = None if raw else StringValue.SerializeToString
        return getattr(self._channel, kind)(f"/{SERVICE}/{method}", serializer, StringValue.FromString)

    async def answer(self, text: str) -> str:
        """One text there and back."""
        received: StringValue = await self.call("unary_unary", "Answer")(StringValue(value=text))
        return received.value


def serving(test: Callable[[Service[ServiceSettings], Client], Awaitable[None]]) -> None:
    """Runs `test` against a service with the echo servicer on a free port."""

    async def build(service: Service[ServiceSettings]) -> None:
        service.add(add_to_server, object())

    async def run() -> None:
        service = Service("echo", ServiceSettings(max_message_bytes=65_536, stop_seconds=2), get_logger())
        async with service.running(build), connect(service.grpc_address) as channel:
            await test(service, Client(channel))

    asyncio.run(run())
