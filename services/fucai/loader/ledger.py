"""Which sequence numbers are stored or quarantined, for the partitions of one worker. Asks no store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from fucai.adapters.sequence_store import Place, StoredSequences
from fucai.domain.sequences import SequenceSet

MAX_RANGES = 10_000
"""Ranges of numbers of one terminal and epoch, stored or quarantined, that are kept in mind."""


class Known:
    """What is known of one terminal and epoch."""

    __slots__ = ("quarantined", "stored")

    def __init__(self) -> None:
        """Start with nothing known."""
        self.stored = SequenceSet()
        self.quarantined = SequenceSet()


@dataclass(slots=True)
class Ledger:
    """The memory of one worker between two restores; it takes no more than `max_ranges` for a terminal and epoch.

    The rest is of records that an unfinished flush had stored, in part or whole, and that are read again: `replayed`
    has the numbers that stand in sales from that very record, which are neither new nor duplicates; `rejected` are
    records of the quarantine topic of which events stand in quarantine; `condemned` are those that stand there whole.
    """

    terminals: dict[tuple[bytes, int], Known] = field(default_factory=lambda: defaultdict(Known))
    replayed: dict[Place, SequenceSet] = field(default_factory=dict)
    rejected: set[Place] = field(default_factory=set)
    condemned: set[Place] = field(default_factory=set)
    max_ranges: int = MAX_RANGES

    @classmethod
    def of_store(cls, found: StoredSequences, max_ranges: int = MAX_RANGES) -> Ledger:
        """Return what the store remembers."""
        ledger = cls(rejected=found.rejected, condemned=found.condemned, max_ranges=max_ranges)
        for (terminal, epoch), ranges in found.stored.items():
            ledger.of(terminal, epoch).stored = SequenceSet(sorted(ranges))
        for (terminal, epoch), ranges in found.quarantined.items():
            ledger.of(terminal, epoch).quarantined = SequenceSet(sorted(ranges))
        ledger.replayed.update({place: SequenceSet(ranges) for place, ranges in found.replayed.items()})
        return ledger

    def of(self, terminal: bytes, epoch: int) -> Known:
        """Return what is known of a terminal and epoch; changing it changes the ledger."""
        return self.terminals[terminal, epoch]

    @property
    def gap_count(self) -> int:
        """How many ranges of numbers are in neither set, below the highest known of each terminal and epoch."""
        return sum(_gaps(known) for known in self.terminals.values())


def _gaps(known: Known) -> int:
    """Count the ranges that are neither stored nor quarantined."""
    if not len(known.quarantined):
        return known.stored.gap_count
    both = SequenceSet(known.stored.ranges())
    for first, last in known.quarantined.ranges():
        both.add(first, last)
    return both.gap_count
