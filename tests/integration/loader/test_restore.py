"""What a worker remembers after a restart, read from the real engine."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from fucai.domain.sequences import SequenceSet
from fucai.loader.record import QUARANTINE_TOPIC, SALES_TOPIC, Record
from fucai.loader.store import ClickHouseStore
from fucai.loader.worker import Membership, Worker
from fucai.v1 import sales_pb2
from tests.support.batches import batch, rejected_batch, span_of
from tests.support.clickhouse import Database

PARTITION = 3
FROM_THE_START = {(topic, PARTITION): 0 for topic in (SALES_TOPIC, QUARANTINE_TOPIC)}


def record(made: sales_pb2.SalesBatch, offset: int, topic: int = SALES_TOPIC) -> Record:
    """Return a batch as it is read from Kafka."""
    return Record(topic, PARTITION, offset, made.terminal_id.encode(), made.SerializeToString(), 1, span_of(made))


def worker_on(database: Database) -> Worker:
    """Return a worker that has just opened its gate and restored from the beginning of both topics."""
    worker = Worker(0, ClickHouseStore(database.client(), "Asia/Shanghai"))
    worker.open_gate(Membership(1, "loader_0"))
    worker.restore([PARTITION], FROM_THE_START)
    return worker


@pytest.fixture
def worker(clickhouse_database: Database) -> Iterator[Worker]:
    """A worker on an empty store."""
    made = worker_on(clickhouse_database)
    yield made
    made.close()


def test_bad_numbers_that_share_a_record_are_kept_each(worker: Worker, client: Client) -> None:
    """The real gate takes a record of rising numbers with gaps between, and each event stands under its own."""
    made = rejected_batch(1, 4)
    for event, finding, seq in zip(made.events, made.findings, (0, 3, 9, 2**64 - 1), strict=True):
        event.seq = finding.seq = seq
    plan = worker.flush([record(made, 0, QUARANTINE_TOPIC)])
    assert (plan.quarantined, plan.bad_records) == (4, 0)
    assert standing(client)["quarantine"] == [(1, 0, 0), (1, 0, 3), (1, 0, 9), (1, 0, 2**64 - 1)]
    worker.restore([PARTITION], FROM_THE_START)
    assert list(worker.ledger.of(b"T1", made.epoch).quarantined.ranges()) == [(3, 3), (9, 9)]


def test_holes_are_found_wherever_they_are(worker: Worker, client: Client) -> None:
    """What is restored is what is stored, with holes at the ends of blocks, in them, over many, and with none."""
    choose = random.Random(4)
    whole = set(range(1, 5_001))
    stored = {
        "whole": whole,
        "edges": whole - {1_023, 1_024, 2_048},
        "long": whole - set(range(900, 3_500)),
        "late": {seq + 10_000 for seq in whole},
        "torn": {seq for seq in whole if choose.random() > 0.2},
        "last": {2**63 + 5, 2**63 + 6, 2**63 + 8},
        "one": {1_024},
    }
    client.insert(
        "sales",
        [(terminal, seq, PARTITION, 1) for terminal, seqs in stored.items() for seq in seqs],
        column_names=["terminal_id", "seq", "kafka_partition", "kafka_offset"],
    )
    worker.restore([PARTITION], dict.fromkeys(FROM_THE_START, 9))
    found = {terminal.decode(): known.stored for (terminal, _), known in worker.ledger.terminals.items()}
    assert found == {terminal: SequenceSet((seq, seq) for seq in sorted(seqs)) for terminal, seqs in stored.items()}
    assert worker.ledger.replayed == {}


def standing(client: Client) -> dict[str, list[tuple[int, int, int]]]:
    """Return topic, offset and number of every event in each table."""
    asked = {
        "sales": "SELECT 0, kafka_offset, seq FROM sales ORDER BY ALL",
        "sales_duplicates": "SELECT kafka_topic, kafka_offset, seq FROM sales_duplicates FINAL ORDER BY ALL",
        "quarantine": "SELECT kafka_topic, kafka_offset, seq FROM quarantine FINAL ORDER BY ALL",
    }
    return {
        table: [(int(topic), int(offset), int(seq)) for topic, offset, seq in client.query(query).result_rows]
        for table, query in asked.items()
    }


def test_part_of_a_flush_that_was_not_stored_is_stored_when_it_is_read_again(
    worker: Worker, client: Client, clickhouse_database: Database
) -> None:
    """Whichever tables a broken insert did not reach: reading the same records again completes all of them."""
    lying = batch(1, 3, "T9")
    lying.terminal_id = "T8"
    liar = Record(SALES_TOPIC, PARTITION, 4, b"T9", lying.SerializeToString(), 1, span_of(lying))
    flush = [
        record(batch(1, 3), 0),
        record(batch(2, 4), 1),
        record(batch(1, 3), 2),
        record(batch(9, 2), 3),
        liar,
        record(rejected_batch(7, 2), 0, QUARANTINE_TOPIC),
        record(rejected_batch(1, 2), 1, QUARANTINE_TOPIC),
    ]
    worker.flush(flush, {liar.place: ""})
    whole = standing(client)
    assert whole == {
        "sales": [(0, 0, 1), (0, 0, 2), (0, 0, 3), (0, 1, 4), (0, 1, 5), (0, 3, 9), (0, 3, 10)],
        "sales_duplicates": [(0, 1, 2), (0, 1, 3), (0, 2, 1), (0, 2, 2), (0, 2, 3), (1, 1, 1), (1, 1, 2)],
        "quarantine": [(0, 4, 1), (1, 0, 7), (1, 0, 8)],
    }
    for lost in ("sales_duplicates", "sales WHERE seq IN (2, 5, 9)", "quarantine WHERE seq = 8"):
        table, _, which = lost.partition(" WHERE ")
        client.command(f"ALTER TABLE {table} DELETE WHERE {which or '1'} SETTINGS mutations_sync = 2")
        again = worker_on(clickhouse_database)
        again.flush(flush)
        again.close()
        assert standing(client) == whole, lost
