"""A collector in the simulation: the real parsing, validation and delivery over a model of the producer.

The receipt line is the simulation's own, because the real one waits with asyncio: receipts go out in order, settled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from kafka import TopicPartition
from kafka.errors import KafkaTimeoutError
from prometheus_client import CollectorRegistry

from fucai.adapters.producer import BrokerAwayError, Confirm
from fucai.collector.backlog import Backlog, BacklogBounds
from fucai.collector.delivery import Deliveries, Delivery, OverloadedError
from fucai.collector.metrics import CollectorMetrics
from fucai.domain.batches import (
    BatchRefusedError,
    CheckedBatch,
    Limits,
    Stamper,
    is_cured_by_newer_snapshot,
    make_records,
    parse,
)
from fucai.domain.catalogue import Catalogue
from fucai.domain.validation import Validator, Window
from fucai.terminal.agent.machine import Failure
from fucai.v1 import sales_pb2
from tests.simulation.log import Log, Outgoing
from tests.simulation.world import Host

ZONE = ZoneInfo("Asia/Shanghai")
DELIVERY_MS = 4_000
"""When a record that is not confirmed counts as lost; 20 s in truth."""
LINGER_MS, RETRY_MS, RECONNECT_MS, RESTART_MS = 5, 400, 600, 800
_METRICS = CollectorMetrics(CollectorRegistry())


@dataclass(slots=True)
class Trouble:
    """What befalls the next produce requests of a collector, one letter each.

    `l` the request is lost, `a` its answer is lost, `s` it is stuck on the way until long after it was given up.
    """

    letters: deque[str] = field(default_factory=deque)


@dataclass(slots=True)
class Request:
    """Records of one partition that travel together, numbered from `first`."""

    place: TopicPartition
    first: int
    records: Sequence[Outgoing]
    confirms: Sequence[Confirm]


@dataclass(slots=True)
class Channel:
    """One producer's way into one partition: one request at a time."""

    next_number: int = 0
    waiting: list[tuple[Outgoing, Confirm]] = field(default_factory=list)
    under_way: Request | None = None


class ModelProducer:
    """Idempotent producer with acks=all: a `collector.delivery.RecordSender`, given up with the first record lost."""

    def __init__(self, log: Log, host: Host, trouble: Trouble) -> None:
        self._log, self._host, self._trouble = log, host, trouble
        self._producer = 0
        self._session = 0
        self._channels: dict[TopicPartition, Channel] = {}
        self.connected = False

    def begin(self) -> None:
        """Connects anew, under a new producer id."""
        self._session += 1
        self._producer = self._log.new_producer()
        self._channels.clear()
        self.connected = True

    async def connect(self) -> None:
        """Not used: see `begin`."""
        raise NotImplementedError

    async def reachable(self) -> bool:
        """Not used here."""
        raise NotImplementedError

    def send(self, topic: str, *, key: bytes, value: bytes, headers: list[tuple[str, bytes]], confirm: Confirm) -> None:
        """Takes one record; it goes out a little later, with others."""
        if not self.connected:
            raise BrokerAwayError("Kafka is not connected")
        place = self._log.partition_of(topic, key)
        channel = self._channels.setdefault(place, Channel())
        if not channel.waiting and channel.under_way is None:
            self._host.at(LINGER_MS, self._ship, place, self._session)
        channel.waiting.append((Outgoing(topic, key, value, headers), confirm))
        self._host.passing("send")

    def give_up(self, reason: str) -> None:
        """Fails all that is open; what is on the wire may arrive all the same."""
        if not self.connected:
            return
        self.connected = False
        self._host.world.note(self._host.name, f"gives its producer up: {reason}")
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            under_way = channel.under_way.confirms if channel.under_way is not None else ()
            for confirm in [*under_way, *[confirm for _, confirm in channel.waiting]]:
                confirm(KafkaTimeoutError(reason))

    def _ship(self, place: TopicPartition, session: int) -> None:
        channel = self._channels.get(place)
        if session != self._session or channel is None or channel.under_way is not None or not channel.waiting:
            return
        records = [outgoing for outgoing, _ in channel.waiting]
        confirms = [confirm for _, confirm in channel.waiting]
        channel.waiting = []
        channel.under_way = Request(place, channel.next_number, records, confirms)
        channel.next_number += len(records)
        self._transmit(channel.under_way, session, self._host.world.now + DELIVERY_MS)

    def _transmit(self, request: Request, session: int, deadline_ms: int) -> None:
        """Sends a request until it is answered or too old. What is on the wire outlives the process."""
        if session != self._session or not self.connected:
            return
        world, producer = self._host.world, self._producer
        if world.now >= deadline_ms:
            self.give_up("delivery timed out")
            return
        letter = self._trouble.letters.popleft() if self._trouble.letters else ""
        if letter:
            world.strikes[f"produce {letter}"] += 1
            words = {"l": "is lost", "a": "will not be answered", "s": "is stuck on the way"}[letter]
            world.note(self._host.name, f"its request to {request.place.topic}/{request.place.partition} {words}")
        if letter == "s":
            world.at(DELIVERY_MS + self._host.random.randint(0, 3_000), self._arrive, request, producer, None)
        elif letter != "l":
            answer = None if letter == "a" else (lambda: self._host.at(3, self._answered, request, session))
            world.at(self._host.random.randint(1, 8), self._arrive, request, producer, answer)
        self._host.at(RETRY_MS, self._again, request, session, deadline_ms)

    def _arrive(self, request: Request, producer: int, answer: Callable[[], None] | None) -> None:
        if self._log.is_up and self._log.append(request.place, producer, request.first, request.records) and answer:
            answer()

    def _again(self, request: Request, session: int, deadline_ms: int) -> None:
        channel = self._channels.get(request.place)
        if session == self._session and channel is not None and channel.under_way is request:
            self._transmit(request, session, deadline_ms)

    def _answered(self, request: Request, session: int) -> None:
        channel = self._channels.get(request.place)
        if session != self._session or channel is None or channel.under_way is not request:
            return
        channel.under_way = None
        if channel.waiting:
            self._host.at(LINGER_MS, self._ship, request.place, session)
        for confirm in request.confirms:
            confirm(None)


class Stream:
    """One stream of a terminal: batches in, receipts out, in order, until it ends."""

    def __init__(self, collector: Collector, answer: Callable[[bytes], None], end: Callable[[Failure], None]) -> None:
        self._collector = collector
        self._answer, self._end = answer, end
        self._line: deque[Delivery] = deque()
        self._failure: Failure | None = None
        self._is_over = False

    def put(self, raw: bytes) -> None:
        """A batch arrives."""
        if self._is_over or self._failure is not None:
            return
        try:
            checked = self._collector.check(raw)
            self._line.append(self._collector.deliveries.dispatch(checked, self.settled))
        except BatchRefusedError as error:
            self._failure = Failure("INVALID_ARGUMENT", str(error))
        except OverloadedError as error:
            self._failure = Failure("RESOURCE_EXHAUSTED", str(error), error.retry_after_ms)
        except BrokerAwayError as error:
            self._failure = Failure("UNAVAILABLE", str(error), 300)
        self.settled()

    def settled(self) -> None:
        """Answers what is settled, in order; ends after the first that is lost, and after a refusal."""
        while self._line and self._line[0].settled and not self._is_over:
            delivery = self._line.popleft()
            if delivery.error is not None:
                self._over(Failure("UNAVAILABLE", f"not durable: {delivery.error!r}", 300))
                return
            delay_ms = self._collector.deliveries.retry_after_ms
            more = sales_pb2.Receipt(retry_after_ms=delay_ms).SerializeToString() if delay_ms else b""
            self._answer(delivery.receipt + more)
        if self._failure is not None and not self._line:
            self._over(self._failure)

    def cut(self) -> None:
        """The terminal is gone."""
        self._is_over = True

    def _over(self, failure: Failure) -> None:
        if not self._is_over:
            self._is_over = True
            self._end(failure)


class Collector:
    """One collector: process after process under one name."""

    def __init__(self, host: Host, log: Log, *, wall_ms: int, newest: Callable[[], Catalogue]) -> None:
        self.host = host
        self.trouble = Trouble()
        self.deliveries: Deliveries
        self.registry_away_until = 0
        self.on_bad: Callable[[str], object] = str
        self._log, self._wall_ms, self._newest = log, wall_ms, newest
        self._producer: ModelProducer
        self._validator = Validator(newest(), zone=ZONE, window=Window())
        self._stamper = Stamper(host.name)
        host.on_crash = self._died

    def start(self) -> None:
        """A new process."""
        if self.host.is_alive:
            return
        host = self.host
        host.begin()
        self._producer = ModelProducer(self._log, host, self.trouble)
        backlog = Backlog(BacklogBounds(soft_bytes=8_000, hard_bytes=16_000, longest_delay_ms=200))
        self.deliveries = Deliveries(
            self._producer, backlog, _METRICS, lost_after_seconds=30, clock=lambda: host.world.now / 1000
        )
        self._keep_connected()

    def check(self, raw: bytes) -> CheckedBatch:
        """What `CollectorService` does with a batch: parse, examine, look for a newer snapshot, make the records."""
        parsed = parse(raw, Limits())
        now_ms = self._wall_ms + self.host.world.now + self.host.clock_ms
        runs = self._validator.examine(parsed.batch, now_ms=now_ms)
        catalogue = self._newest()
        is_newer = catalogue is not self._validator.catalogue and self.host.world.now >= self.registry_away_until
        if is_newer and is_cured_by_newer_snapshot(runs):
            self._validator = Validator(catalogue, zone=ZONE, window=Window())
            runs = self._validator.examine(parsed.batch, now_ms=now_ms)
        if any(found.findings for found in runs):
            self.on_bad(parsed.batch.terminal_id)
        return make_records(parsed, runs, self._stamper.stamp(now_ms))

    def _keep_connected(self) -> None:
        if not self._producer.connected and self._log.is_up:
            self._producer.begin()
        self.host.at(RECONNECT_MS, self._keep_connected)

    def _died(self, _how: str) -> None:
        self.host.world.at(RESTART_MS, self.start)
