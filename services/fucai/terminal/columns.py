"""Which column of a file means what: the text `day=day,outlet=area,...` and a header, turned into positions."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

FIELDS = ("day", "outlet", "game", "bets", "amount")
REJECT_COLUMNS = ("line", "reason")


class ColumnsError(Exception):
    """The mapping or the header is unusable; the message says which column and what to do."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of the five fields in a row, and the header they were found in."""

    header: tuple[str, ...]
    day: int
    outlet: int
    game: int
    bets: int
    amount: int


def parse_mapping(text: str) -> dict[str, str]:
    """Field to column from `field=column,...`; empty text means that each column has its field's name.

    A column name with a comma is written in double quotes around the whole pair.

    Raises:
        ColumnsError: a field is missing, unknown or named twice.
    """
    if not text.strip():
        return {field: field for field in FIELDS}
    mapping: dict[str, str] = {}
    for pair in next(csv.reader([text], skipinitialspace=True)):
        field, equals, column = (part.strip() for part in pair.partition("="))
        if not equals or not column:
            raise ColumnsError(f"--columns: {pair!r} is not of the form field=column")
        if field not in FIELDS:
            raise ColumnsError(f"--columns: {field!r} is no field; the fields are {', '.join(FIELDS)}")
        if field in mapping:
            raise ColumnsError(f"--columns: {field} is named twice")
        mapping[field] = column
    missing = [field for field in FIELDS if field not in mapping]
    if missing:
        raise ColumnsError(f"--columns: {', '.join(missing)} missing; name all of {', '.join(FIELDS)}")
    return mapping


def locate(mapping: dict[str, str], header: Sequence[str]) -> Columns:
    """Finds the mapped columns in a header.

    Raises:
        ColumnsError: a column is not there, or there twice.
    """
    found = {}
    names = tuple(name.strip() for name in header)
    for field, column in mapping.items():
        count = names.count(column)
        if count != 1:
            problem = "has no" if count == 0 else f"has {count} times the"
            raise ColumnsError(
                f"the header {problem} column {column!r} (field {field}); it has {', '.join(map(repr, names))}: "
                "name columns with --columns field=column,..."
            )
        found[field] = names.index(column)
    return Columns(header=names, **found)
