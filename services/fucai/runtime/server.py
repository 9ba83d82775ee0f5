"""Builds the gRPC server of a process: limits, keepalive, reflection, and health that follows readiness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from fucai.runtime.progress import Readiness

_KEEPALIVE_MS = 60_000
_KEEPALIVE_TIMEOUT_MS = 20_000
_SHORTEST_CLIENT_PING_MS = 10_000


class Servicers:
    """Collects what the generated `add_...Servicer_to_server` functions register, and the services' full names."""

    def __init__(self) -> None:
        self.handlers: list[grpc.GenericRpcHandler[Any, Any]] = []
        self.names: list[str] = []

    def add(self, register: Callable[[Any, Any], None], servicer: object) -> None:
        """Takes a servicer; `register` is its generated function."""
        register(servicer, self)

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler[Any, Any]]) -> None:
        """Called by generated code."""
        self.handlers += handlers
        self.names += [name for handler in handlers if (name := cast("Any", handler).service_name())]

    def add_registered_method_handlers(self, _service: str, _handlers: object) -> None:
        """Called by generated code; grpc.aio has no use for it, the generic handlers cover the same methods."""


class Health:
    """grpc.health.v1 for all services of one process, which become ready and unready together."""

    def __init__(self, services: Sequence[str]) -> None:
        self._services = ("", *services)
        aio_health = cast("Any", health).aio
        self.servicer: Any = aio_health.HealthServicer()

    async def show(self, readiness: Readiness) -> None:
        """SERVING while ready, else NOT_SERVING; watchers hear of changes."""
        statuses = health_pb2.HealthCheckResponse
        status = statuses.SERVING if readiness.ready else statuses.NOT_SERVING
        for service in self._services:
            await self.servicer.set(service, status)

    async def stop(self) -> None:
        """NOT_SERVING from now on."""
        await self.servicer.enter_graceful_shutdown()


def build_server(
    servicers: Servicers,
    *,
    health_of: Health,
    interceptors: Sequence[grpc.aio.ServerInterceptor[Any, Any]],
    max_message_bytes: int,
) -> grpc.aio.Server:
    """A server, not started, with health and reflection; it answers larger requests with RESOURCE_EXHAUSTED.

    Responses may be four times as large as requests. Terminals stay connected for days: the server pings them each
    minute and drops the dead, and lets them ping every 10 s even without a call.
    """
    server = grpc.aio.server(
        handlers=servicers.handlers,
        interceptors=interceptors,
        options=[
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", 4 * max_message_bytes),
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
            ("grpc.http2.ping_timeout_ms", _KEEPALIVE_TIMEOUT_MS),  # else gRPC waits a minute for each ping
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", _SHORTEST_CLIENT_PING_MS),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.so_reuseport", 0),
        ],
    )
    health_pb2_grpc.add_HealthServicer_to_server(health_of.servicer, server)
    names = [*servicers.names, health.SERVICE_NAME, reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server)
    return server
