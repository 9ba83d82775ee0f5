"""An insert whose answer is lost on the way: it has failed for the loader, and nobody may repeat it unasked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from clickhouse_connect.driver.client import Client

from fucai.adapters.clickhouse import ClickHouseError, connect
from fucai.adapters.gates import Gate, create_gate, insert_batches
from fucai.loader.ledger import Ledger
from fucai.loader.plan import plan_flush
from fucai.loader.record import SALES_TOPIC, Record
from tests.support.batches import NOON_MS, batch, span_of
from tests.support.clickhouse import Database
from tests.support.ports import free_ports
from tests.support.proxy import Way, open_proxies
from tests.support.waiting import eventually


def test_insert_whose_answer_is_lost_is_not_sent_again(client: Client, clickhouse_database: Database) -> None:
    """The client library repeats an insert of bytes by itself after a lost connection, which stored it twice."""
    made = batch(1, 5)
    record = Record(SALES_TOPIC, 0, 0, b"T1", made.SerializeToString(), NOON_MS, span_of(made), "")
    gate = Gate(1, "loader_0", 0, "abc")
    (port,) = free_ports(1)
    target = int(clickhouse_database.url.rpartition(":")[2])
    with open_proxies(engine=(port, target)) as proxies, ThreadPoolExecutor(1) as pool:
        writer = connect(f"http://127.0.0.1:{port}", clickhouse_database.name)
        create_gate(writer, gate, "Asia/Shanghai")
        proxies["engine"].hold(Way.DOWN)
        insert = pool.submit(insert_batches, writer, gate, plan_flush([record], Ledger()).body)
        eventually(lambda: client.query("SELECT count() FROM sales").result_rows == [(5,)])
        proxies["engine"].heal_and_cut()
        with pytest.raises(ClickHouseError):
            insert.result(30)
        writer.close()
    assert client.query("SELECT count() FROM sales").result_rows == [(5,)]
