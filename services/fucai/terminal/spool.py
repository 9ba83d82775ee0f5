"""Rows of the past on their way to the collector: their identity, the days they bring, and their batches.

Keeps the rows in a temporary file, so that what is sent is what was hashed. Talks to nobody.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from hashlib import sha256
from struct import Struct
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from fucai.terminal.known import import_terminal_id
from fucai.v1.registry_pb2 import OpenHistoryRequest
from fucai.v1.sales_pb2 import EventKind, SalesBatch, SalesEvent

EVENTS_A_BATCH = 500
_ROW = Struct("<IIIIq")
_ROWS_A_READ = 4_096
_NOON = time(12)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One outlet's day and game: bets (tickets) and amount in fen, both above zero; `day` is a date's ordinal."""

    outlet_id: str
    game: str
    day: int
    bets: int
    amount_fen: int


class Days:
    """A set of days, one bit each, so that ten years of an outlet and game take 500 bytes."""

    __slots__ = ("_bits", "_first")

    def __init__(self) -> None:
        self._bits = 0
        self._first = 0

    def add(self, day: int) -> bool:
        """Adds an ordinal; False if it was there."""
        if not self._bits:
            self._first = day
        elif day < self._first:
            self._bits <<= self._first - day
            self._first = day
        bit = 1 << (day - self._first)
        if self._bits & bit:
            return False
        self._bits |= bit
        return True

    def __iter__(self) -> Iterator[int]:
        bits, day = self._bits, self._first
        while bits:
            gap = (bits & -bits).bit_length() - 1
            day += gap
            yield day
            bits >>= gap + 1
            day += 1


class Spool:
    """Takes rows, and gives them back as claims for the registry and as batches. Use it as a context manager."""

    def __init__(self) -> None:
        self.bets = 0
        self.amount_fen = 0
        self.count_by_outlet: dict[str, int] = {}
        self.first_day_by_game: dict[str, int] = {}
        self.first_day_by_outlet: dict[str, int] = {}
        self._outlets: dict[str, int] = {}
        self._games: dict[str, int] = {}
        self._days: dict[tuple[str, str], Days] = {}
        self._digest = sha256()
        self._file = tempfile.TemporaryFile(prefix="fucai-history-")  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def rows(self) -> int:
        """Rows taken."""
        return sum(self.count_by_outlet.values())

    @property
    def content_sha256(self) -> str:
        """Identity of the rows in their order, in hexadecimal."""
        return self._digest.hexdigest()

    def add(self, row: HistoryRow) -> bool:
        """Takes a row; False, and not taken, if the outlet's day and game were there already."""
        key = (row.outlet_id, row.game)
        days = self._days.get(key)
        if days is None:
            days = self._days[key] = Days()
        if not days.add(row.day):
            return False
        outlet = self._outlets.setdefault(row.outlet_id, len(self._outlets))
        game = self._games.setdefault(row.game, len(self._games))
        self._file.write(_ROW.pack(outlet, game, row.day, row.bets, row.amount_fen))
        self._digest.update(f"{row.outlet_id}\x1f{row.game}\x1f{row.day}\x1f{row.bets}\x1f{row.amount_fen}\n".encode())
        self.bets += row.bets
        self.amount_fen += row.amount_fen
        self.count_by_outlet[row.outlet_id] = self.count_by_outlet.get(row.outlet_id, 0) + 1
        _lower(self.first_day_by_outlet, row.outlet_id, row.day)
        _lower(self.first_day_by_game, row.game, row.day)
        return True

    def claims(self, file: str) -> Iterator[OpenHistoryRequest]:
        """What the rows bring: one claim for each outlet and game, with its days."""
        digest = self.content_sha256
        for (outlet_id, game), days in self._days.items():
            yield OpenHistoryRequest(
                content_sha256=digest,
                file=file,
                outlet_id=outlet_id,
                game=game,
                days=[date.fromordinal(day).isoformat() for day in days],
            )

    def batches(self, *, epoch: int, stored: Mapping[str, int], zone: ZoneInfo) -> Iterator[SalesBatch]:
        """The rows as batches of at most 500 events, each at noon of its day in `zone`.

        An outlet's rows are numbered in their order; numbers up to `stored[terminal]` are left out.
        Batches of different outlets come interleaved as their rows do.
        """
        outlets, games = list(self._outlets), list(self._games)
        numbers = [0] * len(outlets)
        pending: list[SalesBatch | None] = [None] * len(outlets)
        skip = [stored.get(import_terminal_id(outlet_id), 0) for outlet_id in outlets]
        noon_ms: dict[int, int] = {}
        for outlet, game, day, bets, amount_fen in self._packed():
            numbers[outlet] += 1
            if numbers[outlet] <= skip[outlet]:
                continue
            batch = pending[outlet]
            if batch is None:
                outlet_id = outlets[outlet]
                batch = SalesBatch(terminal_id=import_terminal_id(outlet_id), outlet_id=outlet_id, epoch=epoch)
                pending[outlet] = batch
            if day not in noon_ms:
                noon = datetime.combine(date.fromordinal(day), _NOON, zone)
                noon_ms[day] = int(noon.timestamp()) * 1000
            batch.events.append(
                SalesEvent(
                    seq=numbers[outlet],
                    kind=EventKind.EVENT_KIND_SALE,
                    game=games[game],
                    amount_fen=amount_fen,
                    bets=bets,
                    sold_at_ms=noon_ms[day],
                    daily_summary=True,
                )
            )
            if len(batch.events) == EVENTS_A_BATCH:
                pending[outlet] = None
                yield batch
        yield from (batch for batch in pending if batch is not None)

    def _packed(self) -> Iterator[tuple[int, ...]]:
        self._file.seek(0)
        while block := self._file.read(_ROW.size * _ROWS_A_READ):
            yield from _ROW.iter_unpack(block)


def _lower(first_days: dict[str, int], key: str, day: int) -> None:
    if day < first_days.get(key, day + 1):
        first_days[key] = day
