"""Reads when events came in: since when a number is missing, who has gone silent, who floods. Decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fucai.adapters.ledger_store import Key, parts_of, rows_of
from fucai.domain.completeness import first_above
from fucai.domain.flood import Traffic
from fucai.domain.validation import MAX_SEQ

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

BLOCK = 1024
_FLOOD_DAYS = 62

_ARRIVALS = """
SELECT terminal_id, epoch, intDiv(seq, 1024) AS block, toUnixTimestamp64Milli(min(received_at)) FROM sales
WHERE (terminal_id, epoch) IN {keys:Array(Tuple(String, UInt32))}
GROUP BY kafka_partition, terminal_id, epoch, intDiv(seq, 1024)
"""
_ARRIVALS_IN_BLOCKS = """
SELECT terminal_id, epoch, seq, toUnixTimestamp64Milli(received_at) FROM sales
WHERE terminal_id IN {terminals:Array(String)}
  AND (terminal_id, epoch, intDiv(seq, 1024)) IN {blocks:Array(Tuple(String, UInt32, UInt64))}
"""
_QUARANTINE_ARRIVALS = """
SELECT terminal_id, epoch, seq, toUnixTimestamp64Milli(min(received_at)) FROM quarantine
WHERE (terminal_id, epoch) IN {keys:Array(Tuple(String, UInt32))}
  AND reason != 'BAD_RECORD' AND seq BETWEEN 1 AND {most:UInt64}
GROUP BY terminal_id, epoch, seq
"""
_LAST_STORED = "SELECT terminal_id, toUnixTimestamp64Milli(max(received_at)) FROM sales GROUP BY terminal_id"
_LAST_QUARANTINED = """
SELECT terminal_id, toUnixTimestamp64Milli(max(received_at)) FROM quarantine
WHERE reason != 'BAD_RECORD' GROUP BY terminal_id
"""
_QUARANTINE_OUTLETS = """
SELECT terminal_id, argMax(outlet_id, received_at) FROM quarantine WHERE outlet_id != '' GROUP BY terminal_id
"""
_RECENTLY_QUARANTINED = """
SELECT terminal_id, uniqExact(kafka_topic, kafka_partition, kafka_offset, seq) AS entries FROM quarantine
WHERE received_at > fromUnixTimestamp64Milli({since:Int64}) GROUP BY terminal_id HAVING entries >= {fewest:UInt64}
"""
_RECENTLY_STORED = """
SELECT terminal_id, count() FROM sales
WHERE terminal_id IN {terminals:Array(String)} AND received_at > fromUnixTimestamp64Milli({since:Int64})
  AND business_day >= toDate(fromUnixTimestamp64Milli({since:Int64})) - {days:UInt16}
GROUP BY terminal_id
"""


def since_when(client: Client, gaps: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], int]:
    """Return, by terminal, epoch and last number of a gap, the Unix ms when a higher number was first received.

    Those above which nothing was received are left out.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    wanted: dict[Key, list[int]] = defaultdict(list)
    for terminal, epoch, last in gaps:
        wanted[terminal, epoch].append(last)
    arrivals: dict[Key, list[tuple[int, int]]] = defaultdict(list)
    for part in parts_of(list(wanted)):
        for terminal, epoch, block, received in rows_of(client, _ARRIVALS, {"keys": part}):
            arrivals[terminal, epoch].append((block * BLOCK, received))
        for terminal, epoch, seq, received in rows_of(client, _QUARANTINE_ARRIVALS, {"keys": part}, most=MAX_SEQ):
            arrivals[terminal, epoch].append((seq, received))
    own = {(*key, last // BLOCK) for key, lasts in wanted.items() for last in lasts if (last + 1) % BLOCK}
    for parts in parts_of(sorted(own)):
        parameters = {"terminals": sorted({block[0] for block in parts}), "blocks": parts}
        for terminal, epoch, seq, received in rows_of(client, _ARRIVALS_IN_BLOCKS, parameters):
            arrivals[terminal, epoch].append((seq, received))
    return {
        (*key, last): received
        for key, lasts in wanted.items()
        for last, received in first_above(arrivals[key], lasts).items()
    }


def last_events(client: Client) -> dict[str, int]:
    """Return the Unix ms at which each terminal's last event was received, stored or quarantined.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    found = {str(terminal): int(received) for terminal, received in rows_of(client, _LAST_QUARANTINED, {})}
    for terminal, received in rows_of(client, _LAST_STORED, {}):
        found[terminal] = max(int(received), found.get(terminal, 0))
    return found


def quarantine_outlets(client: Client) -> dict[str, str]:
    """Return the outlet that the newest quarantined event of each terminal names.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return {str(terminal): str(outlet) for terminal, outlet in rows_of(client, _QUARANTINE_OUTLETS, {})}


def recent_traffic(client: Client, *, since_ms: int, fewest: int) -> list[Traffic]:
    """Return what came in since then of each terminal of which at least `fewest` entries were quarantined.

    Events stored count where they happened within 62 days before: older ones come from no till.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    parameters = {"since": since_ms, "fewest": fewest}
    bad = {str(terminal): int(entries) for terminal, entries in rows_of(client, _RECENTLY_QUARANTINED, parameters)}
    stored: dict[str, int] = {}
    for part in parts_of(list(bad)):
        rows = rows_of(client, _RECENTLY_STORED, {"terminals": part}, since=since_ms, days=_FLOOD_DAYS)
        stored.update((str(terminal), int(count)) for terminal, count in rows)
    return [Traffic(terminal, entries, stored.get(terminal, 0)) for terminal, entries in sorted(bad.items())]
