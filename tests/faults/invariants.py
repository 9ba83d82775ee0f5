"""What must hold after every fault: each event once, nothing foreign, and all figures agree. Heals nothing.

Every violation names terminal, epoch and sequence number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from fucai.v1 import sales_pb2
from tests.faults.light import UNKNOWN_GAME

ZONE = ZoneInfo("Asia/Shanghai")
SHOWN = 10
"""Violations spelt out in a failure; the rest are counted."""

Key = tuple[str, int, int]
"""Terminal, epoch, sequence number."""

_SALES = """
SELECT terminal_id, epoch, seq, outlet_id, toString(kind), game, draw_no, amount_fen, bets, multiplier, face_value_fen,
       companion_fen, ticket_serial, refers_terminal, refers_epoch, refers_seq, toUnixTimestamp64Milli(sold_at),
       toString(business_day)
FROM sales WHERE epoch IN {epochs:Array(UInt32)}
"""
_QUARANTINE = """
SELECT terminal_id, epoch, seq, outlet_id, kind, game, draw_no, amount_fen, bets, multiplier, face_value_fen,
       companion_fen, ticket_serial, refers_terminal, refers_epoch, refers_seq, sold_at_ms, reason
FROM quarantine FINAL WHERE epoch IN {epochs:Array(UInt32)}
"""
_DUPLICATES = """
SELECT terminal_id, epoch, seq, amount_fen, bets, game, ticket_serial
FROM sales_duplicates FINAL WHERE epoch IN {epochs:Array(UInt32)}
"""
_FIGURES = """
SELECT outlet_id, toString(business_day), game, toString(kind), count(), sum(amount_fen), sum(bets)
FROM sales WHERE outlet_id IN (SELECT DISTINCT outlet_id FROM sales WHERE epoch IN {epochs:Array(UInt32)})
GROUP BY outlet_id, business_day, game, kind
"""


class InvariantError(AssertionError):
    """What must hold does not."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that was acknowledged to the till, or receipted to a light terminal."""

    terminal_id: str
    outlet_id: str
    epoch: int
    event: sales_pb2.SalesEvent

    @property
    def key(self) -> Key:
        """Its identity."""
        return self.terminal_id, self.epoch, self.event.seq

    @property
    def good(self) -> bool:
        """Whether it belongs into the figures."""
        return self.event.game != UNKNOWN_GAME

    @property
    def business_day(self) -> str:
        """Its day in the business time zone."""
        return datetime.fromtimestamp(self.event.sold_at_ms / 1000, ZONE).date().isoformat()

    @property
    def content(self) -> tuple[Any, ...]:
        """All that is kept of it."""
        event = self.event
        return (
            *(self.outlet_id, event.game, event.draw_no, event.amount_fen, event.bets, event.multiplier),
            *(event.face_value_fen, event.companion_fen, event.ticket_serial, event.refers_to.terminal_id),
            *(event.refers_to.epoch, event.refers_to.seq, event.sold_at_ms),
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """What the store holds of an epoch."""

    stored: int
    quarantined: int
    duplicates: int


def check(client: Client, recorded: Iterable[Recorded], everything: Iterable[Recorded] | None) -> dict[int, Counts]:
    """Check epochs of which all that was `recorded` is given, and the figures over `everything`, unless that is None.

    Returns what was found, by epoch.

    Raises:
        InvariantError: it says which one is broken, for which terminal, epoch and sequence number.
    """
    mine = {one.key: one for one in recorded}
    epochs = {"epochs": sorted({epoch for _, epoch, _ in mine})}
    sales = client.query(_SALES, epochs).result_rows
    quarantine = client.query(_QUARANTINE, epochs).result_rows
    duplicates = client.query(_DUPLICATES, epochs).result_rows
    found = list(_broken(mine, sales, quarantine, duplicates))
    if everything is not None:
        found += _figures_that_differ(everything, client.query(_FIGURES, epochs).result_rows)
    if found:
        more = f"\n... and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise InvariantError(f"{len(found)} violations:\n" + "\n".join(found[:SHOWN]) + more)
    return {
        epoch: Counts(*(sum(row[1] == epoch for row in rows) for rows in (sales, quarantine, duplicates)))
        for epoch in epochs["epochs"]
    }


def _broken(
    recorded: Mapping[Key, Recorded], sales: Iterable[Any], quarantine: Iterable[Any], duplicates: Iterable[Any]
) -> Iterator[str]:
    rows: dict[Key, list[Any]] = defaultdict(list)
    for row in sales:
        rows[row[:3]].append(row[3:])
    held: dict[Key, Any] = {row[:3]: row[3:] for row in quarantine}
    for key, one in recorded.items():
        yield from _broken_for(key, one, rows.get(key, []), held.get(key))
    for key in rows.keys() - recorded.keys():
        yield f"{_named(key)}: stands in sales, no terminal recorded it"
    for key in held.keys() - recorded.keys():
        yield f"{_named(key)}: stands in quarantine, no terminal recorded it"
    for row in duplicates:
        original = recorded.get(row[:3])
        if original is None:
            yield f"{_named(row[:3])}: stands among the duplicates, no terminal recorded it"
            continue
        event = original.event
        if row[3:] != (event.amount_fen, event.bets, event.game, event.ticket_serial):
            yield f"{_named(row[:3])}: its duplicate has another content, {row[3:]}"


def _broken_for(key: Key, one: Recorded, stored: list[Any], held: Any) -> Iterator[str]:
    if not stored and held is None:
        yield f"{_named(key)}: LOST, acknowledged but neither in sales nor in quarantine"
    if len(stored) > 1:
        yield f"{_named(key)}: stored {len(stored)} times"
    if stored and not one.good:
        yield f"{_named(key)}: stands in sales, its game {one.event.game} is unknown"
    if held is not None and one.good:
        yield f"{_named(key)}: stands in quarantine ({held[-1]}), there is nothing wrong with it"
    kind = sales_pb2.EventKind.Name(one.event.kind).removeprefix("EVENT_KIND_")
    for row in stored:
        if (row[0], *row[2:-1]) != one.content or (row[1], row[-1]) != (kind, one.business_day):
            yield f"{_named(key)}: stored as {row}, recorded as {(kind, *one.content, one.business_day)}"
    if held is not None and (held[0], *held[2:-1]) != one.content:
        yield f"{_named(key)}: kept in quarantine as {held}, recorded as {one.content}"


def _figures_that_differ(everything: Iterable[Recorded], rows: Iterable[Any]) -> list[str]:
    """Compare the aggregates by outlet, day, game and kind, read from a projection, with what was recorded."""
    count: Counter[Any] = Counter()
    amount: Counter[Any] = Counter()
    bets: Counter[Any] = Counter()
    for one in everything:
        if one.good:
            kind = sales_pb2.EventKind.Name(one.event.kind).removeprefix("EVENT_KIND_")
            cell = (one.outlet_id, one.business_day, one.event.game, kind)
            count[cell] += 1
            amount[cell] += one.event.amount_fen
            bets[cell] += one.event.bets
    stored = {row[:4]: row[4:] for row in rows}
    outlets = {cell[0] for cell in stored}
    wanted = {cell: (count[cell], amount[cell], bets[cell]) for cell in count if cell[0] in outlets}
    return [
        f"figures of {cell}: recorded are {wanted.get(cell)} (events, fen, bets), stored {stored.get(cell)}"
        for cell in sorted(wanted.keys() | stored.keys())
        if wanted.get(cell) != stored.get(cell)
    ]


def _named(key: Key) -> str:
    return f"terminal {key[0]} epoch {key[1]} seq {key[2]}"
