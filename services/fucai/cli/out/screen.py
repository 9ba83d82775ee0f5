"""A sheet as a table on a terminal: amounts in a unit that fits, marks explained, nothing left out in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fucai.cli.numbers import FEN, MoneyUnit, Unit, bar, growth_text, mark_notes, money_unit, percent, signed, sparkline
from fucai.cli.out.folding import folded
from fucai.cli.out.sheet import Cell, Change, Column, Kind, Row, Sheet, Tone
from fucai.cli.out.words import LISTED, fresh, word
from fucai.cli.output import Lang
from fucai.domain.labels import Label

_GUTTER = 2
_NARROWEST_TEXT = 12  # cells; a text is folded down to it before a column is given up
_LEFT = frozenset({Kind.TEXT, Kind.NAME, Kind.ID, Kind.DAY, Kind.TIME, Kind.FLAG, Kind.CURVE})
_FOLDS = frozenset({Kind.TEXT, Kind.NAME, Kind.ID})
# Codes that would move the cursor, change colours or turn the direction of reading.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class View:
    """How to look at a sheet: language, cells across, unit of money, most rows, cells of a curve, yuan without fen."""

    lang: Lang
    width: int
    unit: Unit = Unit.AUTO
    rows: int | None = None
    curve: int = 16
    whole_yuan: bool = False


def show(sheet: Sheet, view: View) -> RenderableType:
    """The table, its notes, then the tables beside it; one too wide folds texts, then gives up columns by `screen`."""
    return Group(_table(sheet, view), *besides(sheet, view))


def besides(sheet: Sheet, view: View) -> list[RenderableType]:
    """The tables that belong to the answer, each under its title; one without rows is left out."""
    shown: list[RenderableType] = []
    for part in sheet.beside:
        if part.rows:
            shown += ["", Text(_in(part.title, view.lang), "bold"), show(part, view)]
    return shown


def _table(sheet: Sheet, view: View) -> RenderableType:
    rows = sheet.rows if view.rows is None else sheet.rows[: view.rows]
    if not sheet.rows:
        return Group(Text(_in(sheet.empty, view.lang)), *notes(sheet, view, rows, {}, []))
    units = units_of(sheet, view)
    same = len(set(units.values())) <= 1
    shown = [place for place, column in enumerate(sheet.columns) if column.screen is not None]
    total = [sheet.total] if sheet.total is not None else []
    heads = {place: _head(sheet.columns[place], units, view.lang, same=same) for place in shown}
    texts = {
        place: [cell_text(row[place], sheet.columns[place], units, view) for row in (*rows, *total)] for place in shown
    }
    bare = _needed(heads, texts)
    for place in shown:
        if sheet.columns[place].bars:
            _draw(texts[place], [row[place] for row in (*rows, *total)])
    needed = _needed(heads, texts)
    kept, given_up = fit(sheet.columns, needed, view.width)
    tight = _least(sheet.columns, needed, kept) > view.width
    if tight and needed != bare:  # bars are the first to go: a figure says more than its bar
        for place in shown:
            if sheet.columns[place].bars:
                texts[place] = [cell_text(row[place], sheet.columns[place], units, view) for row in (*rows, *total)]
        kept, given_up = fit(sheet.columns, bare, view.width)
        tight = _least(sheet.columns, bare, kept) > view.width
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place in kept:
        kind, bars = sheet.columns[place].kind, sheet.columns[place].bars
        folds = kind in _FOLDS or tight
        table.add_column(
            heads[place], justify="left" if bars or kind in _LEFT else "right", no_wrap=not folds, overflow="fold"
        )
    for number in range(len(rows) + len(total)):
        bold = number >= len(rows) or number in sheet.bold
        table.add_row(*(texts[place][number] for place in kept), style="bold" if bold else None)
    return Group(table, *notes(sheet, view, rows, units, given_up))


def _needed(heads: Mapping[int, str], texts: Mapping[int, Sequence[Text]]) -> dict[int, int]:
    """Cells that each column takes."""
    return {
        place: max([cell_len(head), *(cell_len(text.plain) for text in texts[place])]) for place, head in heads.items()
    }


def fit(columns: Sequence[Column], needed: Mapping[int, int], width: int) -> tuple[list[int], list[int]]:
    """Places of columns that stay and of those given up, for so many cells across; `needed` has each one's cells."""
    kept = sorted(needed)
    given_up: list[int] = []
    while _least(columns, needed, kept) > width:
        leaves = max(kept, key=lambda place: (columns[place].screen or 0, place))
        if not columns[leaves].screen:
            break
        kept.remove(leaves)
        given_up.append(leaves)
    return kept, sorted(given_up)


def notes(
    sheet: Sheet, view: View, rows: Sequence[Row], units: Mapping[str, MoneyUnit], given_up: Sequence[int]
) -> list[Text]:
    """What stands under a table: loud notes first, then unit and row count, quiet notes, marks, what is not shown."""
    lang = view.lang
    styles = {Tone.STRONG: "bold", Tone.WARNING: "yellow"}
    lines = [Text(clean(_in(note.text, lang)), styles[note.tone]) for note in sheet.notes if note.tone in styles]
    names = {unit.name for unit in units.values()}
    counted = [f"{word('unit', lang)} {names.pop()}"] if len(names) == 1 else []
    quiet = [" · ".join([*counted, rows_line(sheet.all_rows, lang)])]
    quiet += [clean(_in(note.text, lang)) for note in sheet.notes if note.tone is Tone.PLAIN]
    quiet += mark_notes((cell for row in rows for cell in row if isinstance(cell, Change)), lang)
    lines += [Text(line, "dim") for line in quiet]
    if _rounds_apart(sheet, units):
        lines.append(Text(word("rounded", lang), "dim"))
    if len(rows) < sheet.all_rows:
        lines.append(Text(shown_line(len(rows), sheet, lang), "yellow"))
    if given_up:
        left = LISTED[lang].join(dict.fromkeys(_in(sheet.columns[place].label, lang) for place in given_up))
        lines.append(Text(f"{word('narrow', lang)}{left}", "yellow"))
    if sheet.freshness is not None:
        lines.append(Text(fresh(sheet.freshness, lang), "dim"))
    return [Text(folded(line.plain, view.width), line.style) for line in lines]


def _rounds_apart(sheet: Sheet, units: Mapping[str, MoneyUnit]) -> bool:
    """Whether amounts as they are shown sum to another total than the one shown."""
    if sheet.total is None:
        return False
    for place, column in enumerate(sheet.columns):
        total, unit = sheet.total[place], units.get(_family(column))
        if column.kind is Kind.MONEY and column.screen is not None and isinstance(total, int) and unit is not None:
            amounts = [cell for row in sheet.rows if isinstance(cell := row[place], int)]
            if sum(map(unit.rounded, amounts)) != unit.rounded(total):
                return True
    return False


def shown_line(count: int, sheet: Sheet, lang: Lang) -> str:
    """How many rows are shown of how many, and how to have the others."""
    more = word("all" if count < len(sheet.rows) else "ask", lang)
    if lang is Lang.ZH:
        return f"显示 {count:,} 行，共 {sheet.all_rows:,} 行；{more}"
    return f"{count:,} of {sheet.all_rows:,} rows shown; {more}"


def rows_line(count: int, lang: Lang) -> str:
    """How many rows."""
    return f"{count:,} {word('row' if count == 1 else 'rows', lang)}"


def units_of(sheet: Sheet, view: View) -> dict[str, MoneyUnit]:
    """The unit of each definition's money columns that a screen shows; one unit for each, so that they compare."""
    amounts: dict[str, list[int]] = {}
    rows = [*sheet.rows, *([sheet.total] if sheet.total is not None else [])]
    for place, column in enumerate(sheet.columns):
        if column.kind is Kind.MONEY and column.screen is not None:
            found = amounts.setdefault(_family(column), [])
            found += [cell for row in rows if isinstance(cell := row[place], int)]
    units = {family: money_unit(fen, sheet.currency, view.lang, view.unit) for family, fen in amounts.items()}
    if not view.whole_yuan:
        return units
    return {family: replace(unit, decimals=0) if unit.fen == FEN else unit for family, unit in units.items()}


def clean(text: str) -> str:
    """The text without codes that a terminal would obey."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def _least(columns: Sequence[Column], needed: Mapping[int, int], places: Sequence[int]) -> int:
    """The fewest cells in which these columns can be read."""
    widths = (min(needed[at], _NARROWEST_TEXT) if columns[at].kind in _FOLDS else needed[at] for at in places)
    return sum(widths) + _GUTTER * (len(places) - 1)


def _head(column: Column, units: Mapping[str, MoneyUnit], lang: Lang, *, same: bool) -> str:
    label = _in(column.label, lang)
    return label if column.kind is not Kind.MONEY or same else f"{label} ({units[_family(column)].name})"


def cell_text(cell: Cell, column: Column, units: Mapping[str, MoneyUnit], view: View) -> Text:  # noqa: PLR0911 (a kind a line)
    """A cell as people see it."""
    kind, lang = column.kind, view.lang
    if isinstance(cell, Change):
        return growth_text(cell, lang)
    if cell is None or cell == "" or cell == Label("", ""):
        return Text(word("unknown", lang), "dim") if kind is Kind.NAME and cell is not None else Text("")
    if isinstance(cell, Label):
        return Text(clean(_in(cell, lang)))
    if isinstance(cell, tuple):
        return Text(sparkline(cell, view.curve), "cyan")
    if isinstance(cell, bool):
        return Text(word("yes" if cell else "no", lang))
    if isinstance(cell, datetime):
        return Text(cell.isoformat(sep=" ", timespec="seconds")[:19])
    return Text(_number(cell, column, units))


def _draw(texts: Sequence[Text], cells: Sequence[Cell]) -> None:
    """Puts a bar beside each amount, all on one axis; the amounts end in one line, so the column stands to the left."""
    amounts = [cell if isinstance(cell, int) else 0 for cell in cells]
    least, most = min(amounts), max(amounts)
    width = max(text.cell_len for text in texts)
    for text, amount in zip(texts, amounts, strict=True):
        text.pad_left(width - text.cell_len)
        text.append(f" {bar(amount, least, most)}", "red" if amount < 0 else "green")


def _number(cell: str | float | date, column: Column, units: Mapping[str, MoneyUnit]) -> str:
    if isinstance(cell, int) and column.kind is Kind.MONEY:
        shown = units[_family(column)].show(cell)
        return signed(shown) if column.signed else shown
    if isinstance(cell, str | date):
        return clean(str(cell))
    if column.kind is Kind.RATIO:
        return percent(cell).removeprefix("+")
    if column.kind is Kind.POINTS:
        return f"{cell:+,.1f}".replace("-", "−")
    shown = f"{cell:,}" if isinstance(cell, int) else f"{cell:,.2f}"
    return signed(shown) if column.signed else shown


def _family(column: Column) -> str:
    return column.definition or column.key


def _in(label: Label, lang: Lang) -> str:
    return str(getattr(label, lang))
