"""What a trend has beside its figures: measures, other comparisons, moving averages, top, pages, parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import grpc
import pytest

from fucai.runtime.errors import violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.oracle import days_between
from tests.integration.analytics.test_growth import MEASURES, measured, opened_days, shown, signed, value_of, wire
from tests.integration.analytics.world import CLOSURES, Event, World

NEW_YEARS = {2022: date(2022, 2, 1), 2023: date(2023, 1, 22), 2024: date(2024, 2, 10), 2025: date(2025, 1, 29)}
FURTHER = [name for name in MEASURES if name not in {"sales", "bets", "events", "payouts"}]


Days = Callable[[str | date, str | date], list[Event]]


@pytest.fixture(scope="module")
def of_days(world: World) -> Days:
    """The events from one day to another."""
    found: defaultdict[date, list[Event]] = defaultdict(list)
    for event in world.events:
        found[event.day].append(event)

    def events(first: str | date, last: str | date) -> list[Event]:
        days = days_between(date.fromisoformat(str(first)), date.fromisoformat(str(last)))
        return [event for day in days for event in found.get(day, ())]

    return events


def sales(events: list[Event]) -> int:
    """Their sales."""
    return sum(signed(event, event.amount_fen) for event in events)


@pytest.mark.parametrize("by", [[], ["game"], ["zone_type", "kind"]])
def test_measures_of_a_trend_equal_a_recomputation(
    analytics: AnalyticsServiceStub, world: World, of_days: Days, by: list[str]
) -> None:
    """Every measure of every month and group, its base, and the running sum; shares are of the month."""
    request = pb.TrendRequest(from_day="2024-05-01", to_day="2024-08-31", grain=pb.GRAIN_MONTH, by=by)
    request.compare = pb.COMPARISON_YOY
    request.measures.extend(FURTHER)
    rows = analytics.Trend(request).rows
    assert len(rows) >= 4
    for row in rows:
        so_far = [
            e for e in of_days("2024-05-01", row.last_day) if [value_of(e, one, world) for one in by] == row.group
        ]
        assert row.running_sum_fen == sales(so_far)
        for found, first, last in (
            ("value", row.first_day, row.last_day),
            ("base", row.base_first_day, row.base_last_day),
        ):
            whole = of_days(first, last)
            group = [e for e in whole if [value_of(e, one, world) for one in by] == list(row.group)]
            expected = measured(group, whole, opened_days(days_between(*map(date.fromisoformat, (first, last)))))
            for one in row.measurements:
                actual = wire(getattr(one, found)) if one.HasField(found) else None  # type: ignore[arg-type]
                assert actual == pytest.approx(shown(one.measure, expected[one.measure])), (row.bucket, one.measure)


@pytest.mark.parametrize("grain", ["DAY", "WEEK", "MONTH"])
@pytest.mark.parametrize("rule", ["WEEKDAY", "LUNAR", "BASE_PERIOD", "OPEN_DAY"])
def test_other_comparisons_meet_the_right_days(
    analytics: AnalyticsServiceStub, of_days: Days, rule: str, grain: str
) -> None:
    """Each base sums the very days that stand beside it, and these are those of the rule."""
    request = pb.TrendRequest(from_day="2024-01-15", to_day="2024-09-10", grain=pb.Grain.Value(f"GRAIN_{grain}"))
    request.compare = pb.Comparison.Value(f"COMPARISON_{rule}")
    if rule == "BASE_PERIOD":
        request.base_from_day = "2022-12-01"
    rows = analytics.Trend(request).rows
    assert rows
    for row in rows:
        first, last = date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)
        if not row.base_first_day:
            assert (row.first_day, rule) == ("2024-02-29", "OPEN_DAY")
            continue
        base = date.fromisoformat(row.base_first_day), date.fromisoformat(row.base_last_day)
        assert row.base.sales_fen == sales(of_days(*base))
        if rule == "WEEKDAY":
            assert base == (first - timedelta(364), last - timedelta(364))
        elif rule == "BASE_PERIOD":
            assert first - base[0] == date(2024, 1, 15) - date(2022, 12, 1)
        elif rule == "LUNAR" and last < date(2024, 8, 1):
            assert first - base[0] == NEW_YEARS[2024] - NEW_YEARS[2023]
        if rule != "OPEN_DAY" and row.base.sales_fen > 0:
            assert row.growth.mark == pb.GROWTH_MARK_RATIO
            assert row.growth.ratio == pytest.approx(row.figures.sales_fen / row.base.sales_fen - 1)


@pytest.mark.parametrize("rule", ["YOY", "WEEKDAY", "LUNAR", "BASE_PERIOD", "OPEN_DAY"])
def test_a_trend_warns_as_growth_does(analytics: AnalyticsServiceStub, rule: str) -> None:
    """Of months each with its own base; of days the whole period: both sides and the very words of growth."""
    asked: dict[str, Any] = {"compare": pb.Comparison.Value(f"COMPARISON_{rule}")}
    asked |= {"base_from_day": "2023-01-01"} if rule == "BASE_PERIOD" else {}

    def growth(first: str, last: str, base_first: str) -> tuple[str, ...]:
        base = {"base_from_day": base_first} if rule == "BASE_PERIOD" else {}
        found = analytics.Growth(pb.GrowthRequest(from_day=first, to_day=last, **{**asked, **base})).pairing
        days = (found.from_day, found.to_day, found.base_from_day, found.base_to_day)
        return (*days, found.warning_zh, found.warning_en)

    found = {}
    for grain in ("MONTH", "DAY"):
        request = pb.TrendRequest(from_day="2024-01-01", to_day="2024-03-31", **asked)
        request.grain = pb.Grain.Value(f"GRAIN_{grain}")
        answer = analytics.Trend(request)
        found[grain] = {
            (one.from_day, one.to_day, one.base_from_day, one.base_to_day, one.text_zh, one.text_en)
            for one in answer.cautions
        }
        *_, last = analytics.StreamTrend(pb.StreamTrendRequest(question=request))
        assert list(last.end.cautions) == list(answer.cautions)
        sides = [(row.first_day, row.last_day, row.base_first_day) for row in answer.rows]
        if grain == "DAY":
            sides = [(request.from_day, request.to_day, request.base_from_day)]
        told = [growth(*side) for side in sides]
        assert found[grain] == {one for one in told if one[-1]}, grain
    assert found["MONTH"] or rule == "LUNAR"


def test_steps_and_plain_trends_warn_of_nothing(analytics: AnalyticsServiceStub) -> None:
    """A day against the day before has no base as a whole; without comparison nothing misleads."""
    request = pb.TrendRequest(from_day="2024-02-01", to_day="2024-02-29")
    assert not analytics.Trend(request).cautions
    request.compare = pb.COMPARISON_PREVIOUS
    assert not analytics.Trend(request).cautions


def test_a_moving_average_needs_whole_buckets(analytics: AnalyticsServiceStub, of_days: Days) -> None:
    """The mean of three weeks, half to even; none before the third whole one, nor with the cut last one."""
    request = pb.TrendRequest(from_day="2024-05-01", to_day="2024-06-12", grain=pb.GRAIN_WEEK, moving_average=3)
    rows = analytics.Trend(request).rows
    expected = [sales(of_days(row.first_day, row.last_day)) for row in rows]
    for place, row in enumerate(rows):
        whole = 3 <= place < len(rows) - 1
        assert row.HasField("moving_average_fen") == whole
        if whole:
            assert row.moving_average_fen == round(Fraction(sum(expected[place - 2 : place + 1]), 3))


@pytest.mark.parametrize(
    ("game", "scopes", "first", "last"),
    [
        ("", {"all", "draw_games"}, "2024-01-20", "2024-03-10"),
        ("", {"all", "draw_games"}, "2025-02-20", "2025-03-09"),
        ("instant", {"all"}, "2025-02-20", "2025-03-09"),
    ],
)
def test_a_moving_average_may_be_of_open_days(
    analytics: AnalyticsServiceStub, of_days: Days, game: str, scopes: set[str], first: str, last: str
) -> None:
    """A closed day is in no mean and has that of the open days before it; instant tickets rest only when all do."""
    selection = pb.Selection(filters=[pb.Filter(dimension="game", values=[game])] if game else [])
    request = pb.TrendRequest(
        from_day=first, to_day=last, moving_average=5, average_open_days=True, selection=selection
    )
    answer = analytics.Trend(request)
    closed = [(begin, end) for begin, end, scope, _ in CLOSURES if scope in scopes]
    opened: list[int] = []
    for row in answer.rows:
        if not any(begin <= date.fromisoformat(row.bucket) <= end for begin, end in closed):
            opened.append(sales([event for event in of_days(row.bucket, row.bucket) if game in ("", event.game)]))
        mean = round(Fraction(sum(opened[-5:]), 5)) if len(opened) >= 5 else None
        assert (row.moving_average_fen if row.HasField("moving_average_fen") else None) == mean, row.bucket
    assert 5 < len(opened) < len(answer.rows)
    assert "a closed day is in none" in next(d.text_en for d in answer.definitions if d.name == "moving_average")
    request.average_open_days = False
    assert [row.moving_average_fen for row in analytics.Trend(request).rows] != [
        row.moving_average_fen for row in answer.rows
    ]


def test_the_largest_groups_stand_alone_and_the_rest_together(analytics: AnalyticsServiceStub, of_days: Days) -> None:
    """Two outlets with the largest sales of the whole period in each month; outlets of the others count once."""
    request = pb.TrendRequest(from_day="2024-05-01", to_day="2024-06-30", grain=pb.GRAIN_MONTH, by=["outlet"], top=2)
    request.measures.append("selling_outlets")
    answer = analytics.Trend(request)
    events = of_days(request.from_day, request.to_day)
    order = sorted({e.outlet for e in events}, key=lambda outlet: -sales([e for e in events if e.outlet == outlet]))
    for month in ("2024-05", "2024-06"):
        rows = {row.group[0]: row for row in answer.rows if row.bucket.startswith(month)}
        assert set(rows) == {*order[:2], "others"}
        assert list(rows)[-1] == "others"
        rest = [e for e in events if e.outlet not in order[:2] and e.day.isoformat().startswith(month)]
        assert rows["others"].figures.sales_fen == sales(rest)
        assert rows["others"].measurements[0].value.count == len({e.outlet for e in rest if e.kind == "SALE"})
    assert answer.total.sales_fen == sales(events)
    request.by.append("game")
    others = [row for row in analytics.Trend(request).rows if row.group[0] == "others"]
    assert {(*row.group, *row.group_names) for row in others} == {("others", "", "其他", "")}


def test_parts_and_pages_are_the_whole_trend(analytics: AnalyticsServiceStub) -> None:
    """Pages joined, and parts of at most 1,000 rows joined, are the rows of one answer; the last part has the rest."""
    question: dict[str, Any] = {"from_day": "2024-01-01", "to_day": "2024-05-10", "by": ["outlet"], "moving_average": 7}
    whole = analytics.Trend(pb.TrendRequest(**question, compare=pb.COMPARISON_YOY))
    parts = list(
        analytics.StreamTrend(pb.StreamTrendRequest(question=pb.TrendRequest(**question, compare=pb.COMPARISON_YOY)))
    )
    assert len(whole.rows) > 1_000
    assert [row for part in parts for row in part.rows] == list(whole.rows)
    assert max(len(part.rows) for part in parts) <= 1_000
    assert [part.HasField("end") for part in parts] == [False] * (len(parts) - 1) + [True]
    assert (parts[-1].end.total, parts[-1].end.total_rows) == (whole.total, whole.total_rows)
    assert whole.total_rows == len(whole.rows)
    request = pb.TrendRequest(**question, compare=pb.COMPARISON_YOY, page_size=700)
    rows: list[pb.TrendRow] = []
    while True:
        page = analytics.Trend(request)
        rows += page.rows
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert rows == list(whole.rows)


@pytest.mark.parametrize(
    ("dimension", "values"), [("game", ["ssq"]), ("zone_type", ["night_market", ""]), ("hour", ["9"])]
)
def test_what_is_kept_and_what_is_left_out_sum_to_the_whole(
    analytics: AnalyticsServiceStub, dimension: str, values: list[str]
) -> None:
    """Sales with a condition plus sales with its opposite are all sales; headlines too. Summaries have no hour."""
    days: dict[str, Any] = {"from_day": "2024-05-01", "to_day": "2024-07-31", "grain": pb.GRAIN_YEAR}
    if dimension == "hour":
        days["grain"] = pb.GRAIN_HOUR
    sides = [
        analytics.Trend(
            pb.TrendRequest(
                **days,
                selection=pb.Selection(filters=[pb.Filter(dimension=dimension, values=values, exclude=exclude)]),
            )
        ).total
        for exclude in (False, True)
    ]
    whole = analytics.Trend(pb.TrendRequest(**days)).total
    assert all(side.events for side in sides)
    assert sum(side.sales_fen for side in sides) == whole.sales_fen
    assert sum(side.events for side in sides) == whole.events


def test_a_headline_of_a_selection(analytics: AnalyticsServiceStub, world: World, of_days: Days) -> None:
    """Sales and active outlets of one zone type, weekday-aligned; the pairing says so."""
    answer = analytics.Headline(
        pb.HeadlineRequest(
            from_day="2024-06-01",
            to_day="2024-06-28",
            compare=pb.COMPARISON_WEEKDAY,
            selection=pb.Selection(filters=[pb.Filter(dimension="zone_type", values=["night_market"])]),
        )
    )
    assert (answer.base_from_day, answer.pairing.rule) == ("2023-06-03", pb.COMPARISON_WEEKDAY)
    kept = [e for e in of_days("2024-06-01", "2024-06-28") if value_of(e, "zone_type", world) == "night_market"]
    window = {day.isoformat() for day in days_between(date(2024, 6, 22), date(2024, 6, 28))}
    assert answer.total.sales_fen == sales(kept)
    active = {e.outlet for e in kept if e.kind == "SALE" and e.bets and e.day.isoformat() in window}
    assert answer.total.active_outlets == len(active)


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"measures": ["profit"]}, "measures[0]", "'profit' is no measure"),
        ({"moving_average": 1_001}, "moving_average", "choose 1 to 1000"),
        ({"average_open_days": True}, "average_open_days", "with a moving average by day only"),
        ({"average_open_days": True, "moving_average": 2, "grain": pb.GRAIN_WEEK}, "average_open_days", "leave it out"),
        ({"base_from_day": "2023-01-01"}, "base_from_day", "the comparison is none: choose base_period"),
        ({"compare": pb.COMPARISON_BASE_PERIOD, "base_from_day": "2024-01-01"}, "base_from_day", "reaches into"),
        ({"page_token": "x"}, "page_token", "is none that this service gave"),
    ],
)
def test_a_bad_field_of_a_trend_is_named(
    analytics: AnalyticsServiceStub, fields: dict[str, Any], field: str, told: str
) -> None:
    """A violation for the very field that says what is wrong and what is possible."""
    with pytest.raises(grpc.RpcError) as caught:
        analytics.Trend(pb.TrendRequest(from_day="2024-01-01", to_day="2024-12-31", **fields))
    assert [told in one.description for one in violations_of(caught.value) if one.field == field] == [True]
