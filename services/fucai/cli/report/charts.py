"""Charts as inline SVG: curves, waterfalls, bars. Readable in black and white; computes no figure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from xml.etree.ElementTree import Element

from rich.cells import cell_len, set_cell_size

from fucai.cli.numbers import MoneyUnit, signed
from fucai.cli.report.markup import Child, el

WIDTH = 720  # user units; about as many CSS pixels as A4 has between its margins
INK, GREY, PALE = "#1a1a1a", "#5a5a5a", "#d9d9d9"
BLUE = "#0b4f8a"
_CELL = 6.2  # width of half a Chinese character, or of a Latin one, at 11 units
_NOTHING = 1e-12  # a length that no figure has but zero
_CUT_BELOW = 0.3  # a waterfall whose changes are below this part of its largest bar has its axis cut


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a curve: its name and an amount in fen at each place of the axis, None where there is none."""

    name: str
    fen: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Step:
    """A bar of a waterfall: a whole that stands on the axis, or a change that hangs from the bar before."""

    name: str
    fen: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its name, its length in any unit (to the left where negative), its text, and the base's length."""

    name: str
    length: float
    text: str
    base: float | None = None


def svg(key: str, title: str, about: str, height: float, *children: Child) -> Element:
    """A picture with its title and description for those who do not see it; `key` is unique on the page."""
    return el(
        "svg",
        el("title", title, id=f"{key}-title"),
        el("desc", about, id=f"{key}-desc"),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {math.ceil(height)}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
        font_size=11,
        fill=INK,
    )


def curve(key: str, title: str, about: str, places: Sequence[str], lines: Sequence[Line], unit: MoneyUnit) -> Element:
    """Lines over the same places: the first one full with dots, the others broken, each with its name in a legend."""
    left, right, top, bottom = 62, WIDTH - 12, 30, 220
    amounts = [fen for line in lines for fen in line.fen if fen is not None]
    marks = ticks(min([0, *amounts]), max([0, *amounts]))
    low, high = marks[0], marks[-1]

    def x(place: int) -> float:
        return left + (right - left) * (place + 0.5) / max(len(places), 1)

    def y(fen: int) -> float:
        return bottom - (bottom - top) * (fen - low) / (high - low)

    parts: list[Child] = list(_grid(marks, y, left, right, unit))
    every = math.ceil(len(places) * 44 / (right - left))
    for place, name in enumerate(places):
        if place % every == 0:
            parts.append(el("text", name, x=x(place), y=bottom + 16, text_anchor="middle", fill=GREY, font_size=10))
    for number, line in reversed(list(enumerate(lines))):
        style: dict[str, str | float] = (
            {"stroke": BLUE, "stroke_width": 2.2} if number == 0 else {"stroke": GREY, "stroke_width": 1.3}
        )
        dash = None if number == 0 else "5 3"
        points = [(x(place), y(fen)) for place, fen in enumerate(line.fen) if fen is not None]
        for run in _runs(line.fen):
            path = " ".join(f"{x(place):.1f},{y(fen):.1f}" for place, fen in run)
            parts.append(el("polyline", points=path, fill="none", stroke_dasharray=dash, **style))
        if number == 0:
            parts += [el("circle", cx=cx, cy=cy, r=2.6, fill=BLUE) for cx, cy in points]
    at = float(left)
    for number, line in enumerate(lines):
        dash = None if number == 0 else "5 3"
        colour, width = (BLUE, 2.2) if number == 0 else (GREY, 1.3)
        parts.append(
            el("line", x1=at, x2=at + 26, y1=14, y2=14, stroke=colour, stroke_width=width, stroke_dasharray=dash)
        )
        parts.append(el("circle", cx=at + 13, cy=14, r=2.6, fill=BLUE) if number == 0 else None)
        parts.append(el("text", line.name, x=at + 32, y=18))
        at += 32 + cell_len(line.name) * _CELL + 24
    return svg(key, title, about, bottom + 24, *parts)


def waterfall(key: str, title: str, about: str, steps: Sequence[Step], unit: MoneyUnit, cut: str) -> Element:
    """How a base becomes a value: wholes stand on the axis, changes hang between; falls are hatched.

    Where the changes are small beside the wholes the axis begins above zero: then the wholes are drawn broken, and
    `cut` says so, with {} for where it begins.
    """
    left, right, top, bottom = 62, WIDTH - 12, 24, 230
    spans = list(_spans(steps))
    levels = [level for span in spans for level in span]
    low, high = min([0, *levels]), max([0, *levels])
    tops = [level for step, span in zip(steps, spans, strict=True) for level in (span if not step.whole else span[1:])]
    is_cut = low >= 0 and bool(tops) and min(tops) > 0 and max(tops) - min(tops) < _CUT_BELOW * max(tops)
    if is_cut:
        low = max(0, min(tops) - max(max(tops) - min(tops), max(tops) // 50))
    marks = ticks(low, high)
    low, high = marks[0], marks[-1]

    def y(fen: int) -> float:
        return bottom - (bottom - top) * (max(fen, low) - low) / (high - low)

    parts: list[Child] = [_hatch(key), *_grid(marks, y, left, right, unit)]
    wide = (right - left) / max(len(steps), 1)
    for place, (step, (before, after)) in enumerate(zip(steps, spans, strict=True)):
        x, bar = left + wide * (place + 0.18), wide * 0.64
        upper, lower = y(max(before, after)), y(min(before, after))
        fill = "#9a9a9a" if step.whole else f"url(#{key}-hatch)" if step.fen < 0 else BLUE
        parts.append(
            el("rect", x=x, y=upper, width=bar, height=max(lower - upper, 1), fill=fill, stroke=INK, stroke_width=0.8)
        )
        if step.whole and is_cut:
            zigzag = " ".join(
                f"{x - 3 + (bar + 6) * turn / 8:.1f},{bottom - 14 + (turn % 2) * 7:.1f}" for turn in range(9)
            )
            parts.append(el("polyline", points=zigzag, fill="none", stroke="#ffffff", stroke_width=4))
        shown = unit.show(step.fen) if step.whole else signed(unit.show(step.fen))
        parts.append(el("text", shown, x=x + bar / 2, y=upper - 5, text_anchor="middle", font_weight="bold"))
        parts.append(
            el("text", short(step.name, int(wide / _CELL)), x=x + bar / 2, y=bottom + 16, text_anchor="middle")
        )
        if place + 1 < len(steps):
            parts.append(
                el("line", x1=x + bar, x2=x + wide, y1=y(after), y2=y(after), stroke=GREY, stroke_dasharray="2 2")
            )
    if is_cut:
        parts.append(el("text", cut.format(tick(marks[0], unit)), x=left, y=bottom + 34, fill=GREY, font_size=10))
    return svg(key, title, about, bottom + (40 if is_cut else 24), *parts)


def bars(key: str, title: str, about: str, found: Sequence[Bar]) -> Element:
    """Bars side by side on one axis through zero; those below zero are hatched, a base is an upright stroke."""
    most_name, most_text = 24, max((cell_len(bar.text) for bar in found), default=0)
    left, right, row = 12 + most_name * _CELL, WIDTH - 16 - most_text * _CELL, 22
    ends = [end for bar in found for end in (bar.length, bar.base) if end is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    room = (right - left) / (high - low if high - low > _NOTHING else 1)
    zero = left - low * room
    parts: list[Child] = [_hatch(key)]
    for place, bar in enumerate(found):
        y = 4 + place * row
        at, width = (zero, bar.length * room) if bar.length >= 0 else (zero + bar.length * room, -bar.length * room)
        parts.append(el("text", short(bar.name, most_name), x=left - 8, y=y + 13, text_anchor="end"))
        parts.append(
            el("rect", x=at, y=y, width=max(width, 0.5), height=row - 6, stroke=INK, stroke_width=0.6,
               fill=f"url(#{key}-hatch)" if bar.length < 0 else BLUE)
        )  # fmt: skip
        if bar.base is not None:
            mark = zero + bar.base * room
            parts.append(el("line", x1=mark, x2=mark, y1=y - 2, y2=y + row - 4, stroke="#ffffff", stroke_width=5))
            parts.append(el("line", x1=mark, x2=mark, y1=y - 2, y2=y + row - 4, stroke=INK, stroke_width=2))
        parts.append(el("text", bar.text, x=WIDTH - 6, y=y + 13, text_anchor="end"))
    height = 4 + len(found) * row
    parts.append(el("line", x1=zero, x2=zero, y1=0, y2=height, stroke=INK))
    return svg(key, title, about, height + 2, *parts)


def _hatch(key: str) -> Element:
    """The pattern of a fall, which needs no colour to be told from a rise."""
    return el(
        "defs",
        el(
            "pattern",
            el("rect", width=6, height=6, fill="#ffffff"),
            el("path", d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", stroke=INK, stroke_width=1.1),
            id=f"{key}-hatch", width=6, height=6, patternUnits="userSpaceOnUse",
        ),
    )  # fmt: skip


def ticks(low: int, high: int, most: int = 6) -> list[int]:
    """Round amounts (1, 2 or 5 times a power of ten apart), about `most`, from `low` or below to `high` or above."""
    span = max(high - low, 1)
    power = int(10 ** max(0, math.floor(math.log10(span / most))))
    step = next((times * power for times in (1, 2, 5) if span <= times * power * most), 10 * power)
    first, last = low // step, -(-high // step)
    return [step * place for place in range(first, max(last, first + 1) + 1)]


def tick(fen: int, unit: MoneyUnit) -> str:
    """An amount on an axis, without zeros that say nothing."""
    return f"{(Decimal(fen) / unit.fen).normalize():,f}".replace("-", "−")


def short(text: str, cells: int) -> str:
    """The text in at most so many cells, where a Chinese character has two."""
    return text if cell_len(text) <= cells else f"{set_cell_size(text, cells - 1).rstrip()}…"


def _grid(
    marks: Sequence[int], y: Callable[[int], float], left: float, right: float, unit: MoneyUnit
) -> Iterator[Element]:
    for mark in marks:
        colour = INK if mark == 0 else PALE
        yield el("line", x1=left, x2=right, y1=y(mark), y2=y(mark), stroke=colour, stroke_width=0.8)
        yield el("text", tick(mark, unit), x=left - 6, y=y(mark) + 4, text_anchor="end", fill=GREY, font_size=10)


def _runs(fen: Sequence[int | None]) -> Iterator[list[tuple[int, int]]]:
    """The stretches without a gap, as places and amounts."""
    for there, run in itertools.groupby(enumerate(fen), key=lambda each: each[1] is not None):
        if there:
            yield [(place, amount) for place, amount in run if amount is not None]


def _spans(steps: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """From where to where each bar reaches."""
    level = 0
    for step in steps:
        before = 0 if step.whole else level
        level = before + step.fen
        yield before, level
