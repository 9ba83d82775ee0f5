"""Records written past the collector that lie in every way: none stops the loader, none vanishes, none is believed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from clickhouse_connect.driver.client import Client

from fucai.domain import topics
from fucai.domain.record import RecordRange
from fucai.v1.sales_pb2 import DISPOSITION_STORE, SalesBatch, SalesEvent
from tests.support.batches import Writer, batch, rejected_batch
from tests.support.clickhouse import Database
from tests.support.loading import loader_thread
from tests.support.waiting import eventually

SPAN = RecordRange(7, 1, 3, 3)


def count(client: Client, table: str = "sales") -> int:
    """Return the rows of a table."""
    return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])


def quarantined_whole(client: Client) -> list[str]:
    """Return the keys of the records that stand in quarantine as they came."""
    rows = client.query("SELECT terminal_id FROM quarantine FINAL WHERE reason = 'BAD_RECORD' ORDER BY 1").result_rows
    return [str(row[0]) for row in rows]


def spoiled(made: SalesBatch, event: dict[str, Any] | None = None, **fields: Any) -> SalesBatch:
    """Return a batch with fields replaced, of the batch or of its second event."""
    for name, value in fields.items():
        setattr(made, name, value)
    for name, value in (event or {}).items():
        setattr(made.events[1], name, value)
    return made


SALES_LIES: dict[str, Callable[[SalesBatch], SalesBatch]] = {
    "received in a far year": lambda made: spoiled(made, received_at_ms=2**62),
    "sold in a far year": lambda made: spoiled(made, {"sold_at_ms": 2**63 - 1}),
    "amount that breaks sums": lambda made: spoiled(made, {"amount_fen": 2**63 - 1}),
    "companion that breaks sums": lambda made: spoiled(made, {"companion_fen": 2**63 - 1}),
    "companion below zero": lambda made: spoiled(made, {"companion_fen": -1}),
    "kind 257": lambda made: spoiled(made, {"kind": 257}),
    "no events": lambda made: SalesBatch(
        terminal_id=made.terminal_id, outlet_id="O", epoch=7, digest=b"x" * 50, received_at_ms=1, collector_id="c"
    ),
}


def test_lies_of_sales_are_not_believed(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """Each lie is kept whole, and the numbers that it claims stay free for the truth that comes later."""
    for name, lie in SALES_LIES.items():
        writer.write_raw(name.encode(), lie(batch(1, 3, name)).SerializeToString(), SPAN)
    writer.flush()
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(lambda: quarantined_whole(client) == sorted(SALES_LIES), 20)
        writer.write([batch(1, 3, name) for name in SALES_LIES])
        writer.flush()
        eventually(lambda: count(client) == 3 * len(SALES_LIES), 20)
    assert count(client, "sales_duplicates") == 0


def test_name_that_is_no_text_is_no_terminal(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """Key and terminal that agree on bytes which are no UTF-8 would be forgotten by a restart: they are quarantined."""
    value = batch(1, 3, "T-xx").SerializeToString().replace(b"T-xx", b"T-\xff\xfe")
    outlet = batch(1, 3, "T-ok").SerializeToString().replace(b"O-T-ok", b"O-\xff\xfeok")
    for bad in (2, 4):
        writer.write_raw(b"T-\xff\xfe", value, SPAN)
        writer.write_raw(b"T-ok", outlet, SPAN)
        writer.flush()
        with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
            writer.write([batch(1, 1, "T-good")])
            writer.flush()
            eventually(lambda: count(client) == 1, 20)
            eventually(lambda bad=bad: len(quarantined_whole(client)) == bad, 20)  # type: ignore[misc]
    assert count(client) == 1


def test_a_drip_of_lies_does_not_hold_up_the_rest(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """While bad records come between good ones all the time, only the first of them costs failed inserts."""

    def write(number: int) -> None:
        lie = spoiled(batch(1, 3, f"lie-{number}"), received_at_ms=2**62)
        writer.write_raw(lie.terminal_id.encode(), lie.SerializeToString(), SPAN)
        writer.write([batch(1, 5, f"good-{number}-{part}") for part in range(8)])
        writer.flush()

    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name) as metrics:
        for number in range(60):
            write(number)
            threading.Event().wait(0.05)
        eventually(lambda: count(client) == 60 * 40, 20)
        eventually(lambda: len(quarantined_whole(client)) == 60, 20)
        failed = metrics.get_sample_value("fucai_loader_failed_flushes_total")
    assert failed is not None
    assert failed <= 4


def test_known_numbers_hide_nothing(broker: str, writer: Writer, client: Client, clickhouse_database: Database) -> None:
    """A record whose header names stored numbers, while its value holds others or none, is no duplicate."""
    writer.write([batch(1, 3, "T1")])
    writer.write_raw(b"T1", batch(101, 3, "T1").SerializeToString(), SPAN)
    writer.write_raw(b"T1", SALES_LIES["no events"](batch(1, 3, "T1")).SerializeToString(), SPAN)
    writer.write_raw(b"T1", batch(1, 3, "T2").SerializeToString(), SPAN)
    writer.write([batch(1, 3, "T1")])
    writer.flush()
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(lambda: len(quarantined_whole(client)) == 3, 20)
        eventually(lambda: count(client, "sales_duplicates") == 3)
    assert count(client) == 3


def lies_of_quarantine() -> dict[str, SalesBatch]:
    """Return records for the quarantine topic, by what is wrong with them."""
    made: dict[str, SalesBatch] = {
        name: rejected_batch(1, 3, name)
        for name in ("no events", "no findings", "more findings", "other findings", "seq", "count", "epoch", "detail",
                     "disposition", "received", "terminal")
    }  # fmt: skip
    del made["no events"].events[:]
    made["no events"].digest = b"x" * 50
    del made["no findings"].findings[:]
    made["more findings"].findings.extend(made["seq"].findings)
    made["other findings"].findings[0].seq = 9
    made["seq"].events[1].seq = 77
    made["count"].events.append(SalesEvent(seq=4))
    made["epoch"].epoch = 8
    made["detail"].raw_detail = "nothing to see here"
    made["disposition"].disposition = DISPOSITION_STORE
    made["received"].received_at_ms = -(2**62)
    made["terminal"].terminal_id = "other"
    return made


def test_lies_of_the_quarantine_topic_are_kept_whole(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database
) -> None:
    """What a quarantine record says is held against its key, header and findings too: it may hide nothing."""
    lies = lies_of_quarantine()
    for name, lie in lies.items():
        writer.write_raw(name.encode(), lie.SerializeToString(), SPAN, topics.QUARANTINE)
    writer.write([rejected_batch(1, 3, "good")], topics.QUARANTINE)
    writer.flush()
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(lambda: count(client, "quarantine FINAL") >= len(lies) + 3, 20)
    assert quarantined_whole(client) == sorted(lies)
    kept = client.query("SELECT reason, count() FROM quarantine FINAL WHERE terminal_id = 'good' GROUP BY reason")
    assert kept.result_rows == [("UNKNOWN_GAME", 3)]
    raw = client.query("SELECT hex(raw_record) FROM quarantine FINAL WHERE terminal_id = 'detail'").result_rows
    assert bytes.fromhex(str(raw[0][0])) == lies["detail"].SerializeToString()
