"""Hands checked batches to Kafka and learns when each is durable; keeps the connection and the backlog's bound.

It answers nobody: whoever dispatched a batch is told once it is settled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from fucai.adapters.producer import BrokerAwayError, Confirm
from fucai.collector.backlog import RECORD_OVERHEAD_BYTES, Backlog
from fucai.collector.metrics import CollectorMetrics
from fucai.domain.batches import CheckedBatch
from fucai.runtime.failpoints import failpoint
from fucai.runtime.progress import Progress

RECONNECT_SECONDS = 1.0
LOOK_SECONDS = 2.0
STALLED_SECONDS = 10.0


class OverloadedError(Exception):
    """More waits for Kafka than may; come back in `retry_after_ms`."""

    def __init__(self, retry_after_ms: int) -> None:
        super().__init__("more sales wait for Kafka than the collector holds; slow down")
        self.retry_after_ms = retry_after_ms


class RecordSender(Protocol):
    """What delivery needs of a Kafka producer; see `adapters.producer.Producer`."""

    @property
    def connected(self) -> bool:
        """Whether records can be sent."""

    async def connect(self) -> None:
        """Connects anew."""

    async def reachable(self) -> bool:
        """Whether a broker takes connections."""

    def send(self, topic: str, *, key: bytes, value: bytes, headers: list[tuple[str, bytes]], confirm: Confirm) -> None:
        """Hands over one record."""

    def give_up(self, reason: str) -> None:
        """Drops the connection, and fails what is open."""


class Delivery:
    """One batch on its way to Kafka. Settled when the broker has confirmed all its records, or one is lost."""

    __slots__ = ("_began", "_owner", "_size", "batch", "error", "notify", "receipt", "unconfirmed")

    def __init__(self, owner: Deliveries, batch: CheckedBatch, size: int, notify: Callable[[], None]) -> None:
        self.batch: CheckedBatch | None = batch
        self.receipt = batch.receipt
        self.error: Exception | None = None
        self.unconfirmed = len(batch.records)
        self.notify = notify
        self._owner = owner
        self._size = size
        self._began = owner.now_s()

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen to it."""
        return not self.unconfirmed

    @property
    def waited_s(self) -> float:
        """Seconds since it was dispatched."""
        return self._owner.now_s() - self._began

    @property
    def size(self) -> int:
        """Bytes it holds of the backlog while it is not settled."""
        return self._size

    def confirm(self, error: Exception | None) -> None:
        """One record is confirmed, or lost to `error`."""
        if error is not None:
            self.error = error
        self.unconfirmed -= 1
        if not self.unconfirmed:
            self._owner.settle(self)


class Deliveries:
    """All batches on their way to Kafka."""

    def __init__(
        self,
        producer: RecordSender,
        backlog: Backlog,
        metrics: CollectorMetrics,
        *,
        lost_after_seconds: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Gives a connection up that has not settled a batch after `lost_after_seconds`, beyond its own time limit.

        `clock` gives seconds from any beginning, and never goes back.
        """
        self.now_s = clock
        self._producer = producer
        self._backlog = backlog
        self._metrics = metrics
        self._lost_after_s = lost_after_seconds
        self._open: dict[Delivery, None] = {}

    @property
    def retry_after_ms(self) -> int:
        """The delay to put into receipts now; 0 while Kafka keeps up."""
        return self._backlog.retry_after_ms

    def dispatch(self, batch: CheckedBatch, notify: Callable[[], None]) -> Delivery:
        """Hands the batch's records to Kafka; `notify` is called on the event loop when the delivery is settled.

        Raises:
            OverloadedError: too much waits already; nothing was handed over.
            BrokerAwayError: Kafka takes nothing; part of the batch may have been handed over.
        """
        if self._backlog.full:
            raise OverloadedError(self._backlog.retry_after_ms)
        failpoint("collector.before-send")
        size = sum([len(record.value) + RECORD_OVERHEAD_BYTES for record in batch.records])
        delivery = Delivery(self, batch, size, notify)
        self._backlog.add(size)
        self._open[delivery] = None
        for index, record in enumerate(batch.records):
            try:
                self._producer.send(
                    record.topic, key=batch.key, value=record.value, headers=record.headers, confirm=delivery.confirm
                )
            except BrokerAwayError as error:
                for _ in range(index, len(batch.records)):
                    delivery.confirm(error)
                raise
        return delivery

    def settle(self, delivery: Delivery) -> None:
        """Takes a delivery off the books."""
        del self._open[delivery]
        self._backlog.remove(delivery.size)
        batch, delivery.batch = delivery.batch, None  # a receipt may wait long for its reader, records need not
        if batch is not None and delivery.error is None:
            metrics = self._metrics
            metrics.batches.inc(bool(batch.accepted or batch.quarantined))  # a statement holds no events
            metrics.accepted.inc(batch.accepted)
            metrics.produce_seconds.observe(delivery.waited_s)
            metrics.last_batch.set_to_current_time()
            for reason, count in batch.quarantined.items():
                metrics.quarantined_for(reason, count)
        delivery.notify()

    async def keep_connected(self, progress: Progress) -> None:
        """Connects to Kafka, again and again if need be, and reports whether deliveries get through. Never returns."""
        while True:
            if not self._producer.connected:
                try:
                    await self._producer.connect()
                except BrokerAwayError as error:
                    progress.blocked(str(error))
                    await asyncio.sleep(RECONNECT_SECONDS)
                    continue
            await self._report(progress)
            await asyncio.sleep(LOOK_SECONDS)

    async def _report(self, progress: Progress) -> None:
        oldest = next(iter(self._open), None)
        if oldest is not None and oldest.waited_s > self._lost_after_s:
            self._producer.give_up(f"a batch is neither confirmed nor lost after {oldest.waited_s:.0f} s")
            progress.blocked("the Kafka producer hangs; connecting anew")
        elif oldest is not None and oldest.waited_s > STALLED_SECONDS:
            progress.blocked(f"Kafka has not confirmed a batch for {oldest.waited_s:.0f} s")
        elif oldest is None and not await self._producer.reachable():
            progress.blocked("no Kafka broker takes a connection")
        else:
            progress.idle(f"{len(self._open)} batches on their way to Kafka")
