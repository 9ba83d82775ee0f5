"""Every line of a decomposition equals an independent recomputation from the raw events, and all parts sum exactly."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

import grpc
import polars as pl
import pytest

from fucai.runtime.errors import code_of, violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.world import FIRST, LAST, NOW, World

BY = ["game", "zone", "zone_type", "district", "mgmt_area", "format", "channel_class", "outlet"]
PLACES = BY[1:]
PARTS = ("new_fen", "closed_fen", "same_fen")
EFFECTS = ("scale_effect_fen", "intensity_effect_fen", "price_effect_fen", "other_effect_fen")
Line = dict[str, int]


@pytest.fixture(scope="module")
def frame(world: World) -> pl.DataFrame:
    """Sales and voids with sign, each with its outlet's attributes on that day and (`_now`) on the day of the question."""
    return pl.DataFrame(
        {
            "day": event.day,
            "outlet": event.outlet,
            "game": event.game,
            "weekday": event.day.isoweekday(),
            "fen": event.amount_fen if event.kind == "SALE" else -event.amount_fen,
            "bets": event.bets if event.kind == "SALE" else -event.bets,
            "companion": event.companion_fen if event.kind == "SALE" else -event.companion_fen,
            "kind": event.kind,
        }
        | {by: world.where(by, event.outlet, event.day) for by in PLACES if by != "outlet"}
        | {f"{by}_now": world.where(by, event.outlet, NOW.date()) for by in PLACES if by != "outlet"}
        for event in world.events
        if event.kind != "PAYOUT"
    )


def expected(frame: pl.DataFrame, days: tuple[str, str], base: tuple[str, str], by: Sequence[str]) -> dict[Any, Line]:
    """All lines by group, the whole under (), as docs/definitions.md has them."""

    def within(first: str, last: str) -> pl.Expr:
        return pl.col("day").is_between(date.fromisoformat(first), date.fromisoformat(last))

    frame = frame.filter(within(*days) | within(*base))
    sums = frame.group_by([*by, pl.col("outlet").alias("_outlet")]).agg(
        *(
            pl.col(name).filter(within(*side)).sum().alias(f"{which}_{name}")
            for name in ("fen", "bets")
            for which, side in (("base", base), ("value", days))
        )
    )
    whole = {row["_outlet"]: row for row in sums.group_by("_outlet").agg(pl.col("^.*_(fen|bets)$").sum()).to_dicts()}
    lines: dict[Any, Line] = defaultdict(lambda: defaultdict(int))
    lines[()]["base_fen"] += 0
    seen: dict[Any, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in sums.to_dicts():
        group, outlet = tuple(row[name] for name in by), row["_outlet"]
        old, new = whole[outlet]["base_fen"] > 0, whole[outlet]["value_fen"] > 0
        standing = "same" if old and new else "new" if new else "closed"
        for depth in range(len(by) + 1):
            line = lines[group[:depth]]
            change = row["value_fen"] - row["base_fen"]
            line["base_fen"] += row["base_fen"]
            line["value_fen"] += row["value_fen"]
            line[f"{standing}_fen"] += change
            if (old or new) and (row["base_fen"] or row["value_fen"]):
                seen[group[:depth]][standing].add(outlet)
            if standing != "same":
                line["scale_effect_fen"] += change
            elif min(row["base_fen"], row["value_fen"], row["base_bets"], row["value_bets"]) <= 0:
                line["other_effect_fen"] += change
            else:
                by_bets = intensity(row)
                line["intensity_effect_fen"] += by_bets
                line["price_effect_fen"] += change - by_bets
    for group, members in seen.items():
        for standing, outlets in members.items():
            lines[group][f"{standing}_outlets"] = len(outlets)
    for depth in range(1, len(by) + 1):
        for row in sums.group_by([*by[:depth], "_outlet"]).agg(pl.col("^.*_fen$").sum()).to_dicts():
            line, all_ = lines[tuple(row[name] for name in by[:depth])], whole[row["_outlet"]]
            if min(all_["base_fen"], all_["value_fen"]) > 0 and (row["base_fen"] > 0) != (row["value_fen"] > 0):
                line["moved_fen"] += row["value_fen"] - row["base_fen"]
                line["moved_outlets"] += 1
    return {group: {key: value for key, value in line.items() if value} for group, line in lines.items()}


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
        if line.group:
            below[tuple(line.group[:-1])].append(line)
    for line in [answer.total, *answer.groups]:
        for part in ("base_fen", "value_fen", "opened_fen", *PARTS, *EFFECTS) if tuple(line.group) in below else ():
            assert sum(getattr(one, part) for one in below[tuple(line.group)]) == getattr(line, part)
    return answer


def sides(answer: pb.DecomposeResponse) -> tuple[tuple[str, str], tuple[str, str]]:
    """The days of both sides, as the answer tells them."""
    found = answer.pairing
    return (found.from_day, found.to_day), (found.base_from_day, found.base_to_day)


@pytest.mark.parametrize("seed", range(20))
def test_random_decompositions_equal_the_oracle(
    analytics: AnalyticsServiceStub, frame: pl.DataFrame, seed: int
) -> None:
    """Every part, effect and count of every group of every level, for days, bases, dimensions and filters at random."""
    draw = random.Random(seed)
    first = FIRST + timedelta(days=draw.randrange(380, 1100))
    last = min(first + timedelta(days=draw.choice([0, 6, 30, 100, 400])), LAST)
    asked: dict[str, Any] = {"from_day": first.isoformat(), "to_day": last.isoformat()}
    asked["compare"] = draw.choice([pb.COMPARISON_YOY, pb.COMPARISON_PREVIOUS, pb.COMPARISON_WEEKDAY])
    if draw.random() < 0.4:
        base = FIRST + timedelta(days=draw.randrange(300))
        end = base + timedelta(days=draw.randrange(70))
        asked["compare"] = pb.COMPARISON_BASE_PERIOD
        asked |= {"base_from_day": base.isoformat(), "base_to_day": end.isoformat()}
    by = draw.sample(BY, draw.randrange(4))
    selection = pb.Selection(attributes=draw.choice([pb.ATTRIBUTE_BASIS_AS_OF_SALE, pb.ATTRIBUTE_BASIS_TODAY]))
    if selection.attributes == pb.ATTRIBUTE_BASIS_TODAY:
        frame = frame.with_columns(pl.col(f"{name}_now").alias(name) for name in PLACES if name != "outlet")
    for name, values in draw.sample([("game", ["ssq", "3d"]), ("zone", ["Z1", ""]), ("mgmt_area", ["A2"])], 1):
        if draw.random() < 0.6:
            without = draw.random() < 0.5
            selection.filters.add(dimension=name, values=values, exclude=without)
            frame = frame.filter(pl.col(name).is_in(values) != without)
    answer = ask(analytics, **asked, by=by, selection=selection)
    assert shown([answer.total, *answer.groups]) == expected(frame, *sides(answer), by)
    assert answer.total_rows == len(answer.groups)


YEAR: dict[str, Any] = {"from_day": "2024-01-01", "to_day": "2024-12-31"}
