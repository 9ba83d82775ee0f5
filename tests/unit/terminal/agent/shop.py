"""A terminal's folder, opened and closed as an agent does it, without network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import apsw
import structlog

from fucai.domain.chain import chain_next, chain_start, event_bytes
from fucai.runtime.signing import is_signed_by, load_or_create_key
from fucai.terminal.agent import database
from fucai.terminal.agent.folder import Folder
from fucai.terminal.agent.opening import open_outbox
from fucai.terminal.agent.outbox import BEFORE_ALL, Batch, BatchLimits, Position, Recorded
from fucai.terminal.agent.sqlite_outbox import SqliteOutbox
from fucai.terminal.agent.statements import Identity, close_day
from fucai.terminal.agent.writer import Writer
from fucai.v1.sales_pb2 import EventKind, EventReference, Finding, SalesBatch, SalesEvent
from fucai.v1.statement_pb2 import DayClose, SignedStatement, Statement

ZONE = ZoneInfo("Asia/Shanghai")
NOON_MS = 1_780_027_200_000  # 2026-05-29 12:00 in Shanghai
DAY_MS = 86_400_000
TODAY = date(2026, 5, 29)
T = TypeVar("T")
TERMINAL, OUTLET = "T-1", "GZ-0001"


@dataclass(slots=True)
class Shop:
    """An open outbox: changes go through `writer`, reads through `outbox`."""

    folder: Folder
    who: Identity
    writer: Writer
    outbox: SqliteOutbox

    def make(self, change: Callable[[SqliteOutbox], T]) -> T:
        """Makes a change, and returns when it is durable."""
        return self.writer.submit(change).result()

    def record(self, events: Sequence[SalesEvent], request_id: str = "", now_ms: int = NOON_MS) -> Recorded:
        """Records events."""
        return self.make(lambda outbox: outbox.append(events, request_id, now_ms))

    def acknowledge(self, batch: Batch, findings: Sequence[Finding] = ()) -> None:
        """The collector has the batch."""
        self.make(lambda outbox: outbox.acknowledge(batch, findings, NOON_MS))

    def close(self, day: date = TODAY) -> DayClose:
        """Closes a day."""
        return self.make(lambda outbox: close_day(outbox.connection, self.who, day, NOON_MS))


@contextmanager
def opened(path: Path, *, vfs: str = "", now_ms: int = NOON_MS, outlet: str = OUTLET) -> Iterator[Shop]:
    """Opens the folder; closes it again as well as the disk lets it."""
    folder = Folder(path)
    folder.create()
    who = Identity(TERMINAL, outlet, load_or_create_key(folder.key), ZONE, "test")
    with folder.locked():
        connection = open_outbox(folder, who, now_ms, structlog.get_logger(), vfs=vfs)
        reader = database.open_database(folder.outbox, vfs)
        writer = Writer(SqliteOutbox(connection, TERMINAL, ZONE))
        try:
            yield Shop(folder, who, writer, SqliteOutbox(reader, TERMINAL, ZONE))
        finally:
            writer.close()
            for one in (reader, connection):
                _close(one)


def _close(connection: apsw.Connection) -> None:
    try:
        connection.close()
    except apsw.Error:
        connection.close(True)  # noqa: FBT003 (apsw's way to say: whatever the disk says)


def sale(number: int = 1, sold_at_ms: int = NOON_MS) -> SalesEvent:
    """A sale of its own."""
    return SalesEvent(
        kind=EventKind.EVENT_KIND_SALE,
        game="ssq",
        draw_no="2026058",
        amount_fen=200 * number,
        bets=number,
        ticket_serial=f"{TERMINAL}-{number}",
        sold_at_ms=sold_at_ms,
    )


def void(seq: int) -> SalesEvent:
    """The sale of that number is taken back."""
    event = sale()
    event.kind = EventKind.EVENT_KIND_VOID
    event.refers_to.CopyFrom(EventReference(seq=seq))
    return event


def batches(outbox: SqliteOutbox, limits: BatchLimits | None = None) -> Iterator[tuple[Batch, SalesBatch]]:
    """All that waits, as it would be sent."""
    after: Position = BEFORE_ALL
    while (batch := outbox.unsent(after, limits or BatchLimits())) is not None:
        yield batch, SalesBatch.FromString(batch.message)
        after = batch.last


def waiting(outbox: SqliteOutbox) -> dict[tuple[int, int], SalesEvent]:
    """Every event that waits, by epoch and number."""
    return {(batch.epoch, event.seq): event for _, batch in batches(outbox) for event in batch.events}


def stated(outbox: SqliteOutbox) -> list[Statement]:
    """Every statement, in order; each is signed."""
    found = []
    for (message,) in outbox.connection.execute("SELECT message FROM statements ORDER BY epoch, number"):
        signed = SignedStatement.FromString(message)
        assert is_signed_by(signed)
        found.append(Statement.FromString(signed.content))
    return found


def digest_of(epoch: int, events: list[SalesEvent]) -> bytes:
    """The chain over events, by the formula of the contract."""
    digest = chain_start(TERMINAL, epoch)
    for event in events:
        digest = chain_next(digest, event_bytes(event))
    return digest
