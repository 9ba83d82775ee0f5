"""What the collector does while Kafka or the registry is away, and after a kill -9: it never says durable too early."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from fucai.adapters.topics import TopicLayout, ensure_topics
from fucai.domain import topics
from fucai.runtime.errors import retry_after_ms
from fucai.v1.collector_pb2_grpc import CollectorServiceStub
from fucai.v1.sales_pb2 import SalesBatch
from tests.integration.collector.conftest import HUNDRED_YEARS_DAYS, PARTITIONS, stored_records
from tests.support.collecting import running_collector, running_registry
from tests.support.kafka import running_kafka
from tests.support.ports import free_ports
from tests.support.registry_stub import SnapshotRegistry
from tests.support.tills import TILL, batch, sale, usual_records
from tests.support.waiting import eventually


def processes_with(words: str) -> list[int]:
    """Ids of the processes whose command line has these words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words in command:
            found.append(int(folder.name))
    return found


class OwnKafka:
    """A broker that the test may pause, kill and start again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = free_ports(2)
        self._running: AbstractContextManager[str] | None = None
        self.bootstrap = f"127.0.0.1:{self._ports[0]}"

    def start(self) -> None:
        """Starts it, if it does not run, with the suite's topics."""
        if self._running is None:
            self._running = running_kafka(self._folder, self._ports)
            self._running.__enter__()
            ensure_topics(self.bootstrap, TopicLayout(partitions=PARTITIONS))

    def kill(self) -> None:
        """Ends it the hard way, if it runs."""
        if self._running is not None:
            self._running.__exit__(None, None, None)
            self._running = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stops it from doing anything, without closing a connection."""
        (process,) = processes_with(f"kafka.Kafka {self._folder}")
        os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process, signal.SIGCONT)


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnKafka]:
    """A broker for this file, started by the first test that needs it."""
    made = OwnKafka(tmp_path_factory.mktemp("own-kafka"))
    yield made
    made.kill()


@pytest.fixture
def kafka(own_kafka: OwnKafka) -> OwnKafka:
    """The broker, running."""
    own_kafka.start()
    return own_kafka


def refusal(service: CollectorServiceStub, sent: SalesBatch) -> grpc.RpcError | None:
    """Why the batch is refused; None if it is taken."""
    try:
        service.Submit(sent, timeout=60)
    except grpc.RpcError as error:
        return error
    return None


@contextmanager
def silent_stream(address: str) -> Iterator[Any]:
    """A stream on a connection of its own that has one receipt and sends nothing more."""
    over = threading.Event()

    def one_batch() -> Iterator[SalesBatch]:
        yield batch(sale(1), epoch=1_700_000_000)
        over.wait()

    with grpc.insecure_channel(address) as channel:
        stream: Any = CollectorServiceStub(channel).Collect(one_batch(), timeout=60)
        assert next(stream).through_seq == 1
        try:
            yield stream
        finally:
            over.set()


def test_broker_that_stops_gets_no_receipt_and_loses_nothing(kafka: OwnKafka, tmp_path: Path) -> None:
    """While Kafka is paused: no receipt, UNAVAILABLE with a delay; afterwards the same terminal gets through."""
    with (
        running_registry(SnapshotRegistry(usual_records())) as registry,
        running_collector(
            tmp_path,
            kafka=kafka.bootstrap,
            registry=registry,
            past_days=HUNDRED_YEARS_DAYS,
            delivery_seconds="3",
            backlog_bytes="20000",
        ) as collector,
        grpc.insecure_channel(collector.address) as channel,
    ):
        service = CollectorServiceStub(channel)
        assert service.Submit(batch(sale(1)), timeout=30).through_seq == 1
        with kafka.paused():
            waiting: list[Any] = [service.Submit.future(batch(sale(seq)), timeout=60) for seq in range(2, 40)]
            errors = [each.exception() for each in waiting]
        assert {error.code() for error in errors} == {
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        }
        assert all(retry_after_ms(error) for error in errors)
        eventually(lambda: refusal(service, batch(sale(40))) is None, what="a receipt after the pause")
        eventually(collector.ready, what="readiness after the pause")
        sold = [event.seq for record in stored_records(kafka.bootstrap, TILL) for event in record.value.events]
        assert {1, 40} <= set(sold)
        assert len(sold) == len(set(sold))


def test_snapshot_serves_while_the_registry_is_away(kafka: OwnKafka, tmp_path: Path) -> None:
    """The last snapshot goes on, over a restart too if it is kept; what it does not know is quarantined."""
    kept = str(tmp_path / "snapshot")

    def take(registry: str) -> None:
        with (
            running_collector(
                tmp_path, kafka=kafka.bootstrap, registry=registry, past_days=HUNDRED_YEARS_DAYS, snapshot=kept
            ) as collector,
            grpc.insecure_channel(collector.address) as channel,
        ):
            service = CollectorServiceStub(channel)
            assert service.Submit(batch(sale(1)), timeout=30).accepted == 1
            assert service.Submit(batch(sale(1), terminal_id="T-new"), timeout=30).accepted == 0

    with running_registry(SnapshotRegistry(usual_records())) as registry:
        take(registry)
    take(registry)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_receipts_outlive_the_process(kafka: OwnKafka, tmp_path: Path, number: signal.Signals) -> None:
    """Whatever a collector has receipted is in Kafka, once; one that is asked to stop ends its streams by itself."""
    with (
        running_registry(SnapshotRegistry(usual_records())) as registry,
        running_collector(
            tmp_path, kafka=kafka.bootstrap, registry=registry, past_days=HUNDRED_YEARS_DAYS
        ) as collector,
        grpc.insecure_channel(collector.address) as channel,
        silent_stream(collector.address) as silent,
    ):
        epoch = 1_800_000_000 + number
        batches = (batch(*(sale(seq) for seq in range(first, first + 5)), epoch=epoch) for first in range(1, 10**6, 5))
        receipted: list[int] = []

        def send_and_end() -> None:
            for receipt in CollectorServiceStub(channel).Collect(batches, timeout=60):
                receipted.append(receipt.through_seq)
                if receipt.through_seq == 2_000:
                    collector.process.send_signal(number)

        with pytest.raises(grpc.RpcError) as raised:
            send_and_end()
        ended: Any = raised.value
        assert ended.code() == grpc.StatusCode.UNAVAILABLE
        stored = [record for record in stored_records(kafka.bootstrap, TILL) if record.value.epoch == epoch]
        assert {record.topic for record in stored} == {topics.SALES}
        sold = [event.seq for record in stored for event in record.value.events]
        assert sold == list(range(1, len(sold) + 1))
        assert len(sold) >= receipted[-1] >= 2_000
        assert silent.code() == grpc.StatusCode.UNAVAILABLE
        if number == signal.SIGTERM:  # one that goes on sending may find the connection closed before it reads why
            assert "the collector is stopping" in silent.details()


def test_collector_outlives_its_broker(own_kafka: OwnKafka, tmp_path: Path) -> None:
    """It starts without a broker, says so, and takes batches as soon as there is one, again after a kill -9 of it."""
    own_kafka.kill()
    with (
        running_registry(SnapshotRegistry(usual_records())) as registry,
        running_collector(
            tmp_path,
            kafka=own_kafka.bootstrap,
            registry=registry,
            await_ready=False,
            past_days=HUNDRED_YEARS_DAYS,
            delivery_seconds="3",
        ) as collector,
        grpc.insecure_channel(collector.address) as channel,
    ):
        service = CollectorServiceStub(channel)
        grpc.channel_ready_future(channel).result(timeout=30)
        error = refusal(service, batch(sale(1)))
        assert error is not None
        assert (error.code(), retry_after_ms(error)) == (grpc.StatusCode.UNAVAILABLE, 1_000)
        assert not collector.ready()
        for _ in range(2):
            own_kafka.start()
            eventually(collector.ready, 60, what="readiness with a broker")
            eventually(lambda: refusal(service, batch(sale(1))) is None, 60, what="a receipt")
            own_kafka.kill()
            eventually(lambda: not collector.ready(), what="unreadiness without a broker")
