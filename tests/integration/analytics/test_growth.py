"""Every figure of growth equals a recomputation from the raw events, written from docs/definitions.md."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import grpc
import pytest

from fucai.runtime.errors import code_of, violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.oracle import days_between, year_later
from tests.integration.analytics.world import CLOSURES, FIRST, LAST, RATES, Event, World

MEASURES = (
    *("sales", "bets", "tickets", "events", "visits", "payouts", "companion", "attach_rate", "welfare_fund"),
    *("issuing_fee", "prize_pool", "commission", "selling_outlets", "sales_per_outlet", "share"),
    *("spend_per_visit", "spend_per_attached_visit", "sales_per_open_day"),
)
DIMENSIONS = ("game", "zone", "zone_type", "district", "mgmt_area", "format", "channel_class", "outlet", "kind")
RATE_COLUMNS = {"prize_pool": 0, "issuing_fee": 1, "welfare_fund": 2, "commission": 3}
CLOSED = {day for first, last, *_ in CLOSURES for day in days_between(first, last)}


def value_of(event: Event, by: str, world: World, on: date | None = None) -> str:
    """The value of a dimension of an event, of an outlet's attributes on its day or on a given one."""
    if by == "game":
        return event.game
    return event.kind.lower() if by == "kind" else world.where(by, event.outlet, on or event.day)


def signed(event: Event, amount: int) -> int:
    """An amount of a sale, less that of a void, nothing of a payout."""
    return {"SALE": amount, "VOID": -amount, "PAYOUT": 0}[event.kind]


def rate(event: Event, measure: str) -> int | None:
    """The rate of the event's game on its day in basis points."""
    found = [(since, rates) for game, since, *rates in RATES if game == event.game and since <= event.day]
    return max(found, key=lambda one: one[0])[1][RATE_COLUMNS[measure]] if found else None


def measured(events: Sequence[Event], whole: Sequence[Event], open_days: int) -> dict[str, Fraction | None]:
    """Every measure of some events of a number of open days; None where it can not be formed."""
    sales = sum(signed(one, one.amount_fen) for one in events)
    visits = [one for one in events if one.kind == "SALE" and not one.summary]
    attached = [one for one in visits if one.companion_fen > 0]
    spend = sum(one.companion_fen for one in visits)
    outlets = {one.outlet for one in events if one.kind == "SALE" and one.bets > 0}
    everything = sum(signed(one, one.amount_fen) for one in whole)
    found: dict[str, Fraction | None] = {
        "sales": Fraction(sales),
        "bets": Fraction(sum(signed(one, one.bets) for one in events)),
        "tickets": Fraction(sum(signed(one, one.bets) for one in events if one.game == "instant")),
        "events": Fraction(len(events)),
        "visits": Fraction(len(visits)),
        "payouts": Fraction(sum(one.amount_fen for one in events if one.kind == "PAYOUT")),
        "companion": Fraction(spend),
        "attach_rate": Fraction(len(attached), len(visits)) if visits else None,
        "selling_outlets": Fraction(len(outlets)),
        "sales_per_outlet": Fraction(sales, len(outlets)) if outlets else None,
        "share": Fraction(sales, everything) if everything > 0 else None,
        "spend_per_visit": Fraction(spend, len(visits)) if visits else None,
        "spend_per_attached_visit": Fraction(spend, len(attached)) if attached else None,
        "sales_per_open_day": Fraction(sales, open_days) if open_days else None,
    }
    for measure in RATE_COLUMNS:
        rates = [(one, rate(one, measure)) for one in events if one.kind != "PAYOUT"]
        exact = sum(signed(one, one.amount_fen) * (bp or 0) for one, bp in rates)
        found[measure] = None if any(bp is None for _, bp in rates) else Fraction(exact, 10_000)
    return found


def shown(measure: str, value: Fraction | None) -> float | int | None:
    """As it goes over the wire."""
    if value is None:
        return None
    return float(value) if measure in {"attach_rate", "share"} else round(value)


def wire(found: pb.Quantity) -> float | int:
    """The value of a quantity."""
    return getattr(found, found.WhichOneof("value") or "count")  # type: ignore[no-any-return]


def change(now: Fraction | None, before: Fraction | None, covered: str) -> tuple[str, float | None]:
    """Mark and ratio, by the table of marks."""
    if covered == "none" or now is None or before is None:
        return "NO_BASE", None
    if before < 0:
        return "NEGATIVE_BASE", None
    if before == 0:
        return ("NO_BASE" if covered == "partial" else "NEW" if now else "BOTH_ZERO"), None
    return ("RATIO" if covered == "full" else "PARTIAL_BASE"), float((now - before) / before)


def growth_of(found: pb.Growth) -> tuple[str, float | None]:
    """Mark and ratio of an answer."""
    mark = pb.GrowthMark.Name(found.mark).removeprefix("GROWTH_MARK_")
    return mark, found.ratio if mark in {"RATIO", "PARTIAL_BASE"} else None


def grouped(events: Iterable[Event], key: Callable[[Event], tuple[str, ...]]) -> Mapping[tuple[str, ...], list[Event]]:
    """The events by group."""
    found: defaultdict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in events:
        found[key(event)].append(event)
    return found


def base_of(rule: str, first: date, last: date) -> list[date]:
    """The days of the base, by rule, for periods that are not whole months."""
    if rule == "WEEKDAY":
        return days_between(first - timedelta(364), last - timedelta(364))
    if rule == "PREVIOUS":
        length = (last - first).days + 1
        return days_between(first - timedelta(length), first - timedelta(1))
    near = days_between(first - timedelta(370), last - timedelta(360))
    return [day for day in near if first <= year_later(day) <= last]


def opened_days(days: Iterable[date]) -> int:
    """How many of them lie in no closure."""
    return sum(day not in CLOSED for day in days)


def open_throughout(world: World, days: Iterable[date]) -> set[str]:
    """The registered outlets that were open on each of these days that lies in no closure."""
    opened = [day for day in days if day not in CLOSED]
    return {
        version.outlet
        for version in world.versions
        if all(version.opened <= day and (version.closed is None or day < version.closed) for day in opened)
    }


def check(
    row: pb.GrowthRow,
    sides: tuple[Sequence[Event], Sequence[Event]],
    wholes: tuple[Sequence[Event], Sequence[Event]],
    covered: str,
    open_days: tuple[int, int],
    eligible: Collection[str] | None = None,
) -> None:
    """Every measure of a row, its base and growth, and the same outlets, only `eligible` ones if given."""
    now, before = (measured(side, whole, days) for side, whole, days in zip(sides, wholes, open_days, strict=True))
    for found in row.measurements:
        name = found.measure
        assert (wire(found.value) if found.HasField("value") else None) == pytest.approx(shown(name, now[name])), name
        expected = None if covered == "none" else shown(name, before[name])
        assert (wire(found.base) if found.HasField("base") else None) == pytest.approx(expected), name
        mark, ratio = change(now[name], before[name], covered)
        assert growth_of(found.growth) == (mark, pytest.approx(ratio) if ratio is not None else None), name
    sold, base_sold = ({one.outlet for one in side if one.kind == "SALE" and one.bets > 0} for side in sides)
    same = {outlet for outlet in sold & base_sold if eligible is None or outlet in eligible}
    sums = [sum(signed(one, one.amount_fen) for one in side if one.outlet in same) for side in sides]
    assert row.same_outlets == len(same)
    assert row.same_outlet.value.fen == sums[0]
    mark, ratio = change(Fraction(sums[0]), Fraction(sums[1]), covered)
    assert growth_of(row.same_outlet.growth) == (mark, pytest.approx(ratio) if ratio is not None else None)


@pytest.mark.parametrize("seed", range(16))
def test_random_questions_equal_a_recomputation(analytics: AnalyticsServiceStub, world: World, seed: int) -> None:
    """All measures of the whole, of every group and of the others; by attributes of the sale or of today; filtered."""
    draw = random.Random(seed)
    first = FIRST + timedelta(days=draw.randrange(0, (LAST - FIRST).days - 40))
    last = first + timedelta(days=draw.randrange(2, 20))
    rule = draw.choice(["YOY", "WEEKDAY", "PREVIOUS"])
    by = draw.sample(DIMENSIONS, seed % 4)
    today = draw.random() < 0.5
    top = draw.choice([0, 1, 3])
    on = date(2025, 3, 11) if today else None
    kept = draw.choice(["", "zone_type", "game"])
    values = {"zone_type": ["night_market"], "game": ["ssq", "instant"]}.get(kept, [])
    exclude = draw.random() < 0.5
    same_open = seed >= 12
    events = [e for e in world.events if not kept or (value_of(e, kept, world, on) in values) != exclude]
    answer = analytics.Growth(
        pb.GrowthRequest(
            from_day=first.isoformat(),
            to_day=last.isoformat(),
            compare=pb.Comparison.Value(f"COMPARISON_{rule}"),
            by=by,
            measures=MEASURES,
            top=top,
            same_outlets_open=same_open,
            selection=pb.Selection(
                filters=[pb.Filter(dimension=kept, values=values, exclude=exclude)] if kept else [],
                attributes=pb.ATTRIBUTE_BASIS_TODAY if today else pb.ATTRIBUTE_BASIS_AS_OF_SALE,
            ),
        )
    )
    base = base_of(rule, first, last)
    covered = "none" if base[-1] < FIRST else "partial" if base[0] < FIRST else "full"
    assert (answer.pairing.base_from_day, answer.pairing.base_to_day) == (base[0].isoformat(), base[-1].isoformat())
    wholes = [e for e in events if first <= e.day <= last], [e for e in events if base[0] <= e.day <= base[-1]]
    opened = opened_days(days_between(first, last)), opened_days(base)
    eligible = open_throughout(world, [*days_between(first, last), *base]) if same_open else None
    check(answer.total, wholes, wholes, covered, opened, eligible)
    if not by:
        assert not answer.rows
        return
    sides = [grouped(whole, lambda e: tuple(value_of(e, one, world, on) for one in by)) for whole in wholes]
    keys = {*sides[0], *sides[1]}
    order = sorted(keys, key=lambda key: (-sum(signed(e, e.amount_fen) for e in sides[0].get(key, [])), key))
    listed, rest = (order[:top], order[top:]) if top else (order, [])
    assert [tuple(row.group) for row in answer.rows[: len(listed)]] == listed
    assert len(answer.rows) == answer.total_rows == len(listed) + bool(rest)
    for key, row in zip(listed, answer.rows, strict=False):
        check(row, (sides[0].get(key, []), sides[1].get(key, [])), wholes, covered, opened, eligible)
    if rest:
        others = answer.rows[-1]
        assert (others.group[0], others.group_names[0]) == ("others", "其他")
        both = tuple([e for key in rest for e in side.get(key, [])] for side in sides)
        check(others, both, wholes, covered, opened, eligible)  # type: ignore[arg-type]


def test_an_outlet_that_opened_late_is_no_same_outlet_where_all_open_days_are_asked_for(
    analytics: AnalyticsServiceStub, world: World
) -> None:
    """Outlets that opened or closed within a period, and one that nobody registered, count in the plain way alone."""
    year: dict[str, Any] = {"from_day": "2024-01-01", "to_day": "2024-12-31"}
    plain, narrow = (analytics.Growth(pb.GrowthRequest(**year, same_outlets_open=is_open)) for is_open in (False, True))
    days = [*days_between(date(2023, 1, 1), date(2023, 12, 31)), *days_between(date(2024, 1, 1), date(2024, 12, 31))]
    assert narrow.total.same_outlets == len(open_throughout(world, days)) < plain.total.same_outlets
    told = [
        next(one.text_en for one in of.about.definitions if one.name == "same_outlet_sales") for of in (plain, narrow)
    ]
    assert ["open on all open days" in text for text in told] == [False, True]


def test_an_average_per_open_day_takes_closures_out(analytics: AnalyticsServiceStub, world: World) -> None:
    """February 2024 had ten closed days, February 2023 none: the growth is that of the average per open day."""
    found = analytics.Growth(
        pb.GrowthRequest(from_day="2024-02-01", to_day="2024-02-29", compare=pb.COMPARISON_OPEN_DAY, measures=["sales"])
    )
    sums = [
        sum(signed(e, e.amount_fen) for e in world.events if (e.day.year, e.day.month) == (year, 2))
        for year in (2024, 2023)
    ]
    assert (found.pairing.open_days, found.pairing.base_open_days) == (19, 28)
    assert found.total.measurements[0].value.fen == sums[0]
    assert found.total.measurements[0].growth.ratio == pytest.approx(sums[0] / 19 / (sums[1] / 28) - 1)


def test_an_unfinished_month_meets_the_same_part_of_its_base(analytics: AnalyticsServiceStub) -> None:
    """March to its tenth day against ten days, marked as of then; the moving closure is named."""
    found = analytics.Growth(pb.GrowthRequest(from_day="2025-03-01", to_day="2025-03-31")).pairing
    assert (found.to_day, found.base_to_day, found.unfinished_as_of) == ("2025-03-10", "2024-03-10", "2025-03-10")
    assert "2025-03-31" in found.rule_en
    assert "closed days differ (4 in the period, 0 in the base)" in found.warning_en


def test_a_small_base_has_no_ratio(analytics: AnalyticsServiceStub) -> None:
    """Below so many fen the growth is marked and not shown."""
    days: dict[str, Any] = {"from_day": "2024-05-01", "to_day": "2024-05-31", "measures": ["sales", "bets"]}
    plain = analytics.Growth(pb.GrowthRequest(**days)).total
    small = analytics.Growth(pb.GrowthRequest(**days, small_base_fen=10**15)).total
    assert [one.growth.mark for one in plain.measurements] == [pb.GROWTH_MARK_RATIO] * 2
    assert [one.growth.mark for one in small.measurements] == [pb.GROWTH_MARK_SMALL_BASE] * 2


def test_a_benchmark_has_a_verdict_only_for_calendar_growth(analytics: AnalyticsServiceStub) -> None:
    """A whole published year has excess and verdict; weekday growth of the same year has neither."""
    days: dict[str, Any] = {"from_day": "2024-01-01", "to_day": "2024-12-31", "benchmark": "national_welfare"}
    yoy = analytics.Growth(pb.GrowthRequest(**days))
    ours = yoy.total.measurements[0].growth.ratio
    assert yoy.benchmark.excess_points == pytest.approx(100 * (ours - yoy.benchmark.growth))
    assert yoy.benchmark.verdict == (pb.VERDICT_AHEAD if ours > yoy.benchmark.growth else pb.VERDICT_BEHIND)
    weekday = analytics.Growth(pb.GrowthRequest(**days, compare=pb.COMPARISON_WEEKDAY)).benchmark
    assert not weekday.HasField("excess_points")
    assert weekday.verdict == pb.VERDICT_UNSPECIFIED
    assert "not comparable" in weekday.note_en


def test_pages_are_the_whole_answer(analytics: AnalyticsServiceStub) -> None:
    """Pages of fifteen rows joined are the rows of one page; a token of another question is refused."""
    request = pb.GrowthRequest(from_day="2024-05-01", to_day="2024-05-31", by=["outlet", "game"])
    whole = analytics.Growth(request)
    request.page_size = 15
    rows: list[pb.GrowthRow] = []
    while True:
        part = analytics.Growth(request)
        rows += part.rows
        assert part.total_rows == len(whole.rows)
        if not part.next_page_token:
            break
        request.page_token = part.next_page_token
    assert rows == list(whole.rows)
    request.by.append("kind")
    with pytest.raises(grpc.RpcError) as caught:
        analytics.Growth(request)
    assert [one.field for one in violations_of(caught.value)] == ["page_token"]


def _only(dimension: str, *values: str, exclude: bool = False) -> pb.Selection:
    return pb.Selection(filters=[pb.Filter(dimension=dimension, values=values, exclude=exclude)])


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (pb.GrowthRequest(by=["shop"]), "by[0]", "'shop' is no dimension: choose game"),
        (pb.GrowthRequest(measures=["profit"]), "measures[0]", "'profit' is no measure: choose sales, bets"),
        (pb.GrowthRequest(measures=["sales", "sales"]), "measures[1]", "stands twice"),
        (pb.GrowthRequest(from_day="2024-12-31", to_day="2024-01-01"), "to_day", "swap"),
        (pb.GrowthRequest(from_day="2020-01-01", to_day="2024-01-01"), "from_day", "first stored day"),
        (pb.GrowthRequest(from_day="2024-02-29", to_day="2024-02-29"), "from_day", "29 February has no counterpart"),
        (pb.GrowthRequest(benchmark="x' OR 1"), "benchmark", "choose national_welfare, own"),
        (
            pb.GrowthRequest(selection=_only("zone_type", "night_market", "night market")),
            "selection.filters[0].values[1]",
            "choose business_district, night_market",
        ),
        (
            pb.GrowthRequest(selection=_only("outlet", "000", "0012")),
            "selection.filters[0].values[1]",
            "no outlet '0012' is in the registry or the store: did you mean 0",
        ),
        (
            pb.GrowthRequest(selection=_only("game", "ssq') OR 1=1 --")),
            "selection.filters[0].values[0]",
            "choose 3d, instant, ssq",
        ),
        (pb.GrowthRequest(selection=_only("draw", "1999001")), "selection.filters[0].values[0]", "no draw '1999001'"),
        (pb.GrowthRequest(small_base_fen=-1), "small_base_fen", "below zero"),
    ],
)
def test_a_bad_field_is_named(analytics: AnalyticsServiceStub, request_: Any, field: str, told: str) -> None:
    """INVALID_ARGUMENT, with a violation for the very field that says what is wrong and what is possible."""
    with pytest.raises(grpc.RpcError) as caught:
        analytics.Growth(request_)
    assert code_of(caught.value) is grpc.StatusCode.INVALID_ARGUMENT
    assert [told in one.description for one in violations_of(caught.value) if one.field == field] == [True]
