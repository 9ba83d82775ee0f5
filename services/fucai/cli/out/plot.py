"""A sheet's curve as lines of braille dots, with an axis of money and one of days. Draws text, on no screen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.text import Text

from fucai.cli.numbers import MoneyUnit, money_unit
from fucai.cli.out.screen import View, clean, notes
from fucai.cli.out.sheet import Cell, Plot, Sheet
from fucai.cli.out.words import word
from fucai.cli.output import Lang
from fucai.domain.labels import Label

_HEIGHT = 14  # rows of characters
_COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red")
# How each line is drawn and shown in the legend, told apart without colours, too: which dots of a stroke are there.
_STROKES = (
    ("━━━", "1"),
    ("┈┈┈", "100"),
    ("╺╸╺", "11110000"),
    ("· ·", "1000000"),
    ("━ ━", "111111110000"),
    ("━·━", "1111111000100"),
)
_MOST_LINES = len(_STROKES)
_STEPS = (1, 2, 5, 10)
_TICKS = 4  # about so many steps from the lowest to the highest amount
_BLANK = 0x2800  # braille without a dot
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row and column within a character


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its name and an amount in fen for each place on the axis, None where there is none."""

    name: str
    fen: Sequence[int | None]


def show_plot(sheet: Sheet, view: View) -> RenderableType:
    """The plot with its legend, then the sheet's notes.

    Raises:
        ValueError: the sheet has no curve, or more lines than can be told apart.
    """
    if sheet.plot is None:
        raise ValueError(f"{sheet.name} has no curve")
    ticks, lines = lines_of(sheet, sheet.plot, view.lang)
    if len(lines) > _MOST_LINES:
        raise ValueError(f"{len(lines)} lines cannot be told apart; a plot has at most {_MOST_LINES}")
    amounts = [fen for line in lines for fen in line.fen if fen is not None]
    if not amounts:
        return Group(Text(str(getattr(sheet.empty, view.lang))), *notes(sheet, view, sheet.rows, {}, []))
    unit = money_unit(amounts, sheet.currency, view.lang, view.unit)
    legend = Text(f"{word('unit', view.lang)} {unit.name}  ")
    for number, line in enumerate(lines):
        legend.append(f"{_STROKES[number][0]} {clean(line.name)}  ", _COLOURS[number])
    return Group(legend, drawn(ticks, lines, unit, view.width), *notes(sheet, view, sheet.rows, {}, []))


def lines_of(sheet: Sheet, plot: Plot, lang: Lang) -> tuple[list[str], list[Line]]:
    """The names along the axis, and the lines."""
    across = sheet.place(plot.across)
    ticks = list(dict.fromkeys(_name(row[across], lang) for row in sheet.rows))
    found: dict[str, dict[str, int]] = {}
    if plot.split:
        split, value = sheet.place(plot.split), sheet.place(plot.lines[0])
        for row in sheet.rows:
            line = found.setdefault(_name(row[split], lang) or word("unknown", lang), {})
            _put(line, _name(row[across], lang), row[value])
    else:
        for key in plot.lines:
            value = sheet.place(key)
            line = found.setdefault(str(getattr(sheet.columns[value].label, lang)), {})
            for row in sheet.rows:
                _put(line, _name(row[across], lang), row[value])
    return ticks, [Line(name, [line.get(tick) for tick in ticks]) for name, line in found.items() if line]


def drawn(ticks: Sequence[str], lines: Sequence[Line], unit: MoneyUnit, width: int) -> Text:
    """The canvas between its axes, `width` cells across; each line has a stroke of its own."""
    amounts = [fen for line in lines for fen in line.fen if fen is not None]
    scale = axis_of(min(0, *amounts), max(1, *amounts))
    low, high = scale[0], scale[-1]
    labels = {round((high - fen) * (_HEIGHT - 1) / (high - low)): unit.show(fen) for fen in scale}
    margin = max(cell_len(label) for label in labels.values())
    cells = max(width - margin - 2, 10)
    dots, colours = _canvas(lines, low, high, cells)
    plot = Text()
    for row in range(_HEIGHT):
        plot.append(f"{labels.get(row, ''):>{margin}} {'┤' if row in labels else '│'}", "dim")
        for column in range(cells):
            at = (column, row)
            plot.append(chr(_BLANK + dots[at]) if at in dots else " ", _COLOURS[colours.get(at, 0)])
        plot.append("\n")
    plot.append(f"{' ' * margin} └{'─' * cells}\n", "dim")
    return plot.append(" " * (margin + 2) + _axis(ticks, cells), "dim")


def axis_of(low: int, high: int) -> range:
    """Round amounts in even steps of 1, 2 or 5 times a power of ten, from one not above `low` to one not below `high`.

    All in fen; `low` is below `high`.
    """
    rough = -((low - high) // _TICKS)
    power = 10 ** (len(str(rough)) - 1)
    step = next(one * power for one in _STEPS if one * power >= rough)
    return range(low // step * step, -(-high // step) * step + 1, step)


def _canvas(
    lines: Sequence[Line], low: int, high: int, cells: int
) -> tuple[Mapping[tuple[int, int], int], Mapping[tuple[int, int], int]]:
    """The dots of each character and the line whose colour it has, by column and row."""
    dots: dict[tuple[int, int], int] = {}
    colours: dict[tuple[int, int], int] = {}
    across, down = cells * 2 - 1, _HEIGHT * 4 - 1
    for number, line in enumerate(lines):
        last = max(len(line.fen) - 1, 1)
        points = [
            None if fen is None else (place * across // last, (high - fen) * down // (high - low))
            for place, fen in enumerate(line.fen)
        ]
        for x, y in _stroke(points, _STROKES[number][1]):
            at = (x // 2, y // 4)
            dots[at] = dots.get(at, 0) | _DOTS[y % 4][x % 2]
            colours.setdefault(at, number)
    return dots, colours


def _stroke(points: Sequence[tuple[int, int] | None], pattern: str) -> Iterator[tuple[int, int]]:
    """The dots of a line through these points that its pattern has; it breaks where a point is missing."""
    yield from (point for point in points if point is not None)
    drawn = 0
    for begin, end in itertools.pairwise(points):
        if begin is None or end is None:
            continue
        steps = max(abs(end[0] - begin[0]), abs(end[1] - begin[1]))
        for step in range(steps):
            if pattern[drawn % len(pattern)] == "1":
                yield (
                    begin[0] + round((end[0] - begin[0]) * step / steps),
                    begin[1] + round((end[1] - begin[1]) * step / steps),
                )
            drawn += 1


def _axis(ticks: Sequence[str], cells: int) -> str:
    """The first, the middle and the last name where they belong, as far as there is room."""
    first, last = ticks[0], ticks[-1]
    if len(ticks) == 1 or cell_len(first) + cell_len(last) + 2 > cells:
        return first
    middle = ticks[len(ticks) // 2] if len(ticks) % 2 else ""
    room = cells - cell_len(first) - cell_len(last)
    if not middle or cell_len(middle) + 4 > room:
        return first + " " * room + last
    before = cells // 2 - cell_len(middle) // 2 - cell_len(first)
    return first + " " * before + set_cell_size(middle, room - before) + last


def _put(line: dict[str, int], tick: str, cell: Cell) -> None:
    if isinstance(cell, int):
        line[tick] = cell


def _name(cell: Cell, lang: Lang) -> str:
    return str(getattr(cell, lang)) if isinstance(cell, Label) else str(cell)
