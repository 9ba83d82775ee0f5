"""Reads and writes the registry's tables in ClickHouse. Checks nothing: give it plans of records without faults.

clickhouse-connect may send an insert again, by itself, when the connection is lost before the answer. So a row that
stands twice under one import counts once: views and queries see to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from fucai.domain.registry.tables import TABLES, Key, Records, Table

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from fucai.domain.registry.changes import Plan

WRITE_SETTINGS = {"async_insert": 0, "insert_deduplicate": 0}
"""What a client needs whose inserts must be durable when they return, and never taken for a repetition."""

_DAYS = frozenset({"valid_from", "opened", "closed", "first_day", "last_day"})

_STATE = "SELECT uniqExact(import_id), max(import_id) FROM imports"
_NEXT_NUMBER = """
SELECT 1 + greatest((SELECT max(import_id) FROM import_numbers), (SELECT max(import_id) FROM imports))
"""


@dataclass(frozen=True, slots=True)
class StoredState:
    """Which imports are visible: how many, and the number of the newest, which is the registry's revision."""

    imports: int
    revision: int


def read_state(client: Client) -> StoredState:
    """Return which imports are visible.

    Raises:
        ClickHouseError: the server is away, or was never migrated.
    """
    count, newest = client.query(_STATE).result_rows[0]
    return StoredState(int(count), int(newest))


def read_records(client: Client) -> Records:
    """Return every version of every record, the newest correction of each.

    Raises:
        ClickHouseError: the server is away, or was never migrated.
    """
    return {table.name: _read_table(client, table) for table in TABLES}


def save(client: Client, plan: Plan, source: str) -> int:
    """Write a plan's rows and make them visible all at once; return the import's number.

    The number is written down first, so that rows of an import that breaks off stay invisible for ever.

    Raises:
        ClickHouseError: the import may be visible or not; read the state to know, and save again if it is not.
    """
    import_id = int(client.query(_NEXT_NUMBER).result_rows[0][0])
    client.insert("import_numbers", [[import_id]], column_names=["import_id"])
    for change in plan.changes:
        if change.rows:
            rows = [[*_row(change.table, message), import_id] for message in change.rows]
            client.insert(f"{change.table.kind}_rows", rows, column_names=[*change.table.fields, "import_id"])
    client.insert(
        "imports",
        [[import_id, source, plan.content_sha256, plan.added, plan.corrected, plan.unchanged]],
        column_names=["import_id", "source", "sha256", "added", "corrected", "unchanged"],
    )
    return import_id


def reload_dictionaries(client: Client) -> None:
    """Bring the dictionaries of this server, `draw_times` and `outlet_history`, to what is visible now.

    Raises:
        ClickHouseError: the server is away or cannot load it.
    """
    client.command("SYSTEM RELOAD DICTIONARY draw_times")
    client.command("SYSTEM RELOAD DICTIONARY outlet_history")


def _read_table(client: Client, table: Table) -> dict[Key, Any]:
    text = f"SELECT {', '.join(table.fields)} FROM {table.name}"  # noqa: S608 (names of the contract, not of a user)
    rows = client.query(text).result_rows
    messages = (
        table.message(**{name: _from_store(value) for name, value in zip(table.fields, row, strict=True)})
        for row in rows
    )
    return {table.key(message): message for message in messages}


def _row(table: Table, message: Any) -> list[Any]:
    return [_to_store(name, getattr(message, name)) for name in table.fields]


def _to_store(name: str, value: Any) -> Any:
    if name in _DAYS:
        return date.fromisoformat(value) if value else None
    return value if isinstance(value, str | int) else list(value)


def _from_store(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value
