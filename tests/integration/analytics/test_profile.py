"""Every cell of hours by weekday equals a recomputation with polars from the raw events."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import grpc
import polars as pl
import pytest

from fucai.runtime.errors import code_of, violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.oracle import days_between
from tests.integration.analytics.world import FIRST, LAST, World

DIMENSIONS = ("game", "zone", "zone_type", "district", "mgmt_area", "format", "channel_class", "outlet")
FILTERS = {"game": ["ssq"], "zone_type": ["night_market"], "weekday": ["1", "6", "7"], "outlet": ["000", "007"]}


def frame_of(world: World, by: str, kept: str, *, exclude: bool, today: bool) -> pl.DataFrame:
    """A row for each event with its group, of those that a filter keeps."""

    def value(dimension: str, event: Any) -> str:
        if dimension == "game":
            return str(event.game)
        if dimension == "weekday":
            return str(event.day.isoweekday())
        return world.where(dimension, event.outlet, date(2025, 3, 11) if today else event.day)

    events = [event for event in world.events if not kept or (value(kept, event) in FILTERS[kept]) != exclude]
    return pl.DataFrame(
        {
            "group": [value(by, event) if by else "" for event in events],
            "day": [event.day for event in events],
            "weekday": [event.day.isoweekday() for event in events],
            "hour": [event.sold_at.hour for event in events],
            "summary": [event.summary for event in events],
            "sales": [{"SALE": 1, "VOID": -1, "PAYOUT": 0}[event.kind] * event.amount_fen for event in events],
            "bets": [{"SALE": 1, "VOID": -1, "PAYOUT": 0}[event.kind] * event.bets for event in events],
            "payouts": [event.amount_fen * (event.kind == "PAYOUT") for event in events],
        }
    )


def shared(values: list[int]) -> list[int]:
    """Basis points by largest remainder, the earlier of equals first."""
    weights = [max(value, 0) for value in values]
    whole = sum(weights)
    if not whole:
        return [0] * len(values)
    floors = [weight * 10_000 // whole for weight in weights]
    order = sorted(range(len(values)), key=lambda at: -(weights[at] * 10_000 % whole))
    for at in order[: 10_000 - sum(floors)]:
        floors[at] += 1
    return floors


@pytest.mark.parametrize("seed", range(8))
def test_random_questions_equal_a_recomputation(analytics: AnalyticsServiceStub, world: World, seed: int) -> None:
    """Figures, days and shares of every cell, and what has no hour; grouped, filtered, by today's attributes."""
    draw = random.Random(seed)
    first = FIRST + timedelta(days=draw.randrange(0, (LAST - FIRST).days - 60))
    last = min(first + timedelta(days=draw.randrange(0, 400)), LAST)
    by = draw.choice(["", *DIMENSIONS])
    kept, exclude, today = draw.choice(["", *FILTERS]), draw.random() < 0.5, draw.random() < 0.3
    answer = analytics.Profile(
        pb.ProfileRequest(
            from_day=first.isoformat(),
            to_day=last.isoformat(),
            by=by,
            selection=pb.Selection(
                filters=[pb.Filter(dimension=kept, values=FILTERS[kept], exclude=exclude)] if kept else [],
                attributes=pb.ATTRIBUTE_BASIS_TODAY if today else pb.ATTRIBUTE_BASIS_AS_OF_SALE,
            ),
        )
    )
    events = frame_of(world, by, kept, exclude=exclude, today=today).filter(pl.col("day").is_between(first, last))
    timed = events.filter(~pl.col("summary"))
    expected = (
        timed.group_by("group", "weekday", "hour")
        .agg(pl.col("sales").sum(), pl.col("bets").sum(), pl.len(), pl.col("payouts").sum())
        .sort("group", "weekday", "hour")
    )
    found = [
        (
            *(cell.group, cell.weekday, cell.hour),
            *(cell.figures.sales_fen, cell.figures.bets, cell.figures.events, cell.figures.payouts_fen),
        )
        for cell in answer.cells
    ]
    assert found == expected.rows()
    assert answer.without_hour_fen == events.filter("summary")["sales"].sum()
    counted = [day.isoweekday() for day in days_between(first, last)]
    assert all(cell.days == counted.count(cell.weekday) for cell in answer.cells)
    for group in {cell.group for cell in answer.cells}:
        cells = [cell for cell in answer.cells if cell.group == group]
        assert [cell.share_bp for cell in cells] == shared([cell.figures.sales_fen for cell in cells])
    days = {
        hour: len([day for day in counted if kept != "weekday" or is_kept(day, exclude=exclude)]) for hour in range(24)
    }
    check_shares(answer.hours, timed, "hour", days)
    check_shares(answer.weekdays, events, "weekday", {day: counted.count(day) for day in range(1, 8)})


def is_kept(weekday: int, *, exclude: bool) -> bool:
    """Whether the filter keeps a weekday."""
    return (str(weekday) in FILTERS["weekday"]) != exclude


def check_shares(found: Sequence[pb.ProfileShare], events: pl.DataFrame, of: str, days: Mapping[int, int]) -> None:
    """Sales, days and share of every hour, or weekday, of every group."""
    expected = []
    for (group,), rows in sorted(events.group_by(["group"])):
        sums = rows.group_by(of).agg(pl.col("sales").sum()).sort(of)
        shares = shared(sums["sales"].to_list())
        expected += [(group, at, fen, days[at], share) for (at, fen), share in zip(sums.rows(), shares, strict=True)]
    assert [(one.group, one.of, one.sales_fen, one.days, one.share_bp) for one in found] == expected


def test_groups_sum_to_the_whole(analytics: AnalyticsServiceStub) -> None:
    """In every cell, and in what has no hour, whatever it is grouped by."""
    days: dict[str, Any] = {"from_day": "2024-01-01", "to_day": "2024-12-31"}
    whole = analytics.Profile(pb.ProfileRequest(**days))
    for by in ("game", "zone", "outlet"):
        parts = analytics.Profile(pb.ProfileRequest(**days, by=by))
        sums: dict[tuple[int, int], int] = {}
        for cell in parts.cells:
            sums[cell.weekday, cell.hour] = sums.get((cell.weekday, cell.hour), 0) + cell.figures.sales_fen
        assert sums == {(cell.weekday, cell.hour): cell.figures.sales_fen for cell in whole.cells}
        assert parts.without_hour_fen == whole.without_hour_fen


@pytest.mark.parametrize(
    ("by", "dimension", "projected"), [("", "", ["hourly"]), ("game", "game", ["hourly"]), ("zone", "", [])]
)
def test_the_whole_and_games_read_sums_by_hour(
    analytics: AnalyticsServiceStub, by: str, dimension: str, projected: list[str]
) -> None:
    """The projection by hour is read where outlets are not asked about; the events themselves where they are."""
    filters = [pb.Filter(dimension=dimension, values=["ssq"])] if dimension else []
    selection = pb.Selection(explain=True, filters=filters)
    found = analytics.Profile(pb.ProfileRequest(by=by, selection=selection)).about.queries
    (query,) = (query for query in found if "sold_hour" in query.sql)
    assert [name for name in query.projections if name == "hourly"] == projected


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (pb.ProfileRequest(by="kind"), "by", "'kind' is no dimension here: choose game, zone"),
        (pb.ProfileRequest(by="'; DROP TABLE sales"), "by", "no dimension"),
        (pb.ProfileRequest(from_day="2024-12-31", to_day="2024-01-01"), "to_day", "swap"),
        (
            pb.ProfileRequest(from_day="2025-03-20", to_day="2025-03-25"),
            "from_day",
            "the last day that can be answered",
        ),
        (pb.ProfileRequest(from_day="2020-01-01", to_day="2024-01-01"), "from_day", "first stored day"),
        (
            pb.ProfileRequest(selection=pb.Selection(filters=[pb.Filter(dimension="shop", values=["1"])])),
            "selection.filters[0].dimension",
            "choose game, outlet",
        ),
    ],
)
def test_a_bad_field_is_named(analytics: AnalyticsServiceStub, request_: Any, field: str, told: str) -> None:
    """INVALID_ARGUMENT, with a violation for the very field that says what is wrong and what is possible."""
    with pytest.raises(grpc.RpcError) as caught:
        analytics.Profile(request_)
    assert code_of(caught.value) is grpc.StatusCode.INVALID_ARGUMENT
    assert [told in one.description for one in violations_of(caught.value) if one.field == field] == [True]
