"""Virtual time for one history: a queue of events, processes that die, stop and wake, and the words of what happened.

One thread. A call that takes time runs the rest of the world meanwhile, within itself: so a process can stop or die in
the middle of any call, and the others go on.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any

FOREVER = 1 << 60


class CrashedError(BaseException):
    """The process that was running is dead: its stack ends here. Not an Exception: nobody may catch it by accident."""


class ViolationError(BaseException):
    """An invariant does not hold. Not an Exception: no retry may swallow it."""


@dataclass(frozen=True, slots=True)
class PointFault:
    """What happens to a process the `nth` time it comes to a point: crash, pause (for `ms`), or the call fails."""

    host: str
    point: str
    nth: int
    action: str
    ms: int = 0


class Host:
    """A process, and the next one in its place. Jobs given to it die with it, or wait while it is stopped."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.world = world
        self.random = Random(f"{world.seed}/{name}")
        self.incarnation = 0
        self.is_alive = False
        self.paused_until = 0
        self.clock_ms = 0
        """How far its wall clock is off."""
        self.on_crash: Callable[[str], None] = _nothing
        self._deferred: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        self._passed: Counter[str] = Counter()
        self._faults: dict[tuple[str, int], PointFault] = {}

    @property
    def is_paused(self) -> bool:
        """Whether it is stopped now."""
        return self.world.now < self.paused_until

    @property
    def is_running(self) -> bool:
        """Whether it takes steps now."""
        return self.is_alive and not self.is_paused

    def expect(self, fault: PointFault) -> None:
        """Lays a fault in its way."""
        self._faults[fault.point, fault.nth] = fault

    def forget_faults(self) -> None:
        """Nothing more lies in its way."""
        self._faults.clear()

    def begin(self) -> None:
        """A new process starts under this name."""
        self.incarnation += 1
        self.is_alive = True
        self.paused_until = 0
        self._deferred.clear()
        if self.incarnation > 1:
            self.world.restarts += 1

    def crash(self, how: str = "crash") -> None:
        """It dies at once, with all it had in memory."""
        if not self.is_alive:
            return
        self.world.strikes[f"{self.name.split('-')[0]} {how}"] += 1
        self.world.note(self.name, how)
        self.is_alive = False
        self._deferred.clear()
        self.on_crash(how)

    def pause(self, ms: int) -> None:
        """It is stopped for a while; what should happen in it happens when it wakes."""
        if not self.is_alive:
            return
        self.world.strikes[f"{self.name.split('-')[0]} pause"] += 1
        self.world.note(self.name, f"stopped for {ms} ms")
        self.paused_until = max(self.paused_until, self.world.now + ms)
        self.world.at(ms, self._wake, self.incarnation)

    def resume(self) -> None:
        """It goes on at once."""
        if self.is_paused:
            self.paused_until = self.world.now
            self._wake(self.incarnation)

    def at(self, delay_ms: int, job: Callable[..., None], *args: Any) -> None:
        """Runs a job in this process later, if it still lives then."""
        self.world.at(delay_ms, self._run, self.incarnation, job, args)

    def passing(self, point: str, *, is_blocking: bool = True) -> bool:
        """It comes to a point; True where the call at this point is to fail.

        Where it is stopped here, the call takes as long, unless it is not `is_blocking`.

        Raises:
            CrashedError: it died here.
        """
        count = self._passed[point] = self._passed[point] + 1
        fault = self._faults.pop((point, count), None) if self._faults else None
        if fault is None:
            return False
        self.world.note(self.name, f"at {point}")
        if fault.action == "pause":
            self.pause(fault.ms)
            if is_blocking:
                self.sleep(0)
        elif fault.action == "fail":
            self.world.strikes[f"{self.name.split('-')[0]} call fails"] += 1
            self.world.note(self.name, "the call fails")
            return True
        else:
            self.crash(fault.action)
            raise CrashedError
        return False

    def sleep(self, ms: int) -> None:
        """Lets time pass within a call of this process: the world goes on, and it may die or be stopped meanwhile.

        Raises:
            CrashedError: it died.
        """
        incarnation, world = self.incarnation, self.world
        if ms:
            world.run(world.now + ms, lambda: self.incarnation != incarnation or not self.is_alive)
        while self.is_alive and self.incarnation == incarnation and self.is_paused:
            world.run(
                self.paused_until, lambda: not self.is_paused or self.incarnation != incarnation or not self.is_alive
            )
        if not self.is_alive or self.incarnation != incarnation:
            raise CrashedError

    def _run(self, incarnation: int, job: Callable[..., None], args: tuple[Any, ...]) -> None:
        if not self.is_alive or incarnation != self.incarnation:
            return
        if self.is_paused:
            self._deferred.append((job, args))
            return
        try:
            job(*args)
        except CrashedError:
            return

    def _wake(self, incarnation: int) -> None:
        if not self.is_alive or incarnation != self.incarnation or self.is_paused:
            return
        self.world.note(self.name, "goes on")
        deferred, self._deferred = self._deferred, []
        for job, args in deferred:
            self.at(0, job, *args)


class World:
    """The clock (ms), what is to come, and what came."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.now = 0
        self.random = Random(f"{seed}/world")
        self.history: list[tuple[int, str, str]] = []
        self.strikes: Counter[str] = Counter()
        """Faults that happened, by kind."""
        self.restarts = 0
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    def note(self, who: str, what: str) -> None:
        """Enters a line into the history."""
        self.history.append((self.now, who, what))

    def at(self, delay_ms: int, job: Callable[..., None], *args: Any) -> None:
        """Runs a job later; those of one instant run in the order in which they were given."""
        self._count += 1
        heapq.heappush(self._queue, (self.now + delay_ms, self._count, job, args))

    def run(self, until_ms: int, is_over: Callable[[], bool] | None = None) -> None:
        """Runs what is due up to an instant, which then is the present; less, if `is_over` says so before."""
        queue = self._queue
        while queue and queue[0][0] <= until_ms:
            at_ms, _, job, args = heapq.heappop(queue)
            self.now = max(self.now, at_ms)
            job(*args)
            if is_over is not None and is_over():
                return
        self.now = max(self.now, until_ms)

    @property
    def digest(self) -> str:
        """A hash of the whole history."""
        return sha256(repr(self.history).encode()).hexdigest()


def _nothing(_how: str) -> None:
    """Nobody needs to know."""
