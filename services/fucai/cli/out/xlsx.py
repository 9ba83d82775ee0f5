"""A sheet as a spreadsheet: rows with types under a frozen header, what the columns mean, and what was asked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime
from typing import IO, Any

import xlsxwriter
from rich.cells import cell_len
from xlsxwriter.utility import xl_range_abs

from fucai.cli.errors import CliError
from fucai.cli.numbers import exact
from fucai.cli.out.flat import Plain, plain
from fucai.cli.out.sheet import Cell, Column, Fact, Kind, Sheet
from fucai.cli.out.words import fresh, word
from fucai.cli.output import Lang

_EXACT = 10**15  # a spreadsheet's numbers have 15 digits; what has more is written as text, so that none is lost
_MOST_ROWS = 1_048_576 - 2  # header and total
_MOST_TEXT = 32_767
_WIDEST, _NARROWEST = 48, 8
_FORMATS = {
    Kind.DAY: "yyyy-mm-dd",
    Kind.TIME: "yyyy-mm-dd hh:mm:ss",
    Kind.MONEY: "#,##0.00;[Red]-#,##0.00",
    Kind.COUNT: "#,##0",
    Kind.NUMBER: "#,##0.00",
    Kind.RATIO: "0.0%",
    Kind.GROWTH: "+0.0%;-0.0%;0.0%",
    Kind.POINTS: "+0.0;-0.0;0.0",
}


def write_xlsx(sheet: Sheet, out: IO[bytes], lang: Lang) -> None:
    """Writes the workbook: the rows, those of tables beside, definitions, about, and the days of curves if it has any.

    Raises:
        CliError: the answer does not fit into a spreadsheet.
    """
    longest = max(len(each.rows) for each in (sheet, *sheet.beside))
    if longest > _MOST_ROWS:
        raise _too_much(f"{longest:,} rows; a spreadsheet holds {_MOST_ROWS:,}")
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    book.set_properties({"title": getattr(sheet.title, lang), "category": sheet.name})
    _Writer(book, sheet, lang).write()
    book.close()


class _Writer:
    """One workbook in the making."""

    def __init__(self, book: Any, sheet: Sheet, lang: Lang) -> None:
        self._book, self._sheet, self._lang = book, sheet, lang
        self._bold = book.add_format({"bold": True})
        self._header = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._wrap = book.add_format({"text_wrap": True, "valign": "top"})
        self._formats = {
            (kind, bold): book.add_format(
                {"bold": bold, **({"num_format": form} if (form := _FORMATS.get(kind)) else {})}
            )
            for kind in Kind
            for bold in (False, True)
        }

    def write(self) -> None:
        """All pages, the rows first."""
        for sheet in (self._sheet, *self._sheet.beside):
            self._rows(sheet)
        self._definitions()
        self._about()

    def _rows(self, sheet: Sheet) -> None:
        page = self._book.add_worksheet(sheet.name)
        parts = [(place, part) for place, column in enumerate(sheet.columns) for part in range(_parts(column.kind))]
        curves = self._book.add_worksheet(word("curves", self._lang)) if _has_curves(sheet) else None
        widths = [0] * len(parts)
        for across, (place, part) in enumerate(parts):
            title = self._title(sheet.columns[place], part)
            self._text(page, 0, across, title, self._header)
            widths[across] = cell_len(title) + 3  # the filter's button
        everything = [*sheet.rows, *([sheet.total] if sheet.total is not None else [])]
        for down, row in enumerate(everything, start=1):
            bold = down > len(sheet.rows) or down - 1 in sheet.bold
            for across, (place, part) in enumerate(parts):
                column = sheet.columns[place]
                if column.kind is Kind.CURVE:
                    self._curve(page, curves, (down, across), row[place])
                    continue
                shown = self._value(page, (down, across), row[place], column.kind, part, bold=bold)
                widths[across] = max(widths[across], cell_len(shown) + 1)
        for across, width in enumerate(widths):
            page.set_column(across, across, max(_NARROWEST, min(width, _WIDEST)))
        page.freeze_panes(1, 0)
        if sheet.rows:
            page.autofilter(0, 0, len(sheet.rows), len(parts) - 1)
        page.ignore_errors({"number_stored_as_text": xl_range_abs(0, 0, len(everything), len(parts) - 1)})
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)

    def _definitions(self) -> None:
        page = self._book.add_worksheet(word("definitions", self._lang))
        lines = [[word(name, self._lang) for name in ("key", "column", "kind", "unit", "definition")]]
        for column in (column for sheet in (self._sheet, *self._sheet.beside) for column in sheet.columns):
            label = str(getattr(column.label, self._lang))
            lines.append([column.key, label, str(column.kind), self._unit(column.kind), column.definition])
        after = len(lines) + 1
        for down, line in enumerate(lines):
            for across, text in enumerate(line):
                self._text(page, down, across, text, self._bold if down == 0 else None)
        self._text(page, after, 0, word("definition", self._lang), self._bold)
        self._text(page, after, 1, word("meaning", self._lang), self._bold)
        for down, item in enumerate(self._sheet.definitions, start=after + 1):
            self._text(page, down, 0, item.name)
            self._text(page, down, 1, str(getattr(item.text, self._lang)), self._wrap)
        page.set_column(0, 0, 26)
        page.set_column(1, 1, 80)
        page.set_column(2, 4, 16)
        page.freeze_panes(1, 0)

    def _about(self) -> None:
        sheet, lang = self._sheet, self._lang
        page = self._book.add_worksheet(word("about", lang))
        self._text(page, 0, 0, word("question", lang), self._bold)
        self._text(page, 0, 1, str(getattr(sheet.title, lang)), self._bold)
        down = 1
        for label, count in ((word("row count", lang), len(sheet.rows)), *self._available()):
            self._text(page, down, 0, label)
            page.write_number(down, 1, count, self._book.add_format({"num_format": "#,##0", "align": "left"}))
            down += 1
        lines = [(word("currency", lang), sheet.currency)] if sheet.currency else []
        lines += [(str(getattr(fact.label, lang)), _told(fact, lang)) for fact in sheet.facts]
        lines += [(f"{word('total', lang)} {title}", text) for title, text in self._totals()]
        lines += [(word("note", lang), str(getattr(note.text, lang))) for note in sheet.notes]
        if sheet.freshness is not None:
            lines.append((word("freshness", lang), fresh(sheet.freshness, lang)))
        for label, text in lines:
            self._text(page, down, 0, label)
            self._text(page, down, 1, text, self._wrap)
            down += 1
        page.set_column(0, 0, 26)
        page.set_column(1, 1, 90)

    def _available(self) -> Sequence[tuple[str, int]]:
        more = self._sheet.all_rows != len(self._sheet.rows)
        return (
            [(f"{word('row count', self._lang)} ({word('total', self._lang)})", self._sheet.all_rows)] if more else []
        )

    def _totals(self) -> Sequence[tuple[str, str]]:
        total = self._sheet.total or ()
        pairs = zip(self._sheet.columns, total, strict=False)
        return [
            (self._title(column, 0), exact(cell) if column.kind is Kind.MONEY else str(cell))
            for column, cell in pairs
            if column.adds and isinstance(cell, int)
        ]

    def _title(self, column: Column, part: int) -> str:
        label = str(getattr(column.label, self._lang))
        if column.kind is Kind.GROWTH and part:
            return f"{label} ({column.key}_mark)"
        unit = self._unit(column.kind) if column.kind is Kind.MONEY else ""
        return f"{label} ({unit})" if unit else label

    def _unit(self, kind: Kind) -> str:
        if kind is not Kind.MONEY and kind is not Kind.CURVE:
            return ""
        if self._sheet.currency in ("", "CNY"):
            return "元" if self._lang is Lang.ZH else "yuan"
        return self._sheet.currency

    def _value(self, page: Any, at: tuple[int, int], cell: Cell, kind: Kind, part: int, *, bold: bool) -> str:
        """Writes a cell as what it is, and returns about what is seen of it."""
        value: Plain = plain(cell, kind, self._lang)[part]
        form = self._formats[kind, bold]
        if value is None:
            page.write_blank(*at, None, form)
            return ""
        if isinstance(value, bool):
            page.write_boolean(*at, value, form)
            return str(value)
        if isinstance(value, datetime):
            page.write_datetime(*at, value.replace(tzinfo=None), form)
            return "2000-01-01 00:00:00"
        if isinstance(value, date):
            page.write_datetime(*at, value, form)
            return "2000-01-01"
        if isinstance(value, int | float):
            return self._number(page, at, value, kind, form)
        return self._text(page, *at, str(value), form)

    def _number(self, page: Any, at: tuple[int, int], value: float, kind: Kind, form: Any) -> str:
        if isinstance(value, int) and abs(value) >= _EXACT:
            return self._text(page, *at, exact(value) if kind is Kind.MONEY else str(value), form)
        shown = value / 100 if kind is Kind.MONEY else value
        page.write_number(*at, shown, form)
        return f"{shown:,.2f}" if kind is not Kind.COUNT else f"{shown:,}"

    def _curve(self, page: Any, curves: Any, at: tuple[int, int], cell: Cell) -> None:
        """The curve's amounts go to a page of their own, and a sparkline of them into the cell."""
        if not isinstance(cell, tuple) or not cell:
            return
        down, across = at
        for day, fen in enumerate(cell):
            self._number(curves, (down, day), fen, Kind.MONEY, self._formats[Kind.MONEY, False])
        where = f"'{curves.get_name()}'!{xl_range_abs(down, 0, down, len(cell) - 1)}"
        page.add_sparkline(down, across, {"range": where})

    def _text(self, page: Any, down: int, across: int, text: str, form: Any = None) -> str:
        """Writes a text as text, whatever it looks like.

        Raises:
            CliError: it is longer than a cell can be.
        """
        if len(text.encode("utf-16-le")) // 2 > _MOST_TEXT:
            raise _too_much(f"a text of {len(text):,} characters in row {down + 1}; a cell holds {_MOST_TEXT:,}")
        page.write_string(down, across, text, form)
        return text


def _told(fact: Fact, lang: Lang) -> str:
    """A fact for people: exact, with its mark where it has one."""
    if fact.kind is Kind.MONEY and isinstance(fact.value, int):
        return exact(fact.value)
    return " ".join(str(value) for value in plain(fact.value, fact.kind, lang) if value is not None)


def _parts(kind: Kind) -> int:
    return 2 if kind is Kind.GROWTH else 1


def _has_curves(sheet: Sheet) -> bool:
    return any(column.kind is Kind.CURVE for column in sheet.columns)


def _too_much(what: str) -> CliError:
    return CliError(
        f"the answer does not fit into a spreadsheet: {what}",
        hint="take --format csv or parquet, or ask for less",
        exit_code=os.EX_DATAERR,
    )
