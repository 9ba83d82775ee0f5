"""Questions that cannot be answered: each is refused with field, value and valid choices, or says what is away."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import grpc
import grpc.aio
import pytest

from fucai.adapters.clickhouse import connect
from fucai.adapters.migrate import StoreSettings, migrate
from fucai.analytics import paging
from fucai.analytics.readiness import problem_of
from fucai.analytics.service import AnalyticsService
from fucai.analytics.store import Store, StoreSlowError
from fucai.runtime.errors import code_of, explain, retry_after_ms, violations_of
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import (
    AnalyticsServiceStub,
    add_AnalyticsServiceServicer_to_server,
)
from tests.integration.analytics.world import DATABASE

if TYPE_CHECKING:
    from fucai.v1.analytics_pb2_grpc import AnalyticsServiceAsyncStub

DAYS: dict[str, Any] = {"from_day": "2024-01-01", "to_day": "2024-12-31"}


@pytest.mark.parametrize(
    ("method", "request_", "field", "told"),
    [
        ("Trend", pb.TrendRequest(), "from_day", "YYYY-MM-DD"),
        ("Trend", pb.TrendRequest(from_day="2024-01-01", to_day="2023-02-29"), "to_day", "'2023-02-29'"),
        ("Trend", pb.TrendRequest(from_day="20240101", to_day="2024-12-31"), "from_day", "'20240101'"),
        ("Trend", pb.TrendRequest(from_day="0001-01-01", to_day="2024-12-31"), "from_day", "1971-01-01"),
        ("Trend", pb.TrendRequest(from_day="2024-12-31", to_day="2024-01-01"), "to_day", "before from_day 2024-12-31"),
        ("Trend", pb.TrendRequest(**DAYS, grain=99), "grain", "99 is no grain: choose hour, day, week, month, year"),  # type: ignore[arg-type]
        (
            "Trend",
            pb.TrendRequest(**DAYS, compare=7),  # type: ignore[arg-type]
            "compare",
            "7 is no comparison: choose none, yoy, previous, weekday",
        ),
        ("Trend", pb.TrendRequest(**DAYS, by=["game", "store"]), "by[1]", "'store' is no dimension: choose game, zone"),
        ("Trend", pb.TrendRequest(**DAYS, by=["game", "game"]), "by[1]", "'game' stands twice"),
        ("Trend", pb.TrendRequest(**DAYS, by=["'; DROP TABLE sales; --"]), "by[0]", "no dimension"),
        (
            "Trend",
            pb.TrendRequest(**DAYS, by=["game", "zone", "outlet", "kind", "format", "district"]),
            "by",
            "at most 5",
        ),
        (
            "Trend",
            pb.TrendRequest(from_day="1990-01-01", to_day="2020-12-31", grain=pb.GRAIN_HOUR),
            "grain",
            "at most 50,000",
        ),
        ("Headline", pb.HeadlineRequest(**DAYS, by="kind"), "by", "'kind' is no dimension: choose game"),
        ("Headline", pb.HeadlineRequest(**DAYS, benchmark="x' OR 1"), "benchmark", "choose national_welfare, own"),
        ("Headline", pb.HeadlineRequest(**DAYS, active_open_days=367), "active_open_days", "1 to 366"),
        ("Headline", pb.HeadlineRequest(from_day="2030-01-01"), "from_day", "is after 2025-03-10"),
        ("Headline", pb.HeadlineRequest(to_day="tomorrow"), "to_day", "'tomorrow'"),
        (
            "Headline",
            pb.HeadlineRequest(from_day="2024-02-29", to_day="2024-02-29"),
            "from_day",
            "no counterpart in the year before",
        ),
        ("Recent", pb.RecentRequest(limit=101), "limit", "1 to 100"),
    ],
)
def test_a_bad_field_is_named(
    analytics: AnalyticsServiceStub, method: str, request_: Any, field: str, told: str
) -> None:
    """INVALID_ARGUMENT, with a violation for the very field that says what is wrong and what is possible."""
    with pytest.raises(grpc.RpcError) as caught:
        getattr(analytics, method)(request_)
    assert code_of(caught.value) is grpc.StatusCode.INVALID_ARGUMENT
    assert [told in violation.description for violation in violations_of(caught.value) if violation.field == field] == [
        True
    ]


def test_every_bad_field_is_told_at_once(analytics: AnalyticsServiceStub) -> None:
    """Three bad fields give three violations."""
    with pytest.raises(grpc.RpcError) as caught:
        analytics.Trend(pb.TrendRequest(from_day="x", to_day="2024-12-31", by=["shop"], grain=77))  # type: ignore[arg-type]
    assert [violation.field for violation in violations_of(caught.value)] == ["from_day", "grain", "by[0]"]


def test_an_answer_too_long_for_one_message_is_refused(
    analytics: AnalyticsServiceStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than the limit, here 1,000, are not cut in silence: the question is refused with what to change."""
    monkeypatch.setattr(paging, "MAX_ROWS", 1_000)
    request = pb.TrendRequest(from_day="2021-01-01", to_day="2025-12-31", by=["outlet", "game", "kind"])
    with pytest.raises(grpc.RpcError) as caught:
        analytics.Trend(request, timeout=60)
    assert "one message carries 1,000: set page_size" in explain(caught.value)


def test_days_without_sales_have_no_rows(analytics: AnalyticsServiceStub) -> None:
    """Before the first and after the last stored day nothing is shown as zero."""
    assert not analytics.Trend(pb.TrendRequest(from_day="2020-01-01", to_day="2020-12-31")).rows
    assert not analytics.Trend(pb.TrendRequest(from_day="2026-01-01", to_day="2026-12-31")).rows


def _serving(url: str, database: str, use: Callable[[AnalyticsServiceAsyncStub], Awaitable[None]]) -> None:
    """Runs `use` against a service of its own before the store at `url`."""

    async def serve() -> None:
        store = Store(url, database)
        server = grpc.aio.server()
        add_AnalyticsServiceServicer_to_server(AnalyticsService(store, zone=ZoneInfo("UTC"), currency="CAD"), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            await use(AnalyticsServiceStub(channel))
        await server.stop(None)
        await store.close()

    asyncio.run(serve())


def test_an_absent_clickhouse_is_unavailable() -> None:
    """UNAVAILABLE names ClickHouse's address and says when to come back."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        async def use(analytics: AnalyticsServiceAsyncStub) -> None:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await analytics.Freshness(pb.FreshnessRequest(), timeout=20)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert url in str(caught.value.details())
            assert retry_after_ms(caught.value) == 2000

        _serving(url, DATABASE, use)


def test_an_empty_store_answers_without_growth(store_url: str) -> None:
    """Without events a headline has zeros marked NO_BASE, a trend no rows, and no day is invented."""
    client = connect(store_url)
    migrate(client, database="analytics_empty", store=StoreSettings("UTC", "CAD"))
    client.close()

    async def use(analytics: AnalyticsServiceAsyncStub) -> None:
        headline = await analytics.Headline(pb.HeadlineRequest(by="zone_type"))
        assert headline.total.sales_growth.mark == pb.GROWTH_MARK_NO_BASE
        assert headline.total.scale_growth.mark == pb.GROWTH_MARK_NO_BASE
        assert (headline.freshness.first_day, headline.freshness.latest_received_ms) == ("", 0)
        assert not headline.benchmark.HasField("growth")
        assert not (await analytics.Trend(pb.TrendRequest(**DAYS))).rows
        assert not (await analytics.Recent(pb.RecentRequest())).events
        assert (await analytics.Freshness(pb.FreshnessRequest())).events == 0

    _serving(store_url, "analytics_empty", use)


def test_readiness_tells_why_a_store_cannot_answer(store_url: str) -> None:
    """Away, not migrated, another time zone or currency: each is named with its remedy; else there is no problem."""

    async def problems() -> list[str]:
        found = []
        for database, settings in (
            ("analytics_bare", ServiceSettings()),
            (DATABASE, ServiceSettings(timezone="UTC")),
            (DATABASE, ServiceSettings(currency="CAD")),
            (DATABASE, ServiceSettings()),
        ):
            store = Store(store_url, database)
            found.append(await problem_of(store, settings))
            await store.close()
        return found

    bare, zone, currency, none = asyncio.run(problems())
    assert "fucai migrate" in bare
    assert "FUCAI_TIMEZONE=Asia/Shanghai" in zone
    assert "FUCAI_CURRENCY=CNY" in currency
    assert none == ""


def test_the_callers_deadline_reaches_clickhouse(store_url: str) -> None:
    """A query that would run for minutes ends with the deadline of its question, and says so."""

    async def ask() -> None:
        store = Store(store_url, DATABASE)
        with pytest.raises(StoreSlowError):
            await store.asking(1.0)("SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1", {})
        await store.close()

    asyncio.run(ask())


SLOW = "SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1"


def test_a_cancelled_question_ends_its_query(store_url: str) -> None:
    """The caller goes away: within two seconds the engine runs nothing of his, and the thread is free again."""

    async def ask() -> float:
        store = Store(store_url, DATABASE, threads=1, log_comment="cancelled")
        asking = asyncio.ensure_future(store.asking(60.0)(SLOW, {}))
        client = connect(store_url)
        running = "SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE 'cancelled %'"
        while not await asyncio.to_thread(lambda: client.query(running).result_rows[0][0]):
            await asyncio.sleep(0.01)
        began = asyncio.get_running_loop().time()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert list(await store.asking(10.0)("SELECT 1", {})) == [(1,)]
        took = asyncio.get_running_loop().time() - began
        assert client.query(running).result_rows == [(0,)]
        client.close()
        await store.close()
        return took

    assert asyncio.run(ask()) < 2
