"""Whether a draw was sealed or ended while a question was answered: its answer is of no one moment. Shows no figure."""

from __future__ import annotations

import time

from fucai.analytics.store import Ask
from fucai.analytics.texts import plain

_MARGIN_MS = 100
"""What a query may be on its way: a draw that turned shortly before the question does no harm here."""


class DrawTurnedError(Exception):
    """A draw was sealed, or ended, between the queries of an answer: some may have counted it, and others not."""


class Turning:
    """Watches the draws from the moment it is made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    async def check(self, ask: Ask) -> None:
        """Looks before an answer is given. By the store's clock, so whatever that of this machine says.

        Raises:
            DrawTurnedError: a draw was sealed or ended since.
        """
        elapsed_ms = int((time.monotonic() - self._began) * 1000) + _MARGIN_MS
        ((draws,),) = await ask(plain("turned"), {"elapsed_ms": elapsed_ms})
        if draws:
            raise DrawTurnedError("a draw was sealed or ended while this was answered: ask again")
