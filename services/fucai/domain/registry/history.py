"""Which days of history a file claims, and which of them another file has brought. Pure; remembers nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from fucai.domain.calendar import DaySpan, common_days


class Place(NamedTuple):
    """What days are claimed of: an outlet and a game."""

    outlet_id: str
    game: str


Claims = Mapping[Place, Sequence[DaySpan]]
"""Days by place, as spans in order and apart."""


@dataclass(frozen=True, slots=True)
class OtherClaim:
    """A span of days that another file brought."""

    place: Place
    span: DaySpan
    file: str


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """A day that two files bring; `file` is the one that was first."""

    place: Place
    day: date
    file: str


def conflicts(mine: Claims, others: Iterable[OtherClaim]) -> Iterator[Conflict]:
    """The days of `mine` that another file brought, in the order of `others`."""
    for other in others:
        for day in common_days(mine.get(other.place, ()), [other.span]):
            yield Conflict(other.place, day, other.file)


def next_epoch(now_s: int, highest_given: int) -> int:
    """The epoch of a new file: Unix seconds, but above every epoch given before."""
    return max(now_s, highest_given + 1)


def stored_through(lowest: int, highest: int, count: int) -> int:
    """Every sequence number up to this one is stored; 0 where that cannot be told from lowest, highest and count."""
    return highest if lowest == 1 and highest == count else 0
