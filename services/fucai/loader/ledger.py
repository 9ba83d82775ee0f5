"""Which sequence numbers are stored or quarantined, for the partitions of one worker. Asks no store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from fucai.domain.sequences import SequenceSet


class Known:
    """What is known of one terminal and epoch."""

    __slots__ = ("quarantined", "stored")

    def __init__(self) -> None:
        """Start with nothing known."""
        self.stored = SequenceSet()
        self.quarantined = SequenceSet()


@dataclass(slots=True)
class Ledger:
    """The memory of one worker between two restores.

    `replayed` holds (topic, partition, offset) of records that an unfinished flush had stored in part or whole: read
    again they are neither new nor duplicates.
    """

    terminals: dict[tuple[bytes, int], Known] = field(default_factory=lambda: defaultdict(Known))
    replayed: set[tuple[int, int, int]] = field(default_factory=set)

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
