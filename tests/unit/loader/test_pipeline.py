"""The loader's turns over a log and a store of the test's own: its bounds, what counts as progress, how it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from kafka.errors import NodeNotReadyError
from prometheus_client import CollectorRegistry

from fucai.adapters.consumer import FetchedRecord, KafkaError, Place
from fucai.adapters.gates import Gate
from fucai.adapters.sequence_store import StoredSequences
from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, encode_range
from fucai.loader.lane import FlushPolicy
from fucai.loader.metrics import LoaderMetrics
from fucai.loader.pipeline import Pipeline
from fucai.loader.store import StoreError
from fucai.loader.worker import Worker
from fucai.runtime.progress import Progress
from tests.support.batches import batch, span_of

PLACES: list[Place] = [(topics.SALES, 0), (topics.SALES, 1)]


@dataclass
class Log:
    """A log with one member, which has everything assigned."""

    assignments: int = 1
    generation: int = 1
    records: dict[Place, list[FetchedRecord]] = field(default_factory=lambda: {place: [] for place in PLACES})
    position: dict[Place, int] = field(default_factory=lambda: dict.fromkeys(PLACES, 0))
    offsets: dict[Place, int] = field(default_factory=lambda: dict.fromkeys(PLACES, 0))
    paused: set[Place] = field(default_factory=set)
    polls: int = 0
    silent: bool = False
    failing: bool = False

    def append(self, place: Place, seq: int) -> None:
        """Put a record with one sale at the end."""
        made = batch(seq, 1, f"T{place[1]}")
        header = (HEADER_NAME, encode_range(span_of(made)))
        offset, key = len(self.records[place]), made.terminal_id.encode()
        self.records[place].append(FetchedRecord(*place, offset, 1, key, made.SerializeToString(), [header]))

    def assigned(self) -> set[Place]:
        """Return all places."""
        return set(PLACES)

    def poll(self, timeout_ms: int) -> list[FetchedRecord]:
        """Return ten records of each place that is not paused; while `failing`, take them out and fail."""
        del timeout_ms
        self.polls += 1
        found = []
        for place in PLACES:
            if place not in self.paused and not self.silent:
                fetched = self.records[place][self.position[place] :][:10]
                self.position[place] += len(fetched)
                found += fetched
        if self.failing:
            raise NodeNotReadyError("node 1")
        return found

    def commit(self, offsets: Mapping[Place, int]) -> None:
        """Commit."""
        self.offsets.update(offsets)

    def committed(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return what is committed."""
        return {place: self.offsets[place] for place in places}

    def seek(self, offsets: Mapping[Place, int]) -> None:
        """Read on from there."""
        self.position.update(offsets)

    def pause(self, places: Iterable[Place]) -> None:
        """Pause."""
        self.paused |= set(places)

    def resume(self, places: Iterable[Place]) -> None:
        """Resume."""
        self.paused -= set(places)

    def high_water(self, place: Place) -> int | None:
        """Return the end."""
        if self.silent:
            raise KafkaError("no broker answers")
        return len(self.records[place])

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Store:
    """Remembers how much was inserted; can be away."""

    away: bool = False
    inserts: list[int] = field(default_factory=list)
    asked: int = 0

    def create_gate(self, gate: Gate) -> None:
        """Take it, unless away."""
        del gate
        self.asked += 1
        if self.away:
            raise StoreError("connection refused")

    def list_gates(self) -> list[Gate]:
        """Return none."""
        return []

    def drop_gate(self, gate: Gate) -> None:
        """Nothing to drop."""

    def insert(self, gate: Gate, frames: bytes) -> None:
        """Take it, unless away."""
        del gate
        if self.away:
            raise StoreError("connection refused")
        self.inserts.append(len(frames))

    def read_sequences(self, partitions: Sequence[int], committed: Mapping[tuple[int, int], int]) -> StoredSequences:
        """Return nothing: these tests look at what is committed."""
        del partitions, committed
        return StoredSequences()

    def close(self) -> None:
        """Nothing to close."""


class Held(Executor):
    """Runs nothing until told."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hold it."""
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def release(self) -> None:
        """Run what is held."""
        while self.waiting:
            future, work = self.waiting.pop(0)
            try:
                future.set_result(work())
            except StoreError as error:
                future.set_exception(error)


POLICY = FlushPolicy(linger_s=0.1, flush_records=50, hold_records=100, retry_s=1.0, drain_s=0.05)


class Loading:
    """A pipeline of two workers with everything that it is given."""

    def __init__(self) -> None:
        """Take up the first assignment."""
        self.log, self.stores, self.held, self.now = Log(), [Store(), Store()], [Held(), Held()], 0.0
        self.progress = Progress(stalled_after_s=60, silent_after_s=60, clock=lambda: self.now)
        self.pipeline = Pipeline(
            self.log,
            [Worker(number, store, iter(map(str, range(10_000))).__next__) for number, store in enumerate(self.stores)],
            instance="loader_0",
            policy=POLICY,
            metrics=LoaderMetrics(CollectorRegistry()),
            progress=self.progress,
            log=structlog.get_logger(),
            clock=lambda: self.now,
            executors=self.held,
        )

    def turns(self, seconds: float, *, inserts: bool = True) -> None:
        """Let turns of a tenth of a second pass; `inserts` come to their end within one."""
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            self.pipeline.step()
            for held in self.held if inserts else ():
                held.release()

    @property
    def waiting(self) -> int:
        """How many records the loader holds."""
        return sum(map(self.log.position.get, PLACES)) - sum(map(self.log.offsets.get, PLACES))  # type: ignore[arg-type]


@pytest.fixture
def loading() -> Loading:
    """A loader that has opened its gates on an empty log."""
    made = Loading()
    made.turns(2)
    assert made.progress.readiness().ready
    return made


def test_slow_store_bounds_what_is_held(loading: Loading) -> None:
    """While an insert takes long, reading stops at the bound, however small the records; afterwards all is stored."""
    for seq in range(1, 1_001):
        loading.log.append(PLACES[0], seq)
    loading.turns(20, inserts=False)
    assert loading.waiting <= POLICY.flush_records + POLICY.hold_records + 10
    loading.turns(20)
    assert loading.log.offsets[PLACES[0]] == 1_000
    assert loading.waiting == 0


def test_store_away_for_an_hour_is_caught_up(loading: Loading) -> None:
    """While the store is away nothing more is read and the loader is not ready; later everything is stored."""
    for store in loading.stores:
        store.away = True
    for seq in range(1, 1_001):
        loading.log.append(PLACES[seq % 2], (seq + 1) // 2)
    loading.turns(60)
    assert not loading.progress.readiness().ready
    assert loading.log.paused == set(PLACES)
    assert loading.waiting <= 2 * POLICY.flush_records
    assert loading.log.offsets == {PLACES[0]: 0, PLACES[1]: 0}
    for store in loading.stores:
        store.away = False
    loading.turns(20)
    assert loading.progress.readiness().ready
    assert loading.log.offsets == {PLACES[0]: 500, PLACES[1]: 500}


def test_the_group_is_heard_between_two_attempts(loading: Loading) -> None:
    """While gates cannot be opened, each turn asks the store once at most: an attempt may take its time limit."""
    for store in loading.stores:
        store.away = True
    loading.log.assignments += 1
    before = loading.log.polls
    loading.turns(30)
    attempts = sum(store.asked for store in loading.stores)
    assert 30 <= attempts <= loading.log.polls - before


def test_lag_without_progress_is_not_ready(loading: Loading) -> None:
    """A loader that was at rest and then stores nothing of what comes is found out."""
    loading.log.append(PLACES[0], 1)
    loading.turns(50, inserts=False)
    assert loading.progress.readiness().ready
    loading.turns(15, inserts=False)
    assert "no progress" in loading.progress.readiness().reason
    loading.turns(2)
    assert loading.progress.readiness().ready


def test_log_that_does_not_answer_is_not_ready(loading: Loading) -> None:
    """That nothing comes is rest only as long as the log says so."""
    loading.log.silent = True
    loading.turns(2)
    assert "no broker answers" in loading.progress.readiness().reason
    loading.log.silent = False
    loading.turns(2)
    assert loading.progress.readiness().ready


def test_poll_that_fails_loses_nothing(loading: Loading) -> None:
    """While polls fail the loader says so and goes on; then it reads again what they took out, through new gates."""
    for seq in range(1, 31):
        loading.log.append(PLACES[0], seq)
    loading.turns(0.1, inserts=False)
    loading.log.failing = True
    loading.turns(2)
    assert loading.progress.readiness().reason == "waiting for Kafka: NodeNotReadyError: node 1"
    assert loading.log.position[PLACES[0]] == 30
    gates = [store.asked for store in loading.stores]
    loading.log.failing = False
    loading.turns(3)
    assert loading.log.offsets[PLACES[0]] == 30
    assert loading.progress.readiness().ready
    assert [store.asked for store in loading.stores] == [asked + 1 for asked in gates]


def test_assignment_lost_while_polls_fail_counts(loading: Loading) -> None:
    """What was inserted under an assignment that went away meanwhile is not committed under the next one."""
    loading.log.append(PLACES[0], 1)
    loading.turns(0.3, inserts=False)
    loading.log.failing = True
    loading.turns(1, inserts=False)
    loading.log.assignments += 1
    for held in loading.held:
        held.release()
    loading.log.failing = False
    loading.log.offsets[PLACES[0]] = 0
    loading.pipeline.step()
    assert loading.log.offsets[PLACES[0]] == 0
    loading.turns(3)
    assert loading.log.offsets[PLACES[0]] == 1
    assert len(loading.stores[0].inserts) == 2


def test_end_waits_for_an_insert_but_not_for_ever(loading: Loading) -> None:
    """An insert that ends is committed; one that hangs is left behind, uncommitted, and the loader ends."""
    for place in PLACES:
        loading.log.append(place, 1)
    loading.turns(0.3, inserts=False)
    loading.held[0].release()
    loading.now = 1_000.0
    loading.pipeline.drain()
    loading.pipeline.close()
    assert loading.log.offsets == {PLACES[0]: 1, PLACES[1]: 0}
