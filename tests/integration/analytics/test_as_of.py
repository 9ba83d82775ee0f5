"""Figures as they stood at a moment of storage equal a recomputation with polars from what was stored by then.

Late events and voids that came later are in no figure of a moment before; at a later one they are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.served import served
from tests.integration.analytics.test_decompose import expected as decomposed
from tests.integration.analytics.test_decompose import shown
from tests.integration.analytics.two_periods import two_sums, within
from tests.support.clickhouse import fresh_database

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2025, 3, 11, 9, tzinfo=ZONE)
FIRST, LAST = date(2024, 1, 1), date(2025, 3, 10)
OUTLETS, GAMES = [f"{number:03}" for number in range(9)], ["instant", "second"]
DELAYS = [timedelta(minutes=1), timedelta(hours=9), timedelta(days=3), timedelta(days=40), timedelta(days=300)]
COLUMNS = ["outlet_id", "business_day", "sold_at", "sold_hour", "kind", "game", "amount_fen", "bets", "companion_fen"]
COLUMNS += ["terminal_id", "seq", "received_at", "stored_at"]
WINDOW_DAYS = 7


@dataclass(frozen=True, slots=True)
class Kept:
    """A service, and all that its store holds: day, outlet, game, kind, fen, bets, companion and when it was stored."""

    analytics: AnalyticsServiceStub
    events: pl.DataFrame

    def by(self, moment: datetime) -> pl.DataFrame:
        """What was stored by a moment, voids with their sign, payouts left out."""
        sign = pl.when(pl.col("kind") == "VOID").then(-1).otherwise(1)
        return self.events.filter((pl.col("stored") <= moment) & (pl.col("kind") != "PAYOUT")).with_columns(
            pl.col("fen") * sign, pl.col("bets") * sign
        )


def random_events(draw: random.Random, count: int) -> Iterator[dict[str, Any]]:
    """Sales, each stored soon or late; some voided on a later day, and that stored later still; some payouts."""
    for _ in range(count):
        day = FIRST + timedelta(days=draw.randrange((LAST - FIRST).days + 1))
        sold = datetime.combine(day, time(draw.randrange(24), draw.randrange(60)), ZONE)
        kind = draw.choices(["SALE", "PAYOUT"], [9, 1])[0]
        sale: dict[str, Any] = {
            "outlet": draw.choice(OUTLETS),
            "day": day,
            "sold": sold,
            "kind": kind,
            "game": draw.choice(GAMES),
            "fen": draw.randrange(1, 10**6),
            "bets": draw.randrange(1, 40),
            "companion": draw.choice([0, 700]) if kind == "SALE" else 0,
            "stored": sold.astimezone(UTC) + draw.choice(DELAYS),
        }
        yield sale
        if kind == "SALE" and draw.random() < 0.2:
            later = min(day + timedelta(days=draw.randrange(20)), LAST)
            void = datetime.combine(later, time(23, 59), ZONE)
            stored = max(sale["stored"], void.astimezone(UTC)) + draw.choice(DELAYS)
            yield sale | {"kind": "VOID", "day": later, "sold": void, "companion": 0, "stored": stored}


@pytest.fixture(scope="module")
def kept(clickhouse_url: str) -> Iterator[Kept]:
    """A store of fourteen months, where a third of the events came late."""
    events = list(random_events(random.Random(5), 3_000))
    with fresh_database(clickhouse_url) as database:
        client = database.client()
        games = [[game, date(2019, 1, 1), False, 1] for game in GAMES]
        client.insert("game_rows", games, column_names=["game", "valid_from", "has_draws", "import_id"])
        client.insert("imports", [[1, "test"]], column_names=["import_id", "source"])
        rows = [
            [
                *(one["outlet"], one["day"], one["sold"], one["sold"].hour, one["kind"], one["game"], one["fen"]),
                *(one["bets"], one["companion"], f"T{one['outlet']}", seq, one["stored"], one["stored"]),
            ]
            for seq, one in enumerate(events, 1)
        ]
        client.insert("sales", rows, column_names=COLUMNS)
        client.close()
        with served(database.url, database.name, NOW) as stub:
            yield Kept(stub, pl.DataFrame(events))


@pytest.fixture(params=range(4))
def asked(kept: Kept, request: pytest.FixtureRequest) -> tuple[dict[str, Any], pl.DataFrame]:
    """Two periods and a moment, in between or the very one at which an event was stored; and what counts then."""
    draw = random.Random(request.param)
    last = FIRST + timedelta(days=draw.randrange(200, (LAST - FIRST).days + 1))
    first = last - timedelta(days=draw.choice([6, 30, 90]))
    base = first - timedelta(days=draw.randrange(60, 100)), first - timedelta(days=draw.randrange(1, 40))
    late = kept.events.filter(within((str(first), str(last))) & (pl.col("stored") <= NOW.astimezone(UTC)))[
        "stored"
    ].sort()
    moment: datetime = late[draw.randrange(len(late))]
    days = {"from_day": str(first), "to_day": str(last), "compare": pb.COMPARISON_BASE_PERIOD}
    days |= {"base_from_day": str(base[0]), "base_to_day": str(base[1])}
    selection = pb.Selection(as_of_ms=int(moment.timestamp() * 1000))
    counted = kept.by(moment)
    assert 0 < counted.height < kept.by(datetime.max.replace(tzinfo=UTC)).height
    return days | {"selection": selection}, counted


def sides_of(days: dict[str, Any]) -> tuple[tuple[str, str], tuple[str, str]]:
    """The days of both sides."""
    return (days["from_day"], days["to_day"]), (days["base_from_day"], days["base_to_day"])


def active(frame: pl.DataFrame, last: str) -> int:
    """Outlets with a sale in the last days up to one; there are no closures, so all are open."""
    end = date.fromisoformat(last)
    window = within((str(end - timedelta(days=WINDOW_DAYS - 1)), last))
    return frame.filter(window & (pl.col("kind") == "SALE"))["outlet"].n_unique()


@pytest.mark.parametrize("by", [[], ["outlet", "game"]])
def test_growth(kept: Kept, asked: tuple[dict[str, Any], pl.DataFrame], by: Sequence[str]) -> None:
    """Sales, bets and selling outlets of both sides, of the whole and of each group."""
    days, frame = asked
    answer = kept.analytics.Growth(pb.GrowthRequest(**days, by=by, measures=["sales", "bets", "selling_outlets"]))
    found = {
        tuple(row.group): [
            getattr(getattr(one, side), "fen" if one.measure == "sales" else "count")
            for one in row.measurements
            for side in ("base", "value")
        ]
        for row in (answer.rows if by else [answer.total])
    }
    expected = {}
    for row in two_sums(frame, *sides_of(days), [*by, pl.lit(0).alias("_")]).to_dicts():
        group = frame.filter([pl.col(name) == row[name] for name in by] or pl.lit(value=True))
        sold = [
            group.filter(within(side) & (pl.col("kind") == "SALE"))["outlet"].n_unique()
            for side in reversed(sides_of(days))
        ]
        sums = [row[f"{side}_{name}"] for name in ("fen", "bets") for side in ("base", "value")]
        expected[tuple(row[name] for name in by)] = [*sums, *sold]
    assert found == expected


def test_decompose(kept: Kept, asked: tuple[dict[str, Any], pl.DataFrame]) -> None:
    """New, closed and same outlets, and effects, by game and outlet."""
    days, frame = asked
    answer = kept.analytics.Decompose(pb.DecomposeRequest(**days, by=["game", "outlet"]))
    assert shown([answer.total, *answer.groups]) == decomposed(frame, *sides_of(days), ["game", "outlet"])


def test_rank(kept: Kept, asked: tuple[dict[str, Any], pl.DataFrame]) -> None:
    """Outlets by sales, with their base."""
    days, frame = asked
    answer = kept.analytics.Rank(pb.RankRequest(**days, of="outlet"))
    found = [(row.id, row.measurement.value.fen, row.measurement.base.fen) for row in answer.rows]
    sums = two_sums(frame, *sides_of(days), ["outlet"]).filter(pl.col("value_fen") > 0)
    assert (
        found
        == sums.sort(["value_fen", "outlet"], descending=[True, False]).select("outlet", "value_fen", "base_fen").rows()
    )


def test_scale_and_headline(kept: Kept, asked: tuple[dict[str, Any], pl.DataFrame]) -> None:
    """Active outlets at the end of both sides, and sales by period, month and day."""
    days, frame = asked
    now, base = sides_of(days)
    total = kept.analytics.Headline(
        pb.HeadlineRequest(
            **{key: days[key] for key in ("from_day", "to_day")},
            selection=days["selection"],
            compare=pb.COMPARISON_PREVIOUS,
        )
    ).total
    daily = {
        row["day"]: row["fen"] for row in frame.filter(within(now)).group_by("day").agg(pl.col("fen").sum()).to_dicts()
    }
    first, last = map(date.fromisoformat, now)
    assert list(total.daily_sales_fen) == [
        daily.get(first + timedelta(days=place), 0) for place in range((last - first).days + 1)
    ]
    assert (total.active_outlets, total.sales_fen) == (active(frame, now[1]), sum(daily.values()))
    before = str(first - timedelta(days=(last - first).days + 1)), str(first - timedelta(days=1))
    assert total.base_active_outlets == active(frame, before[1])
    scale = kept.analytics.Scale(
        pb.ScaleRequest(**{key: days[key] for key in ("from_day", "to_day", "selection")}, grain=pb.GRAIN_MONTH)
    )
    assert scale.rows
    for row in scale.rows:
        inside = frame.filter(within((row.first_day, row.day)))
        assert (row.active, row.sales_fen) == (active(frame, row.day), inside["fen"].sum())
    assert base[1] < now[0]
