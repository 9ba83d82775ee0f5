"""The collector as terminals see it: what is taken, what is refused, and what Kafka then holds."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from kafka.partitioner.default import murmur2
from prometheus_client.parser import text_string_to_metric_families

from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, RecordRange, decode_range
from fucai.runtime.errors import retry_after_ms, violations_of
from fucai.v1 import sales_pb2
from fucai.v1.collector_pb2_grpc import CollectorServiceStub
from fucai.v1.sales_pb2 import Receipt, SalesBatch
from tests.integration.collector.conftest import PARTITIONS, stored_records
from tests.support.collecting import RunningCollector
from tests.support.registry_stub import SnapshotRegistry, terminal
from tests.support.tills import NOW_MS, TILL_OUTLET, batch, sale, summary

SUBMIT = "/fucai.v1.CollectorService/Submit"
WEEK_MS = 7 * 24 * 3_600_000


@pytest.fixture
def channel(collector: RunningCollector) -> Iterator[grpc.Channel]:
    """A connection as a terminal has one."""
    with grpc.insecure_channel(collector.address) as made:
        yield made


@pytest.fixture
def service(channel: grpc.Channel) -> CollectorServiceStub:
    """The standard generated client."""
    return CollectorServiceStub(channel)


def new_till(registry: SnapshotRegistry, name: str) -> str:
    """Registers a till of the test's own."""
    registry.publish(terminal(name, TILL_OUTLET))
    return name


def test_receipt_means_kafka_has_it_as_sent(
    service: CollectorServiceStub, registry: SnapshotRegistry, broker: str
) -> None:
    """Key, partition, header and bytes of the record are those of the contract, in the order of the batches."""
    till = new_till(registry, "T-stored")
    batches = [batch(*(sale(seq) for seq in range(first, first + 4)), terminal_id=till) for first in (1, 5, 9)]
    receipts = list(service.Collect(iter(batches), timeout=30))
    assert [(receipt.through_seq, receipt.accepted) for receipt in receipts] == [(4, 4), (8, 4), (12, 4)]
    stored = stored_records(broker, till)
    assert [list(record.value.events) for record in stored] == [list(sent.events) for sent in batches]
    for record, first in zip(stored, (1, 5, 9), strict=True):
        assert record.topic == topics.SALES
        assert record.partition == (murmur2(till.encode()) & 0x7FFFFFFF) % PARTITIONS
        assert decode_range(record.headers[HEADER_NAME]) == RecordRange(batches[0].epoch, first, first + 3, 4)
        assert record.value.collector_id == "collector-0"
        assert record.value.received_at_ms > NOW_MS


@pytest.mark.parametrize(
    ("spoiled", "reason", "field"),
    [
        (batch(sale(2), terminal_id="T-nobody"), "UNKNOWN_TERMINAL", "terminal_id"),
        (batch(sale(2), outlet_id="O-other"), "WRONG_OUTLET", "outlet_id"),
        (batch(sale(2, amount_fen=0)), "AMOUNT_NOT_POSITIVE", "amount_fen"),
        (batch(sale(2, amount_fen=1_300)), "WRONG_AMOUNT", "amount_fen"),
        (batch(sale(2, draw_no="20251")), "BAD_DRAW_NUMBER", "draw_no"),
        (batch(summary(2, sold_at_ms=NOW_MS)), "NOT_A_SUMMARY_TERMINAL", "daily_summary"),
        (batch(sale(2, sold_at_ms=int(time.time() * 1000) + WEEK_MS)), "IN_THE_FUTURE", "sold_at_ms"),
    ],
    ids=["terminal", "outlet", "zero", "price", "draw number", "summary", "next week"],
)
def test_bad_event_is_quarantined_and_its_neighbours_accepted(
    service: CollectorServiceStub, broker: str, spoiled: SalesBatch, reason: str, field: str
) -> None:
    """The receipt says what is wrong; the bad event is in the quarantine topic with the same finding."""
    spoiled.epoch = random.Random(reason).randrange(1, 2**31)
    known = spoiled.terminal_id != "T-nobody" and spoiled.outlet_id == TILL_OUTLET
    events = [sale(1), *spoiled.events, sale(3)]
    del spoiled.events[:]
    spoiled.events.extend(events)
    receipt = service.Submit(spoiled, timeout=30)
    bad = [2] if known else [1, 2, 3]
    assert [finding.seq for finding in receipt.quarantined] == bad
    assert (receipt.through_seq, receipt.accepted) == (3, 3 - len(bad))
    (finding,) = [finding for finding in receipt.quarantined if finding.seq == 2]
    assert finding.reason == getattr(sales_pb2, f"QUARANTINE_REASON_{reason}")
    assert finding.field == field
    stored = [record for record in stored_records(broker, spoiled.terminal_id) if record.value.epoch == spoiled.epoch]
    quarantined = [record.value for record in stored if record.topic == topics.QUARANTINE]
    assert [event.seq for value in quarantined for event in value.events] == bad
    assert [found for value in quarantined for found in value.findings] == list(receipt.quarantined)
    sold = [event.seq for record in stored if record.topic == topics.SALES for event in record.value.events]
    assert sold == [seq for seq in (1, 2, 3) if seq not in bad]


def test_gap_inside_a_batch_makes_two_records(
    service: CollectorServiceStub, registry: SnapshotRegistry, broker: str
) -> None:
    """A hole in the numbering is no fault of the events; it just ends a record."""
    till = new_till(registry, "T-gap")
    receipt = service.Submit(batch(sale(1), sale(2), sale(8), terminal_id=till), timeout=30)
    assert (receipt.accepted, list(receipt.quarantined)) == (3, [])
    spans = [decode_range(record.headers[HEADER_NAME]) for record in stored_records(broker, till)]
    assert [(span.first, span.last) for span in spans] == [(1, 2), (8, 8)]


GOOD = batch(sale(1)).SerializeToString()


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"", "terminal_id"),
        (random.Random(7).randbytes(400), ""),
        (batch().SerializeToString(), "events"),
        (batch(sale(1), received_at_ms=NOW_MS).SerializeToString(), "received_at_ms"),
        (batch(sale(1), kafka_offset=1).SerializeToString(), "kafka_offset"),
        (batch(sale(1), digest=b"x" * 5_000_000).SerializeToString(), ""),
        (batch(*(sale(seq) for seq in range(1, 10_002))).SerializeToString(), "events"),
        (batch(sale(1), epoch=0).SerializeToString(), "epoch"),
    ],
    ids=["nothing", "random", "no events", "reserved", "loader's", "5 MB", "10,001 events", "no epoch"],
)
def test_unusable_batch_is_refused_with_invalid_argument(channel: grpc.Channel, raw: bytes, field: str) -> None:
    """A refusal names the field, and the collector goes on."""
    submit = channel.unary_unary(SUBMIT, None, None)
    with pytest.raises(grpc.RpcError) as refused:
        submit(raw, timeout=30)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert field in [violation.field for violation in violations_of(refused.value)]
    assert Receipt.FromString(submit(GOOD, timeout=30)).accepted == 1


def test_message_of_20_mb_is_refused_unread(channel: grpc.Channel) -> None:
    """What is far beyond the limit is refused by gRPC itself, and the collector goes on."""
    submit = channel.unary_unary(SUBMIT, None, None)
    with pytest.raises(grpc.RpcError) as refused:
        submit(batch(sale(1), digest=b"x" * 20_000_000).SerializeToString(), timeout=30)
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry_after_ms(refused.value) is None
    assert Receipt.FromString(submit(GOOD, timeout=30)).accepted == 1


def test_bytes_that_are_no_grpc_harm_nobody(collector: RunningCollector, service: CollectorServiceStub) -> None:
    """Random bytes on the port end that connection only."""
    host, _, port = collector.address.rpartition(":")
    for seed in range(5):
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(random.Random(seed).randbytes(5_000))
    assert service.Submit(batch(sale(1)), timeout=30).accepted == 1


def test_refused_batch_ends_its_stream_after_the_receipts_before_it(service: CollectorServiceStub) -> None:
    """Batches before the unusable one get their receipts; those after it are not taken."""
    batches = [batch(sale(1)), batch(sale(2)), batch(sale(3), epoch=0), batch(sale(4))]
    received: list[int] = []
    with pytest.raises(grpc.RpcError) as refused:
        received += (receipt.through_seq for receipt in service.Collect(iter(batches), timeout=30))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert received == [1, 2]


def test_many_batches_in_flight_get_receipts_in_order(
    service: CollectorServiceStub, registry: SnapshotRegistry, broker: str
) -> None:
    """A terminal may send on without waiting, beyond what a stream may have in flight."""
    till = new_till(registry, "T-eager")
    batches = [batch(sale(seq), terminal_id=till) for seq in range(1, 1_001)]
    receipts = [receipt.through_seq for receipt in service.Collect(iter(batches), timeout=60)]
    assert receipts == list(range(1, 1_001))
    assert [record.value.events[0].seq for record in stored_records(broker, till)] == receipts


def test_terminal_registered_a_moment_ago_is_known(service: CollectorServiceStub, registry: SnapshotRegistry) -> None:
    """Before anything counts as unknown the collector asks the registry once more."""
    assert service.Submit(batch(sale(1), terminal_id="T-fresh"), timeout=30).accepted == 0
    new_till(registry, "T-fresh")
    assert service.Submit(batch(sale(2), terminal_id="T-fresh"), timeout=30).accepted == 1


def test_standard_clients_find_their_way(channel: grpc.Channel, collector: RunningCollector) -> None:
    """Reflection, health and Prometheus text format work with the standard clients."""
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    (answer,) = reflection.ServerReflectionInfo(iter([asked]))
    assert "fucai.v1.CollectorService" in [each.name for each in answer.list_services_response.service]
    health: Any = health_pb2_grpc.HealthStub(channel)
    checked = health.Check(health_pb2.HealthCheckRequest(service="fucai.v1.CollectorService"), timeout=10)
    assert checked.status == health_pb2.HealthCheckResponse.SERVING
    CollectorServiceStub(channel).Submit(batch(sale(1), sale(2, amount_fen=0)), timeout=30)
    families = {family.name: family for family in text_string_to_metric_families(collector.metrics_text())}
    accepted = families["fucai_collector_events_accepted"].samples[0]
    assert (accepted.name, accepted.value > 0) == ("fucai_collector_events_accepted_total", True)
    quarantined = {sample.labels.get("reason") for sample in families["fucai_collector_events_quarantined"].samples}
    assert "amount_not_positive" in quarantined
    assert families["fucai_collector_backlog_bytes"].samples[0].value == 0
    assert families["fucai_collector_snapshot_age_seconds"].samples[0].value < 10
