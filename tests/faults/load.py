"""The load of a case: light terminals and a till that record all the time while something is done to the channel."""

from __future__ import annotations

import asyncio
import concurrent.futures
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.faults.light import LightTerminal
from tests.faults.till import Till
from tests.support.waiting import eventually

PACE_S = 0.03
DRAIN_SECONDS = 60.0
MOST_EVENTS = 800
"""What a light terminal records in a case: about 25 seconds of work."""


class Load:
    """Terminals at work on an event loop that runs in another thread."""

    def __init__(
        self, terminals: Sequence[LightTerminal], till: Till, most_events: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Begin at once; each light terminal records at most `most_events`."""
        self.terminals, self.till = list(terminals), till
        self._tilled = len(till.events)
        self._most = most_events
        self._ending = self._agent_done = False
        self._work = asyncio.run_coroutine_threadsafe(self._run(), loop)

    @property
    def recorded(self) -> int:
        """Events recorded so far."""
        return sum(len(terminal.events) for terminal in self.terminals) + len(self.till.events) - self._tilled

    @property
    def receipted(self) -> int:
        """Events receipted so far."""
        return sum(terminal.receipted for terminal in self.terminals)

    def await_receipts(self, more: int, seconds: float = 30.0) -> None:
        """Return once so many more events are receipted than now."""
        wanted = min(self.receipted + more, self._most * len(self.terminals))
        eventually(lambda: self.receipted >= wanted or self._work.done(), seconds, what=f"{more} more receipts")

    def await_records(self, more: int, seconds: float = 30.0) -> None:
        """Return once so many more events are recorded than now, sent or not."""
        wanted = min(self.recorded + more, self._most * len(self.terminals))
        eventually(lambda: self.recorded >= wanted or self._work.done(), seconds, what=f"{more} more events")

    def finish(self) -> None:
        """Record nothing more and return once everything is receipted.

        Raises:
            AssertionError: that takes too long, or a receipt said something wrong.
        """
        self._ending = True
        try:
            self._work.result(DRAIN_SECONDS)
        except concurrent.futures.TimeoutError as error:
            behind = [f"{t.terminal_id} {t.receipted}/{len(t.events)}" for t in self.terminals]
            behind.append(f"the agent of {self.till.terminal_id} has sent all: {self._agent_done}")
            message = f"not receipted within {DRAIN_SECONDS:.0f} s: {', '.join(behind)}"
            raise AssertionError(message) from error
        except ExceptionGroup as group:
            raise AssertionError(str(group.exceptions[0])) from group

    def abandon(self) -> None:
        """Stop everything, if it has not ended."""
        self._work.cancel()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for terminal in self.terminals:
                group.create_task(terminal.run())
            group.create_task(self._run_till())
            choose = random.Random(len(self.terminals))
            while not self._ending:
                for terminal in self.terminals:
                    if len(terminal.events) < self._most:
                        terminal.record(choose.randint(0, 2))
                await asyncio.sleep(PACE_S)
            for terminal in self.terminals:
                terminal.record(5)
                terminal.close()

    async def _run_till(self) -> None:
        choose = random.Random(len(self.till.events))
        while not self._ending:
            await self.till.record(choose)
            await asyncio.sleep(2 * PACE_S)
        await self.till.record(choose)
        await self.till.close_day()
        self._agent_done = True


@contextmanager
def running_load(
    terminals: Sequence[LightTerminal], till: Till, loop: asyncio.AbstractEventLoop, most_events: int = MOST_EVENTS
) -> Iterator[Load]:
    """Run the load while the block runs; the block calls `finish`, or else the load is abandoned."""
    load = Load(terminals, till, most_events, loop)
    try:
        yield load
    finally:
        load.abandon()
