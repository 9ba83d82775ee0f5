"""Brings a spool of history into the store: claims its days, sends what is missing, waits until it is stored."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from fucai.runtime.errors import FatalError
from fucai.terminal.fleet import open_fleet
from fucai.terminal.known import import_terminal_id
from fucai.terminal.registry import RegistryClient
from fucai.terminal.sender import SendPolicy
from fucai.terminal.spool import Spool
from fucai.v1.registry_pb2 import HistoryConflict, OpenHistoryResponse
from fucai.v1.sales_pb2 import Finding, Receipt, SalesBatch

_FIRST_POLL_S = 0.1
_LONGEST_POLL_S = 1.0


class ConflictError(FatalError):
    """Another file brought some of the days; exit code 65."""

    def __init__(self, conflicts: Sequence[HistoryConflict]) -> None:
        super().__init__(
            f"{len(conflicts)} days of an outlet and game were brought in by another file; nothing was sent. "
            "Take those lines out and import the rest",
            exit_code=os.EX_DATAERR,
        )
        self.conflicts = list(conflicts)


@dataclass(slots=True)
class Delivery:
    """What became of a spool's rows: how many were stored before, and of the rest how many were taken."""

    stored_before: int = 0
    accepted: int = 0
    quarantined: list[tuple[str, Finding]] = field(default_factory=list)
    resent_batches: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """Where history goes: the collector's address, streams to it, and how patiently."""

    collector: str
    streams: int = 4
    policy: SendPolicy = field(default_factory=SendPolicy)


async def open_days(registry: RegistryClient, spool: Spool, file: str) -> OpenHistoryResponse:
    """Claims the spool's days.

    Raises:
        ConflictError: another import brought some of them; nothing was claimed.
    """
    opened = await registry.open_history(lambda: spool.claims(file))
    if opened.conflicts:
        raise ConflictError(opened.conflicts)
    return opened


async def send(
    spool: Spool, opened: OpenHistoryResponse, route: Route, zone: ZoneInfo, progress: Callable[[int], None]
) -> Delivery:
    """Sends the rows that are not stored yet, and returns when every receipt is in; `progress` hears of each row.

    Raises:
        FatalError: see `Sender.run`.
    """
    stored = stored_through(opened)
    delivery = Delivery(stored_before=rows_stored(spool, opened))
    progress(delivery.stored_before)

    def on_receipt(batch: SalesBatch, receipt: Receipt) -> None:
        delivery.accepted += receipt.accepted
        delivery.quarantined += [(batch.terminal_id, finding) for finding in receipt.quarantined]
        progress(len(batch.events))

    async with open_fleet(route.collector, route.streams, on_receipt, route.policy) as fleet:
        for batch in spool.batches(epoch=opened.epoch, stored=stored, zone=zone):
            await fleet.put(batch)
    delivery.resent_batches = fleet.resent
    return delivery


async def wait_until_stored(
    registry: RegistryClient, spool: Spool, file: str, *, quarantined: frozenset[str], timeout_seconds: float
) -> bool:
    """Waits until the rows are stored; False if the time runs out first.

    Terminals with rows in quarantine are not waited for: what is stored behind such a row cannot be told.
    """
    deadline = time.monotonic() + timeout_seconds
    pause_s = _FIRST_POLL_S
    while True:
        asked = time.monotonic()
        stored = stored_through(await registry.open_history(lambda: spool.claims(file)))
        if all(
            stored.get(terminal_id, 0) >= count or terminal_id in quarantined
            for outlet_id, count in spool.count_by_outlet.items()
            for terminal_id in [import_terminal_id(outlet_id)]
        ):
            return True
        if time.monotonic() + pause_s > deadline:
            return False
        await asyncio.sleep(pause_s)
        pause_s = max(min(_LONGEST_POLL_S, pause_s * 1.5), time.monotonic() - asked - pause_s)


def stored_through(opened: OpenHistoryResponse) -> dict[str, int]:
    """Terminal to the number up to which all its rows are stored."""
    return {stored.terminal_id: stored.seq for stored in opened.stored}


def rows_stored(spool: Spool, opened: OpenHistoryResponse) -> int:
    """How many of the spool's rows the store has without a gap before them."""
    stored = stored_through(opened)
    return sum(
        min(count, stored.get(import_terminal_id(outlet_id), 0)) for outlet_id, count in spool.count_by_outlet.items()
    )


def conflict_lines(conflicts: Sequence[HistoryConflict], limit: int) -> list[str]:
    """Conflicts for people, runs of days drawn together, at most `limit` lines and one that says how many more."""
    lines: list[str] = []
    runs: list[tuple[str, str, str, date, date]] = []
    for conflict in sorted(conflicts, key=lambda one: (one.outlet_id, one.game, one.file, one.day)):
        day = date.fromisoformat(conflict.day)
        key = (conflict.outlet_id, conflict.game, conflict.file)
        if runs and runs[-1][:3] == key and (day - runs[-1][4]).days == 1:
            runs[-1] = (*key, runs[-1][3], day)
        else:
            runs.append((*key, day, day))
    for outlet_id, game, file, first, last in runs[:limit]:
        days = f"{first}" if first == last else f"{first} to {last}"
        lines.append(f"outlet {outlet_id}, game {game}, {days}: brought in by {file}")
    if len(runs) > limit:
        lines.append(f"and {len(runs) - limit} more")
    return lines
