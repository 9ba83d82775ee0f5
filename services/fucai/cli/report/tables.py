"""A sheet as an HTML table: what a screen shows of it, with the exact value of each figure in a `data` element."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from xml.etree.ElementTree import Element

from rich.cells import cell_len

from fucai.cli.numbers import MoneyUnit, growth_text, mark_notes, percent, signed
from fucai.cli.out.screen import View, fit, units_of
from fucai.cli.out.sheet import Cell, Change, Column, Kind, Sheet, Tone
from fucai.cli.out.words import word
from fucai.cli.output import Lang
from fucai.cli.report.markup import Child, el
from fucai.cli.report.texts import COLON, JOIN, pick, say
from fucai.domain.labels import Label

_CELLS = 130  # Latin characters that fit across A4 at the size of the tables
_WHOLE_ROWS = 16  # a table of so many rows is not broken between two pages
_PADDING = 2
_WORDS = frozenset({Kind.TEXT, Kind.NAME, Kind.ID, Kind.DAY, Kind.TIME, Kind.FLAG})


def table(sheet: Sheet, lang: Lang, key: str, told: Collection[str] = ()) -> list[Element]:
    """The table with its title as caption, then its notes but for those `told` elsewhere.

    A sheet without rows says why. `key` is the table's id. Columns that A4 has no room for are left out, the least
    needed first, and named.
    """
    if not sheet.rows:
        return [
            el("p", f"{pick(sheet.title, lang)}{COLON[lang]}{pick(sheet.empty, lang)}", class_="empty"),
            *_notes(sheet, lang, told),
        ]
    units = units_of(sheet, View(lang, _CELLS))
    places = [at for at, one in enumerate(sheet.columns) if one.screen is not None and one.kind is not Kind.CURVE]
    rows = [*sheet.rows, *([sheet.total] if sheet.total is not None else [])]
    shown = {at: [_text(row[at], sheet.columns[at], units, lang) for row in rows] for at in places}
    needed = {
        at: max(map(cell_len, [*pick(sheet.columns[at].label, lang).split(), *shown[at]])) + _PADDING for at in places
    }
    kept, left_out = fit(sheet.columns, needed, _CELLS)
    names = {unit.name for unit in units.values()}
    head = [_head(sheet.columns[at], units, lang, named=len(names) > 1) for at in kept]
    body = [
        el(
            "tr",
            *(_cell(row[at], sheet.columns[at], shown[at][number], first=at == kept[0]) for at in kept),
            class_="bold" if number >= len(sheet.rows) or number in sheet.bold else None,
        )
        for number, row in enumerate(rows)
    ]
    unit = f" ({say('unit', lang, unit=names.pop())})" if len(names) == 1 else ""
    parts = el("caption", pick(sheet.title, lang) + unit), el("thead", el("tr", *head)), el("tbody", *body)
    made = el("table", *parts, id=key, class_=_whole(rows))
    notes = _notes(sheet, lang, told)
    notes += [el("p", text, class_="note") for text in _marks(sheet, lang)]
    if len(sheet.rows) < sheet.all_rows:
        notes.append(el("p", say("more rows", lang, rows=sheet.all_rows - len(sheet.rows)), class_="note"))
    if left_out:
        listed = JOIN[lang].join(pick(sheet.columns[at].label, lang) for at in left_out)
        notes.append(el("p", f"{word('narrow', lang)}{listed}", class_="note"))
    return [made, *notes]


def plain_table(
    key: str, caption: str, head: Sequence[str], rows: Sequence[Sequence[Child]], *, numbers: bool = False
) -> Element:
    """A table of texts and elements; the first cell of a row is its head, the others are `numbers` or texts."""
    side = None if numbers else "left"
    return el(
        "table",
        el("caption", caption),
        el(
            "thead",
            el(
                "tr",
                *(el("th", name, scope="col", class_=side if place else "left") for place, name in enumerate(head)),
            ),
        ),
        el(
            "tbody",
            *(
                el(
                    "tr",
                    el("th", row[0], scope="row", class_="left"),
                    *(el("td", cell, class_=side) for cell in row[1:]),
                )
                for row in rows
            ),
        ),
        id=key,
        class_=_whole(rows),
    )


def _whole(rows: Sequence[object]) -> str | None:
    return "whole" if len(rows) <= _WHOLE_ROWS else None


def _head(column: Column, units: Mapping[str, MoneyUnit], lang: Lang, *, named: bool) -> Element:
    label = pick(column.label, lang)
    if named and column.kind is Kind.MONEY:
        label += f" ({units[column.definition or column.key].name})"
    return el("th", label, scope="col", class_="left" if column.kind in _WORDS else None)


def _cell(cell: Cell, column: Column, text: str, *, first: bool) -> Element:
    exact = _exact(cell)
    inner: Child = el("data", text, value=exact) if exact is not None and text else text
    return el("th" if first else "td", inner, scope="row" if first else None, class_=_class(column, text))


def _class(column: Column, text: str) -> str | None:
    if column.kind in _WORDS:
        fixed = "when" if column.kind in (Kind.DAY, Kind.TIME) else "pre" if text.startswith(" ") else ""
        return f"left {fixed}".strip()
    return None


def _exact(cell: Cell) -> str | None:
    """The value as it came: fen, a count, a ratio; None where there is none."""
    if isinstance(cell, Change):
        return None if cell.ratio is None else repr(cell.ratio)
    return repr(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else None


def _text(cell: Cell, column: Column, units: Mapping[str, MoneyUnit], lang: Lang) -> str:  # noqa: PLR0911 (a kind a line)
    if isinstance(cell, Change):
        return growth_text(cell, lang).plain
    if cell is None or cell == "" or cell == Label("", ""):
        return word("unknown", lang) if column.kind is Kind.NAME and cell is not None else ""
    if isinstance(cell, Label):
        return pick(cell, lang)
    if isinstance(cell, bool):
        return word("yes" if cell else "no", lang)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="minutes")[:16]
    if isinstance(cell, str | date | tuple):
        return str(cell)
    if isinstance(cell, int) and column.kind is Kind.MONEY:
        shown = units[column.definition or column.key].show(cell)
    elif column.kind is Kind.RATIO:
        return percent(cell).removeprefix("+")
    elif column.kind is Kind.POINTS:
        return f"{cell:+,.1f}".replace("-", "−")
    else:
        shown = f"{cell:,}" if isinstance(cell, int) else f"{cell:,.1f}"
    return signed(shown) if column.signed else shown.replace("-", "−")


def _notes(sheet: Sheet, lang: Lang, told: Collection[str]) -> list[Element]:
    loud = {Tone.WARNING: "note caution", Tone.STRONG: "note strong", Tone.PLAIN: "note"}
    return [
        el("p", text, class_=loud[note.tone]) for note in sheet.notes if (text := pick(note.text, lang)) not in told
    ]


def _marks(sheet: Sheet, lang: Lang) -> list[str]:
    return mark_notes((cell for row in sheet.rows for cell in row if isinstance(cell, Change)), lang)
