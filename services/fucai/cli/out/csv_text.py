"""A sheet as csv: RFC 4180, exact. Money stands twice, in yuan with two decimals and in fen."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import TextIO

from fucai.cli.numbers import exact
from fucai.cli.out.flat import Plain, named, plain
from fucai.cli.out.sheet import Cell, Column, Kind, Sheet
from fucai.cli.output import Lang

# What spreadsheets take for the start of a formula (OWASP, "CSV injection"), full-width forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_TEXT = frozenset({Kind.TEXT, Kind.NAME, Kind.ID})


def write_csv(sheet: Sheet, out: TextIO, lang: Lang, *, safe: bool = False) -> int:
    """Writes header and rows, and returns how many cells were defused.

    An empty field is a missing value. With `safe`, a text that a spreadsheet would take for a formula is led by an
    apostrophe; numbers never are.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header(sheet.columns))
    defused = 0
    for row in sheet.rows:
        texts = []
        for column, cell in zip(sheet.columns, row, strict=True):
            for text in _cell(cell, column.kind, lang):
                risky = safe and column.kind in _TEXT and text.startswith(_FORMULA)
                defused += risky
                texts.append(f"'{text}" if risky else text)
        writer.writerow(texts)
    return defused


def header(columns: Sequence[Column]) -> list[str]:
    """The names of the fields: money `sales` is `sales` in yuan, then `sales_fen`."""
    names: list[str] = []
    for column in columns:
        if column.kind is Kind.MONEY:
            names.append(column.key)
        names += [name for name, _ in named(column.key, column.kind)]
    return names


def _cell(cell: Cell, kind: Kind, lang: Lang) -> Iterator[str]:
    if kind is Kind.MONEY:
        yield exact(cell) if isinstance(cell, int) else ""
    for value in plain(cell, kind, lang):
        yield _text(value)


def _text(value: Plain) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value)
