"""Tries to learn something of a sealed draw: by asking, and by the difference of answers before and after it sells.

Whoever adds a question to analytics adds it to QUESTIONS.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, generate_latest

from fucai.adapters.conservation_store import Scope
from fucai.analytics.measures import MEASURES
from fucai.analytics.service import AnalyticsService
from fucai.analytics.store import Store
from fucai.analytics.texts import DIMENSIONS
from fucai.domain.embargo import build_embargo
from fucai.exporter.catalogue import all_questions
from fucai.exporter.figures import FiguresCollector
from fucai.exporter.question import Asking
from fucai.ledger.conservation import By, count
from fucai.runtime.client import connect_blocking
from fucai.runtime.errors import code_of, explain
from fucai.v1 import analytics_pb2 as pb
from fucai.v1 import analytics_pb2_grpc
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from fucai.v1.registry_pb2 import Draw, Game, RegistryRecord
from tests.support.clickhouse import Database

ZONE = ZoneInfo("Asia/Shanghai")
HOUR_MS = 3_600_000
NOW = datetime.now(ZONE)
NOW_MS = int(NOW.timestamp() * 1000)
TODAY = NOW.date()
FROM, TO = (TODAY - timedelta(days=9)).isoformat(), TODAY.isoformat()
SEALED, UNKNOWN, ENDED = "2026002", "2026099", "2026001"
COLUMNS = ["outlet_id", "business_day", "sold_at", "sold_hour", "kind", "game", "draw_no", "amount_fen", "bets"]
COLUMNS += ["companion_fen", "terminal_id", "seq", "received_at"]


@dataclass(frozen=True)
class Attacked:
    """A store with a sealed draw, and everything that answers from it."""

    client: Any
    analytics: AnalyticsServiceStub
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def sell(self, draw_no: str, game: str = "ssq", amount_fen: int = 77_700) -> None:
        """Events of every kind of a draw, in three outlets, on two days, at hours and an outlet of their own too."""
        rows = []
        places = itertools.product(("A", "B", "only-sealed"), ("SALE", "VOID", "PAYOUT"), (0, 1, 30), (3, 12))
        for outlet, kind, days, hour in places:
            seq = next(self.numbers)
            day = TODAY - timedelta(days=days)
            at = datetime.combine(day, datetime.min.time(), ZONE) + timedelta(hours=hour)
            fen = amount_fen + seq
            rows.append([outlet, day, at, hour, kind, game, draw_no, fen, 5, fen, f"T{outlet}", seq, datetime.now(UTC)])
        self.client.insert("sales", rows, column_names=COLUMNS)


Question = Callable[[Attacked], object]


def told(ask: Question) -> Question:
    """The answer, or the words in which it is refused: neither may move."""

    def answer(at: Attacked) -> object:
        try:
            return ask(at)
        except grpc.RpcError as refused:
            return explain(refused)

    return answer


def trend(**fields: Any) -> Question:
    """Sales over time."""
    return told(lambda at: at.analytics.Trend(pb.TrendRequest(**{"from_day": FROM, "to_day": TO, **fields})))


def streamed(**fields: Any) -> Question:
    """The same in parts."""
    question = pb.TrendRequest(**{"from_day": FROM, "to_day": TO, **fields})
    return told(lambda at: [*at.analytics.StreamTrend(pb.StreamTrendRequest(question=question))])


def headline(**fields: Any) -> Question:
    """Channel scale and sales."""
    return told(lambda at: at.analytics.Headline(pb.HeadlineRequest(**{"from_day": FROM, "to_day": TO, **fields})))


def growth(**fields: Any) -> Question:
    """A period against the one before."""
    days = {"from_day": FROM, "to_day": TO, "compare": pb.COMPARISON_PREVIOUS, "measures": MEASURES}
    return told(lambda at: at.analytics.Growth(pb.GrowthRequest(**{**days, **fields})))


def alerts(days: int, **fields: Any) -> Question:
    """The alerts of a day."""
    day = (TODAY - timedelta(days=days)).isoformat()
    return lambda at: at.analytics.Alerts(pb.AlertsRequest(day=day, **fields))


def filtered(dimension: str, *values: str) -> pb.Selection:
    """A condition."""
    return pb.Selection(filters=[pb.Filter(dimension=dimension, values=values)])


def scrape(at: Attacked) -> bytes:
    """What the exporter would publish: one question of each kind that it asks."""
    wanted = {"headline", "scale_channel", "growth_game", "decompose", "benchmark_month", "alerts", "silent"}
    questions = [one for one in all_questions(Asking(ZONE, benchmark="own")) if one.name in wanted]
    assert len(questions) == len(wanted)
    collector = FiguresCollector(questions, least_sales=1, open_days=7, clock=lambda: NOW_MS / 1000)
    for question in questions:
        request = question.request(collector.days)
        try:
            collector.publish(question.name, getattr(at.analytics, question.method)(request))
        except grpc.RpcError as refused:
            assert question.refusable, explain(refused)  # noqa: PT017 (a refusal is an answer)
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


def error(**fields: Any) -> Question:
    """The words in which a trend is refused."""

    def ask(at: Attacked) -> object:
        with pytest.raises(grpc.RpcError) as refused:
            at.analytics.Trend(pb.TrendRequest(**{"from_day": FROM, "to_day": TO, **fields}))
        return str(refused.value.details())

    return ask


def conservation(by: By, **scope: str) -> Question:
    """What became of events, as the ledger counts them; the names of withheld draws are no figures."""

    def ask(at: Attacked) -> object:
        found = count(at.client, build_embargo(RECORDS), NOW_MS, by, Scope(**scope))
        return sorted((key, sorted(row.items(), key=str)) for key, row in found.rows.items())

    return ask


def batched(names: Sequence[str], size: int) -> list[list[str]]:
    """The names in parts of that size."""
    return [list(names[place : place + size]) for place in range(0, len(names), size)]


GRAINS = [pb.GRAIN_HOUR, pb.GRAIN_DAY, pb.GRAIN_WEEK, pb.GRAIN_MONTH, pb.GRAIN_YEAR]
QUESTIONS: dict[str, Question] = {
    **{f"trend by grain {grain}": trend(grain=grain) for grain in GRAINS},
    **{f"trend by {names}": trend(by=names) for names in batched(tuple(DIMENSIONS), 4)},
    "hours by outlet and game": trend(by=["outlet", "game"], grain=pb.GRAIN_HOUR),
    "trend of a longer period": trend(from_day=(TODAY - timedelta(days=60)).isoformat(), compare=pb.COMPARISON_YOY),
    "trend of an outlet": trend(selection=filtered("outlet", "only-sealed")),
    "trend of a game": trend(selection=filtered("game", "ssq")),
    "trend of a draw": trend(selection=filtered("draw", SEALED)),
    "trend of all measures": trend(by=["game"], measures=MEASURES, moving_average=2),
    "trend of the largest": trend(by=["outlet"], top=1),
    "trend in parts": streamed(by=["outlet", "kind"]),
    "trend as of a moment": trend(selection=pb.Selection(as_of_ms=NOW_MS)),
    "growth": growth(from_day=TO),
    **{f"growth by {name}": growth(by=[name], from_day=TO) for name in ("outlet", "kind")},
    "growth of the largest": growth(by=["outlet"], top=1, from_day=TO),
    "headline": headline(),
    "headline of today": headline(from_day=TO),
    **{f"headline by {name}": headline(by=name) for name in ("game", "outlet", "zone")},
    "headline of an outlet": headline(selection=filtered("outlet", "only-sealed")),
    "headline of heavy sellers": headline(active_sales=7),
    "recent": lambda at: at.analytics.Recent(pb.RecentRequest(limit=100)),
    "freshness": lambda at: at.analytics.Freshness(pb.FreshnessRequest()),
    "silent": lambda at: at.analytics.Silent(pb.SilentRequest(least_hours=1)),
    "silent among some": lambda at: at.analytics.Silent(pb.SilentRequest(selection=filtered("outlet", "only-sealed"))),
    **{f"alerts of {days} days ago": alerts(days) for days in (1, 2, 30)},
    "alerts of an outlet": alerts(1, selection=filtered("outlet", "only-sealed")),
    "benchmark": lambda at: at.analytics.Benchmark(pb.BenchmarkRequest(series="own", grain=pb.GRAIN_MONTH)),
    "exporter": scrape,
    "error of a dimension": error(by=["nothing"]),
    "error of a day": error(from_day="x"),
    **{f"conservation by {by.name}": conservation(by, outlet_id="A") for by in By},
    "conservation of a game": conservation(By.GAME, game="ssq"),
    "conservation of the draw": conservation(By.OUTLET_AND_DRAW, game="ssq", draw_no=SEALED),
}
RECORDS = [
    RegistryRecord(game=Game(game="ssq", valid_from="2019-01-01", has_draws=True, draw_time="21:15")),
    RegistryRecord(game=Game(game="instant", valid_from="2019-01-01")),
    RegistryRecord(
        draw=Draw(game="ssq", draw_no=ENDED, sales_close_ms=NOW_MS - 50 * HOUR_MS, drawn_ms=NOW_MS - 49 * HOUR_MS)
    ),
    RegistryRecord(draw=Draw(game="ssq", draw_no=SEALED, sales_close_ms=NOW_MS - HOUR_MS)),
]


@pytest.fixture
def attacked(clickhouse_database: Database) -> Iterator[Attacked]:
    """A store with an ended, a sealed and an unknown draw, each already sold, and analytics before it."""
    client = clickhouse_database.client()
    for record in RECORDS:
        if record.HasField("game"):
            row = [record.game.game, record.game.valid_from, record.game.has_draws, record.game.draw_time]
            names = "game, valid_from, has_draws, draw_time, import_id"
            client.command(f"INSERT INTO game_rows ({names}) VALUES ('{row[0]}', '{row[1]}', {row[2]}, '{row[3]}', 1)")
        else:
            draw = record.draw
            client.insert(
                "draw_rows",
                [[draw.game, draw.draw_no, draw.sales_close_ms, draw.drawn_ms, 1]],
                column_names=["game", "draw_no", "sales_close_ms", "drawn_ms", "import_id"],
            )
    last_month = f"{TODAY.replace(day=1) - timedelta(days=1):%Y-%m}"
    client.insert(
        "benchmark_rows",
        [["own", last_month, 1_000, "1.0", 1]],
        column_names=["series", "period", "amount_fen", "yoy_pct", "import_id"],
    )
    client.insert(
        "outlet_rows",
        [[outlet, TODAY - timedelta(days=400), TODAY - timedelta(days=400), 1] for outlet in ("A", "B", "only-sealed")],
        column_names=["outlet_id", "valid_from", "opened", "import_id"],
    )
    client.insert("imports", [[1, "test"]], column_names=["import_id", "source"])
    client.command("SYSTEM RELOAD DICTIONARY draw_times")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[Store, grpc.aio.Server, int]:
        store = Store(clickhouse_database.url, clickhouse_database.name)
        server = grpc.aio.server()
        service = AnalyticsService(store, zone=ZONE, currency="CNY", clock=lambda: NOW)
        analytics_pb2_grpc.add_AnalyticsServiceServicer_to_server(service, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return store, server, port

    store, server, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    with connect_blocking(f"127.0.0.1:{port}") as channel:
        found = Attacked(client, AnalyticsServiceStub(channel))
        for draw_no, game in ((ENDED, "ssq"), ("", "instant"), (SEALED, "ssq"), (UNKNOWN, "ssq")):
            found.sell(draw_no, game, 200)
        yield found
    asyncio.run_coroutine_threadsafe(server.stop(None), loop).result()
    asyncio.run_coroutine_threadsafe(store.close(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    client.close()


def answers(attacked: Attacked) -> dict[str, object]:
    """All answers, byte for byte."""
    found: dict[str, object] = {}
    for name, question in QUESTIONS.items():
        answer = question(attacked)
        found[name] = answer.SerializeToString(deterministic=True) if isinstance(answer, Message) else answer
    return found


def test_no_answer_moves_when_a_sealed_draw_sells_and_most_do_when_it_ends(attacked: Attacked) -> None:
    """The difference of two answers tells nothing of a sealed draw or of one in no table; after the end it does."""
    before = answers(attacked)
    attacked.sell(SEALED)
    attacked.sell(UNKNOWN)
    after = answers(attacked)
    assert [name for name in QUESTIONS if before[name] != after[name]] == []
    attacked.client.insert(
        "draw_act_rows",
        [["ssq", SEALED, "end", NOW_MS - 1, "test", 1]],
        column_names=["game", "draw_no", "act", "at_ms", "acted_by", "import_id"],
    )
    attacked.client.command("SYSTEM RELOAD DICTIONARY draw_times")
    ended = answers(attacked)
    still = {name for name in QUESTIONS if ended[name] == before[name]}
    assert {name for name in still if not name.startswith(("conservation", "error"))} == set()


def test_answers_name_the_sealed_draws_and_when_they_return(attacked: Attacked) -> None:
    """Number, seal and return of each, the one in no table last and without times; nothing of what they sold."""
    fresh = attacked.analytics.Trend(pb.TrendRequest(from_day=FROM, to_day=TO)).freshness
    assert fresh.withheld_draws == 2
    sealed, unknown = fresh.withheld
    assert (sealed.game, sealed.draw_no, sealed.sealed_ms) == ("ssq", SEALED, NOW_MS - HOUR_MS)
    returns = datetime.fromtimestamp(sealed.returns_ms / 1000, ZONE)
    assert (returns.hour, returns.minute) == (21, 15)
    assert 0 <= sealed.returns_ms - sealed.sealed_ms <= 24 * HOUR_MS
    assert (unknown.draw_no, unknown.sealed_ms, unknown.returns_ms) == (UNKNOWN, 0, 0)
    assert fresh.next_seal_ms == 0


def test_a_sealed_draw_is_not_to_be_asked_for(attacked: Attacked) -> None:
    """FAILED_PRECONDITION names the draw and when it returns; a draw of a table that nobody knows is a wrong value."""
    for number, when in ((SEALED, "by schedule at"), (UNKNOWN, "once it is recorded as drawn")):
        with pytest.raises(grpc.RpcError) as refused:
            attacked.analytics.Growth(pb.GrowthRequest(selection=filtered("draw", number)))
        assert code_of(refused.value) is grpc.StatusCode.FAILED_PRECONDITION
        assert f"draw {number} of ssq is sealed" in explain(refused.value)
        assert when in explain(refused.value)
    with pytest.raises(grpc.RpcError) as refused:
        attacked.analytics.Growth(pb.GrowthRequest(selection=filtered("draw", "1999001")))
    assert code_of(refused.value) is grpc.StatusCode.INVALID_ARGUMENT
