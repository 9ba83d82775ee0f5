"""What became of each number of a terminal and epoch: stored, waived, quarantined or missing. Knows no store."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from fucai.domain.sequences import SequenceSet
from fucai.domain.validation import MAX_SEQ


class State(enum.Enum):
    """What became of a number."""

    STORED = "stored"
    QUARANTINED = "quarantined"
    WAIVED = "waived"
    MISSING = "missing"


class Stretch(NamedTuple):
    """Numbers first..last, of which the same became."""

    state: State
    first: int
    last: int

    @property
    def numbers(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1


@dataclass(slots=True)
class Account:
    """One terminal and epoch. Of a number in several sets, stored counts before waived, waived before quarantined.

    `waived_besides` are waived numbers of quarantined events that are no sequence numbers, such as 0.
    """

    stored: SequenceSet = field(default_factory=SequenceSet)
    quarantined: SequenceSet = field(default_factory=SequenceSet)
    waived: SequenceSet = field(default_factory=SequenceSet)
    waived_besides: set[int] = field(default_factory=set)

    @property
    def highest(self) -> int:
        """The highest number that an event had, 0 where none is known. A waiver is no event."""
        return max(self.stored.highest, self.quarantined.highest)

    def waive(self, first: int, last: int) -> None:
        """Enters a waiver."""
        if 1 <= first <= last <= MAX_SEQ:
            self.waived.add(first, last)
        else:
            self.waived_besides.add(first)

    def is_waived(self, seq: int) -> bool:
        """Whether a waiver covers the number, whatever else became of it."""
        return seq in self.waived or seq in self.waived_besides

    def state_of(self, seq: int) -> State:
        """What became of one number; MISSING too where it lies above the highest known."""
        if seq in self.stored:
            return State.STORED
        if self.is_waived(seq):
            return State.WAIVED
        return State.QUARANTINED if seq in self.quarantined else State.MISSING

    def stretches(self, first: int = 1, last: int = 0) -> list[Stretch]:
        """The numbers first..last, or 1 to the highest known, as the fewest stretches, rising.

        Raises:
            ValueError: first lies below 1, or above a last that is given.
        """
        last = last or self.highest
        if not last:
            return []
        found = [Stretch(State.STORED, *span) for span in self.stored.within(first, last)]
        for hole in self.stored.missing(first, last):
            found += [Stretch(State.WAIVED, *span) for span in self.waived.within(*hole)]
            for rest in self.waived.missing(*hole):
                found += [Stretch(State.QUARANTINED, *span) for span in self.quarantined.within(*rest)]
                found += [Stretch(State.MISSING, *span) for span in self.quarantined.missing(*rest)]
        return sorted(found, key=lambda stretch: stretch.first)

    def gaps(self) -> Iterator[Stretch]:
        """The missing stretches, rising."""
        return (stretch for stretch in self.stretches() if stretch.state is State.MISSING)


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers in any order as ranges, rising, both ends included. What is no sequence number is left out."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if not 1 <= number <= MAX_SEQ:
            continue
        if found and found[-1][1] >= number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def first_above(arrivals: Iterable[tuple[int, int]], lasts: Iterable[int]) -> dict[int, int]:
    """For each of `lasts` the earliest time in `arrivals` (number, time) of a higher number; without those without one.

    A run of numbers that all lie on one side of each of `lasts` may stand in `arrivals` by its first number alone.
    """
    rising = sorted(arrivals)
    found: dict[int, int] = {}
    earliest: int | None = None
    for last in sorted(lasts, reverse=True):
        while rising and rising[-1][0] > last:
            at = rising.pop()[1]
            earliest = at if earliest is None else min(earliest, at)
        if earliest is not None:
            found[last] = earliest
    return found
