"""Runs cases of the matrix on one channel: load, fault, healing, invariants. Each case has an epoch of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.channel import TERMINALS, Channel
from tests.faults.invariants import Counts, Recorded, check
from tests.faults.light import LightTerminal
from tests.faults.load import Load, running_load
from tests.faults.scripts import Scene, play
from tests.faults.table import Case

SENDERS = 4
FIRST_EPOCH = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case that held did to the channel."""

    events: int
    quarantined: int
    duplicates: int
    injected: int
    restarts: int
    repeats: int
    seconds: float


class Runner:
    """Runs one case after the other and remembers everything that was ever recorded."""

    def __init__(self, channel: Channel) -> None:
        """Take a channel that works and whose store is empty."""
        self._channel = channel
        self._epoch = FIRST_EPOCH
        self._everything: list[Recorded] = []

    def run(self, case: Case, seed: int = 1) -> Outcome:
        """Run a case and return what happened.

        Raises:
            AssertionError: an invariant is broken, or the channel does not come back.
        """
        choose = random.Random(f"{seed} {case.name}")
        scene: list[Scene] = []

        def fault(load: Load) -> None:
            scene.append(Scene(self._channel, case, load, choose))
            play(scene[0])

        counts, load, restarts, seconds = self.under_load(fault, choose)
        return Outcome(
            events=load.recorded,
            quarantined=counts.quarantined,
            duplicates=counts.duplicates,
            injected=scene[0].injected,
            restarts=restarts,
            repeats=sum(terminal.repeats for terminal in load.terminals),
            seconds=seconds,
        )

    def under_load(self, fault: Callable[[Load], None], choose: random.Random) -> tuple[Counts, Load, int, float]:
        """Let `fault` do what it likes under load, heal, wait for the end, and check; counts, load, restarts, seconds.

        Raises:
            AssertionError: as `run`.
        """
        channel = self._channel
        started, restarts = time.monotonic(), channel.restarts
        self._epoch += 1
        terminals = [
            LightTerminal(
                name, f"O-{name}", self._epoch, channel.collector_address, random.Random(choose.getrandbits(32))
            )
            for name in TERMINALS[:SENDERS]
        ]
        try:
            with running_load(terminals, channel.loop) as load:
                fault(load)
                channel.mend()
                load.finish()
        finally:
            mine = [Recorded(t.terminal_id, t.outlet_id, t.epoch, event) for t in terminals for event in t.events]
            self._everything += mine
            channel.mend()
        channel.await_everything_loaded()
        with channel.client() as client:
            counts = check(client, mine, self._everything)
        return counts, load, channel.restarts - restarts, time.monotonic() - started
