"""A sheet as plain columns for programs: money in fen, growth as ratio and mark, each value of one simple type."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from fucai.cli.out.sheet import Cell, Change, Column, Kind, Sheet
from fucai.cli.output import Lang
from fucai.domain.labels import Label

Plain: TypeAlias = str | int | float | bool | date | datetime | tuple[int, ...] | None


class Type(enum.StrEnum):
    """The type of a plain column."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DAY = "day"
    TIME = "time"
    INTEGERS = "integers"


_TYPES = {
    Kind.TEXT: Type.TEXT,
    Kind.NAME: Type.TEXT,
    Kind.ID: Type.TEXT,
    Kind.DAY: Type.DAY,
    Kind.TIME: Type.TIME,
    Kind.COUNT: Type.INTEGER,
    Kind.NUMBER: Type.FLOAT,
    Kind.RATIO: Type.FLOAT,
    Kind.POINTS: Type.FLOAT,
    Kind.FLAG: Type.BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A plain column: its name for programs, its type, and the column and place it comes from."""

    name: str
    type: Type
    column: Column
    place: int


def fields(columns: Sequence[Column]) -> list[Field]:
    """The plain columns of these columns."""
    return [
        Field(name, kind, column, place)
        for place, column in enumerate(columns)
        for name, kind in named(column.key, column.kind)
    ]


def named(key: str, kind: Kind) -> list[tuple[str, Type]]:
    """Names and types that a value with this key and kind has for programs."""
    if kind is Kind.MONEY:
        return [(f"{key}_fen", Type.INTEGER)]
    if kind is Kind.CURVE:
        return [(f"{key}_fen", Type.INTEGERS)]
    if kind is Kind.GROWTH:
        return [(f"{key}_ratio", Type.FLOAT), (f"{key}_mark", Type.TEXT)]
    return [(key, _TYPES[kind])]


def plain(cell: Cell, kind: Kind, lang: Lang) -> list[Plain]:
    """The values of a cell, as many as `named` has names; names for people in the language."""
    if kind is Kind.GROWTH:
        return [cell.ratio, str(cell.mark)] if isinstance(cell, Change) else [None, None]
    if isinstance(cell, Label):
        return [str(getattr(cell, lang))]
    if isinstance(cell, Change):
        raise TypeError(f"a change stands in a column of {kind}")
    return [cell]


def plain_row(columns: Sequence[Column], row: Sequence[Cell], lang: Lang) -> list[Plain]:
    """The values of a row, in the order of `fields`."""
    return [value for column, cell in zip(columns, row, strict=True) for value in plain(cell, column.kind, lang)]


def plain_rows(sheet: Sheet, lang: Lang) -> Iterator[list[Plain]]:
    """The values of all rows."""
    return (plain_row(sheet.columns, row, lang) for row in sheet.rows)


def plain_facts(sheet: Sheet, lang: Lang) -> dict[str, Plain]:
    """The sheet's facts by their names for programs."""
    found: dict[str, Plain] = {}
    for fact in sheet.facts:
        names = [name for name, _ in named(fact.key, fact.kind)]
        found |= dict(zip(names, plain(fact.value, fact.kind, lang), strict=True))
    return found
