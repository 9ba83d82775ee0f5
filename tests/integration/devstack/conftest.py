"""Empty databases for the tests of the local endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from clickhouse_connect.driver.client import Client

from fucai.adapters.clickhouse import connect
from tests.support.clickhouse import Database


@pytest.fixture
def database(clickhouse_url: str) -> Iterator[Database]:
    """An empty database of the test's own."""
    made = Database(clickhouse_url, f"test_{uuid4().hex[:12]}")
    with connect(clickhouse_url) as admin:
        admin.command(f"CREATE DATABASE {made.name}")
        yield made
        admin.command(f"DROP DATABASE {made.name} SYNC")


@pytest.fixture
def client(database: Database) -> Iterator[Client]:
    """A client of an empty database."""
    with database.client() as made:
        yield made
