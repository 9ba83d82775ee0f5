"""Tries to learn something of a sealed draw: by asking, and by the difference of answers before and after it sells.

Whoever adds a question to analytics adds it to QUESTIONS. Not asked, since they show numbers of messages and no figure
of a draw: gaps, a terminal's numbers and its silence (docs/definitions.md, Seal).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, generate_latest

from fucai.analytics.measures import MEASURES
from fucai.analytics.texts import DIMENSIONS
from fucai.exporter.catalogue import all_questions
from fucai.exporter.figures import FiguresCollector
from fucai.exporter.question import Asking
from fucai.runtime.errors import code_of, explain
from fucai.v1 import analytics_pb2 as pb
from fucai.v1 import ledger_pb2
from tests.integration.analytics.attacked import (
    BY_HAND,
    HOUR_MS,
    NEW_OUTLETS,
    NOW_MS,
    SEALED,
    TODAY,
    UNKNOWN,
    ZONE,
    Attacked,
    attacked_world,
)
from tests.support.clickhouse import fresh_database

FROM, TO = (TODAY - timedelta(days=9)).isoformat(), TODAY.isoformat()
AT_ONCE = 4
"""Questions asked at the same time; the answers must not depend on it."""

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
    """What the exporter would publish of some of its questions: the others are asked of analytics below."""
    wanted = {"headline", "growth_game", "silent"}
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


def asked(method: str, request: Any) -> Question:
    """Any other question."""
    return told(lambda at: getattr(at.analytics, method)(request))


def explained(method: str, request: Any) -> Question:
    """The queries of an answer, what they read and from where; how long they took says nothing twice."""

    def ask(at: Attacked) -> object:
        answer = getattr(at.analytics, method)(request)
        queries = answer.queries if hasattr(answer, "queries") else answer.about.queries
        assert queries
        return sorted((one.sql, *one.parameters, one.rows_read, one.bytes_read, *one.projections) for one in queries)

    return ask


def conservation(by: str, **scope: Any) -> Question:
    """What became of events, as the ledger counts them, and which draws it withholds."""
    number = ledger_pb2.ConservationBy.Value(f"CONSERVATION_BY_{by}")
    return told(lambda at: at.ledger.GetConservation(ledger_pb2.GetConservationRequest(by=number, **scope)))


def batched(names: Sequence[str], size: int) -> list[list[str]]:
    """The names in parts of that size."""
    return [list(names[place : place + size]) for place in range(0, len(names), size)]


DAYS: dict[str, Any] = {"from_day": FROM, "to_day": TO}
ONE_DAY: dict[str, Any] = {"from_day": TO, "to_day": TO}
CARDS = NEW_OUTLETS
EXPLAINED = pb.Selection(explain=True)
CHOOSING = ("Trend", "Headline", "Growth", "Decompose", "Rank", "Scale", "Profile", "Benchmark", "Outlet")
"""Questions with conditions on single events; silence and alerts choose outlets."""
COUNTED_BY = ("GAME", "OUTLET", "DRAW")
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
    "growth by kind": growth(by=["kind"], from_day=TO),
    "growth by draw": growth(by=["draw", "game"], from_day=TO),
    "trend by draw": trend(by=["draw", "hour"]),
    "headline": headline(),
    **{f"headline by {name}": headline(by=name) for name in ("game", "outlet")},
    "headline of an outlet": headline(selection=filtered("outlet", "only-sealed")),
    "headline of heavy sellers": headline(active_sales=7),
    "recent": lambda at: at.analytics.Recent(pb.RecentRequest(limit=100)),
    "freshness": lambda at: at.analytics.Freshness(pb.FreshnessRequest()),
    "silent": lambda at: at.analytics.Silent(pb.SilentRequest(least_hours=1)),
    "silent among some": lambda at: at.analytics.Silent(pb.SilentRequest(selection=filtered("outlet", "only-sealed"))),
    **{f"alerts of {days} days ago": alerts(days) for days in (1, 2)},
    "benchmark": lambda at: at.analytics.Benchmark(pb.BenchmarkRequest(series="own", grain=pb.GRAIN_MONTH)),
    "exporter": scrape,
    "error of a dimension": error(by=["nothing"]),
    "error of a day": error(from_day="x"),
    **{f"conservation by {by}": conservation(by) for by in COUNTED_BY},
    **{f"conservation of an outlet by {by}": conservation(by, outlet_id="A") for by in COUNTED_BY},
    **{
        f"conservation of {outlet} by {by}": conservation(by, outlet_id=outlet)
        for outlet in NEW_OUTLETS
        for by in ("GAME", "OUTLET_AND_DRAW")
    },
    "conservation of a game": conservation("GAME", game="ssq"),
    "conservation of the draw": conservation("OUTLET_AND_DRAW", game="ssq", draw_no=SEALED),
    **{f"card of {outlet}": asked("Outlet", pb.OutletRequest(outlet_id=outlet, **DAYS)) for outlet in CARDS},
    **{
        f"ranking of {of}": asked("Rank", pb.RankRequest(of=of, compare=pb.COMPARISON_PREVIOUS, **DAYS))
        for of in ("outlet", "game")
    },
    **{f"hours by {by}": asked("Profile", pb.ProfileRequest(by=by, **DAYS)) for by in ("", "outlet")},
    "scale by zone": asked("Scale", pb.ScaleRequest(by=["zone"], with_terminals=True, **DAYS)),
    "scale of a game": asked("Scale", pb.ScaleRequest(selection=filtered("game", "ssq"), active_sales=3, **DAYS)),
    "decompose by outlet": asked(
        "Decompose", pb.DecomposeRequest(by=["outlet"], compare=pb.COMPARISON_PREVIOUS, **ONE_DAY)
    ),
    "trend of an outlet that nobody knows": trend(selection=filtered("outlet", "not-registered")),
    "a page of a trend": trend(by=["outlet"], page_size=2),
    "explained trend": explained("Trend", pb.TrendRequest(by=["outlet"], selection=EXPLAINED, **DAYS)),
}


@pytest.fixture(scope="module")
def attacked(clickhouse_url: str) -> Iterator[Attacked]:
    """One store for all attacks here; the last test ends the draw."""
    with fresh_database(clickhouse_url) as database, attacked_world(database) as found:
        yield found


def answers(attacked: Attacked) -> dict[str, object]:
    """All answers, byte for byte."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(QUESTIONS, pool.map(lambda question: question(attacked), QUESTIONS.values()), strict=True))
    return {
        name: answer.SerializeToString(deterministic=True) if isinstance(answer, Message) else answer
        for name, answer in found.items()
    }


def moved(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """The questions whose answers are others now."""
    return [name for name in QUESTIONS if before[name] != after[name]]


def test_answers_name_the_sealed_draws_and_when_they_return(attacked: Attacked) -> None:
    """Number, seal and return of each, the one in no table last and without times; nothing of what they sold."""
    fresh = attacked.analytics.Trend(pb.TrendRequest(from_day=FROM, to_day=TO)).freshness
    assert fresh.withheld_draws == 3
    by_hand, sealed, unknown = fresh.withheld
    assert (by_hand.game, by_hand.draw_no, by_hand.sealed_ms) == ("ssq", BY_HAND, NOW_MS - 1_000)
    assert (sealed.game, sealed.draw_no, sealed.sealed_ms) == ("ssq", SEALED, NOW_MS - HOUR_MS)
    returns = datetime.fromtimestamp(sealed.returns_ms / 1000, ZONE)
    assert (returns.hour, returns.minute) == (21, 15)
    assert 0 <= sealed.returns_ms - sealed.sealed_ms <= 24 * HOUR_MS
    assert (unknown.draw_no, unknown.sealed_ms, unknown.returns_ms) == (UNKNOWN, 0, 0)
    assert fresh.next_seal_ms == 0


def test_a_sealed_draw_is_not_to_be_asked_for(attacked: Attacked) -> None:
    """FAILED_PRECONDITION names the draw and when it returns; a draw of a table that nobody knows is a wrong value."""
    numbers = ((SEALED, "by schedule at"), (BY_HAND, "by schedule at"), (UNKNOWN, "once it is recorded as drawn"))
    for (number, when), method in itertools.product(numbers, CHOOSING):
        request = getattr(pb, f"{method}Request")(selection=filtered("draw", number))
        with pytest.raises(grpc.RpcError) as refused:
            getattr(attacked.analytics, method)(request)
        assert code_of(refused.value) is grpc.StatusCode.FAILED_PRECONDITION
        assert f"draw {number} of ssq is sealed" in explain(refused.value)
        assert when in explain(refused.value)
    with pytest.raises(grpc.RpcError) as refused:
        attacked.analytics.Growth(pb.GrowthRequest(selection=filtered("draw", "1999001")))
    assert code_of(refused.value) is grpc.StatusCode.INVALID_ARGUMENT


def test_no_answer_moves_when_a_sealed_draw_sells_and_most_do_when_it_ends(attacked: Attacked) -> None:
    """The difference of two answers tells nothing of a sealed draw or of one in no table; after the end it does."""
    before = answers(attacked)
    for draw_no in (SEALED, UNKNOWN, BY_HAND):
        attacked.sell(draw_no)
        attacked.sell(draw_no, outlets=NEW_OUTLETS)
    assert moved(before, answers(attacked)) == []
    attacked.act("end", SEALED, NOW_MS - 1)
    still = QUESTIONS.keys() - set(moved(before, answers(attacked)))
    assert {name for name in still if not name.startswith(("error", "explained"))} == set()
