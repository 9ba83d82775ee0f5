"""The local ClickHouse endpoint when it is killed: what it acknowledged is there, the rest is whole or absent."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

from clickhouse_connect.driver.client import Client

from fucai.adapters.clickhouse import ClickHouseError, connect
from tests.support.ports import free_ports
from tests.support.waiting import eventually

DURABLE = {"fsync_after_insert": 1, "fsync_part_directory": 1, "min_bytes_for_wide_part": 0}
BLOCK = 1_000


class Endpoint:
    """The endpoint on a folder, to be ended in any way and started again."""

    def __init__(self, data: Path) -> None:
        (self._port,) = free_ports(1)
        self._data = data
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        """Start it and return when it answers."""
        command = [sys.executable, "-m", "fucai.devstack.clickhouse", "--data", str(self._data)]
        self._process = subprocess.Popen([*command, "--port", str(self._port)], stdout=subprocess.DEVNULL)
        eventually(self._answers, 60, what="an answer of the endpoint")

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self._process.send_signal(number)
        return self._process.wait(timeout=20)

    def client(self) -> Client:
        """Return a client."""
        return connect(self.url)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the endpoint ended"
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=1):  # noqa: S310 (our own, on loopback)
                return True
        except OSError:
            return False


def create(client: Client) -> None:
    """Create a table with an aggregating projection and a view that fills a second table, as the suite has them."""
    settings = ", ".join(f"{name} = {value}" for name, value in DURABLE.items())
    client.command(
        "CREATE TABLE sold (writer UInt8, number UInt64, PROJECTION most (SELECT writer, max(number), count() "
        f"GROUP BY writer)) ENGINE = MergeTree ORDER BY (writer, number) SETTINGS {settings}"
    )
    client.command(f"CREATE TABLE doubled (number UInt64) ENGINE = MergeTree ORDER BY number SETTINGS {settings}")
    client.command("CREATE MATERIALIZED VIEW to_doubled TO doubled AS SELECT number * 2 AS number FROM sold")


def test_acknowledged_inserts_survive_kill_9(tmp_path: Path) -> None:
    """Killed among inserts of three writers: each acknowledged block is there, no block is there in part."""
    endpoint = Endpoint(tmp_path)
    create(endpoint.client())
    acknowledged: dict[int, int] = dict.fromkeys(range(3), 0)

    def write(writer: int) -> None:
        try:
            client = endpoint.client()
            for block in range(100_000):
                rows = [[writer, number] for number in range(block * BLOCK, (block + 1) * BLOCK)]
                client.insert("sold", rows, column_names=["writer", "number"])
                acknowledged[writer] += BLOCK
        except ClickHouseError:
            return

    writers = [threading.Thread(target=write, args=(writer,)) for writer in acknowledged]
    for each in writers:
        each.start()
    eventually(lambda: min(acknowledged.values()) > 5 * BLOCK, 60, what="five blocks of each writer")
    endpoint.end(signal.SIGKILL)
    for each in writers:
        each.join()

    endpoint.start()
    client = endpoint.client()
    stored = {
        int(writer): (int(count), int(distinct), int(highest))
        for writer, count, distinct, highest in client.query(
            "SELECT writer, count(), uniqExact(number), max(number) FROM sold GROUP BY writer"
        ).result_rows
    }
    by_projection = client.query("SELECT writer, max(number), count() FROM sold GROUP BY writer").result_rows
    endpoint.end(signal.SIGTERM)
    for writer, sent in acknowledged.items():
        count, distinct, highest = stored[writer]
        assert count in {sent, sent + BLOCK}
        assert (distinct, highest) == (count, count - 1)
    assert {(int(w), int(m), int(c)) for w, m, c in by_projection} == {(w, h, c) for w, (c, _, h) in stored.items()}


def test_tables_views_and_merges_survive_a_stop(tmp_path: Path) -> None:
    """SIGTERM ends it with code 0; after the restart the view still fills its table, and parts are merged."""
    endpoint = Endpoint(tmp_path)
    client = endpoint.client()
    create(client)
    client.command("INSERT INTO sold SELECT 1, number FROM numbers(10)")
    assert endpoint.end(signal.SIGTERM) == 0
    endpoint.start()
    client = endpoint.client()
    for turn in range(1, 12):
        client.command(f"INSERT INTO sold SELECT 1, number + {turn * 10} FROM numbers(10)")
    assert int(str(client.command("SELECT sum(number) FROM doubled"))) == 120 * 119
    eventually(
        lambda: int(str(client.command("SELECT max(level) FROM system.parts WHERE active AND table = 'sold'"))) > 0,
        what="a merge in the background",
    )
    assert endpoint.end(signal.SIGTERM) == 0
