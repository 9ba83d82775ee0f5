"""Whether an outbox found at the start can be relied on. Changes nothing about one that cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import apsw

from fucai.domain.chain import chain_next
from fucai.runtime.signing import is_signed_by
from fucai.terminal.agent import database, pages, totals, wal
from fucai.terminal.agent.database import EpochRow, OutboxDamagedError, place_of, position_of
from fucai.terminal.agent.folder import read_around_errors
from fucai.terminal.agent.outbox import Position
from fucai.v1.statement_pb2 import SignedStatement

_UNREADABLE = frozenset((apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_CORRUPTFS))


def open_sound(path: Path, zone: ZoneInfo, vfs: str = "") -> apsw.Connection:
    """Opens the outbox after reading the whole of it: its log, SQLite's quick check, each row, the chain, the totals.

    Raises:
        OutboxDamagedError: something does not fit; the files are as they were.
        apsw.Error: it cannot be opened for another reason.
    """
    log_path = path.with_name(f"{path.name}-wal")
    log = read_around_errors(log_path) if log_path.exists() else b""
    if lost := wal.lost_commits(log):
        raise OutboxDamagedError(f"its write-ahead log is broken before {lost} commits that were durable")
    with ExitStack() as opened, _telling_damage():
        connection = database.open_database(path, vfs)
        opened.callback(connection.close)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        _check(connection, zone)
        if not wal.has_sound_header(log):
            _check_nothing_beyond(connection, log)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        with suppress(apsw.FullError):
            connection.pragma("wal_checkpoint", "TRUNCATE")
        opened.pop_all()
    return connection


@contextmanager
def _telling_damage() -> Iterator[None]:
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, UnicodeDecodeError, TypeError) as error:
        raise OutboxDamagedError(f"SQLite cannot read it: {error}") from error
    except apsw.IOError as error:
        if getattr(error, "extendedresult", 0) not in _UNREADABLE:
            raise
        raise OutboxDamagedError(f"the disk cannot read all of it: {error}") from error


def _check(connection: apsw.Connection, zone: ZoneInfo) -> None:
    verdict = str(connection.pragma("quick_check", 1))
    if verdict != "ok":
        raise OutboxDamagedError(f"SQLite's check says: {' '.join(verdict.split())}")
    present = database.read_epochs(connection)[-1]
    _check_chain(connection)
    _check_present(connection, present)
    closed = connection.execute("SELECT max(covers) FROM statements").get
    if closed is None:
        raise OutboxDamagedError("the statement that opened its epoch is missing")
    since = (row.event for row in database.read_events(connection, closed))
    if totals.Totals.of(since, zone).lines() != totals.read_lines(connection):
        raise OutboxDamagedError("its totals do not fit its events")
    for number, message in connection.execute("SELECT number, message FROM statements"):
        if not is_signed_by(SignedStatement.FromString(message)):
            raise OutboxDamagedError(f"statement {number} is not what was signed")


def _check_chain(connection: apsw.Connection) -> None:
    previous_place, previous_digest = -1, None
    for row in database.read_events(connection, -1):
        follows = row.place == previous_place + 1 and previous_digest and row.digest
        if follows and row.digest != chain_next(previous_digest or b"", row.event):
            where = position_of(row.place)
            raise OutboxDamagedError(f"event {where.seq} of epoch {where.epoch} does not continue the chain")
        previous_place, previous_digest = row.place, row.digest


def _check_present(connection: apsw.Connection, present: EpochRow) -> None:
    settled = place_of(Position(present.epoch, present.settled_through))
    last = place_of(Position(present.epoch, present.recorded_through))
    waiting = present.recorded_through - present.settled_through
    kept = connection.execute("SELECT count(*) FROM events WHERE place > ?", (settled,)).get
    if kept != waiting:
        raise OutboxDamagedError(f"of {waiting} events to send in epoch {present.epoch} it has {kept}")
    newest = next(database.read_events(connection, last - 1), None)
    if newest is not None and newest.digest != present.digest:
        raise OutboxDamagedError(
            f"event {present.recorded_through} is not the last that epoch {present.epoch} recorded"
        )


def _check_nothing_beyond(connection: apsw.Connection, log: bytes) -> None:
    """A log whose header is broken: either one that held nothing new, or events in it are missing now."""
    present = database.read_epochs(connection)[-1]
    last = place_of(Position(present.epoch, present.recorded_through))
    rows = (row for frame in wal.frames(log) for row in pages.rows_of_page(frame.page))
    if any(event.place > last for event in map(database.event_of, rows) if event is not None):
        raise OutboxDamagedError("its write-ahead log is broken, and holds events that are missing without it")
