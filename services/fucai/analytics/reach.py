"""How far the store reaches, as every answer tells it; and names for people of what it is grouped by."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from fucai.analytics.store import Ask
from fucai.analytics.texts import plain
from fucai.analytics.withheld import NAMED_AT_MOST, Withheld, withheld
from fucai.domain.labels import BY_DIMENSION
from fucai.v1 import analytics_pb2

_NAMED = ("zone", "district", "outlet", "game")


@dataclass(frozen=True, slots=True)
class Reach:
    """First and last business day with events, the latest reception in Unix ms, the number of events, sealed draws.

    No sealed draw is counted in the others. `withheld_days` are the games and days of their
    sales, over the whole channel.
    """

    first_day: date | None
    last_day: date | None
    latest_received_ms: int
    events: int
    withheld: Withheld = field(default_factory=Withheld)
    withheld_days: Sequence[tuple[str, date]] = ()

    def freshness(self, answered_ms: int) -> analytics_pb2.DataFreshness:
        """As it goes over the wire."""
        return analytics_pb2.DataFreshness(
            latest_received_ms=self.latest_received_ms,
            first_day=self.first_day.isoformat() if self.first_day else "",
            last_day=self.last_day.isoformat() if self.last_day else "",
            answered_ms=answered_ms,
            withheld=self.withheld.draws,
            withheld_draws=self.withheld.count,
            next_seal_ms=self.withheld.next_seal_ms,
        )


async def reach(ask: Ask) -> Reach:
    """How far the store reaches now; figures asked for afterwards are at least as fresh."""
    ((latest_ms, first, last, events, draws, count, next_seal_ms, days, *_),) = await ask(
        plain("reach"), {"named": NAMED_AT_MOST}
    )
    sealed = await withheld(ask, draws, int(count), int(next_seal_ms))
    if not events:
        return Reach(None, None, 0, 0, sealed, days)
    return Reach(first, last, int(latest_ms), int(events), sealed, days)


async def names(ask: Ask, dimensions: Sequence[str]) -> list[Mapping[str, str]]:
    """For each dimension the names for people of its values, Chinese where the suite gives them."""
    return list(await asyncio.gather(*(_names(ask, dimension) for dimension in dimensions)))


async def _names(ask: Ask, dimension: str) -> Mapping[str, str]:
    if dimension in _NAMED:
        return {str(value): str(name) for value, name in await ask(plain(f"names_{dimension}"), {})}
    return {value: label.zh for value, label in BY_DIMENSION.get(dimension, {}).items()}
