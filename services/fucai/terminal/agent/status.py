"""How the agent does, in the words of GetStatusResponse. Reads the outbox and the disk, decides nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from fucai.terminal.agent import database, statements
from fucai.terminal.agent.database import place_of, position_of
from fucai.terminal.agent.folder import Folder
from fucai.terminal.agent.outbox import Position
from fucai.terminal.agent.sqlite_outbox import SqliteOutbox
from fucai.v1.collector_pb2 import StatementVerdict
from fucai.v1.sales_pb2 import Finding, QuarantineReason
from fucai.v1.terminal_pb2 import GetStatusResponse

NEEDED_BYTES = 30 * 2_000 * 1_024
"""What 30 days of a busy outlet take: 2,000 events a day of at most about 1 KiB with all that is kept beside them."""

_FINDINGS_SHOWN = 20
_LONG_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class LinkState:
    """What the link tells of itself."""

    connected: bool
    last_error: str
    alarm: str


def read_status(outbox: SqliteOutbox, folder: Folder, link: LinkState, now_ms: int) -> GetStatusResponse:
    """The status now."""
    connection = outbox.connection
    epochs = database.read_epochs(connection)
    present = epochs[-1]
    waiting, oldest_ms = 0, 0
    for row in epochs:
        span = (place_of(Position(row.epoch, row.settled_through)), place_of(Position(row.epoch, row.recorded_through)))
        count, first_ms = connection.execute(
            "SELECT count(*), coalesce(min(recorded_at_ms), 0) FROM events WHERE place > ? AND place <= ?", span
        ).get
        waiting += count
        oldest_ms = min(filter(None, (oldest_ms, first_ms)), default=0)
    refused, first_refused = connection.execute("SELECT count(*), min(first_place) FROM refused").get
    acknowledged = present.settled_through
    if first_refused is not None and position_of(first_refused).epoch == present.epoch:
        acknowledged = position_of(first_refused).seq - 1
    status = GetStatusResponse(
        terminal_id=outbox.terminal_id,
        outlet_id=present.outlet,
        epoch=present.epoch,
        recorded_through=present.recorded_through,
        acknowledged_through=acknowledged,
        waiting_events=waiting,
        oldest_waiting_ms=oldest_ms,
        connected=link.connected,
        last_error=link.last_error,
        accepted_events=outbox.meta("accepted") or 0,
        quarantined_events=outbox.meta("quarantined") or 0,
        quarantined=list(_newest_findings(outbox)),
        refused_batches=refused,
        waiting_statements=connection.execute("SELECT count(*) FROM statements WHERE settled_at_ms IS NULL").get,
        outbox_bytes=sum(path.stat().st_size for path in folder.path.glob("outbox.db*")),
        free_bytes=shutil.disk_usage(folder.path).free,
        last_close=statements.last_close(connection),
    )
    status.warnings.extend(_warnings(outbox, folder, status, link.alarm, now_ms))
    return status


def _newest_findings(outbox: SqliteOutbox) -> Iterator[Finding]:
    rows = outbox.connection.execute(
        "SELECT place, reason, field, detail FROM findings ORDER BY place DESC LIMIT ?", (_FINDINGS_SHOWN,)
    )
    for place, reason, field, detail in rows:
        yield Finding(seq=position_of(place).seq, reason=QuarantineReason.ValueType(reason), field=field, detail=detail)


def _warnings(
    outbox: SqliteOutbox, folder: Folder, status: GetStatusResponse, alarm: str, now_ms: int
) -> Iterator[str]:
    if alarm:
        yield alarm
    if status.free_bytes < NEEDED_BYTES:
        yield (
            f"the disk of {folder.path} has {status.free_bytes // 2**20} MiB free, and 30 days offline may take "
            f"{NEEDED_BYTES // 2**20} MiB: free space on it"
        )
    if status.waiting_events and now_ms - status.oldest_waiting_ms > _LONG_MS:
        hours = (now_ms - status.oldest_waiting_ms) // 3_600_000
        yield f"{status.waiting_events} events wait for the collector, the oldest for {hours} h: look at the network"
    if status.quarantined_events:
        yield f"{status.quarantined_events} events are in quarantine upstream: mend the cause named with each"
    for first, last, reason in outbox.connection.execute("SELECT first_place, last_place, reason FROM refused"):
        position = position_of(first)
        yield (
            f"the collector refused events {position.seq} to {position_of(last).seq} of epoch {position.epoch} "
            f"for good ({reason}); they are kept here"
        )
    newest = outbox.connection.execute(
        "SELECT verdict, detail FROM statements WHERE settled_at_ms IS NOT NULL"
        " ORDER BY epoch DESC, number DESC LIMIT 1"
    ).get
    if newest is not None and newest[0] != StatementVerdict.STATEMENT_VERDICT_VERIFIED:
        yield f"the last statement was not verified: {newest[1]}; `fucai terminal key` shows what to register"
    for path in folder.damaged():
        yield f"an outbox was damaged and is kept in {path}; move it away once it has been looked at"
