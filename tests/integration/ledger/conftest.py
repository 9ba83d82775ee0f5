"""What the ledger's tests share: the service on a thread of its own before a database, a broker and a registry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from tests.integration.ledger.serving import Rows, Running, serving
from tests.support.clickhouse import Database
from tests.support.collecting import running_registry
from tests.support.registry_stub import SnapshotRegistry
from tests.support.tills import usual_records


@pytest.fixture
def client(clickhouse_database: Database) -> Iterator[Client]:
    """A client of the test's own."""
    made = clickhouse_database.client()
    yield made
    made.close()


@pytest.fixture
def rows(client: Client) -> Rows:
    """A way to put rows into the store past the loader."""
    return Rows(client)


@pytest.fixture
def registry() -> SnapshotRegistry:
    """A registry with the usual records, to publish more to."""
    return SnapshotRegistry(usual_records())


@pytest.fixture
def ledger(clickhouse_database: Database, registry: SnapshotRegistry) -> Iterator[Running]:
    """A running ledger without a broker."""
    with (
        running_registry(registry) as address,
        serving(clickhouse_database, registry=address, kafka="127.0.0.1:1") as running,
    ):
        yield running
