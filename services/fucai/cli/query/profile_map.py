"""Hours by weekday as a heat map of a terminal: a shade and a colour for each hour. Computes no figure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from fucai.cli.numbers import MoneyUnit
from fucai.cli.out.screen import View, clean, notes, units_of
from fucai.cli.out.sheet import Cell, Row, Sheet
from fucai.cli.out.words import word
from fucai.cli.output import Lang
from fucai.cli.query.profile_sheet import WEEKDAYS
from fucai.domain.labels import Label

MAPS_ON_TERMINAL = 6
_HOURS = 24
_LABEL_CELLS = 5
_SHADES = (("··", "dim"), ("░░", "blue"), ("▒▒", "cyan"), ("▓▓", "yellow"), ("██", "red"))
_LEVELS = len(_SHADES) - 1
_BESIDE = Label("日均", "a day")


def heat_map(sheet: Sheet, view: View) -> RenderableType:
    """A map for each group: weekdays down, hours across; 94 cells wide. Shades go by average sales a day.

    Each map has its own scale, told beneath: quarters of its highest hour. A blank has no event.
    """
    if not sheet.rows:
        return Group(Text(_in(sheet.empty, view.lang)), *notes(sheet, view, [], {}, []))
    unit = units_of(sheet, view)["profile"]
    first = sheet.place("weekday")
    maps = [(key, list(rows)) for key, rows in groupby(sheet.rows, key=lambda row: tuple(row[:first]))]
    shown = maps if view.rows is None else maps[:MAPS_ON_TERMINAL]
    parts: list[RenderableType] = []
    for key, rows in shown:
        if key:
            parts.append(Text(_named(key, view.lang), "bold"))
        parts += [_map(sheet, rows, unit, view.lang), Text("")]
    if len(shown) < len(maps):
        told = (
            f"显示 {len(shown)} 组，共 {len(maps)} 组；{word('all', view.lang)}"
            if view.lang is Lang.ZH
            else f"{len(shown)} of {len(maps)} groups shown; {word('all', view.lang)}"
        )
        parts.append(Text(told, "yellow"))
    lines = notes(sheet, view, sheet.rows, {"profile": unit}, [])
    return Group(*parts, *lines)


def _map(sheet: Sheet, rows: Sequence[Row], unit: MoneyUnit, lang: Lang) -> Text:
    places = [sheet.place(key) for key in ("weekday", "hour", "sales_per_day")]
    found = {}
    for row in rows:
        weekday, hour, average = (row[place] for place in places)
        found[weekday, hour] = average if isinstance(average, int) else 0
    peak_at = max(found, key=lambda at: found[at])
    peak = found[peak_at]
    sums = [sum(found.get((day, hour), 0) for hour in range(_HOURS)) for day in range(1, 8)]
    head = f"{_in(_BESIDE, lang)} ({unit.name})"
    beside = max(cell_len(head), *(cell_len(unit.show(amount)) for amount in sums))
    text = Text(" " * _LABEL_CELLS + "".join(f"{hour:02} " for hour in range(_HOURS)), "bold", no_wrap=True)
    text.append(" " * (beside - cell_len(head)) + head + "\n")
    for weekday, name in enumerate(WEEKDAYS, 1):
        label = _in(name, lang)
        text.append(label + " " * (_LABEL_CELLS - cell_len(label)), "not bold")
        for hour in range(_HOURS):
            shade, style = _shade(found.get((weekday, hour)), peak)
            text.append(f"{shade} ", f"not bold {style}".strip())
        text.append(f"{unit.show(sums[weekday - 1]):>{beside}}\n", "not bold")
    text.append_text(
        _legend(peak, f"{_in(WEEKDAYS[_number(peak_at[0]) - 1], lang)} {_number(peak_at[1]):02}", unit, lang)
    )
    return text


def _shade(average: int | None, peak: int) -> tuple[str, str]:
    """Blank without an event, dots for nothing or less, else by quarters of the peak."""
    if average is None:
        return "  ", ""
    if average <= 0 or peak <= 0:
        return _SHADES[0]
    return _SHADES[min(_LEVELS, -(-_LEVELS * average // peak))]


def _legend(peak: int, where: str, unit: MoneyUnit, lang: Lang) -> Text:
    text = Text(" " * _LABEL_CELLS, no_wrap=True)
    for level, (shade, style) in enumerate(_SHADES):
        text.append(shade, f"not bold {style}")
        text.append(" ≤0  " if not level else f" ≤{100 * level // _LEVELS}%  ", "not bold dim")
    told = f"峰值 {unit.show(peak)}，{where} 时" if lang is Lang.ZH else f"of the peak {unit.show(peak)}, {where}h"
    text.append(told, "not bold dim")
    return text


def _named(key: Sequence[Cell], lang: Lang) -> str:
    name = key[-1]
    shown = _in(name, lang) if isinstance(name, Label) else str(name or "")
    return clean(shown) or word("unknown", lang)


def _number(cell: Cell) -> int:
    return cell if isinstance(cell, int) else 0


def _in(label: Label, lang: Lang) -> str:
    return str(getattr(label, lang))
