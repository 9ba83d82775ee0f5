"""Figures for people: money in a unit that fits, growth with sign and arrow, curves. Computes no figure."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from rich.text import Text

from fucai.cli.out.sheet import Change, Mark
from fucai.cli.output import Lang
from fucai.domain.labels import Label

FEN = 100  # in a yuan
_BARS = "▁▂▃▄▅▆▇█"

MARKS = {
    Mark.NEW: (Label("新增", "new"), Label("基期为零", "the base is zero")),
    Mark.BOTH_ZERO: (Label("0", "0"), Label("本期与基期均为零", "value and base are zero")),
    Mark.NEGATIVE_BASE: (Label("负基", "neg"), Label("基期为负，无增长率", "the base is negative: no ratio")),
    Mark.NO_BASE: (
        Label("—", "—"),
        Label("基期无数据或历法上无对应日", "the base is not stored, or the calendar has no counterpart"),
    ),
    Mark.PARTIAL_BASE: (
        Label("*", "*"),
        Label("基期数据不全，增长率会误导", "the base is only partly stored: the ratio misleads"),
    ),
    Mark.SMALL_BASE: (
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
        return f"{self.rounded(fen):,}"

    def rounded(self, fen: int) -> Decimal:
        """The amount in this unit, to the decimals shown; a half goes away from zero."""
        return (Decimal(fen) / self.fen).quantize(Decimal(1).scaleb(-self.decimals), ROUND_HALF_UP)


class Unit(enum.StrEnum):
    """A unit of money to show amounts in; exports are exact whatever it is."""

    AUTO = "auto"
    YUAN = "yuan"
    WAN = "wan"
    YI = "yi"
    THOUSAND = "thousand"
    MILLION = "million"


# Worth in yuan and decimals; the name in Chinese, and in English before the currency's name.
_UNITS = {
    Unit.YUAN: (1, 2, "元", ""),
    Unit.WAN: (10**4, 2, "万元", "10,000 "),
    Unit.YI: (10**8, 4, "亿元", "100 million "),
    Unit.THOUSAND: (10**3, 1, "千元", "thousand "),
    Unit.MILLION: (10**6, 2, "百万元", "million "),
}


def money_unit(amounts_fen: Iterable[int], currency: str, lang: Lang, asked: Unit = Unit.AUTO) -> MoneyUnit:
    """The unit asked for, else the one in which the largest amount has at most six digits before the point."""
    if asked is not Unit.AUTO:
        worth, decimals, zh, en = _UNITS[asked]
        chinese = lang is Lang.ZH and currency == "CNY"
        name = zh if chinese else f"{en}{'yuan' if currency == 'CNY' else currency}"
        return MoneyUnit(name, worth * FEN, decimals)
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


def growth_text(change: Change | None, lang: Lang) -> Text:
    """A growth figure: arrow, sign and colour, or its mark; no arrow where the base is not whole."""
    if change is None:
        return Text("")
    if change.mark in (Mark.RATIO, Mark.PARTIAL_BASE) and change.ratio is not None:
        if change.mark is Mark.PARTIAL_BASE:
            return Text(f"{percent(change.ratio)}*", "yellow")
        if change.ratio > 0:
            return Text(f"▲ {percent(change.ratio)}", "green")
        return Text(f"▼ {percent(change.ratio)}", "red") if change.ratio < 0 else Text("= 0.0%")
    return Text(getattr(MARKS[change.mark][0], lang), "yellow" if change.mark is Mark.NEW else "dim")


def mark_notes(changes: Iterable[Change | None], lang: Lang) -> list[str]:
    """What the marks in a table mean, each once; a plain ratio needs no note."""
    used = {change.mark for change in changes if change is not None}
    return [f"{getattr(sign, lang)} {getattr(why, lang)}" for mark, (sign, why) in MARKS.items() if mark in used]


def signed(amount: str) -> str:
    """A formatted number as a change: with its sign, a true minus; zero has none."""
    if amount.startswith("-"):
        return f"−{amount[1:]}" if amount.strip("-0.,") else amount[1:]
    return f"+{amount}" if amount.strip("0.,") else amount


def bar(amount: int, least: int, most: int, width: int = 16) -> str:
    """A change as a bar of `width` cells on an axis from `least` to `most`, to the left of its zero or to the right.

    What is not zero has at least half a cell.
    """
    low, high = min(0, least), max(0, most)
    if low == high:
        return " " * width
    cells = width - 1
    left = min(max(round(cells * -low / (high - low)), int(low < 0)), cells - int(high > 0))
    room = left if amount < 0 else cells - left
    halves = min(max(round(2 * cells * abs(amount) / (high - low)), int(amount != 0)), 2 * room)
    block, half = "█" * (halves // 2), halves % 2
    before, after = ("▐" * half + block, "") if amount < 0 else ("", block + "▌" * half)
    return f"{before:>{left}}│{after:<{cells - left}}"


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
