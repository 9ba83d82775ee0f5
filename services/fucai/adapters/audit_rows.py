"""Streams stored events out of ClickHouse for the auditor, column by column, as they stand. Judges and sums nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Row = Sequence[Any]
"""terminal, epoch, seq, kind, game, draw_no, amount_fen, bets, multiplier, face_value_fen, ticket_serial, sold_at_ms,
refers_terminal, refers_epoch, refers_seq, companion_fen, daily_summary, outlet, business_day, sold_hour, kafka_topic,
kafka_partition, kafka_offset."""

BlockKey = tuple[str, int, int]
"""Terminal, epoch, and sequence number divided by 1,024."""

_KEYS_A_QUERY = 400

_SALES = """
SELECT terminal_id, epoch, seq, toInt32(kind), toString(game), toString(draw_no), amount_fen, bets, multiplier,
       face_value_fen, ticket_serial, toUnixTimestamp64Milli(sold_at), refers_terminal, refers_epoch, refers_seq,
       companion_fen, toUInt8(daily_summary), toString(outlet_id), business_day, sold_hour,
       toUInt8(0), kafka_partition, kafka_offset
FROM sales WHERE
"""
_QUARANTINE = """
SELECT terminal_id, epoch, seq, kind, game, draw_no, amount_fen, bets, multiplier,
       face_value_fen, ticket_serial, sold_at_ms, refers_terminal, refers_epoch, refers_seq,
       companion_fen, toUInt8(daily_summary), outlet_id, toDate(0), toUInt8(0),
       kafka_topic, kafka_partition, kafka_offset
FROM quarantine FINAL WHERE reason != 'BAD_RECORD' AND
"""
_OPEN = """
(terminal_id, epoch, seq) NOT IN
(
    SELECT terminal_id, epoch, seq FROM sales
    WHERE terminal_id IN (SELECT DISTINCT terminal_id FROM quarantine)
)
"""
_IN_DAYS = "business_day BETWEEN {first:Date} AND {last:Date}"
_IN_TIMES = "sold_at_ms >= {first_ms:Int64} AND sold_at_ms < {end_ms:Int64}"
_IN_BLOCKS = """
terminal_id IN {terminals:Array(String)}
AND (terminal_id, epoch, intDiv(seq, 1024)) IN {blocks:Array(Tuple(String, UInt32, UInt64))}
"""
_BAD = """
SELECT kafka_topic, kafka_partition, kafka_offset, any(hex(SHA256(raw_record)))
FROM quarantine WHERE reason = 'BAD_RECORD' GROUP BY kafka_topic, kafka_partition, kafka_offset
"""
_WAIVERS = "SELECT terminal_id, epoch, first_seq, last_seq, waived_by, reason FROM waivers ORDER BY ALL"
_KEYS = "SELECT terminal_id, valid_from, public_key FROM terminals"
_COUNT = "SELECT count() FROM sales WHERE business_day BETWEEN {first:Date} AND {last:Date}"


def count_sales(client: Client, first: date, last: date) -> int:
    """How many sales rows the days have.

    Raises:
        ClickHouseError: the server is away or refuses; so for every function here.
    """
    return int(client.query(_COUNT, {"first": first, "last": last}).result_rows[0][0])


def stream_sales(client: Client, first: date, last: date) -> Iterator[Row]:
    """Yield the sales of some business days, both included, in no order."""
    with client.query_rows_stream(_SALES + _IN_DAYS, {"first": first, "last": last}) as rows:
        yield from rows


def stream_open_quarantine(client: Client, first_ms: int, end_ms: int) -> Iterator[Row]:
    """Yield events in quarantine that are not stored since, once each, sold from `first_ms` up to before `end_ms`."""
    text = f"{_QUARANTINE}{_IN_TIMES} AND {_OPEN} ORDER BY kafka_offset LIMIT 1 BY terminal_id, epoch, seq"
    with client.query_rows_stream(text, {"first_ms": first_ms, "end_ms": end_ms}) as rows:
        yield from rows


def read_blocks(client: Client, blocks: Sequence[BlockKey]) -> tuple[list[Row], list[Row]]:
    """Return all sales and all quarantined events of some blocks, whatever their day."""
    sales: list[Row] = []
    quarantined: list[Row] = []
    for start in range(0, len(blocks), _KEYS_A_QUERY):
        chosen = list(blocks[start : start + _KEYS_A_QUERY])
        parameters = {"blocks": chosen, "terminals": sorted({terminal for terminal, _, _ in chosen})}
        sales += client.query(_SALES + _IN_BLOCKS, parameters).result_rows
        quarantined += client.query(_QUARANTINE + _IN_BLOCKS, parameters).result_rows
    return sales, quarantined


def read_bad_places(client: Client) -> dict[tuple[int, int, int], str]:
    """Return the places of records kept whole in quarantine, with the SHA-256 of their bytes in hexadecimal."""
    rows = client.query(_BAD).result_rows
    return {(int(topic), int(partition), int(offset)): str(digest) for topic, partition, offset, digest in rows}


def read_waivers(client: Client) -> list[tuple[str, int, int, int, str, str]]:
    """Return what was waived: terminal, epoch, first and last number, by whom, why."""
    return [(str(t), int(e), int(f), int(last), str(by), str(why)) for t, e, f, last, by, why in
            client.query(_WAIVERS).result_rows]  # fmt: skip


def read_keys(client: Client) -> list[tuple[str, date, str]]:
    """Return the registry's keys: terminal, first day of the binding, keys in hexadecimal."""
    return [(str(terminal), since, str(keys)) for terminal, since, keys in client.query(_KEYS).result_rows]
