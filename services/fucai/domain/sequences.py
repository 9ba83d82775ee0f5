"""Sets of sequence numbers, kept as ranges: which events of a terminal and epoch are known. Knows no store."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class SequenceSet:
    """A set of positive integers, cheap while they form few ranges; normally one range 1..n.

    Ranges are given and returned with both ends included.
    """

    __slots__ = ("_bounds",)

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        """Start with the given ranges; they may touch and overlap."""
        self._bounds: list[int] = []
        """Starts and (excluded) ends in turn, strictly rising."""
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Put first..last into the set.

        Raises:
            ValueError: the range is empty or starts below 1.
        """
        _check(first, last)
        bounds, end = self._bounds, last + 1
        if not bounds or bounds[-1] < first:
            bounds.extend((first, end))
            return
        if bounds[-1] == first:
            bounds[-1] = end
            return
        left, right = bisect_left(bounds, first), bisect_right(bounds, end)
        middle = []
        if left % 2 == 0:
            middle.append(first)
        if right % 2 == 0:
            middle.append(end)
        bounds[left:right] = middle

    def overlap(self, first: int, last: int) -> int:
        """Return how many numbers of first..last are in the set.

        Raises:
            ValueError: the range is empty or starts below 1.
        """
        _check(first, last)
        if not self._bounds or self._bounds[-1] <= first:
            return 0
        return sum(high - low + 1 for low, high in self.within(first, last))

    def within(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges of first..last that are in the set, rising."""
        bounds = self._bounds
        index = bisect_right(bounds, first)
        index -= index % 2
        while index < len(bounds) and bounds[index] <= last:
            low, high = max(bounds[index], first), min(bounds[index + 1] - 1, last)
            if low <= high:
                yield low, high
            index += 2

    def missing(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges of first..last that are not in the set, rising."""
        start = first
        for low, high in self.within(first, last):
            if start < low:
                yield start, low - 1
            start = high + 1
        if start <= last:
            yield start, last

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Yield all ranges, rising; no two touch."""
        for index in range(0, len(self._bounds), 2):
            yield self._bounds[index], self._bounds[index + 1] - 1

    @property
    def highest(self) -> int:
        """The highest number, 0 for the empty set."""
        return self._bounds[-1] - 1 if self._bounds else 0

    @property
    def range_count(self) -> int:
        """How many ranges the numbers form: what the set costs."""
        return len(self._bounds) // 2

    def touches(self, first: int, last: int) -> bool:
        """Whether a number of first..last, or one beside it, is in the set: adding them makes no further range."""
        bounds = self._bounds
        index = bisect_left(bounds, first)
        return index % 2 == 1 or (index < len(bounds) and bounds[index] <= last + 1)

    @property
    def gap_count(self) -> int:
        """How many ranges below the highest number are missing."""
        if not self._bounds:
            return 0
        return len(self._bounds) // 2 - (self._bounds[0] == 1)

    def __contains__(self, number: object) -> bool:
        """Whether the number is in the set."""
        return isinstance(number, int) and bisect_right(self._bounds, number) % 2 == 1

    def __len__(self) -> int:
        """How many numbers are in the set."""
        return sum(high - low + 1 for low, high in self.ranges())

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same numbers."""
        return isinstance(other, SequenceSet) and self._bounds == other._bounds

    __hash__ = None  # type: ignore[assignment]  # a set that changes has no hash

    def __repr__(self) -> str:
        """Return the ranges, readable."""
        return f"SequenceSet({list(self.ranges())})"


def _check(first: int, last: int) -> None:
    """Refuse a range that is none."""
    if not 1 <= first <= last:
        message = f"sequence range {first}..{last}: starts below 1 or ends before it starts"
        raise ValueError(message)
