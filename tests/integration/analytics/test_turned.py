"""A draw that is sealed, by schedule or by hand, while a question is answered: nobody is given what was read before."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import grpc.aio
import pytest

from fucai.analytics import trend
from fucai.analytics.service import AnalyticsService
from fucai.analytics.store import Ask, Ran, Row, Store
from fucai.runtime.errors import explain, retry_after_ms
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


class Arrivals(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Counts the questions that have come to the server."""

    count = 0

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Lets everything pass."""
        self.count += 1
        return await continuation(handler_call_details)


@pytest.fixture
def client(clickhouse_database: Database) -> Iterator[Any]:
    """A client of a store that has one import, of which draws and acts are rows."""
    found = clickhouse_database.client()
    found.insert("imports", [[1, "test"]], column_names=["import_id", "source"])
    yield found
    found.close()


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
async def asking(database: Database, arrivals: Arrivals | None = None) -> AsyncIterator[tuple[HeldStore, Any]]:
    """A store that can be held up, and a client of a service before it, whose arrivals may be counted."""
    store = HeldStore(database.url, database.name)
    server = grpc.aio.server(interceptors=[arrivals] if arrivals else [])
    service = AnalyticsService(store, zone=ZONE, currency="CNY")
    add_AnalyticsServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield store, AnalyticsServiceStub(channel)
    await server.stop(None)
    await store.close()


async def awaited(call: Awaitable[Any]) -> Any:
    """The answer to a call, for a task of its own."""
    return await call


def seal(client: Any, draw_no: str, at_ms: int) -> None:
    """Records that a draw was sealed at that moment, and has the store look it up."""
    act = ["ssq", draw_no, "seal", at_ms, 1]
    client.insert("draw_act_rows", [act], column_names=["game", "draw_no", "act", "at_ms", "import_id"])
    client.command("SYSTEM RELOAD DICTIONARY draw_times")


async def answers_of(stub: Any) -> list[tuple[int, int]]:
    """Sales and draws left out, as several questions have them that are asked at once."""
    parts, answer, headline = await asyncio.gather(
        parts_of(stub, QUESTION), stub.Trend(QUESTION), stub.Headline(pb.HeadlineRequest(from_day=DAY))
    )
    return [
        (parts[-1].end.total.sales_fen, parts[-1].end.freshness.withheld_draws),
        (answer.total.sales_fen, answer.freshness.withheld_draws),
        (headline.total.sales_fen, headline.freshness.withheld_draws),
    ]


def test_an_answer_that_a_seal_fell_into_is_begun_anew(clickhouse_database: Database, client: Any) -> None:
    """What was read before the seal is given to nobody: the answer is without the draw, and says so."""

    async def ask() -> None:
        async with asking(clickhouse_database) as (store, stub):
            close_in(client, "2026001", 3_600_000)
            assert await answers_of(stub) == [(200, 0)] * 3
            closes_ms = close_in(client, "2026002", 3_000)
            held_up: list[int] = []

            async def held() -> None:
                held_up.append(time.time_ns() // 1_000_000)
                while time.time_ns() // 1_000_000 <= closes_ms:
                    await asyncio.sleep(0.02)

            store.held = held
            assert await answers_of(stub) == [(200, 1)] * 3
            assert sum(moment < closes_ms for moment in held_up) >= 3

    asyncio.run(ask())


def test_draws_sealed_during_every_try_refuse_the_answer(clickhouse_database: Database, client: Any) -> None:
    """UNAVAILABLE, to be asked again at once; then it is without them."""

    async def ask() -> None:
        async with asking(clickhouse_database) as (store, stub):
            draws = [f"{number:07}" for number in range(2026001, 2026010)]
            closes_ms = [close_in(client, draw_no, 3_600_000) for draw_no in draws]
            sealing = iter(zip(draws, closes_ms, strict=True))

            async def held() -> None:
                draw_no, closing_ms = next(sealing)
                seal(client, draw_no, closing_ms - 3_610_000)

            store.held = held
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Trend(QUESTION)
            store.held = None
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
            assert "sealed or ended while this was answered: ask again" in explain(refused.value)
            assert retry_after_ms(refused.value) == 100
            answer = await stub.Trend(QUESTION)
            assert (answer.total.sales_fen, answer.freshness.withheld_draws) == (200 * 6, 3)

    asyncio.run(ask())


def test_a_stream_that_was_begun_ends_where_a_draw_is_sealed(
    clickhouse_database: Database, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be begun anew, for its first part was given; what was read for the next is not."""
    monkeypatch.setattr(trend, "PART_ROWS", 1)
    yesterday = TODAY - timedelta(days=1)

    async def ask() -> None:
        async with asking(clickhouse_database) as (store, stub):
            closes_ms = close_in(client, "2026001", 3_600_000)
            sale = ["A", yesterday, datetime.now(ZONE), "SALE", "instant", "", 300, "T", 1]
            client.insert("sales", [sale], column_names=COLUMNS)
            readings, first_is_here = itertools.count(1), asyncio.Event()

            async def held() -> None:
                if next(readings) == 2:
                    await first_is_here.wait()
                    seal(client, "2026001", closes_ms - 3_610_000)

            store.held = held
            question = pb.TrendRequest(from_day=yesterday.isoformat(), to_day=DAY, by=["outlet"])
            given: list[int] = []

            async def read() -> None:
                async for part in stub.StreamTrend(pb.StreamTrendRequest(question=question)):
                    given.extend(row.figures.sales_fen for row in part.rows)
                    first_is_here.set()

            with pytest.raises(grpc.aio.AioRpcError, match="ask again"):
                await read()
            assert given == [300]

    asyncio.run(ask())


def test_a_seal_by_hand_counts_from_when_the_store_has_it(clickhouse_database: Database, client: Any) -> None:
    """Recorded before the question, looked up while it is answered: begun anew, and answered without the draw."""

    async def ask() -> None:
        async with asking(clickhouse_database) as (store, stub):
            closes_ms = close_in(client, "2026001", 3_600_000)
            sealed: list[str] = []

            async def held() -> None:
                if not sealed:
                    seal(client, "2026001", closes_ms - 3_610_000)
                    sealed.append("2026001")

            store.held = held
            answer = await stub.Trend(QUESTION)
            assert (len(sealed), answer.total.sales_fen, answer.freshness.withheld_draws) == (1, 0, 1)

    asyncio.run(ask())


def test_who_asks_the_same_while_it_is_answered_is_given_what_was_stored_before_he_asked(
    clickhouse_database: Database, client: Any
) -> None:
    """The first answer was read before a sale came in; those who ask after it are not given that one."""
    arrivals = Arrivals()

    async def ask() -> None:
        async with asking(clickhouse_database, arrivals) as (store, stub):
            close_in(client, "2026001", 3_600_000)
            was_read, go_on = asyncio.Event(), asyncio.Event()

            async def held() -> None:
                was_read.set()
                await go_on.wait()

            store.held = held
            first = asyncio.create_task(awaited(stub.Trend(QUESTION)))
            await was_read.wait()
            close_in(client, "2026002", 3_600_000)
            others = [asyncio.create_task(awaited(stub.Trend(QUESTION))) for _ in range(4)]
            while arrivals.count < 1 + len(others):
                await asyncio.sleep(0.01)
            go_on.set()
            assert (await first).total.sales_fen == 200
            assert {answer.total.sales_fen for answer in await asyncio.gather(*others)} == {400}

    asyncio.run(ask())
