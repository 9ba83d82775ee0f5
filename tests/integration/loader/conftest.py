"""What the loader's tests share: empty topics, a way past the collector, a database with a client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from fucai.adapters.topics import TopicLayout
from tests.support.batches import Writer
from tests.support.clickhouse import Database
from tests.support.kafka import renew_topics


@pytest.fixture
def broker(kafka_broker: str) -> str:
    """The session's broker with empty topics."""
    renew_topics(kafka_broker, TopicLayout(partitions=4))
    return kafka_broker


@pytest.fixture
def writer(broker: str) -> Iterator[Writer]:
    """A way past the collector into Kafka."""
    made = Writer(broker)
    yield made
    made.close()


@pytest.fixture
def client(clickhouse_database: Database) -> Iterator[Client]:
    """A client of the test's own."""
    made = clickhouse_database.client()
    yield made
    made.close()
