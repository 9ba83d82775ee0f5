"""The fault matrix: which fault, where, and when. Does nothing; `scripts.py` knows how each is brought about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What goes wrong."""

    KILL = "kill -9"
    PAUSE = "SIGSTOP, then SIGCONT"
    ZOMBIE = "SIGSTOP beyond the session, another loader takes over, SIGCONT"
    USURPED = "SIGSTOP, a loader of the same name is started, SIGCONT"
    RESTART = "graceful restart"
    CUT = "connection cut"
    REFUSE = "connections refused"
    HALF_OPEN_UP = "half-open: requests are swallowed"
    HALF_OPEN_DOWN = "half-open: answers are swallowed"
    DARK_KILL = "half-open, then kill -9 of the sender"
    LATE = "request held back until its sender is dead and replaced"
    DELAY = "delay of 200 ms a packet"
    SLOW_READER = "slow reader, 4 KiB/s"
    CORRUPT_UP = "a byte of a request flipped"
    CORRUPT_DOWN = "a byte of an answer flipped"
    DISK_FULL = "disk full"
    JOIN_AND_LEAVE = "a second loader joins and leaves"
    MANY_KILLS = "kill -9, eight times at random"


class Place(Enum):
    """Where."""

    TILL_AGENT = "till to agent"
    AGENT = "agent"
    TERMINAL_COLLECTOR = "terminal to collector"
    COLLECTOR = "collector"
    COLLECTOR_KAFKA = "collector to Kafka"
    COLLECTOR_REGISTRY = "collector to registry"
    KAFKA = "Kafka"
    LOADER_KAFKA = "loader to Kafka"
    LOADER = "loader"
    LOADER_ENGINE = "loader to ClickHouse"
    ENGINE = "ClickHouse"
    REGISTRY = "registry"
    AUDITOR = "auditor"


UNDER_LOAD = "under load"
ELSEWHERE = (
    ("power loss", "agent's outbox", "at any write or sync", "tests/unit/terminal/agent/test_power_loss.py"),
    ("clock step", "agent, collector, loader", "at any step", "tests/simulation"),
    ("two agents of one identity", "terminal to collector", "while one sends", "tests/unit/collector/test_leases.py"),
)
"""Faults that need a disk or a clock of our own: fault, place, moment, and the tests that bring them about."""

MOMENTS = {
    "agent.before-commit": "before the outbox's commit",
    "agent.after-commit": "after the outbox's commit, before the till's answer",
    "agent.after-send": "after a batch was sent, before its receipt",
    "agent.after-receipt": "after a receipt, before it is noted",
    "loader.before-gate": "before its gates are made",
    "loader.after-gate": "between making its gates and proving membership",
    "loader.before-fence": "between proving membership and dropping gates",
    "loader.between-drops": "between dropping two gates",
    "loader.before-restore": "between dropping gates and restoring",
    "loader.after-restore": "after restoring",
    "loader.before-insert": "before an insert",
    "loader.after-insert": "after an insert, before its commit is due",
    "loader.before-commit": "before a commit",
    "loader.after-commit": "after a commit",
    "collector.before-send": "before a batch is handed to Kafka",
    "collector.before-receipt": "after Kafka's answer, before the receipt",
}
"""Failpoints, in words. A moment may name the pass: `loader.after-insert@3` is the third."""


@dataclass(frozen=True, slots=True)
class Case:
    """One combination. `moment` is a failpoint with the number of its pass, or UNDER_LOAD; fast ones run every time."""

    fault: Fault
    place: Place
    moment: str = UNDER_LOAD
    fast: bool = False

    @property
    def name(self) -> str:
        """A short name, for test ids."""
        return f"{self.fault.name}-{self.place.name}-{self.moment}".lower().replace("_", "-").replace(" ", "-")

    @property
    def failpoint(self) -> str:
        """The failpoint's name, empty for none."""
        return self.moment.partition("@")[0] if self.moment != UNDER_LOAD else ""

    @property
    def when(self) -> str:
        """The moment in words."""
        if not self.failpoint:
            return self.moment
        nth = self.moment.partition("@")[2]
        return MOMENTS[self.failpoint] + (f", pass {nth}" if nth else "")


def _loader_cases() -> list[Case]:
    """The loader at each of its steps: killed, replaced by one of its name, replaced by another of its group."""
    kills = [
        Case(Fault.KILL, Place.LOADER, "loader.before-gate"),
        Case(Fault.KILL, Place.LOADER, "loader.after-gate"),
        Case(Fault.KILL, Place.LOADER, "loader.before-fence"),
        Case(Fault.KILL, Place.LOADER, "loader.between-drops"),
        Case(Fault.KILL, Place.LOADER, "loader.before-restore"),
        Case(Fault.KILL, Place.LOADER, "loader.after-restore"),
        Case(Fault.KILL, Place.LOADER, "loader.before-insert@3"),
        Case(Fault.KILL, Place.LOADER, "loader.after-insert@3", fast=True),
        Case(Fault.KILL, Place.LOADER, "loader.before-commit@3"),
        Case(Fault.KILL, Place.LOADER, "loader.after-commit@3"),
    ]
    steps = ["after-gate", "before-fence", "between-drops", "before-restore", "after-restore"]
    steps += ["before-insert@3", "after-insert@3", "before-commit@3"]
    usurped = [Case(Fault.USURPED, Place.LOADER, f"loader.{step}", fast=step == "before-insert@3") for step in steps]
    zombies = [Case(Fault.ZOMBIE, Place.LOADER, f"loader.{step}") for step in steps]
    return kills + usurped + zombies


CASES: tuple[Case, ...] = (
    Case(Fault.CUT, Place.TILL_AGENT, fast=True),
    Case(Fault.HALF_OPEN_UP, Place.TILL_AGENT),
    Case(Fault.HALF_OPEN_DOWN, Place.TILL_AGENT),
    Case(Fault.DELAY, Place.TILL_AGENT),
    Case(Fault.CORRUPT_UP, Place.TILL_AGENT),
    Case(Fault.KILL, Place.AGENT),
    Case(Fault.KILL, Place.AGENT, "agent.before-commit@3"),
    Case(Fault.KILL, Place.AGENT, "agent.after-commit@3"),
    Case(Fault.KILL, Place.AGENT, "agent.after-send@3"),
    Case(Fault.KILL, Place.AGENT, "agent.after-receipt@3"),
    Case(Fault.MANY_KILLS, Place.AGENT),
    Case(Fault.PAUSE, Place.AGENT),
    Case(Fault.RESTART, Place.AGENT),
    Case(Fault.DISK_FULL, Place.AGENT),
    Case(Fault.CUT, Place.TERMINAL_COLLECTOR, fast=True),
    Case(Fault.REFUSE, Place.TERMINAL_COLLECTOR),
    Case(Fault.HALF_OPEN_UP, Place.TERMINAL_COLLECTOR),
    Case(Fault.HALF_OPEN_DOWN, Place.TERMINAL_COLLECTOR, fast=True),
    Case(Fault.DELAY, Place.TERMINAL_COLLECTOR),
    Case(Fault.SLOW_READER, Place.TERMINAL_COLLECTOR),
    Case(Fault.CORRUPT_UP, Place.TERMINAL_COLLECTOR, fast=True),
    Case(Fault.CORRUPT_DOWN, Place.TERMINAL_COLLECTOR),
    Case(Fault.KILL, Place.COLLECTOR),
    Case(Fault.KILL, Place.COLLECTOR, "collector.before-send@3"),
    Case(Fault.KILL, Place.COLLECTOR, "collector.before-receipt@3", fast=True),
    Case(Fault.PAUSE, Place.COLLECTOR),
    Case(Fault.RESTART, Place.COLLECTOR),
    Case(Fault.CUT, Place.COLLECTOR_KAFKA, fast=True),
    Case(Fault.REFUSE, Place.COLLECTOR_KAFKA),
    Case(Fault.HALF_OPEN_UP, Place.COLLECTOR_KAFKA),
    Case(Fault.HALF_OPEN_DOWN, Place.COLLECTOR_KAFKA, fast=True),
    Case(Fault.DARK_KILL, Place.COLLECTOR_KAFKA),
    Case(Fault.DARK_KILL, Place.TERMINAL_COLLECTOR),
    Case(Fault.DARK_KILL, Place.LOADER_ENGINE),
    Case(Fault.DELAY, Place.COLLECTOR_KAFKA),
    Case(Fault.SLOW_READER, Place.COLLECTOR_KAFKA),
    Case(Fault.CORRUPT_UP, Place.COLLECTOR_KAFKA),
    Case(Fault.CORRUPT_DOWN, Place.COLLECTOR_KAFKA),
    Case(Fault.REFUSE, Place.COLLECTOR_REGISTRY),
    Case(Fault.HALF_OPEN_DOWN, Place.COLLECTOR_REGISTRY),
    Case(Fault.KILL, Place.REGISTRY),
    Case(Fault.KILL, Place.KAFKA),
    Case(Fault.PAUSE, Place.KAFKA),
    Case(Fault.RESTART, Place.KAFKA),
    Case(Fault.DISK_FULL, Place.KAFKA),
    Case(Fault.CUT, Place.LOADER_KAFKA),
    Case(Fault.REFUSE, Place.LOADER_KAFKA),
    Case(Fault.HALF_OPEN_UP, Place.LOADER_KAFKA),
    Case(Fault.HALF_OPEN_DOWN, Place.LOADER_KAFKA),
    Case(Fault.DELAY, Place.LOADER_KAFKA),
    Case(Fault.CORRUPT_UP, Place.LOADER_KAFKA),
    Case(Fault.CORRUPT_DOWN, Place.LOADER_KAFKA),
    *_loader_cases(),
    Case(Fault.KILL, Place.LOADER),
    Case(Fault.PAUSE, Place.LOADER),
    Case(Fault.ZOMBIE, Place.LOADER),
    Case(Fault.USURPED, Place.LOADER),
    Case(Fault.RESTART, Place.LOADER),
    Case(Fault.MANY_KILLS, Place.LOADER),
    Case(Fault.JOIN_AND_LEAVE, Place.LOADER),
    Case(Fault.CUT, Place.LOADER_ENGINE, fast=True),
    Case(Fault.REFUSE, Place.LOADER_ENGINE),
    Case(Fault.LATE, Place.LOADER_ENGINE, fast=True),
    Case(Fault.HALF_OPEN_UP, Place.LOADER_ENGINE),
    Case(Fault.HALF_OPEN_DOWN, Place.LOADER_ENGINE),
    Case(Fault.DELAY, Place.LOADER_ENGINE),
    Case(Fault.SLOW_READER, Place.LOADER_ENGINE),
    Case(Fault.CORRUPT_UP, Place.LOADER_ENGINE),
    Case(Fault.CORRUPT_DOWN, Place.LOADER_ENGINE),
    Case(Fault.KILL, Place.AUDITOR),
    Case(Fault.PAUSE, Place.AUDITOR),
    Case(Fault.RESTART, Place.AUDITOR),
    Case(Fault.KILL, Place.ENGINE, fast=True),
    Case(Fault.MANY_KILLS, Place.ENGINE),
    Case(Fault.PAUSE, Place.ENGINE),
    Case(Fault.RESTART, Place.ENGINE),
    Case(Fault.DISK_FULL, Place.ENGINE),
)
"""The matrix. docs/faults.md is made from it."""
