"""Statements of the local endpoint beside one another: overlap, waiting, killing, sessions."""

from __future__ import annotations

import threading
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from fucai.adapters.clickhouse import connect, error_code
from tests.support.clickhouse import Database
from tests.support.waiting import eventually


def test_queries_run_side_by_side(clickhouse_url: str) -> None:
    """Two slow queries are at work at the same time, and each can be killed."""
    failures: list[int] = []

    def slow(name: str) -> None:
        with connect(clickhouse_url, log_comment=name) as own:
            try:
                own.query("SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1")
            except DatabaseError as error:
                failures.append(error_code(error))

    threads = [threading.Thread(target=slow, args=(f"slow-{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    with connect(clickhouse_url) as other:
        running = "SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE 'slow-%'"
        eventually(lambda: other.command(running) == 2, what="two queries at work")
        other.command("KILL QUERY WHERE Settings['log_comment'] LIKE 'slow-%' SYNC")
    for thread in threads:
        thread.join(20)
    assert failures == [394, 394]


def test_drop_waits_for_the_insert_at_work(database: Database) -> None:
    """DROP TABLE ... SYNC returns when no insert runs in the table, and what was inserted is in the view's table."""
    writer, dropper = database.client(), database.client()
    writer.command("CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a")
    writer.command("CREATE TABLE door (a UInt8) ENGINE = Null")
    writer.command(
        "CREATE MATERIALIZED VIEW door_view TO kept AS SELECT a FROM door WHERE NOT ignore(sleepEachRow(0.3))"
    )
    thread = threading.Thread(
        target=writer.raw_insert, args=("door",), kwargs={"insert_block": b"1\n2\n3\n4\n5\n", "fmt": "TSV"}
    )
    thread.start()
    eventually(
        lambda: dropper.command(
            "SELECT count() FROM system.processes "
            "WHERE query_kind = 'Insert' AND current_database = currentDatabase() AND elapsed > 0.5"
        ),
        what="the insert at work, past the moment at which it looks for the view",
    )
    dropper.command("DROP TABLE door SYNC")
    assert dropper.command("SELECT count() FROM kept") == 5
    thread.join()
    with pytest.raises(DatabaseError) as gone:
        writer.raw_insert("door", insert_block=b"1\n", fmt="TSV")
    assert error_code(gone.value) == 60
    writer.close()
    dropper.close()


def test_more_clients_than_connections_wait_their_turn(clickhouse_url: str) -> None:
    """Thirty clients at once all get their answers."""
    answers: list[Any] = []

    def ask(number: int) -> None:
        with connect(clickhouse_url) as own:
            answers.append(own.command(f"SELECT {number} + sum(sleepEachRow(0.02)) FROM numbers(3)"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == list(range(30))


def test_a_session_keeps_its_own(database: Database) -> None:
    """Temporary tables and SET live as long as the session, and no other session sees them."""
    url, name = database.url, database.name
    one = clickhouse_connect.get_client(dsn=url, database=name, session_id=f"{name}-1")
    two = clickhouse_connect.get_client(dsn=url, database=name, session_id=f"{name}-2")
    one.command("CREATE TEMPORARY TABLE mine (a UInt8)")
    one.insert("mine", [[7]], column_names=["a"])
    one.command("SET max_block_size = 77")
    assert one.query("SELECT a, getSetting('max_block_size') FROM mine", settings={"max_threads": 1}).result_rows == [
        (7, 77)
    ]
    with pytest.raises(DatabaseError) as error:
        two.query("SELECT a FROM mine")
    assert error_code(error.value) == 60
    one.close()
    two.close()
