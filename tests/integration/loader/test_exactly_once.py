"""The loader between a real broker and the real engine: whatever happens, each event stands in `sales` once."""

from __future__ import annotations

import random
import subprocess
import threading
from collections.abc import Callable

import pytest
from clickhouse_connect.driver.client import Client

from fucai.devstack.kafka import tool_command
from fucai.domain import topics
from fucai.domain.record import RecordRange
from fucai.v1 import sales_pb2
from tests.support.batches import Writer, batch, rejected_batch, span_of
from tests.support.clickhouse import Database
from tests.support.loading import group_of, loader_thread, start_loader
from tests.support.waiting import eventually

TERMINALS = 12
PER_TERMINAL = 200


def batches(size: int = 10) -> list[sales_pb2.SalesBatch]:
    """Return the sales of a dozen terminals, cut into batches, terminals interleaved."""
    return [
        batch(first, size, f"T{terminal}")
        for first in range(1, PER_TERMINAL + 1, size)
        for terminal in range(TERMINALS)
    ]


def count(client: Client, table: str = "sales") -> int:
    """Return the rows of a table."""
    return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])


def assert_each_once(client: Client) -> None:
    """Every event is stored, none twice, and the amounts are those sent."""
    row = client.query("SELECT count(), uniqExact(terminal_id, epoch, seq), sum(amount_fen), sum(bets) FROM sales")
    sent = [event for made in batches() for event in made.events]
    expected = (len(sent), len(sent), sum(e.amount_fen for e in sent), sum(e.bets for e in sent))
    assert row.result_rows[0] == expected


def stored(client: Client, number: int = TERMINALS * PER_TERMINAL) -> Callable[[], bool]:
    """Return a look at whether that many events are stored."""
    return lambda: count(client) >= number


def test_stores_everything_once_and_again_nothing(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """After a restart on the same topic the loader stores nothing again, and duplicates go beside the sales."""
    writer.write(batches())
    writer.flush()
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(stored(client))
    writer.write(batches(20)[:24])
    writer.flush()
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(lambda: count(client, "sales_duplicates") >= 24 * 20)
    assert_each_once(client)
    assert count(client, "sales_duplicates") == 24 * 20
    assert count(client, "quarantine") == 0


def test_bad_records_go_into_quarantine_and_their_neighbours_are_stored(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """Records written past the collector that lie or are garbage are kept whole in quarantine; the rest is stored."""
    good = batches()
    writer.write(good[: len(good) // 2])
    span = RecordRange(7, 1, 3, 3)
    holed = batch(1, 4, "H1")
    del holed.events[2]
    far = batch(1, 1, "Z1")
    far.events[0].sold_at_ms = 2**62
    twice = batch(1, 3, "W1").SerializeToString() + sales_pb2.SalesBatch(outlet_id="X").SerializeToString()
    writer.write_raw(b"R1", b"\xff\x93random bytes\x00", span)
    writer.write_raw(b"E1", b"", span)
    writer.write_raw(b"N1", None, span)
    writer.write_raw(b"K2", batch(1, 3, "K1").SerializeToString(), span)
    writer.write_raw(b"H1", holed.SerializeToString(), span)
    writer.write_raw(b"W1", twice, span)
    writer.write_raw(b"L1", batch(1, 3, "L1").SerializeToString(), None)
    writer.write_raw(None, batch(1, 3, "M1").SerializeToString(), span)
    writer.write_raw(b"S1", batch(2, 3, "S1").SerializeToString(), span)
    writer.write_raw(b"P1", batch(1, 3, "P1").SerializeToString(), RecordRange(8, 1, 3, 3))
    writer.write_raw(b"C1", batch(1, 3, "C1").SerializeToString(), RecordRange(7, 1, 4_000_000_000, 4_000_000_000))
    writer.write_raw(b"Z1", far.SerializeToString(), span_of(far))
    writer.write(good[len(good) // 2 :])
    writer.write([rejected_batch(PER_TERMINAL + 1, 2, "T1")], topics.QUARANTINE)
    writer.flush()
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(stored(client), 60)
        eventually(lambda: count(client, "quarantine FINAL") >= 14)
    assert_each_once(client)
    kept = client.query("SELECT reason, count(), countIf(detail = '') FROM quarantine FINAL GROUP BY reason ORDER BY 1")
    assert kept.result_rows == [("BAD_RECORD", 12, 0), ("UNKNOWN_GAME", 2, 2)]
    (raw,) = client.query("SELECT hex(raw_record) FROM quarantine FINAL WHERE terminal_id = 'R1'").result_rows
    assert bytes.fromhex(str(raw[0])) == b"\xff\x93random bytes\x00"


def test_numbers_of_a_liar_stay_free_for_the_truth(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """A record whose header claims numbers that it does not hold does not make the real ones count as duplicates."""
    real = batch(1, 5, "T1")
    liar = batch(1, 5, "T1")
    liar.outlet_id = ""
    writer.write_raw(b"T1", liar.SerializeToString(), span_of(liar))
    writer.write([real])
    writer.flush()
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(stored(client, 5))
        eventually(lambda: count(client, "quarantine") == 1)
    assert count(client) == 5
    assert count(client, "sales_duplicates") == 0


def test_second_loader_takes_over_its_share(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """When a second loader joins and the first leaves, in the middle of the stream, each event is stored once."""
    good = batches()
    third = len(good) // 3
    url, name = clickhouse_database.url, clickhouse_database.name
    writer.write(good[:third])
    writer.flush()
    with loader_thread(broker, url, name, "loader-0"):
        eventually(stored(client, third * 10))
        with loader_thread(broker, url, name, "loader-1") as second:
            eventually(lambda: (second.get_sample_value("fucai_loader_gates_opened_total") or 0) >= 2)
            writer.write(good[third : 2 * third])
            writer.flush()
            eventually(stored(client, 2 * third * 10))
        writer.write(good[2 * third :])
        writer.flush()
        eventually(stored(client), 60)
    assert_each_once(client)
    assert count(client, "sales_duplicates") == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_loader_loses_and_doubles_nothing(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database, seed: int
) -> None:
    """A loader killed at random moments while records flow in, and started again, stores each event once."""
    choose = random.Random(seed)
    url, name = clickhouse_database.url, clickhouse_database.name
    good = batches()

    def feed() -> None:
        for start in range(0, len(good), 10):
            writer.write(good[start : start + 10])
            writer.flush()
            threading.Event().wait(0.1)

    feeding = threading.Thread(target=feed)
    feeding.start()
    kills = 0
    process = start_loader(broker, url, name)
    try:
        while kills < 4:
            seen = count(client)
            eventually(lambda seen=seen: count(client) > seen or not feeding.is_alive(), 30)  # type: ignore[misc]
            threading.Event().wait(choose.uniform(0, 0.15))
            process.kill()
            process.wait()
            kills += 1
            process = start_loader(broker, url, name)
        feeding.join()
        eventually(stored(client), 60)
    finally:
        process.kill()
        process.wait()
    assert_each_once(client)
    assert count(client, "sales_duplicates") == 0


def test_kafkas_own_tool_shows_the_lag(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """The consumer group tool that comes with Kafka names the loader's group and counts its lag to zero."""
    writer.write(batches())
    writer.flush()
    tool = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
    command = tool_command(
        tool, "--bootstrap-server", broker, "--describe", "--group", group_of(clickhouse_database.name)
    )
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name) as metrics:
        eventually(stored(client))

        def lag() -> float:
            return sum(
                sample.value
                for family in metrics.collect()
                for sample in family.samples
                if sample.name == "fucai_loader_lag_records"
            )

        eventually(lambda: (metrics.get_sample_value("fucai_loader_events_total", {"outcome": "stored"}) or 0) > 0)
        eventually(lambda: lag() == 0)
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in shown.splitlines() if line.split()[1:2] == [topics.SALES]]
    assert len(rows) == 4
    assert [row[5] for row in rows] == ["0"] * 4
