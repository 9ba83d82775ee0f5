"""What can be read from a damaged outbox: events, epochs and statements that prove themselves. Changes nothing there.

Reads the raw pages of the file and of its write-ahead log. Every row kept is one that fits its own check, and every
statement one that fits its signature, so nothing is made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
from google.protobuf.message import DecodeError

from fucai.domain.chain import chain_next, chain_start
from fucai.runtime.signing import is_signed_by
from fucai.terminal.agent import database, pages, wal
from fucai.terminal.agent.database import EpochRow, EventRow, position_of
from fucai.terminal.agent.folder import read_around_errors
from fucai.v1.statement_pb2 import SignedStatement, Statement

_STATEMENT_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was read. `events` are in order; `waiting` of them were not settled yet.

    `epoch` is the newest one of the damaged outbox, 0 where nothing tells; `last_seq` is the highest number known to
    have been recorded in it, `first_lost_seq` the lowest that could not be read, 0 where none is known.
    """

    epoch: int = 0
    last_seq: int = 0
    first_lost_seq: int = 0
    waiting: int = 0
    epochs: list[EpochRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    statements: list[tuple[Any, ...]] = field(default_factory=list)


def salvage(folder: Path, terminal_id: str, outlet_id: str) -> Salvaged:
    """Reads what is left of the outbox in `folder`. `outlet_id` stands in where its own cannot be read."""
    events: dict[int, EventRow] = {}
    epochs: dict[int, EpochRow] = {}
    statements: dict[tuple[int, int], tuple[Any, ...]] = {}
    for values in _rows(folder):
        if (event := database.event_of(values)) is not None:
            events[event.place] = event
        elif (epoch := database.epoch_of(values)) is not None:
            known = epochs.get(epoch.epoch)
            if known is None or (known.recorded_through, known.settled_through) <= epoch[2:4]:
                epochs[epoch.epoch] = epoch
        elif (found := _statement_of(values, terminal_id)) is not None:
            key = (found[0], found[1])
            if key not in statements or found[7] is not None:
                statements[key] = found
    if not events and not epochs and not statements:
        return Salvaged()
    last: dict[int, int] = {row.epoch: row.recorded_through for row in epochs.values()}
    for place in events:
        epoch_no, seq = position_of(place)
        last[epoch_no] = max(last.get(epoch_no, 0), seq)
    newest = max([*last, *(epoch_no for epoch_no, _ in statements)])
    kept = _with_digests([events[place] for place in sorted(events)], terminal_id)
    rows = [
        EpochRow(
            epoch_no,
            epochs[epoch_no].outlet if epoch_no in epochs else outlet_id,
            seq,
            epochs[epoch_no].settled_through if epoch_no in epochs else 0,
            None,
        )
        for epoch_no, seq in sorted(last.items())
    ]
    settled = {row.epoch: row.settled_through for row in rows}
    first_lost = _first_lost(events, newest, settled.get(newest, 0), last.get(newest, 0), is_known=newest in epochs)
    return Salvaged(
        epoch=newest,
        last_seq=last.get(newest, 0),
        first_lost_seq=first_lost,
        epochs=rows,
        waiting=sum(_is_waiting(row, settled) for row in kept),
        events=kept,
        statements=[statements[key] for key in sorted(statements)],
    )


def _is_waiting(row: EventRow, settled: dict[int, int]) -> bool:
    epoch, seq = position_of(row.place)
    return seq > settled[epoch]


def _rows(folder: Path) -> Iterator[pages.Values]:
    """Every row in the file, then every row in the log: what was written later comes later."""
    path = folder / "outbox.db"
    if path.exists():
        yield from pages.rows_of_file(read_around_errors(path), wal.PAGE_BYTES)
    log = path.with_name("outbox.db-wal")
    if log.exists():
        for frame in wal.frames(read_around_errors(log)):
            yield from pages.rows_of_page(frame.page)


def _statement_of(values: pages.Values, terminal_id: str) -> tuple[Any, ...] | None:
    """A row of `statements` whose message is signed and speaks of this epoch and number."""
    if len(values) != _STATEMENT_COLUMNS or not isinstance(values[4], bytes):
        return None
    try:
        signed = SignedStatement.FromString(values[4])
        statement = Statement.FromString(signed.content)
    except DecodeError:
        return None
    told = (statement.terminal_id, statement.epoch, statement.number)
    return values if told == (terminal_id, *values[:2]) and is_signed_by(signed) else None


def _with_digests(rows: list[EventRow], terminal_id: str) -> list[EventRow]:
    """The rows, each with its digest only where the chain is whole from the first row of its epoch up to it."""
    kept: list[EventRow] = []
    place, digest = -1, None
    for row in rows:
        epoch, seq = position_of(row.place)
        if position_of(place).epoch != epoch or place < 0:
            digest = chain_start(terminal_id, epoch) if seq == 1 else None
            is_whole = digest is None or row.digest == chain_next(digest, row.event)
        else:
            is_whole = digest is not None and row.place == place + 1 and row.digest == chain_next(digest, row.event)
        place, digest = row.place, row.digest if is_whole else None
        kept.append(row._replace(digest=digest))
    return kept


def _first_lost(events: dict[int, EventRow], epoch: int, settled: int, last: int, *, is_known: bool) -> int:
    """The lowest number that should be there and is not; 0 where none is known to be lost."""
    found = {position_of(place).seq for place in events if position_of(place).epoch == epoch}
    first = settled + 1 if is_known else min(found, default=last + 1)
    return next((seq for seq in range(first, last + 1) if seq not in found), 0)


def install(connection: apsw.Connection, found: Salvaged) -> None:
    """Puts what was read into a new outbox."""
    for row in found.epochs:
        database.write_epoch(connection, row)
    database.write_events(connection, found.events)
    connection.executemany("INSERT INTO statements VALUES (?, ?, ?, ?, ?, ?, ?, ?)", found.statements)
