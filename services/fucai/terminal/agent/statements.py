"""What the terminal states, signed and kept in the outbox until the collector has it: openings, closes, damage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fucai.domain.calendar import business_day
from fucai.domain.chain import chain_start, content_digest
from fucai.runtime.signing import sign_statement
from fucai.terminal.agent import database, totals
from fucai.terminal.agent.database import EpochRow, OutboxDamagedError, place_of, position_of
from fucai.terminal.agent.outbox import Position
from fucai.v1.statement_pb2 import DayClose, EpochOpened, OutboxDamage, SignedStatement, Statement

MOST_MISSED_DAYS = 62


@dataclass(frozen=True, slots=True)
class Identity:
    """Who speaks, with which key, and by which calendar."""

    terminal_id: str
    outlet_id: str
    key: Ed25519PrivateKey
    zone: ZoneInfo
    version: str


def open_epoch(connection: apsw.Connection, who: Identity, epoch: int, opened: EpochOpened, now_ms: int) -> None:
    """Begins an epoch, with the statement that says so; `opened` lacks only the version."""
    opened.agent_version = who.version
    with database.transaction(connection):
        start = chain_start(who.terminal_id, epoch)
        database.write_epoch(connection, EpochRow(epoch, who.outlet_id, 0, 0, start))
        totals.clear(connection)
        state(connection, who, Statement(epoch=epoch, opened=opened), Position(epoch, 0), now_ms)


def report_damage(connection: apsw.Connection, who: Identity, epoch: int, damage: OutboxDamage, now_ms: int) -> None:
    """States under the present epoch that an earlier outbox was damaged; sent once what was read from it is."""
    state(connection, who, Statement(epoch=epoch, damage=damage), Position(epoch, 0), now_ms)


def close_day(connection: apsw.Connection, who: Identity, day: date, now_ms: int) -> DayClose:
    """Closes a business day: all events since the close before it, whichever day they belong to."""
    with database.transaction(connection):
        present = database.read_epochs(connection)[-1]
        if present.digest is None:
            raise OutboxDamagedError(f"the chain of epoch {present.epoch} has no digest")
        covered = position_of(connection.execute("SELECT max(covers) FROM statements").get).seq
        closes = connection.execute(
            "SELECT count(*) FROM statements WHERE epoch = ? AND business_day <> ''", (present.epoch,)
        ).get
        close = DayClose(
            business_day=day.isoformat(),
            close_no=closes + 1,
            first_seq=covered + 1,
            last_seq=present.recorded_through,
            lines=totals.read_lines(connection),
            digest=present.digest,
        )
        until = Position(present.epoch, present.recorded_through)
        state(connection, who, Statement(epoch=present.epoch, close=close), until, now_ms, close.business_day)
        totals.clear(connection)
        return close


def missed_days(connection: apsw.Connection, zone: ZoneInfo, today: date) -> list[date]:
    """The days before today that have no close yet, since the last one that has, or since the epoch began."""
    epoch = database.read_epochs(connection)[-1].epoch
    last = connection.execute(
        "SELECT max(business_day) FROM statements WHERE epoch = ? AND business_day <> '' AND business_day < ?",
        (epoch, today.isoformat()),
    ).get
    first = date.fromisoformat(last) + timedelta(days=1) if last else business_day(epoch * 1000, zone)
    first = max(first, today - timedelta(days=MOST_MISSED_DAYS))
    return [first + timedelta(days=n) for n in range((today - first).days)]


def last_close(connection: apsw.Connection) -> DayClose | None:
    """The newest close of the present epoch; None before the first."""
    message = connection.execute(
        "SELECT message FROM statements WHERE business_day <> '' AND epoch = (SELECT max(epoch) FROM epochs)"
        " ORDER BY number DESC LIMIT 1"
    ).get
    return None if message is None else Statement.FromString(SignedStatement.FromString(message).content).close


def state(
    connection: apsw.Connection, who: Identity, statement: Statement, covers: Position, now_ms: int, day: str = ""
) -> None:
    """Numbers, chains, signs and keeps a statement; it is sent once the events through `covers` are settled."""
    newest = connection.execute(
        "SELECT epoch, number, message FROM statements ORDER BY epoch DESC, number DESC LIMIT 1"
    )
    before = newest.get
    number = before[1] + 1 if before is not None and before[0] == statement.epoch else 1
    statement.terminal_id, statement.outlet_id = who.terminal_id, who.outlet_id
    statement.number, statement.stated_at_ms = number, now_ms
    if before is not None:
        statement.previous = content_digest(SignedStatement.FromString(before[2]).content)
    message = sign_statement(who.key, statement).SerializeToString()
    connection.execute(
        "INSERT INTO statements VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL)",
        (statement.epoch, number, place_of(covers), day, message),
    )
