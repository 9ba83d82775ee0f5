"""Opens the outbox of a folder: as it is, new, or after damage with what could be read from the old one."""

from __future__ import annotations

import os
import secrets
from contextlib import closing

import apsw
from structlog.typing import FilteringBoundLogger

from fucai.domain.calendar import business_day
from fucai.runtime.errors import FatalError
from fucai.runtime.failpoints import failpoint
from fucai.terminal.agent import database
from fucai.terminal.agent.check import open_sound
from fucai.terminal.agent.database import OutboxDamagedError
from fucai.terminal.agent.folder import Folder
from fucai.terminal.agent.salvage import Salvaged, install, salvage
from fucai.terminal.agent.statements import Identity, close_day, open_epoch, report_damage
from fucai.terminal.agent.totals import read_lines
from fucai.v1.statement_pb2 import EpochOpened, OpeningReason, OutboxDamage

_AGENT_ID_BYTES = 8


def open_outbox(
    folder: Folder, who: Identity, now_ms: int, log: FilteringBoundLogger, *, vfs: str = ""
) -> apsw.Connection:
    """The outbox of a folder that is locked, checked from end to end, or a new one under a new epoch.

    An interrupted start is gone on with by the next one.

    Raises:
        FatalError: 65 it belongs to another terminal, or was written by a newer version.
    """
    folder.clear_draft()
    folder.finish_setting_aside()
    detail = ""
    if folder.outbox.exists():
        try:
            connection = open_sound(folder.outbox, who.zone, vfs)
        except OutboxDamagedError as error:
            detail = str(error)
            moved = folder.set_aside(folder.known_epoch())
            log.warning("the outbox is damaged; set it aside", reason=detail, moved_to=str(moved))
        else:
            _check_owner(connection, folder, who)
            _follow_outlet(connection, who, now_ms)
            folder.know_epoch(database.read_epochs(connection)[-1].epoch)
            folder.mark_salvaged()
            return connection
    epoch = _create(folder, who, now_ms, detail, vfs)
    folder.know_epoch(epoch)
    folder.mark_salvaged()
    return open_sound(folder.outbox, who.zone, vfs)


def _create(folder: Folder, who: Identity, now_ms: int, detail: str, vfs: str) -> int:
    """Builds the new outbox beside the old one's place, and puts it there when it is complete; returns its epoch."""
    damaged = folder.unsalvaged()
    found = salvage(damaged[-1], who.terminal_id, who.outlet_id) if damaged else Salvaged()
    failpoint("agent.in-salvage")
    before = max(found.epoch, folder.known_epoch())
    epoch = max(now_ms // 1000, before + 1)
    with closing(database.open_database(folder.draft, vfs)) as connection, database.transaction(connection):
        database.create_tables(connection)
        install(connection, found)
        for name, value in (("terminal", who.terminal_id), ("agent", secrets.token_hex(_AGENT_ID_BYTES))):
            connection.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
        opened = EpochOpened(
            reason=_reason(is_damaged=bool(damaged), is_first=not before),
            previous_epoch=before,
            previous_last_seq=found.last_seq if found.epoch == before else 0,
        )
        open_epoch(connection, who, epoch, opened, now_ms)
        if damaged:
            damage = OutboxDamage(
                damaged_epoch=before,
                salvaged_events=found.waiting,
                first_lost_seq=found.first_lost_seq,
                last_known_seq=found.last_seq,
                detail=f"{detail or 'found set aside at the start'}; kept in {damaged[-1].name}",
            )
            report_damage(connection, who, epoch, damage, now_ms)
    folder.install_draft()
    return epoch


def _reason(*, is_damaged: bool, is_first: bool) -> OpeningReason.ValueType:
    if is_damaged:
        return OpeningReason.OPENING_REASON_DAMAGE
    return OpeningReason.OPENING_REASON_FIRST_START if is_first else OpeningReason.OPENING_REASON_REPLACED


def _check_owner(connection: apsw.Connection, folder: Folder, who: Identity) -> None:
    version = connection.pragma("user_version")
    if version != database.FORMAT:
        raise FatalError(
            f"{folder.outbox} has format {version}, this agent knows {database.FORMAT}; install a fitting version",
            exit_code=os.EX_DATAERR,
        )
    owner = connection.execute("SELECT value FROM meta WHERE name = 'terminal'").get
    if owner != who.terminal_id:
        raise FatalError(
            f"{folder.path} is the outbox of terminal {owner!r}, not of {who.terminal_id!r}; "
            "give the right --terminal, or another --dir: each terminal has a folder of its own",
            exit_code=os.EX_DATAERR,
        )


def _follow_outlet(connection: apsw.Connection, who: Identity, now_ms: int) -> None:
    """A terminal that moved to another outlet begins a new epoch; what the old one holds is sent as it was."""
    present = database.read_epochs(connection)[-1]
    if present.outlet == who.outlet_id:
        return
    epoch = max(now_ms // 1000, present.epoch + 1)
    with database.transaction(connection):
        if read_lines(connection):
            old = Identity(who.terminal_id, present.outlet, who.key, who.zone, who.version)
            close_day(connection, old, business_day(now_ms, who.zone), now_ms)
        opened = EpochOpened(
            reason=OpeningReason.OPENING_REASON_REPLACED,
            previous_epoch=present.epoch,
            previous_last_seq=present.recorded_through,
        )
        open_epoch(connection, who, epoch, opened, now_ms)
