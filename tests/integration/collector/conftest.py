"""A collector process between a registry of the test's own and the session's broker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition

from fucai.adapters.topics import TopicLayout
from fucai.domain import topics
from fucai.v1 import sales_pb2
from tests.support.collecting import RunningCollector, running_collector, running_registry
from tests.support.kafka import renew_topics
from tests.support.registry_stub import SnapshotRegistry
from tests.support.tills import usual_records

PARTITIONS = 4
HUNDRED_YEARS_DAYS = "36500"


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as Kafka holds it."""

    topic: str
    partition: int
    key: str
    value: sales_pb2.SalesBatch
    headers: dict[str, bytes]


def stored_records(bootstrap: str, terminal_id: str) -> list[Stored]:
    """Every record of one terminal, in order for each topic."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        places = [
            TopicPartition(topic, number) for topic in (topics.SALES, topics.QUARANTINE) for number in range(PARTITIONS)
        ]
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(places)
        found = []
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=200).values():
                found += [
                    Stored(
                        record.topic,
                        record.partition,
                        record.key.decode(),
                        sales_pb2.SalesBatch.FromString(record.value),
                        dict(record.headers),
                    )
                    for record in records
                    if record.key == terminal_id.encode()
                ]
        return found
    finally:
        consumer.close()


@pytest.fixture(scope="module")
def broker(kafka_broker: str) -> str:
    """The session's broker with empty topics."""
    renew_topics(kafka_broker, TopicLayout(partitions=PARTITIONS))
    return kafka_broker


@pytest.fixture(scope="module")
def registry() -> SnapshotRegistry:
    """A registry with the usual records, to publish more to."""
    return SnapshotRegistry(usual_records())


@pytest.fixture(scope="module")
def collector(
    broker: str, registry: SnapshotRegistry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningCollector]:
    """A collector that takes events of any age, so that tests need no clock."""
    folder: Path = tmp_path_factory.mktemp("collector")
    with (
        running_registry(registry) as address,
        running_collector(folder, kafka=broker, registry=address, past_days=HUNDRED_YEARS_DAYS) as running,
    ):
        yield running
