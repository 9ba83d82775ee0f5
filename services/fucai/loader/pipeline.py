"""The loader's loop: poll, hand records to workers, commit what is on disk, start over after every doubt.

The steps and their order are the exactly-once protocol of docs/architecture.md.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING

from fucai.adapters.consumer import KafkaError, RebalancingError
from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, decode_range
from fucai.loader.lane import FlushPolicy, Lane
from fucai.loader.record import QUARANTINE_TOPIC, SALES_TOPIC, Record
from fucai.loader.store import StoreError
from fucai.loader.threads import DaemonThread
from fucai.loader.worker import Membership, Worker
from fucai.runtime.failpoints import failpoint

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from structlog.typing import FilteringBoundLogger

    from fucai.adapters.consumer import FetchedRecord
    from fucai.loader.group import Group
    from fucai.loader.metrics import LoaderMetrics
    from fucai.runtime.progress import Progress

TOPICS = {topics.SALES: SALES_TOPIC, topics.QUARANTINE: QUARANTINE_TOPIC}
_NAMES = {number: name for name, number in TOPICS.items()}
_BUSY_POLL_MS, _IDLE_POLL_MS = 10, 100
_GAUGE_SECONDS = 1.0


class Pipeline:
    """Moves records of the assigned partitions into ClickHouse, turn by turn, until told to stop.

    It waits for nothing but the group and, when partitions move, for inserts under way: whoever passes in group,
    stores, executors and clock decides what happens when.
    """

    def __init__(
        self,
        consumer: Group,
        workers: Sequence[Worker],
        *,
        instance: str,
        policy: FlushPolicy,
        metrics: LoaderMetrics,
        progress: Progress,
        log: FilteringBoundLogger,
        clock: Callable[[], float] = time.monotonic,
        executors: Sequence[Executor] | None = None,
    ) -> None:
        """Take the parts over; `close` closes them. `executors` run the inserts of one worker each: a thread each."""
        self._consumer = consumer
        self._workers = list(workers)
        self._lanes = [Lane(number) for number in range(len(workers))]
        self._executors = list(executors or [DaemonThread(f"insert-{each.number}") for each in workers])
        self._instance = instance
        self._policy, self._metrics, self._progress, self._log, self._clock = policy, metrics, progress, log, clock
        self._seen = -1
        self._generation = -1
        self._gauges_at = 0.0
        self._behind = False

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set, then finish what is in flight, as far as it ends soon.

        Raises:
            MembershipLostError: end the process; a new one starts clean.
        """
        while not stopping.is_set():
            if not self.step():
                stopping.wait(self._policy.retry_s)
        self.drain()

    def step(self) -> bool:
        """Do one turn: poll, take up a new assignment or move on what was read before. False: better wait a little.

        Raises:
            MembershipLostError: end the process; a new one starts clean.
        """
        busy = any(lane.waiting or lane.flush for lane in self._lanes)
        try:
            fetched = self._consumer.poll(_BUSY_POLL_MS if busy else _IDLE_POLL_MS)
        except KafkaError as error:
            self._seen = -1  # whatever this poll took out and did not deliver is read again: start over
            self._progress.blocked(f"waiting for Kafka: {first_line(error)}")
            self._log.warning("poll failed", error=first_line(error))
            return False
        if self._consumer.assignments != self._seen:
            self._start_over()
            return True
        self._take(fetched)
        self._settle()
        self._open_lanes()
        self._dispatch()
        self._show()
        return True

    def drain(self) -> None:
        """Before the end: wait for inserts under way and commit them, no longer than the policy says.

        What only waits, and what is still under way then, will be read again.
        """
        deadline = self._clock() + self._policy.drain_s
        for lane in self._lanes:
            if lane.flush is not None:
                try:
                    lane.flush.exception(max(deadline - self._clock(), 0))
                except FutureTimeoutError:
                    self._log.warning(
                        "insert left behind at the end; its records will be read again", worker=lane.number
                    )
        self._settle()

    def close(self) -> None:
        """Close executors, stores and the consumer; an insert under way is left to end with the process."""
        for lane, worker, executor in zip(self._lanes, self._workers, self._executors, strict=True):
            under_way = lane.flush is not None and not lane.flush.done()
            executor.shutdown(wait=not under_way, cancel_futures=True)
            if not under_way:
                worker.close()
        self._consumer.close()

    def _start_over(self) -> None:
        """Take up a new assignment: nothing read, planned or inserted under the old one counts any more."""
        self._await_flushes()
        self._seen = self._consumer.assignments
        self._generation = self._consumer.generation
        assigned = self._consumer.assigned()
        for lane in self._lanes:
            lane.drop_all()
            lane.flush, lane.flushing = None, []
            lane.to_commit.clear()
            lane.suspects.clear()
            lane.one_by_one, lane.paused, lane.retry_at = False, False, 0.0
            lane.places = frozenset(
                (TOPICS[topic], partition)
                for topic, partition in assigned
                if partition % len(self._lanes) == lane.number
            )
        self._metrics.rebalances.inc()
        self._log.info("assigned", generation=self._generation, partitions=len(assigned))
        if assigned:
            self._consumer.pause(assigned)
            self._progress.working(f"{len(assigned)} partitions assigned")
        else:
            self._progress.idle("no partitions assigned")

    def _open_lanes(self) -> None:
        """Open the lanes that are closed; where that fails, try again later, and the others in the next turn."""
        for lane in self._lanes:
            if lane.open or not lane.places or lane.flush is not None or self._clock() < lane.retry_at:
                continue
            try:
                self._open(lane)
            except (StoreError, KafkaError, RebalancingError) as error:
                lane.retry_at = self._clock() + self._policy.retry_s
                self._progress.blocked(f"cannot open a gate: {first_line(error)}")
                self._log.warning("gate not opened", worker=lane.number, error=first_line(error))
                return  # the others will fare no better, and the group hears of this member only in `poll`

    def _open(self, lane: Lane) -> None:
        """Open one lane: new gate, proof of membership, fence, restore, read on. The order is the protocol."""
        worker = self._workers[lane.number]
        membership = Membership(self._generation, self._instance)
        places = sorted((_NAMES[topic], partition) for topic, partition in lane.places)
        failpoint("loader.before-gate")
        worker.open_gate(membership)
        failpoint("loader.after-gate")
        committed = self._consumer.committed(places)
        self._consumer.commit(committed)
        failpoint("loader.before-fence")
        keep = frozenset(other.gate for other in self._workers if other.gate is not None)
        dropped = worker.fence(keep, membership)
        by_number = {(TOPICS[topic], partition): offset for (topic, partition), offset in committed.items()}
        failpoint("loader.before-restore")
        started = self._clock()
        worker.restore(sorted({partition for _, partition in lane.places}), by_number)
        failpoint("loader.after-restore")
        self._metrics.restore_seconds.observe(self._clock() - started)
        self._consumer.seek(committed)
        self._consumer.resume(places)
        lane.to_commit.clear()
        lane.open, lane.paused = True, False
        self._metrics.gates.inc()
        for place, offset in by_number.items():
            self._metrics.at_offset(_NAMES[place[0]], place[1], offset)
        self._progress.working(f"gate {worker.gate.name if worker.gate else ''} open")
        self._log.info("gate open", worker=lane.number, dropped=dropped, terminals=len(worker.ledger.terminals))

    def _take(self, fetched: Sequence[FetchedRecord]) -> None:
        """Put records into their lanes; those of a closed lane will be read again."""
        now = self._clock()
        for record in fetched:
            lane = self._lanes[record.partition % len(self._lanes)]
            if lane.open:
                lane.take(as_record(record), now)
        for lane in self._lanes:
            crowded = lane.crowded(self._policy)
            if lane.open and crowded != lane.paused:
                places = [(_NAMES[topic], partition) for topic, partition in lane.places]
                (self._consumer.pause if crowded else self._consumer.resume)(places)
                lane.paused = crowded

    def _settle(self) -> None:
        """Look at the flushes that ended: commit what is on disk, close the lanes where that is in doubt."""
        for lane in self._lanes:
            if lane.flush is not None and lane.flush.done():
                flush, records = lane.flush, lane.flushing
                lane.flush = None
                try:
                    plan = flush.result()
                except StoreError as error:
                    self._doubt(lane, error)
                else:
                    lane.cleared(records)
                    lane.to_commit.update(plan.next_offsets)
                    self._metrics.count(plan)
                    if plan.bad_records:
                        lane.careful_until = self._clock() + self._policy.careful_s
                    self._progress.working(f"{plan.stored} events stored")
                lane.flushing = []
            if lane.to_commit:
                self._commit(lane)

    def _doubt(self, lane: Lane, error: StoreError) -> None:
        """An insert failed and may have stored a part: close the lane, to be opened through a new gate."""
        self._metrics.failed_flushes.inc()
        self._log.warning("insert failed", worker=lane.number, poison=error.poison, error=first_line(error))
        if error.poison:
            lane.suspect(first_line(error))
            lane.careful_until = self._clock() + self._policy.careful_s
        else:
            lane.retry_at = self._clock() + self._policy.retry_s
            self._progress.blocked(f"ClickHouse refuses inserts: {first_line(error)}")
        lane.drop_all()
        self._consumer.pause([(_NAMES[topic], partition) for topic, partition in lane.places])

    def _commit(self, lane: Lane) -> None:
        """Commit what is on disk; what cannot be committed now is committed with the next flush, or read again."""
        offsets: Mapping[tuple[str, int], int] = {
            (_NAMES[topic], partition): offset for (topic, partition), offset in lane.to_commit.items()
        }
        try:
            failpoint("loader.before-commit")
            self._consumer.commit(offsets)
            failpoint("loader.after-commit")
        except (RebalancingError, KafkaError) as error:
            self._log.info("commit postponed", worker=lane.number, error=first_line(error))
            return
        lane.to_commit.clear()
        for (topic, partition), offset in offsets.items():
            self._metrics.at_offset(topic, partition, offset)

    def _dispatch(self) -> None:
        """Hand the next flush to each worker that is free."""
        now = self._clock()
        for lane, worker, executor in zip(self._lanes, self._workers, self._executors, strict=True):
            if lane.due(now, self._policy):
                lane.flushing = lane.next_records(self._policy)
                lane.waiting_since = now
                lane.flush = executor.submit(worker.flush, lane.flushing, lane.suspected(now))

    def _show(self) -> None:
        """Bring the gauges up to date, once a second."""
        now = self._clock()
        if now - self._gauges_at < _GAUGE_SECONDS:
            return
        self._gauges_at = now
        try:
            marks = {place: self._consumer.high_water(place) for place in self._consumer.assigned()}
        except KafkaError as error:
            self._progress.blocked(f"Kafka does not answer: {first_line(error)}")
            return
        lag = self._metrics.show_lag(marks)
        self._metrics.gaps.set(sum(worker.ledger.gap_count for worker in self._workers))
        quiet = not any(lane.waiting or lane.flush for lane in self._lanes)
        all_open = all(lane.open or not lane.places for lane in self._lanes)
        if quiet and lag == 0 and all_open:
            self._progress.idle("everything read is stored" if marks else "no partitions assigned")
            self._behind = False
        elif all_open and not self._behind:
            self._progress.working(f"{lag} records to load")  # from now on only what gets stored is progress
            self._behind = True

    def _await_flushes(self) -> None:
        """Return when no insert is under way."""
        for lane in self._lanes:
            if lane.flush is not None:
                lane.flush.exception()


def as_record(fetched: FetchedRecord) -> Record:
    """Return a fetched record with its header read."""
    header = next((value for name, value in fetched.headers if name == HEADER_NAME), None)
    span, problem = None, ""
    if header is None:
        problem = f"header {HEADER_NAME} is missing: no collector wrote it"
    else:
        try:
            span = decode_range(header)
        except ValueError as error:
            problem = str(error)
    return Record(
        TOPICS[fetched.topic],
        fetched.partition,
        fetched.offset,
        fetched.key,
        fetched.value,
        fetched.timestamp_ms,
        span,
        problem,
    )


def first_line(error: Exception) -> str:
    """Return an error's first line, of bearable length."""
    return (str(error) or type(error).__name__).splitlines()[0][:300]
