"""The questions that `make bench --only growth` asks: what is asked of each, and whether two answers are the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import grpc
import grpc.aio

from fucai.analytics.service import AnalyticsService
from fucai.analytics.store import Store
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub, add_AnalyticsServiceServicer_to_server
from tests.bench.channel import ZONE, Channel

QUICK, WALKING = (200, 500), (400, 1_500)
"""Milliseconds asked for at p95, alone and with four clients while events are written; the latter for outlet-days."""

PLAIN = {"optimize_use_projections": 0, "enable_shared_storage_snapshot_in_query": 0}
"""Settings with which every event is read: no projection, and no day that counts as settled."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request of one method, and the milliseconds asked for."""

    name: str
    method: str
    request: Any
    asked: tuple[int, int]

    def ask(self, stub: AnalyticsServiceStub, *, explain: bool = False) -> Any:
        """The answer over the wire."""
        request = type(self.request)()
        request.CopyFrom(self.request)
        request.selection.explain = explain
        return getattr(stub, self.method)(request, timeout=120)

    def other(self, number: int) -> Question:
        """The same question up to `number` days earlier, and of another outlet: as much work, and another answer."""
        request = type(self.request)()
        request.CopyFrom(self.request)
        request.to_day = (date.fromisoformat(request.to_day) - timedelta(days=number)).isoformat()
        if self.method == "Outlet":
            request.outlet_id = f"O{int(request.outlet_id.lstrip('O')) + number:05}"
        return replace(self, request=request)


def questions(channel: Channel) -> list[Question]:
    """All of them, over the channel's two years; those that compare set the year so far beside the year before."""
    whole: dict[str, Any] = {"from_day": channel.first.isoformat(), "to_day": channel.last.isoformat()}
    year: dict[str, Any] = {"from_day": date(channel.last.year, 1, 1).isoformat(), "to_day": channel.last.isoformat()}
    return [
        Question("trend by day", "Trend", pb.TrendRequest(**whole, grain=pb.GRAIN_DAY), QUICK),
        Question("headline", "Headline", pb.HeadlineRequest(to_day=channel.last.isoformat()), QUICK),
        Question("active outlets by day", "Scale", pb.ScaleRequest(**whole, grain=pb.GRAIN_DAY), WALKING),
        Question(
            "month by district", "Trend", pb.TrendRequest(**whole, grain=pb.GRAIN_MONTH, by=["district"]), WALKING
        ),
        Question("decompose by district", "Decompose", pb.DecomposeRequest(**year, by=["district"]), WALKING),
        Question("rank outlets", "Rank", pb.RankRequest(**year, of="outlet", within="mgmt_area"), WALKING),
        Question("profile", "Profile", pb.ProfileRequest(**year), QUICK),
        Question("outlet card, 4 weeks", "Outlet", pb.OutletRequest(outlet_id="O01205", to_day=whole["to_day"]), QUICK),
        Question("outlet card, the year", "Outlet", pb.OutletRequest(outlet_id="O01205", **year), QUICK),
    ]


def same(one: Any, other: Any) -> bool:
    """Whether two answers are the same, but for when and how they were read."""
    return bool(_figures(one) == _figures(other))


def _figures(answer: Any) -> Any:
    kept = type(answer)()
    kept.CopyFrom(answer)
    for field in ("about", "freshness", "queries"):
        if field in kept.DESCRIPTOR.fields_by_name:
            kept.ClearField(field)
    return kept


@contextmanager
def plain_service(url: str, database: str) -> Iterator[AnalyticsServiceStub]:
    """The same service in this process, whose queries read every event."""
    ready: futures.Future[Callable[[], object]] = futures.Future()
    address: futures.Future[str] = futures.Future()

    async def serve() -> None:
        store = Store(url, database, threads=2, settings=PLAIN)
        server = grpc.aio.server()
        add_AnalyticsServiceServicer_to_server(AnalyticsService(store, zone=ZONE, currency="CNY"), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        ready.set_result(lambda: loop.call_soon_threadsafe(stop.set))
        address.set_result(f"127.0.0.1:{port}")
        await stop.wait()
        await server.stop(None)
        await store.close()

    with futures.ThreadPoolExecutor(1) as threads:
        serving = threads.submit(lambda: asyncio.run(serve()))
        try:
            with grpc.insecure_channel(address.result(30)) as channel:
                yield AnalyticsServiceStub(channel)
        finally:
            ready.result(30)()
            serving.result(60)
