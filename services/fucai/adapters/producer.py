"""Kafka producer for asyncio: acks=all, idempotent, murmur2 by key, lz4. Confirms each record on the event loop.

It bounds the time of a delivery, not the bytes waiting for one: kafka-python 3 has no such bound, so the caller counts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.partitioner.default import murmur2

Confirm = Callable[[KafkaError | None], None]
"""Called once, on the event loop: with None when all in-sync replicas have the record, else with what went wrong."""

MAX_RECORD_BYTES = 8 * 1024 * 1024
_REMEMBERED_KEYS = 100_000
_METADATA_SECONDS = 5.0
_REACH_SECONDS = 2.0
_ABANDON_SECONDS = 5.0
_POSITIVE = 0x7FFFFFFF
_log = structlog.get_logger(__name__)


class BrokerAwayError(Exception):
    """No broker can be had, a topic is missing, or the producer has to be renewed; the message says which."""


@dataclass(frozen=True, slots=True)
class ProducerSettings:
    """How to produce. A delivery that is not confirmed within `delivery_seconds` fails; requests get half of that."""

    bootstrap: str
    client_id: str
    topics: Sequence[str]
    delivery_seconds: float = 20.0
    linger_ms: int = 30
    batch_bytes: int = 256 * 1024


class Producer:
    """One connection to Kafka, given up with the first record that is lost, to be replaced by a new one.

    kafka-python 3.0.12 cannot go on after that: when a batch expires that was sent before, it drops its producer id and
    never asks for another, so that every later record would wait for ever.
    """

    def __init__(self, settings: ProducerSettings) -> None:
        self._settings = settings
        self._kafka: KafkaProducer | None = None
        self._partition_counts: dict[str, int] = {}
        self._partitions: dict[tuple[str, bytes], int] = {}
        self._confirmed: deque[tuple[KafkaProducer, Confirm, KafkaError | None]] = deque()
        self._waking = False
        self._loop = asyncio.get_running_loop()

    @property
    def connected(self) -> bool:
        """Whether records can be sent; if not, `connect` again."""
        return self._kafka is not None

    async def connect(self) -> None:
        """Connects, in place of any older connection, and learns the topics' partitions.

        Raises:
            BrokerAwayError: no broker answers, or a topic does not exist.
        """
        await self.close(seconds=0)
        kafka, self._partition_counts = await asyncio.to_thread(_connect, self._settings)
        self._partitions.clear()
        self._kafka = kafka

    def send(self, topic: str, *, key: bytes, value: bytes, headers: list[tuple[str, bytes]], confirm: Confirm) -> None:
        """Hands a record over, in the order of the calls for each key; returns at once.

        Raises:
            BrokerAwayError: there is no connection, or it does not take the record; `confirm` is not called.
        """
        kafka = self._kafka
        if kafka is None:
            raise BrokerAwayError("Kafka is not connected")
        partition = self._partitions.get((topic, key))
        if partition is None:
            partition = self._partition(topic, key)
        try:
            future = kafka.send(topic, value, key, headers, partition)
        except (KafkaError, ValueError) as error:
            raise BrokerAwayError(f"Kafka takes no record: {error}") from error
        future.add_both(partial(self._settle, kafka, confirm))

    async def reachable(self) -> bool:
        """Whether any bootstrap broker takes a connection now; does not touch the producer's own."""
        for address in self._settings.bootstrap.split(","):
            host, _, port = address.strip().rpartition(":")
            try:
                async with asyncio.timeout(_REACH_SECONDS):
                    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            except OSError:  # TimeoutError is one
                continue
            writer.close()
            return True
        return False

    async def close(self, *, seconds: float) -> None:
        """Waits up to `seconds` for the deliveries still open, then disconnects; what is open then fails."""
        kafka, self._kafka = self._kafka, None
        if kafka is not None:
            await asyncio.to_thread(_close, kafka, seconds)

    def give_up(self, reason: str) -> None:
        """Lets go of the connection at once; every record still open is confirmed with an error soon after."""
        kafka, self._kafka = self._kafka, None
        if kafka is not None:
            _log.warning("kafka producer is given up", reason=reason)
            self._loop.run_in_executor(None, _abandon, kafka)

    def _partition(self, topic: str, key: bytes) -> int:
        if len(self._partitions) >= _REMEMBERED_KEYS:
            self._partitions.clear()
        partition: int = (murmur2(key) & _POSITIVE) % self._partition_counts[topic]
        self._partitions[topic, key] = partition
        return partition

    def _settle(self, kafka: KafkaProducer, confirm: Confirm, outcome: object) -> None:
        """Called by kafka-python's thread for each record; wakes the event loop once for many."""
        self._confirmed.append((kafka, confirm, outcome if isinstance(outcome, KafkaError) else None))
        if not self._waking:
            self._waking = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._waking = False
        confirmed = self._confirmed
        while confirmed:
            kafka, confirm, error = confirmed.popleft()
            if error is not None and kafka is self._kafka:
                self.give_up(repr(error))
            confirm(error)


def _connect(settings: ProducerSettings) -> tuple[KafkaProducer, dict[str, int]]:
    delivery_ms = int(settings.delivery_seconds * 1000)
    kafka = None
    try:
        kafka = KafkaProducer(
            bootstrap_servers=settings.bootstrap.split(","),
            client_id=settings.client_id,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=settings.linger_ms,
            batch_size=settings.batch_bytes,
            request_timeout_ms=delivery_ms // 2,
            delivery_timeout_ms=delivery_ms,
            max_request_size=MAX_RECORD_BYTES,
            max_block_ms=int(_METADATA_SECONDS * 1000),
            bootstrap_timeout_ms=int(_METADATA_SECONDS * 1000),
            reconnect_backoff_max_ms=1_000,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
        return kafka, {topic: len(kafka.partitions_for(topic)) for topic in settings.topics}
    except KafkaError as error:
        if kafka is None:
            message = f"no Kafka broker answers at {settings.bootstrap}: {error}"
            raise BrokerAwayError(message) from error
        _abandon(kafka)
        message = f"topics {', '.join(settings.topics)} are not all there; run fucai migrate: {error}"
        raise BrokerAwayError(message) from error


def _close(kafka: KafkaProducer, seconds: float) -> None:
    try:
        kafka.close(timeout=seconds)
    except KafkaTimeoutError as error:
        _log.warning("kafka producer closed before all was delivered", error=str(error))
        _abandon(kafka)


def _abandon(kafka: KafkaProducer) -> None:
    """Ends the producer's thread, which fails what is open; `close` alone would wait for it, and then not close."""
    sender = kafka._sender  # noqa: SLF001 (no public way: see above)
    sender.force_close()
    sender.join(_ABANDON_SECONDS)
    try:
        kafka.close(timeout=0)
    except KafkaTimeoutError as error:
        _log.error("kafka producer does not end", error=str(error))
