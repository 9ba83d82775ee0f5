"""Simulated tills behind real agents, in this process: outbox on disk, key, stream and day close of their own.

Registers their keys, records what the simulation sells, and closes the day when it ends. Knows nothing of markets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from fucai.runtime.signing import load_or_create_key, public_bytes
from fucai.terminal.agent.agent import Agent, AgentOptions, running
from fucai.terminal.agent.folder import Folder
from fucai.terminal.known import Known
from fucai.terminal.live import Till
from fucai.terminal.registry import RegistryClient
from fucai.v1.registry_pb2 import RegistryRecord, Terminal
from fucai.v1.sales_pb2 import Finding, SalesEvent
from fucai.v1.terminal_pb2 import GetStatusResponse

_SETTLE_S = 10.0
_LOOK_S = 0.05
_MOST_KEYS = 5


@dataclass(frozen=True, slots=True)
class RealTillOptions:
    """How many of the tills get an agent, and the folder under which each has its own."""

    count: int
    folder: Path


@dataclass(frozen=True, slots=True)
class _Staffed:
    """A till, its agent, and how the agent's outbox stood at the start."""

    till: Till
    agent: Agent
    before: GetStatusResponse


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the events since the start: accepted, quarantined, and not yet with the collector."""

    accepted: int
    quarantined: int
    waiting: int
    findings: list[tuple[str, Finding]]


class RealTills:
    """The tills with agents."""

    def __init__(self, staffed: Sequence[_Staffed]) -> None:
        self._staffed = staffed

    async def hand_over(self) -> list[SalesEvent]:
        """Records what the tills have sold; returns the events once they are durable in the outboxes."""
        recorded: list[SalesEvent] = []
        for staffed in self._staffed:
            events = staffed.till.take_events()
            if events:
                await staffed.agent.record([_unnumbered(event) for event in events])
                recorded += events
        return recorded

    async def close_day(self) -> None:
        """Closes the business day at every till, and waits a while until the collector has everything."""
        for staffed in self._staffed:
            await staffed.agent.close_day(staffed.agent.today())
        deadline = time.monotonic() + _SETTLE_S
        while any(_is_busy(staffed.agent.status()) for staffed in self._staffed):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(_LOOK_S)

    def outcome(self) -> Outcome:
        """What the collector has answered so far."""
        now = [(staffed, staffed.agent.status()) for staffed in self._staffed]
        return Outcome(
            accepted=sum(status.accepted_events - staffed.before.accepted_events for staffed, status in now),
            quarantined=sum(status.quarantined_events - staffed.before.quarantined_events for staffed, status in now),
            waiting=sum(status.waiting_events for _, status in now),
            findings=[(staffed.till.terminal_id, found) for staffed, status in now for found in status.quarantined],
        )


@asynccontextmanager
async def open_real_tills(
    tills: Sequence[Till], options: RealTillOptions, known: Known, registry: RegistryClient, collector: str
) -> AsyncIterator[RealTills]:
    """Opens an agent for each of the tills and registers its key; they send while the block runs.

    Each till goes on with the epoch and the number that its agent's outbox has.

    Raises:
        FatalError: an outbox cannot be opened, or is another terminal's; see `agent.running`.
    """
    zone = ZoneInfo(known.timezone)
    await registry.upsert(_with_keys(tills, options.folder, known), "keys of simulated terminals")
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as working:
        staffed, tasks = [], []
        for till in tills:
            folder = options.folder / till.terminal_id
            its = AgentOptions(folder, till.terminal_id, till.outlet_id, collector, zone, close_hour=None)
            agent = await stack.enter_async_context(running(its, structlog.get_logger("agent")))
            status = agent.status()
            till.go_on(status.epoch, status.recorded_through)
            staffed.append(_Staffed(till, agent, status))
            tasks.append(working.create_task(agent.work()))
        yield RealTills(staffed)
        for task in tasks:
            task.cancel()


def _with_keys(tills: Iterable[Till], root: Path, known: Known) -> list[RegistryRecord]:
    """The bindings valid now of those tills whose key the registry lacks, with it in front."""
    found = []
    for till in tills:
        folder = Folder(root / till.terminal_id)
        folder.create()
        key = public_bytes(load_or_create_key(folder.key)).hex()
        newest = known.terminals[till.terminal_id][-1]
        if key not in newest.public_key.split():
            terminal = Terminal()
            terminal.CopyFrom(newest)
            terminal.public_key = " ".join([key, *newest.public_key.split()][:_MOST_KEYS])
            found.append(RegistryRecord(terminal=terminal))
    return found


def _unnumbered(event: SalesEvent) -> SalesEvent:
    """The event as a till hands it in: the agent numbers it."""
    bare = SalesEvent()
    bare.CopyFrom(event)
    bare.seq = 0
    return bare


def _is_busy(status: GetStatusResponse) -> bool:
    return bool(status.waiting_events or status.waiting_statements)
