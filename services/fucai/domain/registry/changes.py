"""Checks records that shall be stored, all together, and tells what storing them would change. Pure; stores nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from fucai.domain.registry.faults import Fault
from fucai.domain.registry.records import faults_of
from fucai.domain.registry.references import World, reference_faults
from fucai.domain.registry.tables import TABLES, Key, Records, Snapshot, Table, wrap

Origin = TypeVar("Origin")


@dataclass(slots=True)
class Entry(Generic[Origin]):
    """A record that shall be stored, where it came from, and what is wrong with it so far."""

    origin: Origin
    table: Table
    message: Any
    faults: list[Fault] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """The record's key."""
        return self.table.key(self.message)

    def blame(self, faults: Iterable[Fault]) -> None:
        """Adds faults, at most one for a field: what follows from a broken value is not told as well."""
        blamed = {fault.field for fault in self.faults}
        for fault in faults:
            if fault.field not in blamed:
                blamed.add(fault.field)
                self.faults.append(fault)


@dataclass(frozen=True, slots=True)
class TableChange:
    """What changes in one table: the records to be written, and how many are new, corrected or there already."""

    table: Table
    rows: Sequence[Any]
    added: int
    corrected: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What storing records changes, by table, in the order of the tables, and all records of the registry after it."""

    changes: Sequence[TableChange]
    records_after: Records

    @property
    def rows(self) -> int:
        """Number of rows to be written."""
        return sum(len(change.rows) for change in self.changes)

    @property
    def added(self) -> int:
        """Records new to the registry."""
        return sum(change.added for change in self.changes)

    @property
    def corrected(self) -> int:
        """Records that correct one of the same key."""
        return sum(change.corrected for change in self.changes)

    @property
    def unchanged(self) -> int:
        """Records that were there already."""
        return sum(change.unchanged for change in self.changes)

    @property
    def content_sha256(self) -> str:
        """SHA-256 of the rows to be written, in hexadecimal; the same rows in the same order have the same."""
        digest = sha256()
        for change in self.changes:
            for message in change.rows:
                written = wrap(change.table, message).SerializeToString(deterministic=True)
                digest.update(len(written).to_bytes(4, "big") + written)
        return digest.hexdigest()


def check(entries: Sequence[Entry[Origin]], stored: Snapshot, zone: ZoneInfo, unreadable: Collection[str] = ()) -> None:
    """Notes in each entry everything that is wrong with it, by itself and beside the others and what is stored.

    `zone` is the business time zone; `unreadable` names tables whose file could not be read.
    """
    for entry in entries:
        entry.blame(faults_of(entry.table, entry.message))
    for entry in _twice(entries):
        names = " and ".join(entry.table.key_fields)
        value = " ".join(entry.key)
        entry.blame([Fault(entry.table.key_fields[0], value, f"{names} stand twice in what is to be stored; keep one")])
    world = World(_merged(entries, stored.records), zone, frozenset(unreadable))
    for entry in entries:
        entry.blame(reference_faults(entry.table, entry.message, world))


def plan(entries: Sequence[Entry[Origin]], stored: Snapshot) -> Plan:
    """What storing entries without faults changes."""
    changes = []
    for table in TABLES:
        before = stored.of(table)
        mine = [entry for entry in entries if entry.table is table]
        rows = [entry.message for entry in mine if before.get(entry.key) != entry.message]
        if mine:
            added = sum(entry.key not in before for entry in mine)
            changes.append(TableChange(table, rows, added, len(rows) - added, len(mine) - len(rows)))
    return Plan(changes, _merged(entries, stored.records))


def _twice(entries: Iterable[Entry[Origin]]) -> Iterator[Entry[Origin]]:
    seen: set[tuple[str, Key]] = set()
    for entry in entries:
        identity = (entry.table.name, entry.key)
        if identity in seen:
            yield entry
        seen.add(identity)


def _merged(entries: Iterable[Entry[Origin]], stored: Records) -> Records:
    fresh: dict[str, dict[Key, Any]] = {}
    for entry in entries:
        fresh.setdefault(entry.table.name, {})[entry.key] = entry.message
    return {name: {**records, **fresh[name]} if name in fresh else records for name, records in stored.items()}
