"""Keeps what the registry said (names, rates, closures, benchmarks) until something is imported. Keeps no figure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

from fucai.analytics.store import Ask, Row
from fucai.analytics.texts import plain

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

_Key = tuple[str, tuple[tuple[str, str], ...]]


class Kept:
    """What one service keeps. Every question first asks whether something was imported since."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._revision = -1
        self._rows: dict[_Key, tuple[float, Sequence[Row]]] = {}

    def over(self, ask: Ask) -> Ask:
        """The function that one question asks by: as `ask`, but for the texts KEPT."""
        lock = asyncio.Lock()
        checked = False

        async def asking(text: str, parameters: Mapping[str, object]) -> list[Row]:
            nonlocal checked
            if text not in KEPT:
                return await ask(text, parameters)
            async with lock:
                if not checked:
                    await self._check(ask)
                    checked = True
            return await self._read(ask, text, parameters)

        return asking

    async def _check(self, ask: Ask) -> None:
        """Forgets everything if there was an import since."""
        ((revision,),) = await ask(plain("revision"), {})
        if int(revision) != self._revision:
            self._rows.clear()
            self._revision = int(revision)

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
