"""One agent, whole: its outbox, the way to the collector, closes and housekeeping. Serves no RPC; see `service`."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import apsw
from structlog.typing import FilteringBoundLogger

from fucai.domain.calendar import business_day
from fucai.runtime.client import connect
from fucai.runtime.errors import FatalError
from fucai.runtime.signing import KeyFileError, load_or_create_key
from fucai.runtime.telemetry import version
from fucai.terminal.agent import database, statements
from fucai.terminal.agent.database import OutboxDamagedError
from fucai.terminal.agent.folder import Folder
from fucai.terminal.agent.link import Link
from fucai.terminal.agent.machine import Policy, SendingMachine
from fucai.terminal.agent.opening import open_outbox
from fucai.terminal.agent.outbox import OutboxFullError, Recorded
from fucai.terminal.agent.sqlite_outbox import SqliteOutbox
from fucai.terminal.agent.statements import Identity
from fucai.terminal.agent.status import read_status
from fucai.terminal.agent.writer import OutboxBrokenError, Writer
from fucai.v1.sales_pb2 import SalesEvent
from fucai.v1.statement_pb2 import DayClose
from fucai.v1.terminal_pb2 import GetStatusResponse

_DAY_MS = 86_400_000
_CLOSER_S = 20.0
_PRUNE_S = 600.0
_PRUNE_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """What an agent is told. `close_hour` is the hour at which the day before is closed; None leaves it to the till."""

    folder: Path
    terminal_id: str
    outlet_id: str
    collector: str
    zone: ZoneInfo
    close_hour: int | None = 2
    keep_days: int = 5
    vfs: str = ""
    policy: Policy = field(default_factory=Policy)


class Agent:
    """An open outbox and what is done with it. Make it with `running`."""

    def __init__(
        self, options: AgentOptions, who: Identity, folder: Folder, writer: Writer, reader: SqliteOutbox, link: Link
    ) -> None:
        self.folder = folder
        self.link = link
        self._options = options
        self._who = who
        self._writer = writer
        self._reader = reader

    async def record(self, events: Sequence[SalesEvent], request_id: str = "") -> Recorded:
        """Records events, all or none; returns once they are on the disk. They are shaped as `till.faults_of` asks.

        Raises:
            OutboxFullError: the disk is full; nothing was recorded.
            OutboxBrokenError: the outbox failed; whether it was recorded shows when the agent has started again.
        """
        done = self._writer.submit(lambda outbox: outbox.append(events, request_id, _now_ms()))
        recorded = await asyncio.wrap_future(done)
        self.link.recorded()
        return recorded

    async def close_day(self, day: date) -> DayClose:
        """Closes a business day; returns once the signed close is on the disk. Raises what `record` raises."""
        done = self._writer.submit(lambda outbox: statements.close_day(outbox.connection, self._who, day, _now_ms()))
        close = await asyncio.wrap_future(done)
        self.link.recorded()
        return close

    def today(self) -> date:
        """The business day now."""
        return business_day(_now_ms(), self._who.zone)

    def status(self) -> GetStatusResponse:
        """How it does now."""
        return read_status(self._reader, self.folder, self.link.state, _now_ms())

    async def work(self) -> None:
        """Sends, closes days and tidies up, for ever.

        Raises:
            FatalError: 74 the outbox failed and has to be opened anew.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.link.run())
                tasks.create_task(self._tidy())
                tasks.create_task(self._watch_writer())
                if self._options.close_hour is not None:
                    tasks.create_task(self._close_days(self._options.close_hour))
        except BaseExceptionGroup as failures:  # not except*: it would wrap what is raised here in a group again
            broken = failures.subgroup((OutboxBrokenError, OutboxDamagedError, apsw.Error))
            if broken is None:
                raise
            raise FatalError(
                f"the outbox in {self.folder.path} failed: {_first(broken)}; start the agent again: "
                "it checks the outbox, and goes on with what can be read",
                exit_code=os.EX_IOERR,
            ) from failures

    async def _close_days(self, hour: int) -> None:
        while True:
            now = datetime.now(self._who.zone)
            if now.hour >= hour:
                for day in statements.missed_days(self._reader.connection, self._who.zone, now.date()):
                    try:
                        await self.close_day(day)
                    except OutboxFullError:
                        break
            await asyncio.sleep(_CLOSER_S)

    async def _tidy(self) -> None:
        while True:
            before_ms = _now_ms() - self._options.keep_days * _DAY_MS
            pruned = _PRUNE_AT_ONCE
            while pruned == _PRUNE_AT_ONCE:
                done = self._writer.submit(lambda outbox: outbox.prune(before_ms, _PRUNE_AT_ONCE))  # noqa: B023
                try:
                    pruned = await asyncio.wrap_future(done)
                except OutboxFullError:
                    break
            await asyncio.sleep(_PRUNE_S)

    async def _watch_writer(self) -> None:
        await asyncio.wrap_future(self._writer.failed)


@asynccontextmanager
async def running(options: AgentOptions, log: FilteringBoundLogger) -> AsyncIterator[Agent]:
    """Locks the folder and opens the outbox, as new or after damage as need be; nothing is sent before `work` runs.

    Raises:
        FatalError: 65 the outbox is another terminal's; 73 the folder cannot be made; 74 the disk fails or is full;
            75 another agent holds it; 78 the key cannot be used.
    """
    folder = Folder(options.folder)
    folder.create()
    with folder.locked():
        try:
            key = load_or_create_key(folder.key)
        except KeyFileError as error:
            raise FatalError(str(error), exit_code=os.EX_CONFIG) from error
        who = Identity(options.terminal_id, options.outlet_id, key, options.zone, version())
        connection = _open(folder, who, log, options.vfs)
        reader = SqliteOutbox(database.open_database(folder.outbox, options.vfs), options.terminal_id, options.zone)
        writer = Writer(SqliteOutbox(connection, options.terminal_id, options.zone))
        channel = connect(options.collector)
        try:
            machine = SendingMachine(reader, options.terminal_id, Random(), options.policy)
            agent_id = str(reader.meta("agent"))
            link = Link(machine, writer, channel, terminal_id=options.terminal_id, agent_id=agent_id)
            yield Agent(options, who, folder, writer, reader, link)
        finally:
            await channel.close(None)
            await asyncio.to_thread(writer.close)
            reader.connection.close()
            connection.close()


def _open(folder: Folder, who: Identity, log: FilteringBoundLogger, vfs: str) -> apsw.Connection:
    try:
        return open_outbox(folder, who, _now_ms(), log, vfs=vfs)
    except OutboxFullError as error:
        raise FatalError(f"{folder.path}: {error}", exit_code=os.EX_IOERR) from error
    except (OSError, apsw.Error) as error:
        raise FatalError(f"cannot open the outbox in {folder.path}: {error}", exit_code=os.EX_IOERR) from error


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = failures
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
