"""The loader while its broker is away: it waits and says so, and goes on by itself. Breaks a broker of its own."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from kafka.errors import NodeNotReadyError

from fucai.adapters.consumer import FetchedRecord, GroupConsumer
from fucai.adapters.topics import TopicLayout, ensure_topics
from fucai.runtime.progress import Progress
from tests.support.batches import Writer, batch
from tests.support.clickhouse import Database
from tests.support.kafka import running_kafka
from tests.support.loading import loader_thread
from tests.support.ports import free_ports
from tests.support.waiting import eventually


def stored(client: Client) -> tuple[int, int]:
    """Return the rows in `sales`, and how many events they are."""
    rows, events = client.query("SELECT count(), uniqExact(terminal_id, seq) FROM sales").result_rows[0]
    return int(rows), int(events)


def write(bootstrap: str, first: int) -> None:
    """Put 200 sales of four terminals into Kafka."""
    writer = Writer(bootstrap)
    writer.write(batch(start, 10, f"T{terminal}") for start in range(first, first + 50, 10) for terminal in range(4))
    writer.close()


def test_poll_that_fails_with_records_in_hand_loses_none(
    broker: str, client: Client, clickhouse_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kafka-python may have moved on behind records that it did not deliver for an error: they are read again."""
    failures = iter([NodeNotReadyError("node 1")])
    poll = GroupConsumer.poll

    def failing_poll(consumer: GroupConsumer, timeout_ms: int) -> list[FetchedRecord]:
        records = poll(consumer, timeout_ms)
        if records and (failure := next(failures, None)):
            raise failure
        return records

    monkeypatch.setattr(GroupConsumer, "poll", failing_poll)
    write(broker, 1)
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(lambda: stored(client) == (200, 200))
    assert next(failures, None) is None


@pytest.mark.soak
def test_goes_on_when_a_killed_broker_is_back(tmp_path: Path, client: Client, clickhouse_database: Database) -> None:
    """A broker killed and started again: the loader's thread lives on, is not ready meanwhile, stores each event once.

    Which errors its polls meet, if any, depends on the moment.
    """
    ports, progress = free_ports(2), Progress()
    with ExitStack() as stack:
        with running_kafka(tmp_path, ports) as bootstrap:
            ensure_topics(bootstrap, TopicLayout(partitions=4))
            write(bootstrap, 1)
            stack.enter_context(
                loader_thread(bootstrap, clickhouse_database.url, clickhouse_database.name, progress=progress)
            )
            eventually(lambda: stored(client) == (200, 200))
            eventually(lambda: progress.readiness().ready)
        eventually(lambda: not progress.readiness().ready)
        with running_kafka(tmp_path, ports):
            write(bootstrap, 51)
            eventually(lambda: stored(client) == (400, 400))
            eventually(lambda: progress.readiness().ready)
            stack.close()
