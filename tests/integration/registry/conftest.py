"""Registries over databases of their own: one for each test, and one for tests that change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.registry.serving import Running, serving
from tests.support.clickhouse import Database, fresh_database


@pytest.fixture
def registry(clickhouse_database: Database) -> Iterator[Running]:
    """The service over an empty registry."""
    with serving(clickhouse_database.url, clickhouse_database.name) as running:
        yield running


@pytest.fixture(scope="module")
def quiet_registry(clickhouse_url: str) -> Iterator[Running]:
    """The service over an empty registry that stays empty."""
    with fresh_database(clickhouse_url) as database, serving(database.url, database.name) as running:
        yield running
