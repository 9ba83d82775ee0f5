"""The load of a case: several terminals that record all the time while something is done to the channel."""

from __future__ import annotations

import asyncio
import concurrent.futures
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.faults.light import LightTerminal
from tests.support.waiting import eventually

PACE_S = 0.03
DRAIN_SECONDS = 60.0


class Load:
    """Terminals at work on an event loop that runs in another thread."""

    def __init__(self, terminals: Sequence[LightTerminal], most_events: int, loop: asyncio.AbstractEventLoop) -> None:
        """Begin at once; each terminal records at most `most_events`."""
        self.terminals = list(terminals)
        self._most = most_events
        self._ending = False
        self._work = asyncio.run_coroutine_threadsafe(self._run(), loop)

    @property
    def recorded(self) -> int:
        """Events recorded so far."""
        return sum(len(terminal.events) for terminal in self.terminals)

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
            message = f"not receipted within {DRAIN_SECONDS:.0f} s: {', '.join(behind)}"
            raise AssertionError(message) from error

    def abandon(self) -> None:
        """Stop everything, if it has not ended."""
        self._work.cancel()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for terminal in self.terminals:
                group.create_task(terminal.run())
            choose = random.Random(len(self.terminals))
            while not self._ending:
                for terminal in self.terminals:
                    if len(terminal.events) < self._most:
                        terminal.record(choose.randint(0, 2))
                await asyncio.sleep(PACE_S)
            for terminal in self.terminals:
                terminal.record(5)
                terminal.close()


@contextmanager
def running_load(
    terminals: Sequence[LightTerminal], loop: asyncio.AbstractEventLoop, most_events: int = 800
) -> Iterator[Load]:
    """Run the load while the block runs; the block calls `finish`, or else the load is abandoned."""
    load = Load(terminals, most_events, loop)
    try:
        yield load
    finally:
        load.abandon()
