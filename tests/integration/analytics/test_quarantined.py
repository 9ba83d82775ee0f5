"""How many events stand in quarantine: the figure and the ledger's desk go by one rule."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from fucai.adapters.quarantine_store import Selection, entries_by_number, keep_waiver
from fucai.analytics.texts import plain
from fucai.ledger.desk import Standing, with_standings
from tests.integration.ledger.serving import Rows
from tests.support.clickhouse import Database

AT_MS = 1_760_000_000_000


@pytest.fixture
def client(clickhouse_database: Database) -> Iterator[Client]:
    """A client of the test's own."""
    made = clickhouse_database.client()
    yield made
    made.close()


def figure(client: Client) -> int:
    """What analytics says."""
    return int(client.query(plain("quarantined")).result_rows[0][0])


def at_the_desk(client: Client) -> int:
    """Numbers of open entries, and unreadable records, as the ledger lists them one by one."""
    listed = with_standings(client, entries_by_number(client, Selection(), rows=10_000))
    open_numbers = {each.entry.number for each in listed if each.standing is Standing.OPEN}
    return len(open_numbers) + sum(each.standing is Standing.UNREADABLE for each in listed)


def test_what_was_stored_or_waived_stands_there_no_more(client: Client) -> None:
    """An event under two offsets counts once; stored after a replay, or waived, not at all; raw records each once."""
    rows = Rows(client)
    assert figure(client) == 0
    for _ in range(2):
        rows.quarantine("T1", 1, 4, at_ms=AT_MS)
    assert figure(client) == 4
    rows.store("T1", 1, 1, at_ms=AT_MS)
    rows.store("T2", 1, 9, at_ms=AT_MS)
    assert figure(client) == 3
    keep_waiver(client, "T1", 7, (2, 3), "test tickets", "Wang")
    assert figure(client) == 1
    rows.quarantine("T1", 0, 0, at_ms=AT_MS, reason="BAD_SEQUENCE")
    rows.quarantine("T2", 5, 5, at_ms=AT_MS, reason="BAD_RECORD")
    rows.quarantine("T2", 5, 5, at_ms=AT_MS, reason="BAD_RECORD")
    assert figure(client) == at_the_desk(client) == 4


def test_figure_equals_the_desk(client: Client) -> None:
    """Whatever was quarantined, stored and waived, in any order: both count the same."""
    rows, choose = Rows(client), random.Random(20250117)
    for _ in range(60):
        terminal, first = choose.choice(("T1", "T2", "T3")), choose.randint(1, 40)
        last = first + choose.randint(0, 6)
        epoch = choose.choice((7, 8))
        match choose.choice(("quarantine", "raw", "store", "waive")):
            case "quarantine":
                rows.quarantine(terminal, first, last, at_ms=AT_MS, epoch=epoch)
            case "raw":
                rows.quarantine(terminal, first, first, at_ms=AT_MS, epoch=epoch, reason="BAD_RECORD")
            case "store":
                rows.store(terminal, first, last, at_ms=AT_MS, epoch=epoch)
            case _:
                keep_waiver(client, terminal, epoch, (first, last), "test tickets", "Wang")
    assert figure(client) == at_the_desk(client) > 0
