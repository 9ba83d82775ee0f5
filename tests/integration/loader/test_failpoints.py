"""A loader killed at named moments of its protocol, one after the other."""

from __future__ import annotations

import signal

from clickhouse_connect.driver.client import Client

from fucai.domain import topics
from tests.support.batches import Writer, batch, rejected_batch
from tests.support.clickhouse import Database
from tests.support.loading import start_loader
from tests.support.waiting import eventually

MOMENTS = ("after-gate", "between-drops", "after-restore", "after-insert", "before-commit")
TERMINALS = 4
SIZE = 10


def test_killed_at_named_moments_it_stores_each_event_once(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """After a kill at each of these moments every event is stored, and each resent one is kept, once."""
    url, name = clickhouse_database.url, clickhouse_database.name
    for turn, moment in enumerate([*MOMENTS, ""]):
        first = 1 + turn * SIZE
        writer.write([batch(first, SIZE, f"T{number}") for number in range(TERMINALS)])
        writer.write([batch(first, SIZE // 2, f"T{number}") for number in range(TERMINALS)])
        writer.write([rejected_batch(1_000 + turn, 1, "T0")], topics.QUARANTINE)
        writer.flush()
        failpoints = f"loader.{moment}=kill@2" if moment else ""
        process = start_loader(broker, url, name, failpoints=failpoints)
        try:
            if moment:
                assert process.wait(30) == -signal.SIGKILL, moment
            else:
                eventually(lambda: kept(client) == wanted(len(MOMENTS) + 1), what="everything in its table")
        finally:
            process.kill()
            process.wait()


def wanted(turns: int) -> dict[str, tuple[int, int]]:
    """Return rows and different events of each table after so many turns."""
    sold, again = turns * TERMINALS * SIZE, turns * TERMINALS * SIZE // 2
    return {"sales": (sold, sold), "sales_duplicates FINAL": (again, again), "quarantine FINAL": (turns, turns)}


def kept(client: Client) -> dict[str, tuple[int, int]]:
    """Return the same as it is."""
    return {
        table: tuple(client.query(f"SELECT count(), uniqExact(terminal_id, epoch, seq) FROM {table}").result_rows[0])
        for table in wanted(0)
    }
