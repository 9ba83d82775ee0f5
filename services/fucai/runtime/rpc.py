"""Watches every RPC of a server: counts, times and logs it, and hides unexpected exceptions behind a correlation id.

A call is wrapped once; the messages of a stream pass untouched.
"""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, cast

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from structlog.typing import FilteringBoundLogger

Behaviour = Callable[[Any, Any], Any]

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_OWN_FAULT = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS}


class RpcMetrics:
    """The server's metrics: RPCs handled by method and code, RPCs running, and how long unary ones took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.handled = Counter(
            "fucai_grpc_server_handled",
            "RPCs that ended, by method and gRPC status code.",
            ["method", "code"],
            registry=registry,
        )
        self.running = Gauge("fucai_grpc_server_running", "RPCs not ended yet.", ["method"], registry=registry)
        self.seconds = Histogram(
            "fucai_grpc_server_handling_seconds",
            "Time from the request to the end of an RPC without streams.",
            ["method"],
            buckets=_BUCKETS_S,
            registry=registry,
        )


class RpcObserver(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in the stubs only
    """The interceptor: one for each server."""

    def __init__(self, metrics: RpcMetrics, log: FilteringBoundLogger) -> None:
        self._metrics = metrics
        self._log = log

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Wraps the handler of one call; a method that does not exist stays UNIMPLEMENTED."""
        handler = cast("Any", await continuation(handler_call_details))
        if handler is None:
            return cast("grpc.RpcMethodHandler[Any, Any]", None)
        method = handler_call_details.method
        serializer, deserializer = handler.response_serializer, handler.request_deserializer
        if handler.request_streaming and handler.response_streaming:
            wrapped = self._stream(method, handler.stream_stream)
            return grpc.stream_stream_rpc_method_handler(wrapped, deserializer, serializer)
        if handler.response_streaming:
            wrapped = self._stream(method, _parsing(handler.unary_stream, deserializer))
            return grpc.unary_stream_rpc_method_handler(wrapped, None, serializer)
        if handler.request_streaming:
            wrapped = self._unary(method, handler.stream_unary)
            return grpc.stream_unary_rpc_method_handler(wrapped, deserializer, serializer)
        wrapped = self._unary(method, _parsing(handler.unary_unary, deserializer), self._metrics.seconds.labels(method))
        return grpc.unary_unary_rpc_method_handler(wrapped, None, serializer)

    def _unary(self, method: str, behaviour: Behaviour, seconds: Histogram | None = None) -> Behaviour:
        async def respond(request: object, context: Any) -> object:
            return await behaviour(request, context)

        async def call(request: object, context: Any) -> object:
            return await self._observed(method, context, respond(request, context), seconds)

        return call

    def _stream(self, method: str, behaviour: Behaviour) -> Behaviour:
        # A generator is drained here as grpc itself would do it, so that no message passes one more coroutine.
        async def respond(request: object, context: Any) -> None:
            answer = behaviour(request, context)
            if inspect.isasyncgen(answer):
                async with aclosing(answer):
                    async for response in answer:
                        await context.write(response)
            else:
                await answer

        async def call(request: object, context: Any) -> None:
            await self._observed(method, context, respond(request, context), None)

        return call

    async def _observed(self, method: str, context: Any, ending: Awaitable[Any], seconds: Histogram | None) -> object:
        began = time.perf_counter()
        code = grpc.StatusCode.OK
        error_id = None
        running = self._metrics.running.labels(method)
        running.inc()
        try:
            answer = await ending
            code = _code(context)
            return answer
        except asyncio.CancelledError:
            code = grpc.StatusCode.CANCELLED
            raise
        except grpc.aio.AbortError:
            code = _code(context)
            raise
        except DecodeError as error:
            code = grpc.StatusCode.INVALID_ARGUMENT
            message = f"the request does not parse as the message that {method} takes: {error}"
            raise await _aborted(context, code, message) from error
        except Exception as error:
            code = grpc.StatusCode.INTERNAL
            error_id = uuid.uuid4().hex[:12]
            self._log.exception("rpc failed", method=method, error_id=error_id, peer=context.peer())
            message = f"internal error {error_id}; the service's log says more under this id"
            raise await _aborted(context, code, message) from error
        finally:
            elapsed_s = time.perf_counter() - began
            running.dec()
            self._metrics.handled.labels(method, code.name).inc()
            if seconds is not None:
                seconds.observe(elapsed_s)
            if error_id is None:
                self._tell(method, code, elapsed_s, context)

    def _tell(self, method: str, code: grpc.StatusCode, elapsed_s: float, context: Any) -> None:
        if code is grpc.StatusCode.OK:
            tell = self._log.debug
        else:
            tell = self._log.warning if code in _OWN_FAULT else self._log.info
        tell("rpc", method=method, code=code.name, seconds=round(elapsed_s, 6), peer=context.peer())


def _parsing(behaviour: Behaviour, deserializer: Callable[[bytes], object] | None) -> Behaviour:
    """The behaviour with its one request parsed inside, where a DecodeError can still be answered properly."""
    if deserializer is None:
        return behaviour
    return lambda raw, context: behaviour(deserializer(raw), context)


def _code(context: Any) -> grpc.StatusCode:
    code = context.code()
    return code if isinstance(code, grpc.StatusCode) else _CODES.get(code or 0, grpc.StatusCode.UNKNOWN)


async def _aborted(context: Any, code: grpc.StatusCode, message: str) -> BaseException:
    """Aborts the call and returns the AbortError, for the caller to raise with its cause."""
    try:
        await context.abort(code, message)
    except grpc.aio.AbortError as abort:
        return abort
    return AssertionError("abort returned")
