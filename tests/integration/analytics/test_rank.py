"""Every place of a ranking equals an independent recomputation from the raw events."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.oracle import days_between
from tests.integration.analytics.test_growth import CLOSED
from tests.integration.analytics.two_periods import BY, random_question, sides, signed, two_sums, within
from tests.integration.analytics.world import LAST, Version, World

MEASURES = {"sales": "fen", "bets": "bets", "companion": "companion"}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def frame(world: World) -> pl.DataFrame:
    """Sales and voids with sign."""
    return signed(world)


def members(frame: pl.DataFrame, world: World, answer: pb.RankResponse, request: pb.RankRequest) -> list[Row]:
    """All that could be ranked: id, area, value, base, and of outlets the day of opening."""
    days, base = sides(answer.pairing)
    of, area, name = request.of or "outlet", request.within, MEASURES[request.measure or "sales"]
    counted = frame.filter(within(days) | within(base))
    if of == "outlet" and area not in {"", "game"}:
        counted = counted.with_columns(_area=pl.col("outlet").replace_strict(last_areas(counted, days, area)))
        by = ["_area", "outlet"]
    else:
        by = [*([area] if area else []), of]
    found = []
    for row in two_sums(counted, days, base, by).to_dicts():
        one = {"id": row[of], "area": row[by[0]] if area else "", "opened": None, "days": 0}
        found.append(one | {"value": row[f"value_{name}"], "base": row[f"base_{name}"]})
        if of == "outlet":
            versions = [version for version in world.versions if version.outlet == row["outlet"]]
            found[-1]["opened"] = versions[0].opened if versions else None
            found[-1]["days"] = open_days(versions, days)
    return found


def open_days(versions: Sequence[Version], days: tuple[str, str]) -> int:
    """The days of a period on which the market and the outlet are open; none where it is not registered."""
    period = days_between(*map(date.fromisoformat, days))
    if not versions:
        return 0
    opened, closed = versions[-1].opened, versions[-1].closed
    return sum(day not in CLOSED and opened <= day and (closed is None or day < closed) for day in period)


def last_areas(frame: pl.DataFrame, days: tuple[str, str], area: str) -> dict[str, str]:
    """The area of each outlet on the day of its last sale or void in the period, else in the base."""
    found = {}
    for (outlet,), rows in frame.group_by(["outlet"]):
        now = rows.filter(within(days))
        found[str(outlet)] = (now if now.height else rows).sort("day")[area][-1]
    return found


def expected(rows: list[Row], request: pb.RankRequest, first: date) -> tuple[list[tuple[Any, ...]], int]:
    """The rows of the answer by area and place, and the number of those left out."""
    areas = defaultdict(list)
    for row in rows:
        areas[row["area"]].append(row)
    answer, left_out = [], 0
    for area, all_ in sorted(areas.items()):
        ranked = [row for row in all_ if eligible(row, all_, request, first)]
        left_out += len(all_) - len(ranked)
        keyed = sorted(
            (-key(row, request) if not request.lowest_first else key(row, request), row["id"], row) for row in ranked
        )
        shares = apportioned([row["value"] for *_, row in keyed])
        top = request.top or (len(keyed) if request.page_size else 10)
        for place, (order, _, row) in enumerate(keyed[:top]):
            equal = next(index for index, other in enumerate(keyed) if other[0] == order)
            assert equal <= place
            answer.append((area, equal + 1, row["id"], row["value"], row["base"], shares[place], 1))
        if rest := keyed[top:]:
            sums = [sum(row[name] for *_, row in rest) for name in ("value", "base")]
            answer.append((area, 0, "", *sums, sum(shares[top:]), len(rest)))
    return answer, left_out


def key(row: Row, request: pb.RankRequest) -> int | Fraction:
    """What the ranking goes by."""
    if request.ranking in {pb.RANKING_GROWTH, pb.RANKING_PROGRESS}:
        return Fraction(row["value"] - row["base"], row["base"])
    return int(row["value"] - row["base"] if request.ranking == pb.RANKING_CONTRIBUTION else row["value"])


def eligible(row: Row, all_: list[Row], request: pb.RankRequest, first: date) -> bool:
    """Whether a member is ranked."""
    cutoff = date.fromisoformat(request.cutoff_day) if request.cutoff_day else first
    selling = [one["value"] for one in all_ if one["value"] > 0]
    value, base, opened = row["value"], row["base"], row["opened"]
    if value < request.least_value or row["days"] < request.least_open_days:
        return False
    match request.ranking:
        case pb.RANKING_GROWTH:
            return bool(base > 0)
        case pb.RANKING_CONTRIBUTION:
            return True
        case pb.RANKING_NEW_STAR:
            return opened is not None and opened > cutoff
        case pb.RANKING_PROGRESS:
            above = request.below_average_too or value * len(selling) > sum(selling)
            return opened is not None and opened <= cutoff and base > 0 and above
    return bool(value > 0)


def apportioned(values: list[int]) -> list[int]:
    """Basis points by largest remainder, the earlier of equals first; values below zero have none."""
    whole = sum(value for value in values if value > 0)
    exact = [Fraction(max(value, 0) * 10_000, whole) if whole else Fraction(0) for value in values]
    found = [int(share) for share in exact]
    order = sorted(range(len(exact)), key=lambda index: found[index] - exact[index])
    for index in order[: (10_000 - sum(found)) if whole else 0]:
        found[index] += 1
    return found


def shown(answer: pb.RankResponse) -> list[tuple[Any, ...]]:
    """An answer's rows in the same form."""
    found = []
    for row in answer.rows:
        value, base = row.measurement.value, row.measurement.base
        kind = "count" if row.measurement.measure == "bets" else "fen"
        assert row.contribution == getattr(value, kind) - getattr(base, kind)
        found.append(
            (row.within, row.place, row.id, getattr(value, kind), getattr(base, kind), row.share_bp, row.members)
        )
    return found


def spread(answer: pb.RankResponse) -> list[tuple[Any, ...]]:
    """The concentration of each ranking: area, members, the largest of them, their share, Gini; ratios rounded."""
    return [
        (
            one.within,
            one.members,
            one.top_members,
            round(one.top_share, 9) if one.HasField("top_share") else None,
            round(one.gini, 9) if one.HasField("gini") else None,
        )
        for one in answer.concentrations
    ]


def concentrations(rows: list[Row], areas: Iterable[str]) -> list[tuple[Any, ...]]:
    """The same from the members; Gini as half the relative mean absolute difference, over all pairs."""
    found: list[tuple[Any, ...]] = []
    for area in areas:
        values = pl.Series([row["value"] for row in rows if row["area"] == area and row["value"] > 0], dtype=pl.Int64)
        count, top, whole = len(values), math.ceil(Fraction(len(values), 10)), int(values.sum())
        if not count:
            found.append((area, 0, 0, None, None))
            continue
        share = Fraction(int(values.top_k(top).sum()), whole)
        apart = sum(int((values - value).abs().sum()) for value in values)
        gini = Fraction(apart, 2 * count * whole)
        found.append((area, count, top, round(float(share), 9), round(float(gini), 9)))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_random_rankings_equal_the_oracle(
    analytics: AnalyticsServiceStub, frame: pl.DataFrame, world: World, seed: int
) -> None:
    """Every place, value, base, share and concentration, the others, and the numbers ranked and left out."""
    draw = random.Random(seed)
    asked, frame = random_question(draw, frame)
    kinds = [one for one in pb.Ranking.values() if draw.random() < 0.9]
    request = pb.RankRequest(**asked, ranking=draw.choice(kinds), measure=draw.choice(["", *MEASURES]))
    if request.ranking in {pb.RANKING_NEW_STAR, pb.RANKING_PROGRESS}:
        request.cutoff_day = draw.choice(["", (LAST - timedelta(days=draw.randrange(100, 1100))).isoformat()])
        request.below_average_too = request.ranking == pb.RANKING_PROGRESS and draw.random() < 0.5
    else:
        request.of = draw.choice(["", *BY])
    request.within = draw.choice(["", *(name for name in BY if name != (request.of or "outlet"))])
    request.top, request.page_size = draw.choice([(0, 0), (3, 0), (1, 0), (0, 1_000)])
    request.lowest_first = draw.random() < 0.3
    if request.of in {"", "outlet"}:
        request.least_open_days = draw.choice([0, 1, 30, 250])
    request.least_value = draw.choice([0, 0, 5_000_000 if request.measure in {"", "sales"} else 300])
    answer = analytics.Rank(request)
    first = date.fromisoformat(request.from_day)
    found = members(frame, world, answer, request)
    rows, left_out = expected(found, request, first)
    assert shown(answer) == rows
    assert spread(answer) == concentrations(found, dict.fromkeys(row[0] for row in rows))
    assert answer.left_out == left_out == sum(reason.members for reason in answer.reasons)
    assert answer.ranked == sum(row.members for row in answer.rows)
    assert answer.rule_zh
    assert answer.rule_en


@pytest.mark.parametrize("area", ["zone", "mgmt_area", "format"])
def test_an_outlet_that_moved_is_ranked_where_it_was_last(
    analytics: AnalyticsServiceStub, frame: pl.DataFrame, world: World, area: str
) -> None:
    """It stands in one area only, with all its sales and its whole base, though both were made elsewhere too."""
    days: dict[str, Any] = {"from_day": "2024-03-01", "to_day": "2025-03-10"}
    request = pb.RankRequest(**days, within=area, ranking=pb.RANKING_CONTRIBUTION, page_size=100)
    answer = analytics.Rank(request)
    both = frame.filter(within(sides(answer.pairing)[0]) | within(sides(answer.pairing)[1]))
    moved = both.group_by("outlet").agg(pl.col(area).n_unique()).filter(pl.col(area) > 1)["outlet"].to_list()
    assert moved
    rows = members(frame, world, answer, request)
    assert shown(answer) == expected(rows, request, date(2024, 3, 1))[0]
    assert len({row.id for row in answer.rows}) == len(answer.rows)
