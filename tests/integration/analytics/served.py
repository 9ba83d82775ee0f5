"""An analytics service with a clock of its own before any store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

import grpc.aio

from fucai.analytics.service import AnalyticsService
from fucai.analytics.store import Store
from fucai.runtime.client import connect_blocking
from fucai.v1 import analytics_pb2_grpc


@contextmanager
def served(
    url: str, database: str, now: datetime, currency: str = "CNY"
) -> Iterator[analytics_pb2_grpc.AnalyticsServiceStub]:
    """A client of a service that believes it is `now`; the business time zone is that of `now`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    assert isinstance(now.tzinfo, ZoneInfo)
    zone = now.tzinfo

    async def start() -> tuple[Store, grpc.aio.Server, int]:
        store = Store(url, database)
        server = grpc.aio.server()
        service = AnalyticsService(store, zone=zone, currency=currency, clock=lambda: now)
        analytics_pb2_grpc.add_AnalyticsServiceServicer_to_server(service, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return store, server, port

    store, server, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        with connect_blocking(f"127.0.0.1:{port}") as channel:
            yield analytics_pb2_grpc.AnalyticsServiceStub(channel)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(None), loop).result()
        asyncio.run_coroutine_threadsafe(store.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
