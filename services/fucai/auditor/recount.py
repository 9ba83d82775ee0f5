"""Recounts the topics of sales and quarantine over a window of offsets, partition by partition. Asks no store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from heapq import merge
from operator import attrgetter

from fucai.adapters.consumer import FetchedRecord, Place
from fucai.adapters.logreader import LogReader
from fucai.auditor.days import DayClock
from fucai.auditor.findings import Finding, Kind
from fucai.auditor.fold import WHERE, Fold, Piece, Scope
from fucai.auditor.records import TOPIC_NUMBERS, BadRecordError, Judged, judge
from fucai.auditor.statements import Book, EpochBook
from fucai.auditor.stored import Moving
from fucai.auditor.wire import GAME, SOLD_AT
from fucai.auditor.wire import KIND as EVENT_KIND
from fucai.domain import topics

Told = Callable[[int], None]
"""Called with the number of records just read, for a progress bar."""

_TOLD_EVERY = 500


@dataclass(frozen=True, slots=True)
class Window:
    """Offsets to read of each place: from `starts` up to and without `ends`. `beginnings` is the oldest Kafka has."""

    starts: Mapping[Place, int]
    ends: Mapping[Place, int]
    beginnings: Mapping[Place, int]

    def records(self, topic: str) -> int:
        """How many records the window holds of a topic."""
        return sum(max(end - self.starts[place], 0) for place, end in self.ends.items() if place[0] == topic)

    def is_from_start(self, partition: int) -> bool:
        """Whether nothing of a partition (-1: of any) lies before the window, in Kafka or deleted from it."""
        places = [place for place in self.ends if place[0] in TOPIC_NUMBERS and partition in {-1, place[1]}]
        return all(self.starts[place] == 0 == self.beginnings[place] for place in places)


@dataclass(slots=True)
class Recount:
    """What Kafka holds: each terminal and epoch recounted, and the places of records that cannot be believed."""

    folds: dict[tuple[bytes, int], Fold] = field(default_factory=dict)
    bad: dict[tuple[int, int, int], tuple[str, str, str]] = field(default_factory=dict)
    """By topic, partition and offset: the key, why not, and the SHA-256 of the value in hexadecimal."""
    moving: Moving = field(default_factory=set)
    records: int = 0
    events: int = 0


class Recounter:
    """Feeds records to folds. Give it each partition's records in the order Kafka received them."""

    def __init__(
        self, scope: Scope, book: Book, clock: DayClock, window: Window, committed: Mapping[Place, int]
    ) -> None:
        """`committed` is what the loader had committed: records from there on may still be on their way."""
        self._scope, self._book, self._clock, self._window = scope, book, clock, window
        self._committed = committed
        self._closed: set[tuple[bytes, int]] = set()
        self.found = Recount()

    def take(self, record: FetchedRecord) -> None:
        """Count one record."""
        self.found.records += 1
        topic = TOPIC_NUMBERS[record.topic]
        try:
            judged = judge(record)
        except BadRecordError as error:
            key, digest = record.key.decode("utf-8", "replace"), sha256(record.value).hexdigest()
            self.found.bad[topic, record.partition, record.offset] = (key, str(error), digest)
            return
        batch, events = judged
        fold = self._fold_of(record.partition, batch.terminal, batch.epoch)
        name = batch.terminal.decode("utf-8", "replace")
        book = self._book.epochs.get((name, batch.epoch))
        if book is not None and book.ended_at_ms:
            self._look_at_end(record, judged, book, fold)
        self.found.events += len(events)
        day, last, outlet, offset = self._clock.day, len(events) - 1, batch.outlet, record.offset
        is_moving = offset >= self._committed.get((record.topic, record.partition), 0)
        for place, event in enumerate(events):
            stated = batch.digest if place == last else b""
            if is_moving:
                self.found.moving.add((name, batch.epoch, day(event[SOLD_AT]), event[GAME], event[EVENT_KIND]))
            fold.offer(Piece(batch.events[place], event, day(event[SOLD_AT]), outlet, topic, offset, stated))

    def finish(self) -> Recount:
        """After the last record: close the folds, and hold statements against the terminals that made them."""
        for (stated, epoch), kept in self._book.epochs.items():
            if kept.closes and (stated.encode(), epoch) not in self.found.folds:
                self._fold_of(-1, stated.encode(), epoch)
        for (terminal, epoch), fold in self.found.folds.items():
            fold.finish()
            name = terminal.decode("utf-8", "replace")
            book = self._book.epochs.get((name, epoch))
            if self._book.signs(name) and (book is None or not (book.opened or book.told_unopened)) and fold.highest:
                detail = "events under an epoch that the terminal never stated"
                self._report(Kind.EPOCH_NEVER_OPENED, fold, 1, fold.highest, detail)
        return self.found

    def _fold_of(self, partition: int, terminal: bytes, epoch: int) -> Fold:
        fold = self.found.folds.get((terminal, epoch))
        if fold is None:
            book = self._book.epochs.get((terminal.decode("utf-8", "replace"), epoch))
            from_start = self._window.is_from_start(partition)
            fold = Fold(
                terminal, epoch, partition, self._scope, book.closes if book else (), from_start=from_start
            )  # fmt: skip
            self.found.folds[terminal, epoch] = fold
        elif fold.partition != partition:
            detail = f"partitions {fold.partition} and {partition}: a producer of another kind wrote there"
            self._report(Kind.TWO_PARTITIONS, fold, 0, 0, detail)
        return fold

    def _look_at_end(self, record: FetchedRecord, judged: Judged, book: EpochBook, fold: Fold) -> None:
        """An epoch that has a successor takes no new numbers."""
        first, last = judged.events[0][1], judged.events[-1][1]
        if book.ended_above:
            limit = book.ended_above
        elif record.timestamp_ms > book.ended_at_ms:
            limit = fold.highest
        else:
            return
        first = max(first, limit + 1, fold.highest + 1)
        if first <= last:
            detail = f"its successor began after {limit}; partition {record.partition} offset {record.offset}"
            self._report(Kind.EPOCH_ENDED, fold, first, last, detail)

    def _report(self, kind: Kind, fold: Fold, first: int, last: int, detail: str) -> None:
        name = fold.terminal.decode("utf-8", "replace")
        self._scope.findings.add(Finding(kind, name, fold.epoch, first, last, WHERE, "", detail))


def recount(
    readers: tuple[LogReader, LogReader],
    scope: Scope,
    book: Book,
    clock: DayClock,
    window: Window,
    committed: Mapping[Place, int],
    told: Told,
) -> Recount:
    """Recount a window; sales and quarantine of a partition are read side by side, by Kafka's clock.

    Raises:
        KafkaError: the broker is away.
    """
    counter = Recounter(scope, book, clock, window, committed)
    for topic, partition in window.ends:
        if topic == topics.SALES:
            since = counter.found.records
            for record in records_of(readers, partition, window):
                counter.take(record)
                if counter.found.records - since >= _TOLD_EVERY:
                    told(counter.found.records - since)
                    since = counter.found.records
            told(counter.found.records - since)
    return counter.finish()


def records_of(readers: tuple[LogReader, LogReader], partition: int, window: Window) -> Iterator[FetchedRecord]:
    """Yield a partition's records of both topics in the order in which Kafka received them."""
    streams = []
    for reader, topic in zip(readers, TOPIC_NUMBERS, strict=True):
        place = (topic, partition)
        if window.ends.get(place, 0) > window.starts.get(place, 0):
            streams.append(reader.read(place, window.starts[place], window.ends[place]))
    return merge(*streams, key=attrgetter("timestamp_ms"))
