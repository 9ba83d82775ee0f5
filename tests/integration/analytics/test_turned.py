"""A draw that is sealed, by schedule or by hand, while a question is answered: nobody is given what was read before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import grpc.aio
import pytest

from fucai.analytics.service import AnalyticsService
from fucai.analytics.store import Ask, Ran, Row, Store
from fucai.runtime.errors import explain
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub, add_AnalyticsServiceServicer_to_server
from tests.support.clickhouse import Database

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = datetime.now(ZONE).date()
DAY = TODAY.isoformat()
QUESTION = pb.TrendRequest(from_day=DAY, to_day=DAY)
COLUMNS = ["outlet_id", "business_day", "sold_at", "kind", "game", "draw_no", "amount_fen", "terminal_id", "seq"]


class HeldStore(Store):
    """A store whose figures come in only when `held` says so; what they are was read before."""

    held: Callable[[], Awaitable[None]] | None = None

    def asking(self, seconds: float, ran: list[Ran] | None = None) -> Ask:
        """As a store's, but held up after the queries for sales."""
        ask = super().asking(seconds, ran)

        async def late(text: str, parameters: Any) -> list[Row]:
            rows = await ask(text, parameters)
            if self.held is not None and "sales_fen" in text:
                await self.held()
            return rows

        return late


def close_in(client: Any, draw_no: str, ms: int) -> int:
    """Sells a draw whose sales close in some milliseconds by the store's clock; that moment, Unix ms."""
    ((now_ms,),) = client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows
    row = ["ssq", draw_no, now_ms + ms, 1]
    client.insert("draw_rows", [row], column_names=["game", "draw_no", "sales_close_ms", "import_id"])
    client.command("SYSTEM RELOAD DICTIONARY draw_times")
    sale = ["A", TODAY, datetime.now(ZONE), "SALE", "ssq", draw_no, 200, "T", int(draw_no)]
    client.insert("sales", [sale], column_names=COLUMNS)
    return int(now_ms) + ms


async def parts_of(stub: Any, question: pb.TrendRequest) -> list[pb.StreamTrendResponse]:
    """All parts of a stream; it fails where the stream is broken off."""
    return [part async for part in stub.StreamTrend(pb.StreamTrendRequest(question=question))]


@asynccontextmanager
async def asking(database: Database) -> AsyncIterator[tuple[HeldStore, Any]]:
    """A store that can be held up, and a client of a service before it."""
    store, server = HeldStore(database.url, database.name), grpc.aio.server()
    service = AnalyticsService(store, zone=ZONE, currency="CNY")
    add_AnalyticsServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield store, AnalyticsServiceStub(channel)
    await server.stop(None)
    await store.close()


async def all_refused(stub: Any) -> None:
    """Whatever is asked is to be asked again, at once."""
    asked: list[Awaitable[Any]] = [
        parts_of(stub, QUESTION),
        stub.Trend(QUESTION),
        stub.Headline(pb.HeadlineRequest(from_day=DAY)),
    ]
    for refused in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(refused, grpc.aio.AioRpcError), refused
        assert refused.code() is grpc.StatusCode.UNAVAILABLE
        assert "sealed or ended while this was answered: ask again" in explain(refused)


def test_an_answer_that_a_seal_fell_into_is_not_given(clickhouse_database: Database) -> None:
    """UNAVAILABLE, to be asked again at once; then it is without the draw. In a stream nothing follows the seal."""
    client = clickhouse_database.client()
    client.insert("imports", [[1, "test"]], column_names=["import_id", "source"])

    async def ask() -> None:
        async with asking(clickhouse_database) as (store, stub):
            close_in(client, "2026001", 3_600_000)
            assert (await stub.Trend(QUESTION)).total.sales_fen == 200
            closes_ms = close_in(client, "2026002", 1_500)

            async def held() -> None:
                while time.time_ns() // 1_000_000 <= closes_ms:
                    await asyncio.sleep(0.02)

            store.held = held
            await all_refused(stub)
            answer = await stub.Trend(QUESTION)
            assert (answer.total.sales_fen, answer.freshness.withheld_draws) == (200, 1)

    asyncio.run(ask())
    client.close()


def test_a_seal_by_hand_counts_from_when_the_store_has_it(clickhouse_database: Database) -> None:
    """Recorded before the question, looked up while it is answered: refused; and answered as soon as it holds."""
    client = clickhouse_database.client()
    client.insert("imports", [[1, "test"]], column_names=["import_id", "source"])

    async def ask() -> None:
        async with asking(clickhouse_database) as (store, stub):
            closes_ms = close_in(client, "2026001", 3_600_000)
            recorded: list[int] = []

            async def held() -> None:
                if not recorded:
                    recorded.append(closes_ms - 3_610_000)
                    act = ["ssq", "2026001", "seal", recorded[0], 1]
                    columns = ["game", "draw_no", "act", "at_ms", "import_id"]
                    client.insert("draw_act_rows", [act], column_names=columns)
                    client.command("SYSTEM RELOAD DICTIONARY draw_times")

            store.held = held
            with pytest.raises(grpc.aio.AioRpcError, match="ask again"):
                await stub.Trend(QUESTION)
            answer = await stub.Trend(QUESTION)
            assert (answer.total.sales_fen, answer.freshness.withheld_draws) == (0, 1)

    asyncio.run(ask())
    client.close()
