"""Recounts what is stored: each row's event is written again as its canonical bytes. Compares with nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from fucai.adapters.audit_rows import Row
from fucai.adapters.consumer import Place
from fucai.auditor.days import DayClock
from fucai.auditor.fold import BLOCK_BITS, LineKey, Scope, content_hash
from fucai.auditor.records import TOPIC_NUMBERS
from fucai.auditor.wire import Event, write_event, write_reference

SALES, QUARANTINE = "sales", "quarantine"
"""Where a row stands."""

_TOLD_EVERY = 10_000


class StoredEvent(NamedTuple):
    """One row as an event; `places` are topic, partition and offset of the record it names."""

    terminal: str
    epoch: int
    seq: int
    event: Event
    raw: bytes
    outlet: bytes
    day: int
    derived_fault: str
    place: tuple[int, int, int]


Moving = set[tuple[str, int, int, bytes, int]]
"""Lines (terminal, epoch, day, game, kind) with events at or above what the loader had committed: they move."""


@dataclass(slots=True)
class StoredBlock:
    """1,024 numbers of a terminal in the store. `doubtful` where a row's own columns do not agree."""

    count: int = 0
    total: int = 0
    doubtful: bool = False


@dataclass(slots=True)
class Stored:
    """What the store holds of some days, by terminal and epoch; lines where they were asked for."""

    blocks: dict[tuple[str, int, int], StoredBlock] = field(default_factory=dict)
    lines: dict[tuple[str, int], dict[LineKey, list[int]]] = field(default_factory=dict)
    quarantined: dict[tuple[str, int], dict[LineKey, list[int]]] = field(default_factory=dict)
    moving: Moving = field(default_factory=set)
    rows: int = 0


def as_event(row: Row, clock: DayClock) -> StoredEvent:
    """A row as an event, with its canonical bytes, and what is wrong with columns that follow from others."""
    (terminal, epoch, seq, kind, game, draw, amount, bets, multiplier, face, serial, sold_at, ref_terminal, ref_epoch,
     ref_seq, companion, summary, outlet, business_day, sold_hour, topic, partition, offset) = row  # fmt: skip
    event: Event = [
        b"", seq, kind, game.encode(), draw.encode(), amount, bets, multiplier, face, serial.encode(), sold_at,
        write_reference(ref_terminal.encode(), ref_epoch, ref_seq), companion, summary,
    ]  # fmt: skip
    day, hour = clock.day_and_hour(sold_at)
    fault = ""
    if business_day.year > 1970:  # noqa: PLR2004 (quarantine has no such column: day 0)
        if business_day.toordinal() != day:
            fault = "business_day"
        elif sold_hour != hour:
            fault = "sold_hour"
    place = (topic, partition, offset)
    return StoredEvent(terminal, epoch, seq, event, write_event(event), outlet.encode(), day, fault, place)


def scan(
    sales: Iterable[Row],
    quarantined: Iterable[Row],
    scope: Scope,
    clock: DayClock,
    committed: Mapping[Place, int],
    told: Callable[[int], None],
) -> Stored:
    """Recount the rows; `told` hears how many were read."""
    found = Stored()
    ends = {(TOPIC_NUMBERS[place[0]], place[1]): end for place, end in committed.items() if place[0] in TOPIC_NUMBERS}
    _scan_into(found, sales, found.lines, scope, clock, ends, told)
    _scan_into(found, quarantined, found.quarantined, scope, clock, ends, told)
    return found


def _scan_into(
    found: Stored,
    rows: Iterable[Row],
    into: dict[tuple[str, int], dict[LineKey, list[int]]],
    scope: Scope,
    clock: DayClock,
    ends: Mapping[tuple[int, int], int],
    told: Callable[[int], None],
) -> None:
    untold = 0
    for row in rows:
        stored = as_event(row, clock)
        key = (stored.terminal, stored.epoch, stored.seq >> BLOCK_BITS)
        block = found.blocks.get(key)
        if block is None:
            block = found.blocks[key] = StoredBlock()
        block.count += 1
        block.total += content_hash(stored.raw, stored.outlet, scope.secret)
        if stored.derived_fault:
            block.doubtful = True
        if scope.keep_lines:
            event = stored.event
            line: LineKey = (stored.outlet, stored.day, event[3], event[2], event[4])
            lines = into.setdefault((stored.terminal, stored.epoch), {})
            sums = lines.setdefault(line, [0, 0, 0])
            sums[0] += 1
            sums[1] += event[6]
            sums[2] += event[5]
            if stored.place[2] >= ends.get(stored.place[:2], 0):
                found.moving.add((stored.terminal, stored.epoch, stored.day, event[3], event[2]))
        found.rows += 1
        untold += 1
        if untold == _TOLD_EVERY:
            told(untold)
            untold = 0
    told(untold)
