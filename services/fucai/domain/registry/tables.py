"""The tables of the registry: their names, messages and keys, and a whole registry in memory. Checks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from google.protobuf.message import Message

from fucai.v1.registry_pb2 import (
    Benchmark,
    Closure,
    Draw,
    DrawAct,
    Game,
    Outlet,
    RegistryRecord,
    RegistryTable,
    Terminal,
    Zone,
)

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its number in the contract, its name (zones), the record's name (zone), message and key fields.

    Where `versioned`, the last field of the key is valid_from and the others name the thing that has versions.
    Records of a table that is not `imported` come from calls of their own, and are never corrected.
    """

    number: RegistryTable.ValueType
    name: str
    kind: str
    message: type[Message]
    key_fields: tuple[str, ...]
    versioned: bool = False
    imported: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the message's fields, in order; the store's columns have the same."""
        return tuple(descriptor.name for descriptor in self.message.DESCRIPTOR.fields)

    def key(self, message: Any) -> Key:
        """What tells the record from all others of the table: its id, and its valid_from where there are versions."""
        return tuple(getattr(message, name) for name in self.key_fields)

    def id_of(self, key: Key) -> Key:
        """The part of a key that is the same for all versions."""
        return key[:-1] if self.versioned else key


ZONES = Table(RegistryTable.REGISTRY_TABLE_ZONES, "zones", "zone", Zone, ("zone_id",))
OUTLETS = Table(
    RegistryTable.REGISTRY_TABLE_OUTLETS, "outlets", "outlet", Outlet, ("outlet_id", "valid_from"), versioned=True
)
TERMINALS = Table(
    RegistryTable.REGISTRY_TABLE_TERMINALS,
    "terminals",
    "terminal",
    Terminal,
    ("terminal_id", "valid_from"),
    versioned=True,
)
GAMES = Table(RegistryTable.REGISTRY_TABLE_GAMES, "games", "game", Game, ("game", "valid_from"), versioned=True)
DRAWS = Table(RegistryTable.REGISTRY_TABLE_DRAWS, "draws", "draw", Draw, ("game", "draw_no"))
CLOSURES = Table(RegistryTable.REGISTRY_TABLE_CLOSURES, "closures", "closure", Closure, ("scope", "first_day"))
BENCHMARKS = Table(RegistryTable.REGISTRY_TABLE_BENCHMARKS, "benchmarks", "benchmark", Benchmark, ("series", "period"))
DRAW_ACTS = Table(
    RegistryTable.REGISTRY_TABLE_DRAW_ACTS,
    "draw_acts",
    "draw_act",
    DrawAct,
    ("game", "draw_no", "act"),
    imported=False,
)

TABLES = (ZONES, OUTLETS, TERMINALS, GAMES, DRAWS, CLOSURES, BENCHMARKS, DRAW_ACTS)
BY_NAME: Mapping[str, Table] = MappingProxyType({table.name: table for table in TABLES})
BY_KIND: Mapping[str, Table] = MappingProxyType({table.kind: table for table in TABLES})
BY_NUMBER: Mapping[int, Table] = MappingProxyType({table.number: table for table in TABLES})

Records = Mapping[str, Mapping[Key, Any]]
"""Messages by table name and key."""


def empty_records() -> dict[str, dict[Key, Any]]:
    """No record in any table."""
    return {table.name: {} for table in TABLES}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole registry at one revision: every version of every record, the newest correction of each."""

    revision: int = 0
    records: Records = field(default_factory=empty_records)

    def of(self, table: Table) -> Mapping[Key, Any]:
        """The records of a table by key."""
        return self.records[table.name]

    def everything(self) -> Iterator[RegistryRecord]:
        """All records, table by table, each table in the order of its keys."""
        for table in TABLES:
            records = self.of(table)
            for key in sorted(records):
                yield wrap(table, records[key])


def wrap(table: Table, message: Any) -> RegistryRecord:
    """The message as a record of any table."""
    return RegistryRecord(**{table.kind: message})


def unwrap(record: RegistryRecord) -> tuple[Table, Any] | None:
    """The table and the message of a record; None if it holds none."""
    kind = record.WhichOneof("record")
    return None if kind is None else (BY_KIND[kind], getattr(record, kind))


def newest(table: Table, keys: Iterable[Key]) -> list[Key]:
    """The last version of each id, in the order of the ids."""
    last = {table.id_of(key): key for key in sorted(keys)}
    return list(last.values())


def version_on(table: Table, records: Mapping[Key, Any], wanted: Key, day: str) -> Any | None:
    """The record with that id as it stood on the day (YYYY-MM-DD), the newest version for an empty day; or None."""
    if not table.versioned:
        return records.get(wanted)
    keys = [key for key in records if key[:-1] == wanted and (not day or key[-1] <= day)]
    return records[max(keys)] if keys else None
