"""A gate under more than one hand: whoever drops it, and however often that is begun, nothing is written afterwards."""

from __future__ import annotations

import threading

from clickhouse_connect.driver.client import Client

from fucai.adapters.clickhouse import ClickHouseError
from fucai.adapters.gates import Gate, drop_gate, list_gates
from tests.support.clickhouse import Database
from tests.support.waiting import eventually

GATE = Gate(1, "loader_0", 0, "00ff")


def rows(client: Client, query: str) -> int:
    """Return the one number that a query answers."""
    return int(client.query(query).result_rows[0][0])


def test_a_drop_waits_for_an_insert_although_others_are_already_dropping(
    client: Client, clickhouse_database: Database
) -> None:
    """A DROP that finds nothing left to drop returns at once, but the gate counts as there while an insert holds it."""
    view = f"{GATE.name}_to_sales"
    client.command("CREATE TABLE kept (number UInt64) ENGINE = MergeTree ORDER BY number")
    client.command(f"CREATE TABLE {GATE.name} (number UInt64) ENGINE = Null")
    client.command(
        f"CREATE MATERIALIZED VIEW {view} TO kept AS SELECT number FROM {GATE.name} WHERE NOT sleepEachRow(0.6)"
    )

    def tell(statement: str) -> None:
        own = clickhouse_database.client()
        try:
            own.command(statement)
        except ClickHouseError:
            pass  # the insert may be told that its gate is gone
        finally:
            own.close()

    statements = [f"INSERT INTO {GATE.name} VALUES (1), (2), (3)"]
    statements += [f"DROP TABLE {GATE.name} SYNC", f"DROP VIEW {view} SYNC"]
    threads = [threading.Thread(target=tell, args=(statement,)) for statement in statements]
    threads[0].start()
    eventually(
        lambda: rows(client, f"SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO {GATE.name} %'")
    )
    dropped = "SELECT count() FROM system.dropped_tables WHERE database = currentDatabase()"
    for number, thread in enumerate(threads[1:], 1):
        thread.start()
        eventually(lambda number=number: rows(client, dropped) == number)  # type: ignore[misc]
    assert rows(client, "SELECT count() FROM kept") == 0
    assert list_gates(client) == [GATE]
    drop_gate(client, GATE)
    kept = rows(client, "SELECT count() FROM kept")
    assert list_gates(client) == []
    for thread in threads:
        thread.join()
    assert rows(client, "SELECT count() FROM kept") == kept
    assert kept in {0, 3}
