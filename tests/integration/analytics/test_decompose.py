"""Every line of a decomposition equals an independent recomputation from the raw events, and all parts sum exactly."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.two_periods import BY, random_question, sides, signed, two_sums
from tests.integration.analytics.world import World

PARTS = ("new_fen", "closed_fen", "same_fen")
EFFECTS = ("scale_effect_fen", "intensity_effect_fen", "price_effect_fen", "other_effect_fen")
Line = dict[str, int]


@pytest.fixture(scope="module")
def frame(world: World) -> pl.DataFrame:
    """Sales and voids with sign."""
    return signed(world)


def expected(frame: pl.DataFrame, days: tuple[str, str], base: tuple[str, str], by: Sequence[str]) -> dict[Any, Line]:
    """All lines by group, the whole under (), as docs/definitions.md has them."""
    sums = two_sums(frame, days, base, [*by, pl.col("outlet").alias("_outlet")]).to_dicts()
    whole: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in sums:
        whole[row["_outlet"]][0] += row["base_fen"]
        whole[row["_outlet"]][1] += row["value_fen"]
    lines: dict[Any, Line] = defaultdict(lambda: defaultdict(int))
    seen: dict[Any, set[tuple[str, str]]] = defaultdict(set)
    at: dict[tuple[Any, str], list[int]] = defaultdict(lambda: [0, 0])
    lines[()]["base_fen"] += 0
    for row in sums:
        outlet = row["_outlet"]
        standing = judged(*whole[outlet])
        parts = split(row, standing)
        for depth in range(len(by) + 1):
            group = tuple(row[name] for name in by[:depth])
            for name, fen in parts.items():
                lines[group][name] += fen
            at[group, outlet][0] += row["base_fen"]
            at[group, outlet][1] += row["value_fen"]
            if standing and (row["base_fen"] or row["value_fen"]):
                seen[group].add((standing, outlet))
    for group, members in seen.items():
        for standing in ("new", "closed", "same"):
            lines[group][f"{standing}_outlets"] = sum(one == standing for one, _ in members)
    for (group, outlet), (before, now) in at.items():
        if judged(*whole[outlet]) == "same" and (before > 0) != (now > 0):
            lines[group]["moved_fen"] += now - before
            lines[group]["moved_outlets"] += 1
    return {group: {key: value for key, value in line.items() if value} for group, line in lines.items()}


def judged(base: int, value: int) -> str:
    """The standing of an outlet by its totals; empty with sales in neither period."""
    return {(True, True): "same", (False, True): "new", (True, False): "closed"}.get((base > 0, value > 0), "")


def split(row: Mapping[str, int], standing: str) -> Line:
    """The parts of one outlet in one group."""
    base, value = row["base_fen"], row["value_fen"]
    parts = {"base_fen": base, "value_fen": value, f"{standing or 'closed'}_fen": value - base}
    if standing != "same":
        return parts | {"scale_effect_fen": value - base}
    if min(base, value, row["base_bets"], row["value_bets"]) <= 0:
        return parts | {"other_effect_fen": value - base}
    return parts | {"intensity_effect_fen": intensity(row), "price_effect_fen": value - base - intensity(row)}


def intensity(row: Mapping[str, int]) -> int:
    """L(value, base) x ln(bets / base bets), to the nearest fen, in 60 digits."""
    with localcontext() as exact:
        exact.prec = 60
        value, base = Decimal(row["value_fen"]), Decimal(row["base_fen"])
        mean = value if value == base else (value - base) / (value / base).ln()
        return round(mean * (Decimal(row["value_bets"]) / row["base_bets"]).ln())


def shown(lines: Iterable[pb.Waterfall]) -> dict[Any, Line]:
    """An answer's lines in the same form, without what the oracle does not know."""
    found = {}
    for line in lines:
        names = [field.name for field in line.DESCRIPTOR.fields if field.name.endswith(("_fen", "_outlets"))]
        values = {name: int(getattr(line, name)) for name in names if not name.startswith(("opened", "first_sales"))}
        found[tuple(line.group)] = {name: value for name, value in values.items() if value}
    return found


def ask(analytics: AnalyticsServiceStub, **asked: Any) -> pb.DecomposeResponse:
    """The answer, with lines that sum: each to its value, and each level to the one above."""
    answer = analytics.Decompose(pb.DecomposeRequest(**asked))
    below: dict[Any, list[pb.Waterfall]] = defaultdict(list)
    for line in [answer.total, *answer.groups]:
        assert line.base_fen + sum(getattr(line, part) for part in PARTS) == line.value_fen
        assert line.base_fen + sum(getattr(line, effect) for effect in EFFECTS) == line.value_fen
        assert line.opened_fen + line.first_sales_fen == line.new_fen
        if line.HasField("by_averages"):
            found = line.by_averages
            effects = found.scale_effect_fen + found.intensity_effect_fen + found.price_effect_fen
            assert line.base_fen + effects == line.value_fen
        if line.group:
            below[tuple(line.group[:-1])].append(line)
    for line in [answer.total, *answer.groups]:
        for part in ("base_fen", "value_fen", "opened_fen", *PARTS, *EFFECTS) if tuple(line.group) in below else ():
            assert sum(getattr(one, part) for one in below[tuple(line.group)]) == getattr(line, part)
    return answer


@pytest.mark.parametrize("seed", range(12))
def test_random_decompositions_equal_the_oracle(
    analytics: AnalyticsServiceStub, frame: pl.DataFrame, seed: int
) -> None:
    """Every part, effect and count of every group of every level, for days, bases, dimensions and filters at random."""
    draw = random.Random(seed)
    asked, frame = random_question(draw, frame)
    by = draw.sample(BY, draw.randrange(4))
    answer = ask(analytics, **asked, by=by)
    assert shown([answer.total, *answer.groups]) == expected(frame, *sides(answer.pairing), by)
    assert answer.total_rows == len(answer.groups)
    total = answer.total
    if total.HasField("by_averages"):
        assert total.by_averages.base_outlets == total.closed_outlets + total.same_outlets
        assert total.by_averages.outlets == total.new_outlets + total.same_outlets
