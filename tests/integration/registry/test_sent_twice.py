"""Inserts that arrive twice, as the client library may send them after a lost connection: nothing counts twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, cast

import pytest
from clickhouse_connect.driver.client import Client

from fucai.adapters.history_store import claims_of, epoch_of, let_in, other_claims
from fucai.adapters.registry_store import StoredState, read_records, read_state, save
from fucai.domain.registry.changes import Entry, plan
from fucai.domain.registry.history import OtherClaim, Place
from fucai.domain.registry.tables import TABLES
from fucai.v1.registry_pb2 import DrawAct
from tests.support.clickhouse import Database
from tests.unit.registry.records import good, stored

RECORDS = {"draw_act": DrawAct(game="ssq", draw_no="2024001", act="seal", at_ms=1, acted_by="Wang")}
"""Records of tables that no file fills."""


class Twice:
    """A client whose inserts all arrive twice."""

    def __init__(self, client: Client) -> None:
        """Take the client."""
        self._client = client
        self.query = client.query

    def insert(self, *arguments: Any, **more: Any) -> None:
        """Insert the same rows two times."""
        for _ in range(2):
            self._client.insert(*arguments, **more)


@pytest.fixture
def client(clickhouse_database: Database) -> Iterator[Client]:
    """A client of the test's own."""
    made = clickhouse_database.client()
    yield made
    made.close()


def test_import_sent_twice_counts_once(client: Client) -> None:
    """Each record of each table stands once in its view, and the imports are counted by their numbers."""
    entries = [Entry(1, table, RECORDS.get(table.kind) or good(table.kind)) for table in TABLES]
    made = plan(entries, stored())
    writer = cast("Client", Twice(client))
    assert save(writer, made, "a.csv") == 1
    assert client.query("SELECT count() FROM imports").result_rows == [(2,)]
    assert client.query("SELECT count() FROM outlet_rows").result_rows == [(2,)]
    assert read_state(client) == StoredState(imports=1, revision=1)
    assert read_records(client) == made.records_after
    for view in [*(table.name for table in TABLES), "outlet_places", "outlet_history"]:
        assert client.query(f"SELECT count() FROM {view}").result_rows == [(1,)], view
    assert save(writer, made, "b.csv") == 2
    assert read_state(client) == StoredState(imports=2, revision=2)


def test_claims_sent_twice_count_once(client: Client) -> None:
    """A file let in twice under one epoch has its days once, for itself and for others."""
    place, span = Place("001", "ssq"), (date(2024, 1, 1), date(2024, 1, 31))
    let_in(cast("Client", Twice(client)), 5_000, "ab" * 32, "a.csv", {place: [span]})
    assert client.query("SELECT count() FROM history_claims").result_rows == [(2,)]
    assert client.query("SELECT count() FROM history_files").result_rows == [(2,)]
    assert epoch_of(client, "ab" * 32) == 5_000
    assert claims_of(client, 5_000) == {place: [span]}
    assert list(other_claims(client, ["001"])) == [OtherClaim(place, span, "a.csv")]
