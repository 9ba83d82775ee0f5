"""Every count of channel scale equals a recomputation with polars from the raw events and the registry."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import grpc
import polars as pl
import pytest

from fucai.runtime.errors import code_of, violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.oracle import DAY, Oracle, base_days, bucket_key, days_between
from tests.integration.analytics.world import CLOSURES, FIRST, LAST, OUTLETS, World

DIMENSIONS = ("zone", "zone_type", "district", "mgmt_area", "format", "channel_class", "outlet")
FILTERS = {
    "zone_type": ["night_market"],
    "mgmt_area": ["A1"],
    "outlet": ["000", "003", "011"],
    "game": ["ssq", "instant"],
}
CLOSED = {day for first, last, *_ in CLOSURES for day in days_between(first, last)}


class Scale:
    """Counts by brute force, a day at a time, under one filter."""

    def __init__(self, world: World, kept: str, *, exclude: bool, today: bool) -> None:
        self.world, self.kept, self.exclude, self.today = world, kept, exclude, today
        self.frame = pl.DataFrame(
            {
                "day": [event.day for event in world.events],
                "outlet": [event.outlet for event in world.events],
                "game": [event.game for event in world.events],
                "kind": [event.kind for event in world.events],
                "fen": [event.amount_fen for event in world.events],
                "counts": [not event.summary for event in world.events],
                "summed": [event.summary and event.bets > 0 for event in world.events],
            }
        )
        if kept == "game":
            self.frame = self.frame.filter(pl.col("game").is_in(FILTERS["game"]) != exclude)
        self.stays = {version.outlet: (version.opened, version.closed) for version in world.versions}

    def group(self, by: Sequence[str], outlet: str, day: date) -> tuple[str, ...] | None:
        """Where an outlet counts on a day; None where the filter leaves it out."""
        on = date(2025, 3, 11) if self.today else day
        if self.kept in {"", "game"} or (
            (self.world.where(self.kept, outlet, on) in FILTERS[self.kept]) != self.exclude
        ):
            return tuple(self.world.where(one, outlet, on) for one in by)
        return None

    def window(self, end: date, length: int) -> list[date]:
        """The open days of a window."""
        found: list[date] = []
        while len(found) < length:
            if end not in CLOSED:
                found.insert(0, end)
            end -= DAY
        return found

    def active(self, by: Sequence[str], end: date, least: int, length: int) -> dict[tuple[str, ...], list[str]]:
        """Active outlets by group."""
        sold = self.frame.filter(
            pl.col("day").is_in(self.window(end, length))
            & (pl.col("kind") == "SALE")
            & (pl.col("counts") | pl.col("summed"))
        )
        totals = sold.group_by("outlet").agg(pl.col("counts").sum(), pl.col("summed").any(), pl.col("day").max())
        found: dict[tuple[str, ...], list[str]] = {}
        for outlet, sales, summed, last in totals.iter_rows():
            group = self.group(by, outlet, last)
            if (sales >= least or summed) and group is not None:
                found.setdefault(group, []).append(outlet)
        return found

    def is_installed(self, outlet: str, day: date) -> bool:
        """Whether it is open on a day."""
        opened, closed = self.stays.get(outlet, (date.max, None))
        return opened <= day and (closed is None or day < closed)

    def installed(self, by: Sequence[str], day: date, outlets: Sequence[str]) -> dict[tuple[str, ...], int]:
        """Those of some outlets that are installed, by group."""
        found: dict[tuple[str, ...], int] = {}
        for outlet in outlets:
            group = self.group(by, outlet, day) if self.is_installed(outlet, day) else None
            if group is not None:
                found[group] = found.get(group, 0) + 1
        return found

    def turned(self, by: Sequence[str], days: Sequence[date], turn: int) -> dict[tuple[str, ...], int]:
        """Outlets that opened (0), or closed (1), by group."""
        found: dict[tuple[str, ...], int] = {}
        for outlet, stay in self.stays.items():
            day = stay[turn]
            group = self.group(by, outlet, day - DAY * turn) if day in days and day else None
            if group is not None:
                found[group] = found.get(group, 0) + 1
        return found

    def sales(self, by: Sequence[str], days: Sequence[date]) -> dict[tuple[str, ...], int]:
        """Sales by group, as of each sale."""
        part = self.frame.filter(pl.col("day").is_in(list(days)) & (pl.col("kind") != "PAYOUT"))
        signed = pl.when(pl.col("kind") == "VOID").then(-pl.col("fen")).otherwise(pl.col("fen"))
        found: dict[tuple[str, ...], int] = {}
        for outlet, day, fen in part.group_by("outlet", "day").agg(signed.sum()).iter_rows():
            group = self.group(by, outlet, day)
            if group is not None:
                found[group] = found.get(group, 0) + fen
        return found


@pytest.mark.parametrize("seed", range(8))
def test_random_questions_equal_a_recomputation(analytics: AnalyticsServiceStub, world: World, seed: int) -> None:
    """All counts of every bucket and group, with growth; by attributes of the day or today; filtered; any k and w."""
    draw = random.Random(seed)
    first = FIRST + timedelta(days=draw.randrange(0, (LAST - FIRST).days - 60))
    last = min(first + timedelta(days=draw.randrange(3, 90)), LAST)
    grain = ("", "day", "week", "month")[seed % 4]
    by = draw.sample(DIMENSIONS, draw.randrange(3))
    compare = draw.choice(["", "yoy", "previous"]) if grain else ""
    least, length = draw.choice([1, 1, 2, 5]), draw.choice([1, 7, 30])
    kept, exclude, today = draw.choice(["", *FILTERS]), draw.random() < 0.5, draw.random() < 0.3
    answer = analytics.Scale(
        pb.ScaleRequest(
            from_day=first.isoformat(),
            to_day=last.isoformat(),
            grain=pb.Grain.Value(f"GRAIN_{grain.upper()}") if grain else pb.GRAIN_UNSPECIFIED,
            by=by,
            active_sales=least,
            active_open_days=length,
            compare=pb.Comparison.Value(f"COMPARISON_{compare.upper()}") if compare else pb.COMPARISON_UNSPECIFIED,
            with_terminals=True,
            selection=pb.Selection(
                filters=[pb.Filter(dimension=kept, values=FILTERS[kept], exclude=exclude)] if kept else [],
                attributes=pb.ATTRIBUTE_BASIS_TODAY if today else pb.ATTRIBUTE_BASIS_AS_OF_SALE,
            ),
        )
    )
    oracle = Scale(world, kept, exclude=exclude, today=today)
    days = days_between(first, last)
    keys = sorted({bucket_key(grain, day) for day in days}) if grain else [first]
    rows = {(row.day, tuple(row.group)): row for row in answer.rows}
    assert list(rows) == sorted(rows)
    seen = set()
    for key in keys:
        bucket = [day for day in days if not grain or bucket_key(grain, day) == key]
        end = bucket[-1]
        active = oracle.active(by, end, least, length)
        sides: list[dict[tuple[str, ...], int]] = [
            {group: len(outlets) for group, outlets in active.items()},
            oracle.installed(by, end, OUTLETS),
            oracle.turned(by, bucket, 0),
            oracle.turned(by, bucket, 1),
            oracle.sales(by, bucket),
            oracle.installed(by, end, OUTLETS[:-1]),
            oracle.installed(by, end, sorted(terminals_sold(oracle, end, length))),
        ]
        base = base_days(grain, compare, bucket) if compare else []
        before = (
            {group: len(outlets) for group, outlets in oracle.active(by, base[-1], least, length).items()}
            if base
            else {}
        )
        for group in sorted(
            {()} if not by else {key for side in (*sides, before) for key, value in side.items() if value}
        ):
            row = rows[end.isoformat(), group]
            seen.add((end.isoformat(), group))
            found = (
                row.active,
                row.installed,
                row.opened,
                row.closed,
                row.sales_fen,
                row.terminals,
                row.active_terminals,
            )
            assert found == tuple(side.get(group, 0) for side in sides), (end, group)
            both = sum(oracle.is_installed(outlet, end) for outlet in active.get(group, []))
            assert row.active - row.active_not_installed == both
            assert row.HasField("penetration") == bool(row.installed)
            assert row.penetration == (pytest.approx(both / row.installed) if row.installed else 0)
            assert row.HasField("sales_per_outlet_fen") == bool(row.active)
            assert row.sales_per_outlet_fen == (round(Fraction(row.sales_fen, row.active)) if row.active else 0)
            open_days = len([day for day in bucket if day not in CLOSED])
            assert row.open_days == open_days
            assert averages(row) == (
                quotient(row.sales_fen, row.installed),
                quotient(row.sales_fen, row.active * open_days),
                quotient(row.sales_fen, row.installed * open_days),
                quotient(7 * row.sales_fen, row.terminals * len(bucket)),
            )
            assert row.HasField("base_active") == bool(base)
            if base:
                window = oracle.window(base[-1], length)
                stored = len([day for day in days_between(window[0], base[-1]) if day >= FIRST])
                mark, ratio = Oracle.mark(row.active, before.get(group, 0), stored, (base[-1] - window[0]).days + 1)
                assert row.base_active == before.get(group, 0)
                assert pb.GrowthMark.Name(row.growth.mark) == f"GROWTH_MARK_{mark}"
                assert row.growth.ratio == pytest.approx(ratio or 0.0)
    assert seen == set(rows)


def averages(row: pb.ScaleRow) -> tuple[int | None, ...]:
    """Sales per installed outlet; per active and per installed one and open day; per terminal and week."""
    names = ("installed", "outlet_open_day", "installed_open_day", "terminal_week")
    there = {field.name: value for field, value in row.ListFields()}
    return tuple(there.get(f"sales_per_{name}_fen") for name in names)


def quotient(fen: int, over: int) -> int | None:
    """Half to even; None over nothing."""
    return round(Fraction(fen, over)) if over else None


def terminals_sold(oracle: Scale, end: date, length: int) -> set[str]:
    """The outlets whose terminal sold in the window: in the world each outlet has one."""
    sold = oracle.frame.filter(
        pl.col("day").is_in(oracle.window(end, length))
        & (pl.col("kind") == "SALE")
        & (pl.col("counts") | pl.col("summed"))
    )
    return set(sold["outlet"].to_list()) - {OUTLETS[-1]}


def test_a_day_of_the_curve_is_the_question_for_that_day(analytics: AnalyticsServiceStub) -> None:
    """Two years by day in one walk, and single days asked alone: the same counts; so with five sales as the least."""
    curve: dict[str, Any] = {"from_day": "2023-03-01", "to_day": "2025-02-28", "grain": pb.GRAIN_DAY}
    for least in (0, 5):
        rows = {row.day: row for row in analytics.Scale(pb.ScaleRequest(**curve, active_sales=least)).rows}
        assert len(rows) == 731
        for day in ("2023-03-01", "2024-02-17", "2024-02-18", "2025-02-28"):
            (alone,) = analytics.Scale(pb.ScaleRequest(from_day=day, to_day=day, active_sales=least)).rows
            assert (alone.active, alone.installed) == (rows[day].active, rows[day].installed)


def test_groups_and_filters_sum_to_the_whole(analytics: AnalyticsServiceStub) -> None:
    """Each outlet counts once, so groups of outlets, or a filter and its opposite, add up in every count."""
    asked: dict[str, Any] = {"from_day": "2024-05-01", "to_day": "2024-08-31", "active_sales": 2}
    (whole,) = analytics.Scale(pb.ScaleRequest(**asked)).rows
    parts = [list(analytics.Scale(pb.ScaleRequest(**asked, by=[by])).rows) for by in ("zone", "mgmt_area", "outlet")]
    sides: list[pb.ScaleRow] = []
    for exclude in (False, True):
        kept = pb.Filter(dimension="zone", values=["Z1"], exclude=exclude)
        sides += analytics.Scale(pb.ScaleRequest(**asked, selection=pb.Selection(filters=[kept]))).rows
    parts.append(sides)
    for rows in parts:
        for count in ("installed", "active", "opened", "closed", "sales_fen", "active_not_installed"):
            assert sum(getattr(row, count) for row in rows) == getattr(whole, count), count


def test_an_hour_or_a_game_filter_keeps_what_is_installed(analytics: AnalyticsServiceStub) -> None:
    """The penetration of a game is of all installed outlets, and is at most that of all games."""
    (whole,) = analytics.Scale(pb.ScaleRequest(to_day="2025-02-28", active_open_days=3)).rows
    kept = pb.Selection(filters=[pb.Filter(dimension="game", values=["3d"])])
    (game,) = analytics.Scale(pb.ScaleRequest(to_day="2025-02-28", active_open_days=3, selection=kept)).rows
    assert game.installed == whole.installed
    assert 0 < game.active < whole.active


def test_an_explained_curve_walks_outlet_days_once(analytics: AnalyticsServiceStub) -> None:
    """Whatever the number of days, sales are read twice: once for active outlets, once for amounts."""
    request = pb.ScaleRequest(
        from_day="2024-01-01", to_day="2024-12-31", grain=pb.GRAIN_DAY, selection=pb.Selection(explain=True)
    )
    texts = [query.sql for query in analytics.Scale(request).about.queries]
    assert (
        sum("settled_sales" in text or ("visible_sales" in text and "max(received_at)" not in text) for text in texts)
        == 2
    )


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (pb.ScaleRequest(by=["shop"]), "by[0]", "'shop' is no dimension"),
        (pb.ScaleRequest(by=["zone", "game"]), "by[1]", "'game' is of events, not of outlets: choose zone, zone_type"),
        (pb.ScaleRequest(grain=pb.GRAIN_HOUR), "grain", "choose day, week, month, year"),
        (pb.ScaleRequest(grain=99), "grain", "99 is no grain"),  # type: ignore[arg-type]
        (pb.ScaleRequest(active_open_days=400), "active_open_days", "choose 1 to 366"),
        (pb.ScaleRequest(compare=9), "compare", "9 is no comparison"),  # type: ignore[arg-type]
        (pb.ScaleRequest(compare=pb.COMPARISON_BASE_PERIOD, grain=pb.GRAIN_DAY), "grain", "leave grain out"),
        (pb.ScaleRequest(from_day="2024-12-31", to_day="2024-01-01"), "to_day", "swap"),
        (pb.ScaleRequest(from_day="2020-01-01", to_day="2024-01-01"), "from_day", "first stored day"),
        (pb.ScaleRequest(to_day="2031-01-01"), "to_day", "in the future"),
        (
            pb.ScaleRequest(selection=pb.Selection(filters=[pb.Filter(dimension="zone", values=["Z1' OR '1'='1"])])),
            "selection.filters[0].values[0]",
            "choose Z1, Z2",
        ),
        (
            pb.ScaleRequest(selection=pb.Selection(filters=[pb.Filter(dimension="weekday", values=["1' OR 1"])])),
            "selection.filters[0].values[0]",
            "write 1 to 7",
        ),
    ],
)
def test_a_bad_field_is_named(analytics: AnalyticsServiceStub, request_: Any, field: str, told: str) -> None:
    """INVALID_ARGUMENT, with a violation for the very field that says what is wrong and what is possible."""
    with pytest.raises(grpc.RpcError) as caught:
        analytics.Scale(request_)
    assert code_of(caught.value) is grpc.StatusCode.INVALID_ARGUMENT
    assert [told in one.description for one in violations_of(caught.value) if one.field == field] == [True]
