"""Keeps figures fresh: takes them again and again, and tells when there are none yet or the last are too old."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fucai.runtime.progress import Progress

STALE_TURNS = 3
FIRST_SECONDS = 0.5  # between turns until the first figures: a stack that starts has them soon


@dataclass(frozen=True, slots=True)
class Refreshing:
    """Figures that are taken every `interval_s` seconds; `age_s` tells their age, None before the first ones."""

    interval_s: float
    age_s: Callable[[], float | None]
    progress: Progress

    async def again(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Takes a turn every interval, and more often until the first figures, until cancelled."""
        while True:
            await turn()
            await asyncio.sleep(self.interval_s if self.age_s() is not None else FIRST_SECONDS)

    def failed(self, reason: str) -> None:
        """A turn failed: not ready before the first figures, nor when the last are older than three intervals."""
        age_s = self.age_s()
        if age_s is None:
            self.progress.blocked(f"no figures yet: {reason}")
        elif age_s > STALE_TURNS * self.interval_s:
            self.progress.blocked(f"figures are {age_s:.0f} s old: {reason}")
