"""Received = stored + duplicate + quarantined + in flight, by game: counts what Kafka holds until it can be compared.

Pure: records in, runs of offsets out that are ready to be compared.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from fucai.adapters.consumer import FetchedRecord, Place
from fucai.auditor import wire
from fucai.auditor.wire import GAME, WireError

MOST_CHUNKS = 512
"""Runs kept apart for one place while the loader is behind; beyond that, neighbours are joined."""
_CHUNK_EVENTS = 2_000

UNREADABLE = ""
"""Stands for the game of a record that cannot be read; it counts as one event."""


def events_by_game(value: bytes) -> Counter[str]:
    """How many events of which game a record's value holds, by the auditor's own reading."""
    found: Counter[str] = Counter()
    try:
        for raw in wire.read_batch(value).events:
            found[wire.read_event(raw)[GAME].decode("utf-8", "replace")] += 1
    except WireError:
        return Counter({UNREADABLE: 1})
    return found


class Run(NamedTuple):
    """Offsets of a place, from `first` up to and without `end`, and the events received in them."""

    place: Place
    first: int
    end: int
    received: Counter[str]


@dataclass(slots=True)
class _Chunk:
    end: int
    received: Counter[str]


@dataclass(slots=True)
class _Waiting:
    first: int
    is_sealed: bool = False
    chunks: deque[_Chunk] = field(default_factory=deque)


class Tally:
    """What was received and not yet compared, by place; its memory is bounded however far behind the store is."""

    def __init__(self, starts: Mapping[Place, int], most_chunks: int = MOST_CHUNKS) -> None:
        """Counting goes on from these offsets."""
        self._most_chunks = most_chunks
        self._places = {place: _Waiting(offset) for place, offset in starts.items()}

    def take(self, record: FetchedRecord) -> None:
        """Count a record; those of places that are not its own are left out."""
        waiting = self._places.get((record.topic, record.partition))
        if waiting is None:
            return
        counted = events_by_game(record.value)
        newest = waiting.chunks[-1] if waiting.chunks and not waiting.is_sealed else None
        waiting.is_sealed = False
        if newest is not None and newest.received.total() + counted.total() <= _CHUNK_EVENTS:
            newest.received.update(counted)
            newest.end = record.offset + 1
            return
        waiting.chunks.append(_Chunk(record.offset + 1, counted))
        if len(waiting.chunks) > self._most_chunks:
            self._join(waiting)

    def seal(self) -> None:
        """What was counted so far forms runs of its own, which become due however many records follow."""
        for waiting in self._places.values():
            waiting.is_sealed = True

    def due(self, committed: Mapping[Place, int]) -> list[Run]:
        """Runs that lie wholly below what the loader has committed; they stay until `settled`."""
        found = []
        for place, waiting in self._places.items():
            received: Counter[str] = Counter()
            end = waiting.first
            for chunk in waiting.chunks:
                if chunk.end > committed.get(place, 0):
                    break
                received.update(chunk.received)
                end = chunk.end
            if end > waiting.first:
                found.append(Run(place, waiting.first, end, received))
        return found

    def settled(self, runs: Iterable[Run]) -> None:
        """These runs were compared, and that is on disk."""
        for run in runs:
            waiting = self._places[run.place]
            while waiting.chunks and waiting.chunks[0].end <= run.end:
                waiting.chunks.popleft()
            waiting.first = run.end

    def in_flight(self) -> Counter[str]:
        """Events received and not yet compared, by game."""
        found: Counter[str] = Counter()
        for waiting in self._places.values():
            for chunk in waiting.chunks:
                found.update(chunk.received)
        return found

    @staticmethod
    def _join(waiting: _Waiting) -> None:
        """Halve the number of runs: neighbours become one."""
        joined: deque[_Chunk] = deque()
        for place, chunk in enumerate(waiting.chunks):
            if place % 2:
                joined[-1].received.update(chunk.received)
                joined[-1].end = chunk.end
            else:
                joined.append(chunk)
        waiting.chunks = joined


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run's events of one game."""

    run: Run
    game: str
    received: int
    stored: int
    duplicates: int
    quarantined: int

    @property
    def unexplained(self) -> int:
        """Received and in none of the three places; below zero where more is stored than was received."""
        return self.received - self.stored - self.duplicates - self.quarantined


def outcomes(
    runs: Iterable[Run],
    stored: Mapping[tuple[Place, str], int],
    duplicates: Mapping[tuple[Place, str], int],
    quarantined: Mapping[tuple[Place, str], int],
) -> list[Outcome]:
    """One outcome for each run and game; a run without events has one without a game, so that its end is remembered."""
    sides = (stored, duplicates, quarantined)
    found = []
    for run in runs:
        games = {game for side in sides for place, game in side if place == run.place} | set(run.received)
        for game in sorted(games) or [UNREADABLE]:
            counts = [side.get((run.place, game), 0) for side in sides]
            found.append(Outcome(run, game, run.received[game], *counts))
    return found
