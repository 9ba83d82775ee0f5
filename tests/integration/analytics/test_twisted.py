"""Figures from months, days and merged runs are those of the events, whatever the registry and the seals do.

A question as of its own moment is answered from the events themselves, one about now from projections: all else equal.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from fucai.domain.periods import DayRange
from fucai.runtime.errors import explain
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics import twisted
from tests.integration.analytics.served import served
from tests.integration.analytics.twisted import FIRST, LAST, NOW, OUTLETS
from tests.support.clickhouse import fresh_database

EVENTS = list(twisted.events(random.Random(7), 6_000))
NOW_MS = int(NOW.timestamp() * 1000)
PLACES = ["zone", "zone_type", "district", "mgmt_area", "format", "channel_class", "outlet"]
OF_EVENTS = ["game", "kind", "draw", "weekday", "hour"]
MEASURES = ["sales", "bets", "events", "payouts", "visits", "attach_rate", "companion", "selling_outlets"]
EDGES = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2024, 5, 10), date(2023, 3, 1), date(2025, 1, 31)]
LENGTHS = [1, 1, 2, 28, 29, 31, 45, 90, 180, 366, 731]
FILTERS = {
    "zone": ["Z1", ""],
    "mgmt_area": ["A1"],
    "format": ["metro"],
    "outlet": ["01", "04", "05", "13"],
    "weekday": ["1", "6", "7"],
    "game": ["ssq", "instant"],
    "hour": ["23"],
}


@pytest.fixture(scope="module")
def asked(clickhouse_url: str) -> Iterator[AnalyticsServiceStub]:
    """A client of a service before that store."""
    with fresh_database(clickhouse_url) as database:
        twisted.register(database)
        twisted.store(database, EVENTS)
        with served(database.url, database.name, NOW) as stub:
            yield stub


def days(draw: random.Random) -> tuple[date, date]:
    """A period: of one day, whole months, cut ones, a leap day at its edge, or all that is stored."""
    first = draw.choice([*EDGES, FIRST + timedelta(days=draw.randrange((LAST - FIRST).days))])
    if draw.random() < 0.5:
        first = max(first.replace(day=1), FIRST)
    last = min(first + timedelta(days=draw.choice(LENGTHS) - 1), LAST)
    if draw.random() < 0.4:
        last = min(last.replace(day=28) + timedelta(days=4), LAST)
        last = max(first, last - timedelta(days=last.day))
    return (FIRST, LAST) if draw.random() < 0.05 else (first, last)


def period(draw: random.Random, *, given: bool = True) -> dict[str, Any]:
    """The days of a request with its comparison; a base given may touch the period or overlap one of its months."""
    first, last = days(draw)
    fields: dict[str, Any] = {"from_day": first.isoformat(), "to_day": last.isoformat()}
    if given and first > FIRST and draw.random() < 0.25:
        ends = first - timedelta(days=draw.choice([1, 1, 5, 40]))
        fields |= {"compare": pb.COMPARISON_BASE_PERIOD, "base_to_day": max(ends, FIRST).isoformat()}
        return fields | {"base_from_day": max(ends - timedelta(days=draw.choice(LENGTHS)), FIRST).isoformat()}
    rules = ["YOY", "YOY", "PREVIOUS", "WEEKDAY", "OPEN_DAY", "LUNAR"]
    fields["compare"] = pb.Comparison.Value(f"COMPARISON_{draw.choice(rules)}")
    return fields


def selection(draw: random.Random, *names: str) -> pb.Selection:
    """Filters and whose attributes count."""
    chosen = draw.sample(names or sorted(FILTERS), draw.choice([0, 0, 1, 2]))
    return pb.Selection(
        filters=[pb.Filter(dimension=one, values=FILTERS[one], exclude=draw.random() < 0.4) for one in chosen],
        attributes=draw.choice([pb.ATTRIBUTE_BASIS_AS_OF_SALE, pb.ATTRIBUTE_BASIS_TODAY]),
    )


def trend(draw: random.Random) -> tuple[str, Message]:
    """By any grain."""
    grain = draw.choice([pb.GRAIN_MONTH, pb.GRAIN_MONTH, pb.GRAIN_YEAR, pb.GRAIN_WEEK, pb.GRAIN_DAY])
    fields = period(draw, given=False) | {"grain": grain, "by": draw.sample([*PLACES, *OF_EVENTS], draw.randrange(3))}
    return "Trend", pb.TrendRequest(**fields, measures=MEASURES, selection=selection(draw), top=draw.choice([0, 2]))


def headline(draw: random.Random) -> tuple[str, Message]:
    """Whose windows may overlap: the period is one day, and its base the one before."""
    fields = period(draw, given=False) | {"by": draw.choice(["", "game", *PLACES])}
    activity: dict[str, Any] = {
        "active_sales": draw.choice([0, 2, 3]),
        "active_open_days": draw.choice([0, 1, 30, 366]),
    }
    return "Headline", pb.HeadlineRequest(**fields, **activity, selection=selection(draw))


def growth(draw: random.Random) -> tuple[str, Message]:
    """By up to two dimensions, with the rest as one."""
    fields = period(draw) | {"by": draw.sample([*PLACES, *OF_EVENTS], draw.randrange(3)), "top": draw.choice([0, 0, 2])}
    return "Growth", pb.GrowthRequest(**fields, measures=MEASURES, selection=selection(draw))


def decompose(draw: random.Random) -> tuple[str, Message]:
    """By up to two dimensions."""
    fields = period(draw) | {"by": draw.sample(["game", *PLACES[:-1]], draw.randrange(3))}
    return "Decompose", pb.DecomposeRequest(**fields, selection=selection(draw))


def rank(draw: random.Random) -> tuple[str, Message]:
    """Every ranking."""
    fields = period(draw) | {"of": draw.choice(PLACES), "ranking": draw.choice(pb.Ranking.values()[:4])}
    if draw.random() < 0.5:
        fields |= {"of": "outlet", "within": "mgmt_area", "ranking": draw.choice(pb.Ranking.values()[4:])}
        fields |= {"cutoff_day": "2024-01-15"}
    return "Rank", pb.RankRequest(**fields, selection=selection(draw))


def scale(draw: random.Random) -> tuple[str, Message]:
    """With one sale as the least, read as bits, and with more."""
    grain = draw.choice([pb.GRAIN_UNSPECIFIED, pb.GRAIN_DAY, pb.GRAIN_WEEK, pb.GRAIN_MONTH])
    fields = period(draw) | {"grain": grain, "by": draw.sample(PLACES, draw.randrange(3))}
    activity: dict[str, Any] = {
        "active_sales": draw.choice([0, 0, 2, 3]),
        "active_open_days": draw.choice([0, 1, 2, 30, 366]),
    }
    return "Scale", pb.ScaleRequest(**fields, **activity, selection=selection(draw))


def outlet(draw: random.Random) -> tuple[str, Message]:
    """A card, whoever the outlet is."""
    fields = period(draw) | {"outlet_id": draw.choice(OUTLETS)}
    return "Outlet", pb.OutletRequest(**fields, selection=selection(draw, "zone", "format", "weekday"))


Question = Callable[[random.Random], tuple[str, Message]]
QUESTIONS: list[Question] = [trend, headline, growth, decompose, rank, scale, outlet]


def answered(asked: AnalyticsServiceStub, name: str, request: Message, **basis: int) -> Message | str:
    """All of an answer that is a figure or tells of one, or the words of its refusal."""
    own = type(request)()
    own.CopyFrom(request)
    own.selection.MergeFrom(pb.Selection(**basis))  # type: ignore[attr-defined,arg-type]
    try:
        answer: Message = getattr(asked, name)(own)
    except grpc.RpcError as refused:
        return explain(refused)
    for field in ("freshness", "about"):
        if field in answer.DESCRIPTOR.fields_by_name:
            answer.ClearField(field)
    return answer


@pytest.mark.parametrize("count", [3, pytest.param(60, marks=[pytest.mark.soak, pytest.mark.timeout(300)])])
@pytest.mark.parametrize("ask", QUESTIONS)
def test_an_answer_from_projections_is_that_from_events(asked: AnalyticsServiceStub, ask: Question, count: int) -> None:
    """Any period, rule, dimension and filter, until so many have an answer; a refusal is the same one, too."""
    draw = random.Random(f"{ask.__name__}{count}")
    good = tries = 0
    while good < count:
        name, request = ask(draw)
        found = answered(asked, name, request)
        assert found == answered(asked, name, request, as_of_ms=NOW_MS), f"{name} {request}"
        assert str(twisted.SEALED_FEN)[:9] not in str(found)
        good, tries = good + (not isinstance(found, str)), tries + 1
        assert tries <= 4 * count, found


def active(end: date, least: int, open_days: int) -> Counter[tuple[str, str]]:
    """Active outlets by area and format at the end of a day, by brute force."""
    closed = {day for first, last in twisted.CLOSURES for day in DayRange(first, last)}
    window = {day for day in DayRange(end - timedelta(days=60), end) if day not in closed}
    window = set(sorted(window)[-open_days:])
    sales, sold, last = Counter[str](), set[str](), dict[str, date]()
    for outlet_id, day, _at, _hour, kind, _game, draw_no, _fen, bets, _spend, summary, *_ in EVENTS:
        if day in window and kind == "SALE" and draw_no != twisted.SEALED and (bets or not summary):
            sales[outlet_id] += not summary
            sold |= {outlet_id} if summary else set()
            last[outlet_id] = max(day, last.get(outlet_id, day))
    counts = {outlet_id for outlet_id in last if sales[outlet_id] >= least or outlet_id in sold}
    return Counter(twisted.place(outlet_id, last[outlet_id]) for outlet_id in counts)


@pytest.mark.parametrize(("least", "open_days"), [(1, 3), (1, 9), (2, 9), (3, 20)])
def test_each_day_of_a_curve_is_a_count_by_brute_force(asked: AnalyticsServiceStub, least: int, open_days: int) -> None:
    """Runs of active days that were made one, over turns of the registry, closed days, seals and the end of months."""
    fields: dict[str, Any] = {"by": ["mgmt_area", "format"], "active_sales": least, "active_open_days": open_days}
    for first, last in ((date(2024, 1, 28), date(2024, 6, 4)), (date(2024, 12, 28), date(2025, 2, 3))):
        answer = asked.Scale(
            pb.ScaleRequest(from_day=first.isoformat(), to_day=last.isoformat(), grain=pb.GRAIN_DAY, **fields)
        )
        found = {(row.day, *row.group): row.active for row in answer.rows if row.active}
        assert found == {
            (day.isoformat(), *place): outlets
            for day in DayRange(first, last)
            for place, outlets in active(day, least, open_days).items()
        }


def test_both_windows_of_a_headline_are_counts_by_brute_force(asked: AnalyticsServiceStub) -> None:
    """By format, which turns between them; windows that overlap too, since the period is the day after its base."""
    for day, rule, back in (
        ("2024-05-11", pb.COMPARISON_PREVIOUS, 1),
        ("2024-03-01", pb.COMPARISON_PREVIOUS, 1),
        ("2025-01-31", pb.COMPARISON_WEEKDAY, 364),
    ):
        answer = asked.Headline(
            pb.HeadlineRequest(from_day=day, to_day=day, compare=rule, by="format", active_sales=2, active_open_days=20)
        )
        end = date.fromisoformat(day)
        sides = [Counter[str](), Counter[str]()]
        for side, last in zip(sides, (end, end - timedelta(days=back)), strict=True):
            for (_area, format_), outlets in active(last, 2, 20).items():
                side[format_] += outlets
        found = {one.group: (one.active_outlets, one.base_active_outlets) for one in answer.groups}
        counted = {name: (sides[0][name], sides[1][name]) for name in {*sides[0], *sides[1]}}
        assert {name: both for name, both in found.items() if any(both)} == counted


def test_a_store_with_only_sealed_events_answers_as_an_empty_one(clickhouse_url: str) -> None:
    """Every question: the same words and zeros; only freshness names the draw."""
    with fresh_database(clickhouse_url) as empty, fresh_database(clickhouse_url) as sealed:
        for database in (empty, sealed):
            twisted.register(database)
        twisted.store(sealed, [twisted.sealed_event("04", day, nth) for nth, day in enumerate(twisted.SEALED_DAYS)])
        with served(empty.url, empty.name, NOW) as nothing, served(sealed.url, sealed.name, NOW) as withheld:
            freshness = withheld.Freshness(pb.FreshnessRequest())
            assert (freshness.events, freshness.freshness.withheld_draws) == (0, 1)
            questions = [ask(random.Random(1)) for ask in QUESTIONS]
            questions += [("Outlet", pb.OutletRequest(outlet_id="04")), ("Silent", pb.SilentRequest())]
            questions += [("Profile", pb.ProfileRequest()), ("Alerts", pb.AlertsRequest())]
            for name, request in questions:
                found = answered(withheld, name, request)
                assert found == answered(nothing, name, request), f"{name} {request}"
