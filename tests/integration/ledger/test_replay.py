"""Replaying with the real broker, loader and engine: each event is stored once, under its own number."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from clickhouse_connect.driver.client import Client

from fucai.adapters.topics import TopicLayout
from fucai.domain import topics
from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import sales_pb2
from tests.integration.ledger.serving import Running, serving
from tests.support.batches import Writer
from tests.support.clickhouse import Database
from tests.support.collecting import running_registry
from tests.support.kafka import renew_topics
from tests.support.loading import loader_thread
from tests.support.registry_stub import SnapshotRegistry, terminal
from tests.support.tills import NOW_MS, sale
from tests.support.waiting import eventually

LATE, OUTLET, EPOCH = "T-late", "O-late", 7


@pytest.fixture
def broker(kafka_broker: str) -> str:
    """The session's broker with empty topics."""
    renew_topics(kafka_broker, TopicLayout(partitions=4))
    return kafka_broker


@pytest.fixture
def desk(broker: str, clickhouse_database: Database, registry: SnapshotRegistry) -> Iterator[Running]:
    """A ledger and a loader between the broker and the engine."""
    with (
        running_registry(registry) as address,
        loader_thread(broker, clickhouse_database.url, clickhouse_database.name),
        serving(clickhouse_database, registry=address, kafka=broker) as running,
    ):
        yield running


def rejected(*events: sales_pb2.SalesEvent) -> sales_pb2.SalesBatch:
    """A record for the quarantine topic, of a terminal that nobody had registered."""
    reason = sales_pb2.QUARANTINE_REASON_UNKNOWN_TERMINAL
    return sales_pb2.SalesBatch(
        terminal_id=LATE,
        outlet_id=OUTLET,
        epoch=EPOCH,
        events=events,
        received_at_ms=NOW_MS,
        collector_id="collector-0",
        findings=[sales_pb2.Finding(seq=event.seq, reason=reason, field="terminal_id") for event in events],
    )


def ask(
    desk: Running, *, name: str = "Li Na", include_waived: bool = False, **selection: object
) -> pb.ReplayQuarantinedResponse:
    """Replays what is selected."""
    return desk.stub.ReplayQuarantined(
        pb.ReplayQuarantinedRequest(
            selection=pb.QuarantineSelection(**{"terminal_id": LATE, **selection}),  # type: ignore[arg-type]
            replayed_by=name,
            include_waived=include_waived,
        )
    )


def number(client: Client, text: str) -> int:
    """The one number that a query answers."""
    return int(client.query(text).result_rows[0][0])


def test_a_late_registration_brings_events_in_once(
    broker: str, desk: Running, client: Client, registry: SnapshotRegistry
) -> None:
    """Bad until the terminal is bound; then stored once, replayed at the same time and again; the bad one stays."""
    events = [sale(1), sale(2), sale(3, amount_fen=1_300), sale(4)]
    writer = Writer(broker)
    writer.write([rejected(*events)], topics.QUARANTINE)
    writer.flush()
    eventually(lambda: number(client, "SELECT count() FROM quarantine") == 4, what="the quarantine")
    before = ask(desk)
    assert (before.replayed, len(before.still_bad)) == (0, 4)
    assert {bad.reason for bad in before.still_bad} == {sales_pb2.QUARANTINE_REASON_UNKNOWN_TERMINAL}

    registry.publish(terminal(LATE, OUTLET))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda name: ask(desk, name=name), ["Li Na", "Wang Wei", "Li Na", "Zhao Min"]))
    assert answers[0].replayed + answers[0].stored_before == 3
    assert all(answer.registry_revision == registry.revision for answer in answers)
    (bad,) = answers[0].still_bad
    assert (bad.seq, bad.reason) == (3, sales_pb2.QUARANTINE_REASON_WRONG_AMOUNT)
    assert not bad.detail  # it would spell out an amount, and nobody knows the draw

    eventually(lambda: number(client, "SELECT count() FROM sales") >= 3, what="the replayed events")
    again = ask(desk)
    assert (again.replayed, again.stored_before) == (0, 3)
    writer.write([rejected(sale(9))], topics.QUARANTINE)  # a mark: what was sent before it has been loaded
    writer.flush()
    writer.close()
    sent = sum(answer.replayed for answer in answers)
    distinct = "uniqExact(kafka_partition, kafka_offset, seq)"
    eventually(lambda: number(client, f"SELECT 3 + {distinct} FROM sales_duplicates") == sent, what="the duplicates")
    stored = client.query(
        "SELECT seq, outlet_id, epoch, amount_fen, toUnixTimestamp64Milli(received_at), collector_id "
        "FROM sales ORDER BY seq"
    ).result_rows
    assert stored == [(seq, OUTLET, EPOCH, 1_200, NOW_MS, "ledger-0") for seq in (1, 2, 4)]

    shown = desk.stub.GetQuarantined(pb.GetQuarantinedRequest(terminal_id=LATE, epoch=EPOCH, seq=1))
    assert shown.entries[0].state == pb.QUARANTINE_STATE_STORED
    outcomes = [attempt.outcome for attempt in shown.replays]
    assert outcomes[0] == pb.REPLAY_OUTCOME_STILL_BAD
    assert pb.REPLAY_OUTCOME_REPLAYED in outcomes
    assert {attempt.replayed_by for attempt in shown.replays} <= {"Li Na", "Wang Wei", "Zhao Min"}
    opened = desk.stub.ListQuarantined(pb.ListQuarantinedRequest()).entries
    eventually(lambda: len(desk.stub.ListQuarantined(pb.ListQuarantinedRequest()).entries) == 2, what="the mark")
    assert 3 in [entry.seq for entry in opened]


def test_waived_and_unreadable_entries_are_not_replayed(
    broker: str, desk: Running, client: Client, registry: SnapshotRegistry
) -> None:
    """A waived one is passed over, refused when it is named, and replayed when told so; raw bytes never are."""
    registry.publish(terminal(LATE, OUTLET))
    writer = Writer(broker)
    writer.write([rejected(sale(1), sale(2))], topics.QUARANTINE)
    writer.write_raw(b"T-raw", b"\xff garbage", None)
    writer.flush()
    writer.close()
    eventually(lambda: number(client, "SELECT count() FROM quarantine FINAL") == 3, what="the quarantine")
    waiver = pb.WaiveSequencesRequest(
        terminal_id=LATE, epoch=EPOCH, first_seq=1, last_seq=1, reason="test ticket", waived_by="Li Na"
    )
    assert desk.stub.WaiveSequences(waiver).quarantined == 1
    with pytest.raises(grpc.RpcError, match="was waived") as caught:
        ask(desk, epoch=EPOCH, first_seq=1, last_seq=2)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    answer = ask(desk)
    assert (answer.replayed, answer.waived) == (1, 1)
    eventually(lambda: number(client, "SELECT count() FROM sales") == 1, what="the event that was not waived")
    assert number(client, "SELECT seq FROM sales") == 2
    assert ask(desk, terminal_id="T-raw").unreadable == 1
    told = ask(desk, epoch=EPOCH, first_seq=1, last_seq=1, include_waived=True)
    assert told.replayed == 1
    eventually(lambda: number(client, "SELECT count() FROM sales") == 2, what="the waived event")
    assert number(client, "SELECT count() FROM sales_duplicates") == 0
    with pytest.raises(grpc.RpcError, match="none of the numbers"):
        ask(desk, epoch=EPOCH, first_seq=50, last_seq=60)
