"""Reads a CSV file of known columns into lines of text cells, and tells what is wrong with it. Judges no value."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fucai.domain.registry.faults import shown

_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = ("gb18030",)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a file: line from 1 with comments and header (0 for the whole file), column, value, remedy."""

    file: str
    line: int
    field: str
    value: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: its number, and its cells by column, without space around them."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns a file must have, and of those it may have."""

    needed: Sequence[str]
    optional: Sequence[str] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.needed, *self.optional)


@dataclass(frozen=True, slots=True)
class CsvFile:
    """What was read. `usable` is False where lines could not be told apart or the header does not fit."""

    lines: Sequence[Line]
    problems: Sequence[Problem]
    usable: bool


def read_csv(file: str, content: bytes, columns: Columns) -> CsvFile:
    """Reads UTF-8 (with or without byte order mark), comma-separated, one header line.

    Lines that begin with # before the header are comments; empty lines are passed over.
    """
    text = content.removeprefix(_BOM)
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        return CsvFile((), [_bad_encoding(file, text, error)], usable=False)
    comments = _comment_lines(decoded)
    lines: list[Line] = []
    problems: list[Problem] = []
    try:
        rows = _numbered_rows(decoded, comments)
        header_line, header = next(rows, (0, []))
        problems += _header_problems(file, header_line, header, columns)
        if problems:
            return CsvFile((), problems, usable=False)
        for number, row in rows:
            if len(row) == len(header):
                lines.append(Line(number, dict(zip(header, (cell.strip() for cell in row), strict=True))))
            else:
                problems.append(_wrong_width(file, number, row, header))
    except _BrokenRowError as broken:
        problems.append(Problem(file, broken.line, "", "", broken.remedy))
        return CsvFile(lines, problems, usable=False)
    return CsvFile(lines, problems, usable=True)


class _BrokenRowError(Exception):
    """The file cannot be read on from this line."""

    def __init__(self, line: int, remedy: str) -> None:
        super().__init__(remedy)
        self.line = line
        self.remedy = remedy


def _numbered_rows(text: str, comments: int) -> Iterator[tuple[int, list[str]]]:
    """Rows after the comments, with the number of their first line."""
    reader = csv.reader(islice(io.StringIO(text, newline=""), comments, None), strict=True)
    header_seen = False
    while True:
        number = comments + reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            remedy = f"cannot be read as CSV ({error}); close every quote, and write a quote inside quotes twice"
            raise _BrokenRowError(number, remedy) from error
        if row and (not header_seen or any(cell.strip() for cell in row)):
            yield number, row if header_seen else [cell.strip() for cell in row]
            header_seen = True


def _comment_lines(text: str) -> int:
    """How many lines at the top are comments, or empty before a comment."""
    count = 0
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if line.startswith("#"):
            count = number
        elif line.strip():
            break
    return count


def _bad_encoding(file: str, text: bytes, error: UnicodeDecodeError) -> Problem:
    line = text.count(b"\n", 0, error.start) + 1
    column = error.start - (text.rfind(b"\n", 0, error.start) + 1) + 1
    guess = next((name for name in _OTHER_ENCODINGS if _reads_as(text, name)), "")
    hint = f"it may be {guess.upper()}; " if guess else ""
    remedy = f"byte {column} of the line is not UTF-8; {hint}save the file as UTF-8 (in Excel: CSV UTF-8)"
    return Problem(file, line, "", f"0x{text[error.start]:02X}", remedy)


def _reads_as(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _header_problems(file: str, line: int, header: Sequence[str], columns: Columns) -> list[Problem]:
    if not header:
        remedy = f"has no header; begin with the line {','.join(columns.known)}"
        return [Problem(file, 0, "", "", remedy)]
    problems = [
        Problem(file, line, name, "", "the column is missing; add it (its cells may be empty where nothing is known)")
        for name in columns.needed
        if name not in header
    ]
    for place, name in enumerate(header):
        if name not in columns.known:
            remedy = f"is no column of this file; take it out (known are {', '.join(columns.known)})"
            problems.append(Problem(file, line, shown(name), shown(name), remedy))
        elif name in header[:place]:
            problems.append(Problem(file, line, name, name, "stands twice in the header; keep one"))
    return problems


def _wrong_width(file: str, number: int, row: Sequence[str], header: Sequence[str]) -> Problem:
    what = "too many" if len(row) > len(header) else "too few"
    remedy = f"has {len(row)} cells, the header has {len(header)}: {what}; put cells that contain a comma in quotes"
    return Problem(file, number, "", shown(",".join(row)), remedy)
