"""Every cell of trends and headlines equals an independent computation from the raw events."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.oracle import Expected, Oracle, days_between, year_later
from tests.integration.analytics.world import CLOSURES, FIRST, LAST, World

DIMENSIONS = ["game", "zone", "zone_type", "district", "format", "outlet", "kind"]
AS_OF = ["zone", "zone_type", "district", "format", "outlet"]


@pytest.fixture(scope="module")
def oracle(world: World) -> Oracle:
    """The same events as the store has, with each outlet where it stood."""
    return Oracle(
        [
            {
                "day": event.day,
                "hour": event.sold_at.hour,
                "kind": event.kind.lower(),
                "game": event.game,
                "fen": event.amount_fen,
                "bets": event.bets,
                "summary": event.summary,
            }
            | {by: world.where(by, event.outlet, event.day) for by in AS_OF}
            for event in world.events
        ]
    )


def ask(
    analytics: AnalyticsServiceStub, first: date, last: date, grain: str, by: list[str], compare: str
) -> list[Expected]:
    """The answer of the service, in the oracle's form."""
    answer = analytics.Trend(
        pb.TrendRequest(
            from_day=first.isoformat(),
            to_day=last.isoformat(),
            grain=pb.Grain.Value(f"GRAIN_{grain.upper()}"),
            by=by,
            compare=pb.Comparison.Value(f"COMPARISON_{compare.upper()}") if compare else pb.COMPARISON_UNSPECIFIED,
        )
    )
    return [_row(row) for row in answer.rows]


def _row(row: pb.TrendRow) -> Expected:
    mark = pb.GrowthMark.Name(row.growth.mark).removeprefix("GROWTH_MARK_") if row.HasField("growth") else ""
    return Expected(
        row.bucket,
        tuple(row.group),
        date.fromisoformat(row.first_day),
        date.fromisoformat(row.last_day),
        _figures(row.figures),
        _figures(row.base) if row.HasField("base") else None,
        (date.fromisoformat(row.base_first_day), date.fromisoformat(row.base_last_day)) if row.base_first_day else None,
        mark,
        row.growth.ratio if mark in {"RATIO", "PARTIAL_BASE"} else None,
    )


def _figures(figures: pb.Figures) -> tuple[int, int, int, int]:
    return figures.sales_fen, figures.bets, figures.events, figures.payouts_fen


QUESTIONS = [
    (date(2024, 1, 1), date(2025, 12, 31), "month", ["zone_type", "game"], "yoy"),
    (date(2024, 1, 1), date(2025, 2, 28), "month", [], "previous"),
    (date(2024, 2, 20), date(2025, 3, 9), "day", [], "yoy"),
    (date(2024, 2, 20), date(2024, 3, 9), "day", ["outlet"], "previous"),
    (date(2022, 1, 5), date(2025, 3, 31), "week", ["format"], "yoy"),
    (date(2024, 12, 20), date(2025, 1, 17), "week", ["zone", "kind"], "previous"),
    (date(2020, 1, 1), date(2026, 12, 31), "year", ["outlet", "game"], "yoy"),
    (date(2020, 1, 1), date(2026, 12, 31), "year", ["district"], "previous"),
    (date(2024, 2, 27), date(2024, 3, 2), "hour", [], "yoy"),
    (date(2025, 3, 5), date(2025, 3, 31), "hour", ["zone_type"], "previous"),
    (date(2025, 3, 5), date(2025, 3, 10), "hour", ["game"], "yoy"),
    (date(2022, 11, 1), date(2023, 1, 31), "month", ["outlet"], "yoy"),
    (date(2021, 1, 1), date(2022, 3, 1), "day", ["game"], ""),
]


@pytest.mark.parametrize(("first", "last", "grain", "by", "compare"), QUESTIONS)
def test_chosen_trends_equal_the_oracle(
    analytics: AnalyticsServiceStub, oracle: Oracle, first: date, last: date, grain: str, by: list[str], compare: str
) -> None:
    """Rows, their days, all figures, bases, ratios and marks are those of the brute-force computation."""
    assert ask(analytics, first, last, grain, by, compare) == oracle.trend(first, last, grain, by, compare)


@pytest.mark.parametrize("seed", range(25))
def test_random_trends_equal_the_oracle(analytics: AnalyticsServiceStub, oracle: Oracle, seed: int) -> None:
    """As above, for questions drawn at random from all days, grains, dimensions and comparisons."""
    draw = random.Random(seed)
    grain = draw.choice(["hour", "day", "week", "month", "year"])
    longest = {"hour": 5, "day": 60, "week": 300, "month": 900, "year": 1500}[grain]
    first = FIRST + timedelta(days=draw.randrange(-30, (LAST - FIRST).days))
    last = first + timedelta(days=draw.randrange(longest))
    by = draw.sample(DIMENSIONS, draw.randrange(4))
    compare = draw.choice(["", "yoy", "previous"])
    assert ask(analytics, first, last, grain, by, compare) == oracle.trend(first, last, grain, by, compare)


@pytest.mark.parametrize(
    ("first", "last", "by", "least", "open_days"),
    [
        (None, None, "", 0, 0),
        (None, None, "zone_type", 1, 7),
        (date(2024, 2, 1), date(2024, 2, 29), "outlet", 2, 20),
        (date(2025, 2, 1), date(2025, 2, 28), "game", 2, 10),
        (date(2022, 10, 1), date(2022, 12, 31), "zone", 3, 60),
        (date(2022, 1, 1), date(2022, 3, 31), "format", 1, 7),
        (date(2022, 11, 10), date(2022, 11, 20), "district", 1, 7),
        (date(2024, 1, 1), date(2025, 12, 31), "outlet", 1, 30),
    ],
)
def test_headlines_equal_the_oracle(
    analytics: AnalyticsServiceStub,
    oracle: Oracle,
    world: World,
    first: date | None,
    last: date | None,
    by: str,
    least: int,
    open_days: int,
) -> None:
    """Sales, active outlets, both bases, marks and the daily curve of the whole and of every group."""
    answer = analytics.Headline(
        pb.HeadlineRequest(
            from_day=first.isoformat() if first else "",
            to_day=last.isoformat() if last else "",
            active_sales=least,
            active_open_days=open_days,
            by=by,
        )
    )
    last = min(last or LAST, LAST)
    first = first or last - timedelta(days=27)
    assert (answer.from_day, answer.to_day) == (first.isoformat(), last.isoformat())
    base = [
        day for day in days_between(first - timedelta(370), last - timedelta(360)) if first <= year_later(day) <= last
    ]
    assert (answer.base_from_day, answer.base_to_day) == (base[0].isoformat(), base[-1].isoformat())
    closed = {day for start, end, *_ in CLOSURES for day in days_between(start, end)}
    for shown, groups in ((by, answer.groups), ("", [answer.total])):
        if shown != by or by:
            expected = _expected(
                oracle, world, shown, days_between(first, last), base, closed, least or 1, open_days or 7
            )
            assert {(group.group if shown else None): _headline(group) for group in groups} == expected


def _headline(group: pb.HeadlineGroup) -> tuple[object, ...]:
    def growth(found: pb.Growth) -> tuple[str, float]:
        return pb.GrowthMark.Name(found.mark).removeprefix("GROWTH_MARK_"), found.ratio

    return (
        group.active_outlets,
        group.base_active_outlets,
        growth(group.scale_growth),
        group.sales_fen,
        group.base_sales_fen,
        growth(group.sales_growth),
        list(group.daily_sales_fen),
    )


def _expected(
    oracle: Oracle,
    world: World,
    by: str,
    days: list[date],
    base: list[date],
    closed: set[date],
    least: int,
    open_days: int,
) -> dict[str | None, tuple[object, ...]]:
    """Every group's headline, by brute force."""
    sides = []
    for side in (days, base):
        cells = oracle.cells(oracle.between(side), [by] if by else [])
        active, window = oracle.active(side[-1], by, least, open_days, closed, world.where)
        sides.append((cells, active, window))
    (now, active, _), (before, base_active, base_window) = sides
    found: dict[str | None, tuple[object, ...]] = {}
    for group in {*now, *before, *active, *base_active} | (set() if by else {()}):
        scale = (active.get(group, 0), base_active.get(group, 0))
        sales = (now.get(group, (0,))[0], before.get(group, (0,))[0])
        curve = oracle.curve(days, by, group)
        found[group[0] if group else None] = (
            *scale,
            _mark(oracle, *scale, base_window),
            *sales,
            _mark(oracle, *sales, base),
            curve,
        )
    return found


def _mark(oracle: Oracle, value: int, base: int, days: list[date]) -> tuple[str, float]:
    stored = sum(day >= oracle.first for day in days if day >= days[0])
    mark, ratio = oracle.mark(value, base, stored, len(days))
    return mark, ratio or 0.0
