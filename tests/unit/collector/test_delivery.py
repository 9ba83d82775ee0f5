"""Batches on their way to Kafka: order of receipts, the backlog's bound, failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from kafka.errors import KafkaTimeoutError
from prometheus_client import CollectorRegistry

from fucai.adapters.producer import BrokerAwayError, Confirm
from fucai.collector.backlog import RECORD_OVERHEAD_BYTES, Backlog, BacklogBounds
from fucai.collector.delivery import Deliveries, OverloadedError
from fucai.collector.line import ReceiptLine
from fucai.collector.metrics import CollectorMetrics
from fucai.domain import topics
from fucai.domain.batches import CheckedBatch, Record
from fucai.v1 import sales_pb2

COST = RECORD_OVERHEAD_BYTES + 10


class HeldSender:
    """Takes records and confirms none until told."""

    def __init__(self) -> None:
        self.connected = True
        self.open: list[Confirm] = []

    async def connect(self) -> None:
        """Always there."""

    async def reachable(self) -> bool:
        """Always."""
        return self.connected

    def give_up(self, reason: str) -> None:
        """Forgets what it holds."""
        self.connected = False
        for confirm in self.open:
            confirm(KafkaTimeoutError(reason))

    def send(self, topic: str, *, key: bytes, value: bytes, headers: list[tuple[str, bytes]], confirm: Confirm) -> None:
        """Holds the record, unless disconnected."""
        del topic, key, value, headers
        if not self.connected:
            raise BrokerAwayError("away")
        self.open.append(confirm)


def checked(records: int = 1, receipt: bytes = b"r") -> CheckedBatch:
    """A batch of so many records of 10 bytes each."""
    return CheckedBatch(
        b"T", [Record(topics.SALES, b"0123456789", [])] * records, receipt, 3, {sales_pb2.QUARANTINE_REASON_TOO_OLD: 2}
    )


def wired(hard_bytes: int = 1 << 20) -> tuple[HeldSender, Deliveries, Backlog, CollectorRegistry]:
    """Deliveries over a held sender."""
    registry = CollectorRegistry()
    backlog = Backlog(BacklogBounds(soft_bytes=hard_bytes // 2, hard_bytes=hard_bytes))
    sender = HeldSender()
    return sender, Deliveries(sender, backlog, CollectorMetrics(registry), lost_after_seconds=20), backlog, registry


def test_batch_settles_with_its_last_record() -> None:
    """A batch of three records is durable only when all three are, and then counts."""
    sender, deliveries, backlog, registry = wired()
    told: list[bool] = []
    delivery = deliveries.dispatch(checked(3), lambda: told.append(True))
    assert backlog.waiting_bytes == 3 * COST
    sender.open[0](None)
    sender.open[2](None)
    assert not delivery.settled
    assert registry.get_sample_value("fucai_collector_events_accepted_total") == 0
    sender.open[1](None)
    assert (delivery.settled, told, backlog.waiting_bytes) == (True, [True], 0)
    assert registry.get_sample_value("fucai_collector_events_accepted_total") == 3
    labels = {"reason": "too_old"}
    assert registry.get_sample_value("fucai_collector_events_quarantined_total", labels) == 2


def test_lost_record_makes_the_batch_lost() -> None:
    """One record that Kafka did not confirm spoils the batch, and nothing of it counts."""
    sender, deliveries, _, registry = wired()
    delivery = deliveries.dispatch(checked(2), lambda: None)
    sender.open[0](KafkaTimeoutError("late"))
    sender.open[1](None)
    assert isinstance(delivery.error, KafkaTimeoutError)
    assert registry.get_sample_value("fucai_collector_batches_total") == 0


def test_full_backlog_refuses_with_a_delay() -> None:
    """From the soft bound on terminals are slowed, at the hard bound refused, and taken again after confirmations."""
    sender, deliveries, _, _ = wired(hard_bytes=4 * COST)
    delays = []
    for _ in range(4):
        deliveries.dispatch(checked(), lambda: None)
        delays.append(deliveries.retry_after_ms)
    assert delays == [0, 0, 500, 1_000]
    with pytest.raises(OverloadedError) as refused:
        deliveries.dispatch(checked(), lambda: None)
    assert refused.value.retry_after_ms == 1_000
    sender.open[0](None)
    deliveries.dispatch(checked(), lambda: None)


def test_sender_away_leaves_nothing_behind() -> None:
    """A batch that Kafka does not take holds no bytes of the backlog."""
    sender, deliveries, backlog, _ = wired()
    sender.connected = False
    with pytest.raises(BrokerAwayError):
        deliveries.dispatch(checked(2), lambda: None)
    assert backlog.waiting_bytes == 0


def in_line(test: Callable[[HeldSender, Deliveries, ReceiptLine], object]) -> None:
    """Runs a coroutine function with a line of at most two batches."""

    async def run() -> None:
        sender, deliveries, _, _ = wired()
        coroutine = test(sender, deliveries, ReceiptLine(max_batches=2, max_bytes=1 << 20))
        assert asyncio.iscoroutine(coroutine)
        await asyncio.wait_for(coroutine, 5)

    asyncio.run(run())


def test_receipts_keep_the_order_of_batches() -> None:
    """A batch confirmed early waits for those before it."""

    async def scenario(sender: HeldSender, deliveries: Deliveries, line: ReceiptLine) -> None:
        first = deliveries.dispatch(checked(receipt=b"1"), line.settled)
        second = deliveries.dispatch(checked(receipt=b"2"), line.settled)
        line.put(first)
        line.put(second)
        taking = asyncio.create_task(line.take())
        sender.open[1](None)
        await asyncio.sleep(0)
        assert not taking.done()
        sender.open[0](None)
        assert await taking is first
        assert await line.take() is second

    in_line(scenario)


def test_line_has_room_again_once_answered() -> None:
    """A full line makes the reader wait until a receipt has been written, not just earned."""

    async def scenario(sender: HeldSender, deliveries: Deliveries, line: ReceiptLine) -> None:
        for _ in range(2):
            line.put(deliveries.dispatch(checked(), line.settled))
        waiting = asyncio.create_task(line.room())
        sender.open[0](None)
        delivery = await line.take()
        await asyncio.sleep(0)
        assert not waiting.done()
        assert delivery is not None
        line.answered(delivery)
        await waiting

    in_line(scenario)


def test_line_ends_after_its_last_receipt() -> None:
    """What ended the stream is told only after the receipts of the batches before it."""

    async def scenario(sender: HeldSender, deliveries: Deliveries, line: ReceiptLine) -> None:
        delivery = deliveries.dispatch(checked(), line.settled)
        line.put(delivery)
        line.end(OverloadedError(5))
        taking = asyncio.create_task(line.take())
        await asyncio.sleep(0)
        assert not taking.done()
        sender.open[0](None)
        assert await taking is delivery
        with pytest.raises(OverloadedError):
            await line.take()

    in_line(scenario)
