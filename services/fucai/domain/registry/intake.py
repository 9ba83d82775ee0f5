"""Turns CSV files into records to be stored, and everything wrong with them into problems by file and line. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fucai.domain.registry.changes import Entry, check
from fucai.domain.registry.columns import FILE_NAMES, cell_of, columns_of, fill
from fucai.domain.registry.csvfile import Line, Problem, read_csv
from fucai.domain.registry.tables import BY_NAME, Snapshot


@dataclass(frozen=True, slots=True)
class CsvOrigin:
    """The line of a file that an entry was read from."""

    file: str
    line: Line


@dataclass(frozen=True, slots=True)
class Intake:
    """Entries of all files, and every problem, in the order of files and lines. Store nothing if there is a problem."""

    entries: Sequence[Entry[CsvOrigin]]
    problems: Sequence[Problem]


def take_in(files: Mapping[str, bytes], stored: Snapshot, zone: ZoneInfo) -> Intake:
    """Reads files by name (zones.csv, outlets.csv, ...) and checks them together, and against what is stored."""
    problems: list[Problem] = []
    entries: list[Entry[CsvOrigin]] = []
    unreadable: set[str] = set()
    for file, content in files.items():
        table = BY_NAME.get(file.removesuffix(".csv")) if file in FILE_NAMES else None
        if table is None:
            remedy = f"is no file of the registry; name it one of {', '.join(FILE_NAMES)}, or leave it out"
            problems.append(Problem(file, 0, "", file, remedy))
            continue
        read = read_csv(file, content, columns_of(table.name))
        problems += read.problems
        if read.problems:
            unreadable.add(table.name)
        for line in read.lines:
            entry = Entry(CsvOrigin(file, line), table, table.message())
            fill(entry, line, zone)
            entries.append(entry)
    check(entries, stored, zone, unreadable)
    for entry in entries:
        for fault in entry.faults:
            column, cell = cell_of(entry.table.name, entry.origin.line, fault.field)
            problems.append(Problem(entry.origin.file, entry.origin.line.number, column, cell, fault.remedy))
    places = {file: place for place, file in enumerate(files)}
    problems.sort(key=lambda problem: (places[problem.file], problem.line))
    return Intake(entries, problems)
