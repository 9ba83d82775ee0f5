"""Counts what the store holds of runs of Kafka offsets, and keeps what the auditor compared. Judges nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Span = tuple[int, int, int, int]
"""Topic (0 sales, 1 quarantine), partition, first offset, end offset (not included)."""
Key = tuple[int, int, str]
"""Topic, partition, game."""

_RANGE = """
kafka_offset >= {lowest:UInt64}
AND kafka_offset >= transform(kafka_partition, {partitions:Array(UInt16)}, {firsts:Array(UInt64)}, toUInt64(0))
AND kafka_offset < transform(kafka_partition, {partitions:Array(UInt16)}, {ends:Array(UInt64)}, toUInt64(0))
"""
_SEALED_GAMES = "SELECT DISTINCT game FROM withheld_draws"
_NEXT_SEAL = "SELECT min(sealed_ms) FROM draw_seals WHERE sealed_ms > toUnixTimestamp64Milli(now64(3))"
_STORED = "SELECT kafka_partition, toString(game), count() FROM sales WHERE $RANGE GROUP BY kafka_partition, game"
_DUPLICATES = """
SELECT kafka_partition, toString(game), uniqExact(kafka_offset, seq)
FROM sales_duplicates WHERE kafka_topic = {topic:UInt8} AND $RANGE GROUP BY kafka_partition, game
"""
_QUARANTINED = """
SELECT kafka_partition, game, uniqExact(kafka_offset, seq)
FROM quarantine WHERE reason != 'BAD_RECORD' AND kafka_topic = {topic:UInt8} AND $RANGE
GROUP BY kafka_partition, game
"""
_RAW = """
SELECT kafka_partition, hex(raw_record)
FROM quarantine WHERE reason = 'BAD_RECORD' AND kafka_topic = {topic:UInt8} AND $RANGE
LIMIT 1 BY kafka_partition, kafka_offset
"""
_REUSED = """
SELECT terminal_id, epoch, seq, arrayStringConcat(arrayFilter(x -> x != '', [
    if(d.outlet_id != s.outlet_id, 'outlet_id', ''), if(d.kind != toInt32(s.kind), 'kind', ''),
    if(d.game != s.game, 'game', ''), if(d.draw_no != s.draw_no, 'draw_no', ''),
    if(d.amount_fen != s.amount_fen, 'amount_fen', ''), if(d.bets != s.bets, 'bets', ''),
    if(d.multiplier != s.multiplier, 'multiplier', ''), if(d.face_value_fen != s.face_value_fen, 'face_value_fen', ''),
    if(d.companion_fen != s.companion_fen, 'companion_fen', ''),
    if(d.ticket_serial != s.ticket_serial, 'ticket_serial', ''),
    if(d.sold_at_ms != toUnixTimestamp64Milli(s.sold_at), 'sold_at_ms', '')]), ', ') AS fields,
    d.kafka_partition, d.kafka_offset
FROM (SELECT * FROM sales_duplicates WHERE kafka_topic = {topic:UInt8} AND $RANGE) AS d
INNER JOIN
(
    SELECT * FROM sales WHERE terminal_id IN
        (SELECT terminal_id FROM sales_duplicates WHERE kafka_topic = {topic:UInt8} AND $RANGE)
) AS s USING (terminal_id, epoch, seq)
WHERE fields != '' LIMIT 1000
"""
_ENDS = "SELECT kafka_topic, kafka_partition, max(end_offset) FROM conservation GROUP BY kafka_topic, kafka_partition"
_TOTALS = """
SELECT toString(game), sum(received), sum(stored), sum(duplicates), sum(quarantined)
FROM conservation FINAL GROUP BY game
"""


@dataclass(slots=True)
class Held:
    """What the store holds of some runs. `raw` are records kept whole, by topic and partition.

    `reused` are numbers whose duplicate has another content: terminal, epoch, number, fields, partition, offset.
    """

    stored: Counter[Key] = field(default_factory=Counter)
    duplicates: Counter[Key] = field(default_factory=Counter)
    quarantined: Counter[Key] = field(default_factory=Counter)
    raw: list[tuple[int, int, bytes]] = field(default_factory=list)
    reused: list[tuple[str, int, int, str, int, int]] = field(default_factory=list)


def read_held(client: Client, spans: Sequence[Span]) -> Held:
    """Return what the store holds of runs of offsets, at most one of each topic and partition.

    Raises:
        ClickHouseError: the server is away or refuses; so for every function here.
    """
    found = Held()
    for topic in sorted({span[0] for span in spans}):
        mine = [span for span in spans if span[0] == topic]
        chosen = {
            "topic": topic,
            "partitions": [span[1] for span in mine],
            "firsts": [span[2] for span in mine],
            "ends": [span[3] for span in mine],
            "lowest": min(span[2] for span in mine),
        }
        if topic == 0:
            _count(client, _STORED, chosen, found.stored)
        _count(client, _DUPLICATES, chosen, found.duplicates)
        _count(client, _QUARANTINED, chosen, found.quarantined)
        found.raw += [
            (topic, int(partition), bytes.fromhex(str(value)))
            for partition, value in client.query(_ranged(_RAW), chosen).result_rows
        ]
        if any(key[0] == topic for key in found.duplicates):
            found.reused += [
                (str(terminal), int(epoch), int(seq), str(names), int(partition), int(offset))
                for terminal, epoch, seq, names, partition, offset in client.query(_ranged(_REUSED), chosen).result_rows
            ]
    return found


def _ranged(text: str) -> str:
    """A query with the condition on offsets in its place."""
    return text.replace("$RANGE", _RANGE)


def _count(client: Client, text: str, chosen: dict[str, object], into: Counter[Key]) -> None:
    for partition, game, count in client.query(_ranged(text), chosen).result_rows:
        into[int(str(chosen["topic"])), int(partition), str(game)] += int(count)


def compared_through(client: Client) -> dict[tuple[int, int], int]:
    """Return the offset behind the last one compared, by topic and partition."""
    return {(int(topic), int(partition)): int(end) for topic, partition, end in client.query(_ENDS).result_rows}


def sealed_games(client: Client) -> set[str]:
    """The games of which a draw with stored sales is sealed now.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return {str(game) for (game,) in client.query(_SEALED_GAMES).result_rows}


def next_seal_ms(client: Client) -> int:
    """When the next draw is sealed, Unix ms; 0 where none is known.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return int(client.query(_NEXT_SEAL).result_rows[0][0] or 0)


def totals(client: Client) -> dict[str, tuple[int, int, int, int]]:
    """Return, by game, the events received, stored, duplicate and quarantined of all runs compared."""
    rows = client.query(_TOTALS).result_rows
    return {str(game): (int(a), int(b), int(c), int(d)) for game, a, b, c, d in rows}


def keep_compared(client: Client, rows: Sequence[tuple[int, int, int, int, str, int, int, int, int]]) -> None:
    """Keep what was compared: topic, partition, first, end, game, received, stored, duplicates, quarantined."""
    names = ["kafka_topic", "kafka_partition", "first_offset", "end_offset", "game", "received", "stored",
             "duplicates", "quarantined"]  # fmt: skip
    if rows:
        client.insert("conservation", [list(row) for row in rows], column_names=names)
