"""Figures for people: money in a unit that fits, growth with sign and arrow, curves. Computes no figure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from rich.text import Text

from fucai.cli.output import Lang
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb

FEN = 100  # in a yuan
_BARS = "▁▂▃▄▅▆▇█"

MARKS = {
    pb.GROWTH_MARK_NEW: (Label("新增", "new"), Label("基期为零", "the base is zero")),
    pb.GROWTH_MARK_BOTH_ZERO: (Label("0", "0"), Label("本期与基期均为零", "value and base are zero")),
    pb.GROWTH_MARK_NEGATIVE_BASE: (Label("负基", "neg"), Label("基期为负，无增长率", "the base is negative: no ratio")),
    pb.GROWTH_MARK_NO_BASE: (
        Label("—", "—"),
        Label("基期无数据或历法上无对应日", "the base is not stored, or the calendar has no counterpart"),
    ),
    pb.GROWTH_MARK_PARTIAL_BASE: (
        Label("*", "*"),
        Label("基期数据不全，增长率会误导", "the base is only partly stored: the ratio misleads"),
    ),
    pb.GROWTH_MARK_SMALL_BASE: (
        Label("小基", "small"),
        Label("基期低于所设下限，无增长率", "the base is below the least one asked for: no ratio"),
    ),
}


@dataclass(frozen=True, slots=True)
class MoneyUnit:
    """A unit of money: its name, its worth in fen, and the decimals shown."""

    name: str
    fen: int
    decimals: int

    def show(self, fen: int) -> str:
        """The amount with thousands separators."""
        step = Decimal(1).scaleb(-self.decimals)
        return f"{(Decimal(fen) / self.fen).quantize(step, ROUND_HALF_UP):,}"


def money_unit(amounts_fen: Iterable[int], currency: str, lang: Lang) -> MoneyUnit:
    """The unit in which the largest amount has at most six digits before the point."""
    largest = max((abs(fen) for fen in amounts_fen), default=0) // FEN
    if lang is Lang.ZH and currency == "CNY":
        if largest >= 10**9:
            return MoneyUnit("亿元", 10**8 * FEN, 4)
        return MoneyUnit("万元", 10**4 * FEN, 2) if largest >= 10**6 else MoneyUnit("元", FEN, 2)
    name = "yuan" if currency == "CNY" else currency
    if largest >= 10**9:
        return MoneyUnit(f"million {name}", 10**6 * FEN, 2)
    return MoneyUnit(f"thousand {name}", 10**3 * FEN, 1) if largest >= 10**6 else MoneyUnit(name, FEN, 2)


def exact(fen: int) -> str:
    """Fen as a decimal number of yuan with two places: -105 is -1.05."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // FEN}.{abs(fen) % FEN:02}"


def percent(ratio: float) -> str:
    """A ratio as a signed percentage with one decimal."""
    return f"{100 * ratio:+,.1f}%".replace("-", "−")


def growth_text(growth: pb.Growth, lang: Lang) -> Text:
    """A growth figure: arrow, sign and colour, or its mark; no arrow where the base is not whole."""
    if growth.mark == pb.GROWTH_MARK_PARTIAL_BASE:
        return Text(f"{percent(growth.ratio)}*", "yellow")
    if growth.mark == pb.GROWTH_MARK_RATIO:
        if growth.ratio > 0:
            return Text(f"▲ {percent(growth.ratio)}", "green")
        return Text(f"▼ {percent(growth.ratio)}", "red") if growth.ratio < 0 else Text("= 0.0%")
    if growth.mark in MARKS:
        return Text(getattr(MARKS[growth.mark][0], lang), "yellow" if growth.mark == pb.GROWTH_MARK_NEW else "dim")
    return Text("")


def mark_notes(growths: Iterable[pb.Growth], lang: Lang) -> list[str]:
    """What the marks in a table mean, each once; a plain ratio needs no note."""
    used = sorted({growth.mark for growth in growths} & set(MARKS))
    return [f"{getattr(MARKS[mark][0], lang)} {getattr(MARKS[mark][1], lang)}" for mark in used]


def sparkline(values: Sequence[int], width: int = 16) -> str:
    """A curve in at most `width` characters, from zero (or the lowest value below it) to the largest."""
    if not values:
        return ""
    width = min(width, len(values))
    edges = [len(values) * place // width for place in range(width + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    low, high = min(0.0, *means), max(means)
    if high <= low:
        return _BARS[0] * width
    return "".join(_BARS[round((mean - low) / (high - low) * (len(_BARS) - 1))] for mean in means)
