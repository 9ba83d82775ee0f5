"""The outbox's file: its tables, their rows, how it is opened and changed. Knows nothing of sending.

A row of `events` is found by its place, epoch * 2^31 + seq, which is also the order of sending. Its digest is the chain
through it, NULL where what came before could not be read. Rows of `events` and `epochs` carry a check over their
content, because SQLite would hand out damaged content without a word, and so that each can be told in a damaged file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import apsw

from fucai.terminal.agent.outbox import OutboxFullError, Position

FORMAT = 1
FULL = "the disk of the outbox is full: free space on it, and record again; nothing that was recorded is lost"
MAX_SEQ = 2**31 - 1
_SEQ_BITS = 31
_BUSY_MS = 10_000
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT;
CREATE TABLE epochs (
    epoch INTEGER PRIMARY KEY,
    outlet TEXT NOT NULL,
    recorded_through INTEGER NOT NULL,
    settled_through INTEGER NOT NULL,
    digest BLOB,
    row_check INTEGER NOT NULL
) STRICT;
CREATE TABLE events (
    place INTEGER PRIMARY KEY,
    recorded_at_ms INTEGER NOT NULL,
    event BLOB NOT NULL,
    digest BLOB,
    request_id TEXT,
    request_first INTEGER,
    row_check INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX requests ON events (request_id) WHERE request_id IS NOT NULL;
CREATE TABLE totals (
    business_day TEXT, game TEXT, kind INTEGER, events INTEGER, bets INTEGER, amount_fen INTEGER,
    PRIMARY KEY (business_day, game, kind)
) STRICT;
CREATE TABLE findings (
    place INTEGER PRIMARY KEY, reason INTEGER NOT NULL, field TEXT NOT NULL, detail TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE refused (
    first_place INTEGER PRIMARY KEY, last_place INTEGER NOT NULL, events INTEGER NOT NULL, reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE statements (
    epoch INTEGER, number INTEGER, covers INTEGER NOT NULL, business_day TEXT NOT NULL, message BLOB NOT NULL,
    verdict INTEGER, detail TEXT, settled_at_ms INTEGER,
    PRIMARY KEY (epoch, number)
) STRICT;
"""


class OutboxDamagedError(Exception):
    """The outbox cannot be relied on; the message says what is wrong. It is set aside at the next start."""


class EpochRow(NamedTuple):
    """A row of `epochs`: the outlet its events happened in, how far it is recorded and settled, the digest so far."""

    epoch: int
    outlet: str
    recorded_through: int
    settled_through: int
    digest: bytes | None

    @property
    def check(self) -> int:
        """What `row_check` has to be."""
        heads = f"{self.epoch} {self.outlet} {self.recorded_through} {self.settled_through}".encode()
        return crc32(self.digest or b"", crc32(heads))


class EventRow(NamedTuple):
    """A row of `events`; the last event of a request carries its id and the first number."""

    place: int
    recorded_at_ms: int
    event: bytes
    digest: bytes | None
    request_id: str | None
    request_first: int | None

    @property
    def check(self) -> int:
        """What `row_check` has to be."""
        heads = f"{self.place} {self.recorded_at_ms} {self.request_id} {self.request_first} ".encode()
        return crc32(self.digest or b"", crc32(self.event, crc32(heads)))


def event_of(values: Sequence[Any]) -> EventRow | None:
    """The row of `events` that these values are, if they are a sound one."""
    if len(values) != len(EventRow._fields) + 1 or not isinstance(values[2], bytes):
        return None
    row = EventRow(*values[:-1])
    return row if isinstance(values[3], bytes | None) and row.check == values[-1] else None


def epoch_of(values: Sequence[Any]) -> EpochRow | None:
    """The row of `epochs` that these values are, if they are a sound one."""
    if len(values) != len(EpochRow._fields) + 1 or not isinstance(values[4], bytes | None):
        return None
    row = EpochRow(*values[:-1])
    return row if row.check == values[-1] else None


def place_of(position: Position) -> int:
    """The key of an event's row."""
    return (position.epoch << _SEQ_BITS) | position.seq


def position_of(place: int) -> Position:
    """The position that a row's key stands for."""
    return Position(place >> _SEQ_BITS, place & MAX_SEQ)


def open_database(path: Path, vfs: str = "") -> apsw.Connection:
    """Opens or creates the file; every commit is on the disk before it returns.

    Raises:
        apsw.Error: it cannot be opened.
    """
    connection = apsw.Connection(str(path), vfs=vfs or None)
    connection.set_busy_timeout(_BUSY_MS)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    return connection


def create_tables(connection: apsw.Connection) -> None:
    """Fills a new file with the outbox's tables."""
    connection.execute(_TABLES)
    connection.pragma("user_version", FORMAT)


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """One change of the file, all or nothing, on the disk when the block ends; part of the open one, if there is one.

    Raises:
        OutboxFullError: the disk is full.
    """
    if connection.in_transaction:
        yield
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except apsw.FullError as error:
        raise OutboxFullError(FULL) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def read_events(connection: apsw.Connection, after: int, until: int = 2**63 - 1) -> Iterator[EventRow]:
    """The events behind the place `after`, through `until`, in order.

    Raises:
        OutboxDamagedError: a row is not what was written.
    """
    found = connection.execute("SELECT * FROM events WHERE place > ? AND place <= ? ORDER BY place", (after, until))
    for *columns, check in found:
        row = EventRow(*columns)
        if row.check != check:
            where = position_of(row.place)
            raise OutboxDamagedError(f"event {where.seq} of epoch {where.epoch} is not what was written")
        yield row


def write_events(connection: apsw.Connection, rows: Iterable[EventRow]) -> None:
    """Adds rows."""
    connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", ((*row, row.check) for row in rows))


def read_epochs(connection: apsw.Connection) -> list[EpochRow]:
    """All epochs, the present one last.

    Raises:
        OutboxDamagedError: a row is not what was written, or there is none.
    """
    epochs = []
    for *columns, check in connection.execute("SELECT * FROM epochs ORDER BY epoch"):
        row = EpochRow(*columns)
        if row.check != check:
            raise OutboxDamagedError(f"the row of epoch {row.epoch} is not what was written")
        epochs.append(row)
    if not epochs:
        raise OutboxDamagedError("it has no epoch")
    return epochs


def write_epoch(connection: apsw.Connection, row: EpochRow) -> None:
    """Adds or replaces an epoch."""
    connection.execute("INSERT OR REPLACE INTO epochs VALUES (?, ?, ?, ?, ?, ?)", (*row, row.check))
