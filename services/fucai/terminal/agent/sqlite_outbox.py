"""The outbox on SQLite: events, what became of them, and statements. One thread changes it; see `writer`.

Its methods work inside the transaction that is open, and make one of their own where none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import apsw

from fucai.domain.chain import DIGEST_BYTES, chain_next, event_bytes
from fucai.terminal.agent import database
from fucai.terminal.agent.database import EpochRow, EventRow, OutboxDamagedError, place_of, position_of
from fucai.terminal.agent.outbox import (
    Batch,
    BatchLimits,
    PendingStatement,
    Position,
    Recorded,
)
from fucai.terminal.agent.totals import Totals
from fucai.v1.sales_pb2 import Finding, SalesBatch, SalesEvent

_SEVEN_BITS = 0x7F
_FRAME_BYTES = 2


class SqliteOutbox:
    """See `outbox.Outbox`. `connection` has the tables and at least one epoch."""

    def __init__(self, connection: apsw.Connection, terminal_id: str, zone: ZoneInfo) -> None:
        self.connection = connection
        self.terminal_id = terminal_id
        self.zone = zone

    def append(self, events: Sequence[SalesEvent], request_id: str, now_ms: int) -> Recorded:
        """See `outbox.Outbox`; `sold_at_ms` 0 and empty parts of `refers_to` are filled in, in the events given."""
        with database.transaction(self.connection):
            if request_id and (known := self._recorded_before(request_id)) is not None:
                return known
            present = database.read_epochs(self.connection)[-1]
            first, last, digest = present.recorded_through + 1, present.recorded_through + len(events), present.digest
            if digest is None:
                raise OutboxDamagedError(f"the chain of epoch {present.epoch} has no digest")
            rows = []
            totals = Totals(self.zone)
            for seq, event in enumerate(events, first):
                self._complete(event, present.epoch, seq, now_ms)
                content = event_bytes(event)
                digest = chain_next(digest, content)
                request = (request_id, first) if request_id and seq == last else (None, None)
                rows.append(EventRow(place_of(Position(present.epoch, seq)), now_ms, content, digest, *request))
                totals.add(event)
            database.write_events(self.connection, rows)
            totals.write(self.connection)
            database.write_epoch(self.connection, present._replace(recorded_through=last, digest=digest))
            return Recorded(present.epoch, first, last, digest)

    def unsent(self, after: Position, limits: BatchLimits) -> Batch | None:
        """See `outbox.Outbox`.

        Raises:
            OutboxDamagedError: a row is not what was written.
        """
        for row in database.read_epochs(self.connection):
            if row.epoch < after.epoch:
                continue
            sent = max(row.settled_through, after.seq if row.epoch == after.epoch else 0)
            if sent < row.recorded_through:
                return self._batch(row, sent, limits)
        return None

    def acknowledge(self, batch: Batch, findings: Sequence[Finding], now_ms: int) -> None:
        """See `outbox.Outbox`."""
        with database.transaction(self.connection):
            self._settle(batch)
            self.connection.executemany(
                "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?, ?)",
                [
                    (place_of(Position(batch.epoch, one.seq)), int(one.reason), one.field, one.detail, now_ms)
                    for one in findings
                ],
            )
            self._count("accepted", batch.events - len(findings))
            self._count("quarantined", len(findings))

    def set_aside(self, batch: Batch, reason: str, now_ms: int) -> None:
        """See `outbox.Outbox`."""
        with database.transaction(self.connection):
            self._settle(batch)
            first, last = place_of(Position(batch.epoch, batch.first_seq)), place_of(batch.last)
            self.connection.execute(
                "INSERT OR IGNORE INTO refused VALUES (?, ?, ?, ?, ?)", (first, last, batch.events, reason, now_ms)
            )

    def due_statement(self) -> PendingStatement | None:
        """See `outbox.Outbox`."""
        found = self.connection.execute(
            "SELECT epoch, number, message FROM statements s WHERE settled_at_ms IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM epochs e WHERE e.recorded_through > e.settled_through"
            "  AND (e.epoch << 31) + e.settled_through < s.covers)"
            " AND NOT EXISTS (SELECT 1 FROM statements o WHERE o.settled_at_ms IS NULL"
            "  AND (o.epoch, o.number) < (s.epoch, s.number)) LIMIT 1"
        ).get
        return None if found is None else PendingStatement(*found)

    def settle_statement(self, statement: PendingStatement, verdict: int, detail: str, now_ms: int) -> None:
        """See `outbox.Outbox`."""
        with database.transaction(self.connection):
            self.connection.execute(
                "UPDATE statements SET verdict = ?, detail = ?, settled_at_ms = ? WHERE epoch = ? AND number = ?",
                (verdict, detail, now_ms, statement.epoch, statement.number),
            )

    def meta(self, name: str) -> Any:
        """A value kept beside the events; None where it is not set."""
        return self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).get

    def keep_meta(self, name: str, value: bytes | str | int) -> None:
        """Keeps a value beside the events."""
        with database.transaction(self.connection):
            self.connection.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
            )

    def prune(self, before_ms: int, most: int) -> int:
        """Forgets at most `most` of the oldest events recorded before, if acknowledged and closed; how many it was."""
        with database.transaction(self.connection):
            self.connection.execute(
                "DELETE FROM events WHERE place IN (SELECT place FROM events ev WHERE recorded_at_ms < ?"
                " AND place & 2147483647 <= (SELECT settled_through FROM epochs WHERE epoch = place >> 31)"
                " AND place <= (SELECT max(covers) FROM statements)"
                " AND NOT EXISTS (SELECT 1 FROM refused WHERE ev.place BETWEEN first_place AND last_place)"
                " ORDER BY place LIMIT ?)",
                (before_ms, most),
            )
            return self.connection.changes()

    def _recorded_before(self, request_id: str) -> Recorded | None:
        found = self.connection.execute(
            "SELECT place, request_first, digest FROM events WHERE request_id = ?", (request_id,)
        ).get
        if found is None:
            return None
        place, first, digest = found
        epoch, last = position_of(place)
        return Recorded(epoch, first, last, digest or b"", repeated_request=True)

    def _complete(self, event: SalesEvent, epoch: int, seq: int, now_ms: int) -> None:
        event.DiscardUnknownFields()
        event.seq = seq
        event.sold_at_ms = event.sold_at_ms or now_ms
        if event.HasField("refers_to"):
            reference = event.refers_to
            reference.terminal_id = reference.terminal_id or self.terminal_id
            reference.epoch = reference.epoch or epoch

    def _settle(self, batch: Batch) -> None:
        for row in database.read_epochs(self.connection):
            if row.epoch == batch.epoch and row.settled_through < batch.last_seq:
                database.write_epoch(self.connection, row._replace(settled_through=batch.last_seq))

    def _count(self, name: str, more: int) -> None:
        if more:
            self.connection.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value", (name, more)
            )

    def _batch(self, row: EpochRow, sent: int, limits: BatchLimits) -> Batch | None:
        head = SalesBatch(terminal_id=self.terminal_id, outlet_id=row.outlet, epoch=row.epoch).SerializeToString()
        parts, places, digest = [head], list[int](), None
        size = len(head) + DIGEST_BYTES + _FRAME_BYTES
        until = place_of(Position(row.epoch, row.recorded_through))
        for event in database.read_events(self.connection, place_of(Position(row.epoch, sent)), until):
            part = _framed(event.event)
            size += len(part)
            if places and (len(places) == limits.max_events or size > limits.max_bytes):
                break
            places.append(event.place)
            parts.append(part)
            digest = event.digest
        if not places:
            return None
        if digest:
            parts.append(SalesBatch(digest=digest).SerializeToString())
        first, last = position_of(places[0]).seq, position_of(places[-1]).seq
        return Batch(row.epoch, first, last, len(places), b"".join(parts))


def _framed(event: bytes) -> bytes:
    """An event as a part of a serialised SalesBatch: field 4, its length, its bytes."""
    length, head = len(event), bytearray(b"\x22")
    while length > _SEVEN_BITS:
        head.append(length & _SEVEN_BITS | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + event
