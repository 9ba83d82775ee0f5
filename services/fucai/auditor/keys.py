"""Which public keys a terminal may sign with on a day: the registry's, or those of a file of the auditor's own."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from fucai.domain.calendar import parse_day

KEY_BYTES = 32


class KeysFileError(ValueError):
    """A file of keys cannot be used; the message names the line and what to do."""


class Keys:
    """Keys by terminal and day. Days are ordinals."""

    def __init__(self, versions: Iterable[tuple[str, date, Iterable[bytes]]]) -> None:
        """Takes (terminal, first day, keys valid from then on), in any order."""
        found: defaultdict[str, dict[int, frozenset[bytes]]] = defaultdict(dict)
        for terminal, since, keys in versions:
            day = since.toordinal()
            found[terminal][day] = found[terminal].get(day, frozenset()) | frozenset(keys)
        self._versions = {terminal: sorted(days.items()) for terminal, days in found.items()}

    def on(self, terminal: str, day: int) -> frozenset[bytes]:
        """The keys valid then; none for a terminal that is not known."""
        versions = self._versions.get(terminal, [])
        index = bisect_right(versions, day, key=lambda version: version[0])
        return versions[index - 1][1] if index else frozenset()

    def signs(self, terminal: str) -> bool:
        """Whether the terminal ever had a key."""
        return any(keys for _, keys in self._versions.get(terminal, ()))


def parse_keys(text: str) -> list[bytes]:
    """Keys as the registry writes them: hexadecimal, separated by spaces.

    Raises:
        ValueError: one is not 32 bytes in hexadecimal.
    """
    found = [bytes.fromhex(part) for part in text.split()]
    if any(len(key) != KEY_BYTES for key in found):
        raise ValueError(f"a key has other than {KEY_BYTES} bytes")
    return found


def read_keys_file(path: Path) -> Keys:
    """Keys from a CSV file with the columns terminal_id, public_key and, optionally, valid_from (YYYY-MM-DD).

    Raises:
        KeysFileError: a column is missing, or a line cannot be read.
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"terminal_id", "public_key"} <= set(reader.fieldnames or ()):
            raise KeysFileError(f"{path}: line 1: columns terminal_id and public_key are needed")
        versions = []
        for number, row in enumerate(reader, 2):
            try:
                since = parse_day(row["valid_from"]) if row.get("valid_from") else date.min
                versions.append((row["terminal_id"], since, parse_keys(row["public_key"] or "")))
            except ValueError as error:
                raise KeysFileError(f"{path}: line {number}: public_key or valid_from {error}; mend it") from error
    return Keys(versions)
