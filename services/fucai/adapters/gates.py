"""Gates: tables of their own through which loaders write, so that dropping one fences its writer. Decides nothing."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from fucai.adapters.clickhouse import OperationalError
from fucai.adapters.protoschema import proto_text
from fucai.domain.record import YEAR_2100_MS
from fucai.domain.salerules import MAX_EVENT_FEN
from fucai.v1 import sales_pb2

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_VIEWS = ("to_sales", "to_duplicates", "to_quarantine", "to_raw")
_NAME = re.compile(r"^gate_(\d+)_([A-Za-z0-9_]+)_(\d+)_([0-9a-f]+)$")
_POISON = frozenset({6, 26, 27, 32, 33, 117, 131, 395, 434, 435, 436, 437, 441, 442, 443, 444, 469})
_HELD = (
    "SELECT count() FROM system.dropped_tables WHERE database = currentDatabase() AND table IN {parts:Array(String)}"
)
_DROP_SECONDS, _LOOK_SECONDS = 60.0, 0.05
UNKNOWN_TABLE = 60
"""ClickHouse's code after a gate was dropped."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Name of a gate: generation of the consumer group, loader instance, worker, random attempt."""

    generation: int
    instance: str
    worker: int
    attempt: str

    @property
    def name(self) -> str:
        """The table's name."""
        return f"gate_{self.generation}_{self.instance}_{self.worker}_{self.attempt}"

    @classmethod
    def parse(cls, name: str) -> Gate | None:
        """Return the gate of that name, None if no gate is called so."""
        match = _NAME.match(name)
        return cls(int(match[1]), match[2], int(match[3]), match[4]) if match else None


def instance_of(text: str) -> str:
    """Return a loader's instance name (letters, digits and "-") as it stands in gate names: "_" for "-"."""
    return text.replace("-", "_")


def is_poison(code: int) -> bool:
    """Whether an insert failed because of what a record holds, so that trying it again cannot help."""
    return code in _POISON


def create_gate(client: Client, gate: Gate, timezone: str) -> None:
    """Create a gate: its table first, then its views."""
    text = files("fucai.adapters").joinpath("schema/gate.sql").read_text(encoding="utf-8")
    reasons = sales_pb2.QuarantineReason.DESCRIPTOR.values
    names = [value.name.removeprefix("QUARANTINE_REASON_") for value in reasons]
    filled = Template(text).substitute(
        gate=gate.name,
        timezone=timezone,
        reason_numbers=[value.number for value in reasons],
        reason_names=names,
        latest_ms=YEAR_2100_MS,
        most_fen=MAX_EVENT_FEN,
    )
    bare = "\n".join(line for line in filled.splitlines() if not line.startswith("--"))
    for statement in bare.split(";\n"):
        if statement.strip():
            client.command(statement)


def list_gates(client: Client) -> list[Gate]:
    """Return every gate whose table or one of whose views exists, or was dropped but is still held by an insert."""
    rows = client.query(
        "SELECT DISTINCT replaceRegexpOne(part, '_to_[a-z]+$', '') FROM ("
        "SELECT name AS part FROM system.tables WHERE database = currentDatabase() AND name LIKE 'gate\\_%' "
        "UNION ALL "
        "SELECT table FROM system.dropped_tables WHERE database = currentDatabase() AND table LIKE 'gate\\_%')"
    ).result_rows
    parsed = (Gate.parse(str(row[0])) for row in rows)
    return [gate for gate in parsed if gate is not None]


def drop_gate(client: Client, gate: Gate) -> None:
    """Drop a gate, table before views: returns when no insert runs in it, and later ones fail with UNKNOWN_TABLE.

    A drop waits for the inserts, but one that finds nothing, because another is being waited for, returns at once; so
    does the next one after a client that died in its drop. What was dropped and is still held is looked for.

    Raises:
        ClickHouseError: the server is away or refuses, or an insert still runs after a minute.
    """
    parts = [gate.name, *(f"{gate.name}_{view}" for view in _VIEWS)]
    client.command(f"DROP TABLE IF EXISTS {gate.name} SYNC")
    for view in parts[1:]:
        client.command(f"DROP VIEW IF EXISTS {view} SYNC")
    deadline = time.monotonic() + _DROP_SECONDS
    while client.query(_HELD, {"parts": parts}).result_rows[0][0]:
        if time.monotonic() > deadline:
            raise OperationalError(f"an insert still runs in {gate.name}, {_DROP_SECONDS:.0f} s after it was dropped")
        time.sleep(_LOOK_SECONDS)


def insert_batches(client: Client, gate: Gate, frames: bytes) -> None:
    """Insert length-prefixed SalesBatch messages; returns when they are on disk. Sends them once, whatever happens.

    The memoryview is meant: clickhouse-connect 1.12 sends an insert of plain bytes again, by itself, when the
    connection is lost before the answer, and what the first one stored would be stored twice.

    Raises:
        ClickHouseError: not inserted, in part or whole; only a new gate and a look into the store tell which.
    """
    once = memoryview(frames)
    client.raw_insert(gate.name, insert_block=once, fmt="Protobuf", settings=_insert_settings())  # type: ignore[arg-type]


@cache
def _insert_settings() -> dict[str, str | int]:
    """Return the settings of every insert: durable, whole, never deduplicated by the server."""
    return {
        "format_schema_source": "string",
        "format_schema": proto_text(sales_pb2.SalesBatch.DESCRIPTOR),
        "format_schema_message_name": "SalesBatch",
        "async_insert": 0,
        "insert_deduplicate": 0,
        "max_partitions_per_insert_block": 0,
        "input_format_allow_errors_num": 0,
        "materialized_views_ignore_errors": 0,
        "wait_end_of_query": 1,
    }
