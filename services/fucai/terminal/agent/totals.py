"""Running totals of the events since the last close, by business day, game and kind. They always fit the events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self
from zoneinfo import ZoneInfo

import apsw

from fucai.domain.calendar import business_day
from fucai.v1.sales_pb2 import EventKind, SalesEvent
from fucai.v1.statement_pb2 import CloseLine

_Key = tuple[str, str, int]


class Totals:
    """Counts events, bets and fen; `lines` are those of a DayClose."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._sums: dict[_Key, list[int]] = {}

    @classmethod
    def of(cls, events: Iterable[bytes], zone: ZoneInfo) -> Self:
        """The totals of serialised events."""
        totals = cls(zone)
        for event in events:
            totals.add(SalesEvent.FromString(event))
        return totals

    def add(self, event: SalesEvent) -> None:
        """Counts an event."""
        key = (business_day(event.sold_at_ms, self._zone).isoformat(), event.game, int(event.kind))
        sums = self._sums.setdefault(key, [0, 0, 0])
        sums[0] += 1
        sums[1] += event.bets
        sums[2] += event.amount_fen

    def lines(self) -> list[CloseLine]:
        """Ordered by business day, game and kind."""
        return [_line((*key, *sums)) for key, sums in sorted(self._sums.items())]

    def write(self, connection: apsw.Connection) -> None:
        """Adds them to the running totals of the outbox."""
        connection.executemany(
            "INSERT INTO totals VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events,"
            " bets = bets + excluded.bets, amount_fen = amount_fen + excluded.amount_fen",
            [(*key, *sums) for key, sums in self._sums.items()],
        )


def read_lines(connection: apsw.Connection) -> list[CloseLine]:
    """The running totals of the outbox, ordered by business day, game and kind."""
    return [_line(row) for row in connection.execute("SELECT * FROM totals ORDER BY business_day, game, kind")]


def clear(connection: apsw.Connection) -> None:
    """A close has them: begins anew."""
    connection.execute("DELETE FROM totals")


def _line(row: Iterable[str | int]) -> CloseLine:
    day, game, kind, events, bets, amount_fen = row
    return CloseLine(
        business_day=str(day),
        game=str(game),
        kind=EventKind.ValueType(int(kind)),
        events=int(events),
        bets=int(bets),
        amount_fen=int(amount_fen),
    )
