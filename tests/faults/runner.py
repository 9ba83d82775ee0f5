"""Runs cases of the matrix on one channel: load, fault, healing, invariants. Each case has an epoch of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tests.faults.audited import check_audit
from tests.faults.channel import AGENT_TERMINAL, LIGHT_TERMINALS, Channel
from tests.faults.invariants import ZONE, Counts, Recorded, check
from tests.faults.light import LightTerminal
from tests.faults.load import MOST_EVENTS, Load, running_load
from tests.faults.scripts import Scene, play
from tests.faults.table import Case
from tests.faults.till import Till

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

    def __init__(
        self,
        channel: Channel,
        *,
        figures: bool = True,
        first_epoch: int = FIRST_EPOCH,
        most_events: int = MOST_EVENTS,
    ) -> None:
        """Take a channel that works; its store has nothing under epochs from the first one on, nor under the agent's.

        Figures can be checked where it has nothing else at all. Each light terminal records at most `most_events`.
        """
        self._most_events = most_events
        self._figures = figures
        self._channel = channel
        self._epoch = first_epoch - 1
        self._everything: list[Recorded] = []
        self._before = Counts(0, 0, 0)
        self._first_day = datetime.now(ZONE).date()
        self._till = Till(AGENT_TERMINAL, f"O-{AGENT_TERMINAL}", channel.till_address)

    def run(self, case: Case, seed: int = 1) -> Outcome:
        """Run a case and return what happened.

        Raises:
            AssertionError: an invariant is broken, or the channel does not come back.
        """
        choose = random.Random(f"{seed} {case.name}")
        scene: list[Scene] = []
        repeats = self._till.repeats

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
            repeats=sum(terminal.repeats for terminal in load.terminals) + self._till.repeats - repeats,
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
            for name in LIGHT_TERMINALS
        ]
        try:
            with running_load(terminals, self._till, channel.loop, self._most_events) as load:
                fault(load)
                channel.mend()
                load.finish()
        finally:
            mine = [Recorded(t.terminal_id, t.outlet_id, t.epoch, event) for t in terminals for event in t.events]
            self._everything += mine
            channel.mend()
        till = self._till
        tilled = [Recorded(till.terminal_id, till.outlet_id, till.epoch, event) for event in till.events]
        channel.await_everything_loaded()
        with channel.client() as client:
            found = check(client, mine + tilled, self._everything + tilled if self._figures else None)
            if self._figures:
                check_audit(channel.bootstrap, client, self._first_day, datetime.now(ZONE).date())
        fresh, till_now, before = found[self._epoch], found[till.epoch], self._before
        self._before = till_now
        counts = Counts(
            fresh.stored + till_now.stored - before.stored,
            fresh.quarantined + till_now.quarantined - before.quarantined,
            fresh.duplicates + till_now.duplicates - before.duplicates,
        )
        return counts, load, channel.restarts - restarts, time.monotonic() - started
