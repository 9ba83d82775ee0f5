"""Two periods of the tests' channel side by side by brute force, and questions about them at random."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from fucai.v1 import analytics_pb2 as pb
from tests.integration.analytics.world import FIRST, LAST, NOW, World

BY = ["game", "zone", "zone_type", "district", "mgmt_area", "format", "channel_class", "outlet"]
_PLACES = BY[1:-1]
Side = tuple[str, str]


def signed(world: World) -> pl.DataFrame:
    """Sales and voids with sign, each with its outlet's attributes on that day and (`_now`) on that of the question."""
    rows = []
    for event in world.events:
        if event.kind == "PAYOUT":
            continue
        sign = -1 if event.kind == "VOID" else 1
        rows.append(
            {
                "day": event.day,
                "outlet": event.outlet,
                "game": event.game,
                "fen": sign * event.amount_fen,
                "bets": sign * event.bets,
                "companion": event.companion_fen if event.kind == "SALE" else 0,
            }
            | {by: world.where(by, event.outlet, event.day) for by in _PLACES}
            | {f"{by}_now": world.where(by, event.outlet, NOW.date()) for by in _PLACES}
        )
    return pl.DataFrame(rows)


def within(side: Side) -> pl.Expr:
    """The days of one side."""
    return pl.col("day").is_between(date.fromisoformat(side[0]), date.fromisoformat(side[1]))


def two_sums(frame: pl.DataFrame, days: Side, base: Side, by: Sequence[str | pl.Expr]) -> pl.DataFrame:
    """Sums of fen, bets and companion spend of both sides by some columns: base_fen, value_fen and so on."""
    return (
        frame.filter(within(days) | within(base))
        .group_by(by)
        .agg(
            pl.col(name).filter(within(side)).sum().alias(f"{which}_{name}")
            for name in ("fen", "bets", "companion")
            for which, side in (("base", base), ("value", days))
        )
    )


def sides(pairing: pb.Pairing) -> tuple[Side, Side]:
    """The days of both sides, as an answer tells them."""
    return (pairing.from_day, pairing.to_day), (pairing.base_from_day, pairing.base_to_day)


def random_question(draw: random.Random, frame: pl.DataFrame) -> tuple[dict[str, Any], pl.DataFrame]:
    """Days, comparison and selection of a question, and the events that count for it with the attributes that count."""
    first = FIRST + timedelta(days=draw.randrange(380, 1100))
    last = min(first + timedelta(days=draw.choice([0, 6, 30, 100, 400])), LAST)
    asked: dict[str, Any] = {"from_day": first.isoformat(), "to_day": last.isoformat()}
    asked["compare"] = draw.choice([pb.COMPARISON_YOY, pb.COMPARISON_PREVIOUS, pb.COMPARISON_WEEKDAY])
    if draw.random() < 0.4:
        base = FIRST + timedelta(days=draw.randrange(300))
        end = base + timedelta(days=draw.randrange(70))
        asked["compare"] = pb.COMPARISON_BASE_PERIOD
        asked |= {"base_from_day": base.isoformat(), "base_to_day": end.isoformat()}
    selection = pb.Selection(attributes=draw.choice([pb.ATTRIBUTE_BASIS_AS_OF_SALE, pb.ATTRIBUTE_BASIS_TODAY]))
    if selection.attributes == pb.ATTRIBUTE_BASIS_TODAY:
        frame = frame.with_columns(pl.col(f"{name}_now").alias(name) for name in _PLACES)
    if draw.random() < 0.6:
        name, values = draw.choice([("game", ["ssq", "3d"]), ("zone", ["Z1", ""]), ("mgmt_area", ["A2"])])
        without = draw.random() < 0.5
        selection.filters.add(dimension=name, values=values, exclude=without)
        frame = frame.filter(pl.col(name).is_in(values) != without)
    return asked | {"selection": selection}, frame
