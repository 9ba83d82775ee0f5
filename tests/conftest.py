"""What all tests share: a real broker and a real engine for each test process, started when first asked for."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.clickhouse import Database, fresh_database, running_clickhouse
from tests.support.kafka import running_kafka
from tests.support.processes import end_marked

settings.register_profile("shared-cores", deadline=None)
settings.load_profile("shared-cores")

os.environ["JDK_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=1"
"""Brokers of tests live for minutes: Java's second compiler costs them more than it gives, half the time of a start."""

RUN = "SUITE_RUN"
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
if not IS_WORKER:
    os.environ[RUN] = uuid.uuid4().hex  # all processes of this run inherit it


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends what a run has left behind, and says so: after Ctrl-C a test process has ten seconds to end its own."""
    if not IS_WORKER:
        for line in end_marked(RUN, os.environ[RUN]):
            config.get_terminal_writer().line(f"ended what was left of a test: {line[:200]}")


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap address of a real broker."""
    with running_kafka(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def clickhouse_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the real engine."""
    with running_clickhouse(tmp_path_factory.mktemp("clickhouse") / "store") as url:
        yield url


@pytest.fixture(scope="session")
def clickhouse_endpoint(clickhouse_url: str) -> str:
    """The same, under the name of the part."""
    return clickhouse_url


@pytest.fixture
def clickhouse_database(clickhouse_url: str) -> Iterator[Database]:
    """A migrated database of the test's own."""
    with fresh_database(clickhouse_url) as database:
        yield database
