"""Writes what the auditor found into its tables, and reads back its own memory. Judges nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_ROOT = "SELECT root, content, through FROM audit_roots WHERE business_day = {day:Date} ORDER BY at, run_id"
_KINDS = "SELECT kind, count() FROM audit_findings FINAL GROUP BY kind"
_RECONCILED = "SELECT count() FROM reconciliations WHERE business_day = {day:Date}"
_VERDICTS = """
SELECT verdict, count() FROM reconciliations
WHERE business_day = {day:Date}
  AND run_id = (SELECT argMax(run_id, run_at) FROM reconciliations WHERE business_day = {day:Date})
GROUP BY verdict
"""


def kept_roots(client: Client, day: date) -> list[tuple[bytes, bytes, int]]:
    """Return what is kept of a day, oldest first: root, content, sum of the leaves' last numbers.

    Raises:
        ClickHouseError: the server is away or refuses; so for every function here.
    """
    rows = client.query(_ROOT, {"day": day}).result_rows
    return [(bytes.fromhex(str(root)), bytes.fromhex(str(content)), int(through)) for root, content, through in rows]


def keep_roots(client: Client, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep roots; each row has every column of the table but `at`."""
    _insert(client, "audit_roots", rows)


def keep_findings(
    client: Client, rows: Sequence[tuple[str, str, int, int, int, str, str, str]], source: str, run_id: str
) -> None:
    """Keep findings: kind, terminal, epoch, first and last number, place, field, detail."""
    names = ["kind", "terminal_id", "epoch", "first_seq", "last_seq", "place", "field", "detail", "source", "run_id"]
    if rows:
        client.insert("audit_findings", [[*row, source, run_id] for row in rows], column_names=names)


def count_findings(client: Client) -> dict[str, int]:
    """Return how many different findings are kept, by kind."""
    return {str(kind): int(count) for kind, count in client.query(_KINDS).result_rows}


def keep_lines(client: Client, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the lines of a reconciliation; each row has every column of the table."""
    _insert(client, "reconciliations", rows)


def is_reconciled(client: Client, day: date) -> bool:
    """Whether a reconciliation of the day is kept."""
    return bool(client.query(_RECONCILED, {"day": day}).result_rows[0][0])


def verdicts_of(client: Client, day: date) -> dict[str, int]:
    """Return how many lines of a day's newest reconciliation have which verdict."""
    return {str(name): int(count) for name, count in client.query(_VERDICTS, {"day": day}).result_rows}


def keep_statements(client: Client, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep statements; each row has every column of the table, the same record again is the same row."""
    _insert(client, "statements", rows)


def moment(at_ms: int) -> datetime:
    """Unix milliseconds as the tables take them; what no clock shows becomes 1970."""
    return datetime.fromtimestamp(at_ms / 1000 if 0 <= at_ms < 4_102_444_800_000 else 0, UTC)  # noqa: PLR2004 (2100)


def _insert(client: Client, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        names = list(rows[0])
        client.insert(table, [[row[name] for name in names] for row in rows], column_names=names)
