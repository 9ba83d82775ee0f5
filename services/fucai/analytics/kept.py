"""Keeps what the registry said (names, rates, closures, benchmarks) until something is imported. Keeps no figure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from fucai.analytics.shared import Shared
from fucai.analytics.store import Ask, Row, StoreSlowError
from fucai.analytics.texts import plain
from fucai.analytics.withheld import NAMED_AT_MOST

KEPT = frozenset(
    map(
        plain,
        (
            "benchmark",
            "closures",
            "draw_rules",
            "games_without_draws",
            "names_district",
            "names_game",
            "names_outlet",
            "names_zone",
            "published",
            "rates",
            "series",
        ),
    )
)
"""Texts that read tables of the registry only. What they answer depends on the imports and their parameters."""

LONGEST_SECONDS = 30.0
"""How long anything is kept. One server needs no bound; a replica may show an import before the rows of it."""
_MOST = 200

_REACH = plain("reach")
_REVISION = -2
_Key = tuple[str, tuple[tuple[str, str], ...]]


class Kept:
    """What one service keeps. Every question first looks how far the store reaches, and whether there was an import."""

    def __init__(self, asking: Callable[[float], Ask], clock: Callable[[], float] = monotonic) -> None:
        """Takes what gives a function to ask by within so many seconds."""
        self._asking = asking
        self._clock = clock
        self._looks = Shared(self._look)
        self._revision = -1
        self._rows: dict[_Key, tuple[float, Sequence[Row]]] = {}

    def over(self, seconds: float) -> Ask:
        """The function that one question asks by, within so many seconds: as plain asking, but for the texts KEPT.

        How far the store reaches is read once for all questions that wait for it.
        """
        ask = self._asking(seconds)
        ends = self._clock() + seconds
        looked = False

        async def look() -> list[Row]:
            nonlocal looked
            try:
                async with asyncio.timeout(max(0.0, ends - self._clock())):
                    found = await self._looks.get()
            except TimeoutError as error:
                raise StoreSlowError("the deadline passed while ClickHouse was asked how far it reaches") from error
            looked = True
            return found

        async def asked(text: str, parameters: Mapping[str, object]) -> list[Row]:
            if text == _REACH:
                return await look()
            if text not in KEPT:
                return await ask(text, parameters)
            if not looked:
                await look()
            return await self._read(ask, text, parameters)

        return asked

    async def _look(self) -> list[Row]:
        """How far the store reaches; forgets everything if there was an import."""
        ask = self._asking(LONGEST_SECONDS)
        found = await ask(_REACH, {"named": NAMED_AT_MOST})
        revision = int(found[0][_REVISION])
        if revision != self._revision:
            self._rows.clear()
            self._revision = revision
        return found

    async def _read(self, ask: Ask, text: str, parameters: Mapping[str, object]) -> list[Row]:
        key = (text, tuple(sorted((name, str(value)) for name, value in parameters.items())))
        until, rows = self._rows.get(key, (0.0, ()))
        if self._clock() >= until:
            revision = self._revision
            rows = await ask(text, parameters)
            if revision == self._revision:
                while len(self._rows) >= _MOST:
                    del self._rows[next(iter(self._rows))]
                self._rows[key] = (self._clock() + LONGEST_SECONDS, rows)
        return list(rows)
