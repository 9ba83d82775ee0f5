"""Whether a draw was sealed or ended while a question was answered: its answer is of no one moment. Shows no figure."""

from __future__ import annotations

from collections.abc import Mapping

from fucai.analytics.store import Ask, Row
from fucai.analytics.texts import plain

_REACH = plain("reach")


class DrawTurnedError(Exception):
    """A draw was sealed, or ended, between the queries of an answer: some may have counted it, and others not."""


class Turning:
    """Watches the draws from when a question looks how far the store reaches, which it does before any figure.

    They are judged as the view has them, at the store: by its clock, and by acts from when it looks them up.
    """

    def __init__(self) -> None:
        self._turns: int | None = None

    def over(self, ask: Ask) -> Ask:
        """The same function to ask by, which takes note of that look."""

        async def asked(text: str, parameters: Mapping[str, object]) -> list[Row]:
            rows = await ask(text, parameters)
            if text == _REACH and self._turns is None:
                self._turns = int(rows[0][-1])
            return rows

        return asked

    async def check(self, ask: Ask) -> None:
        """Looks before an answer is given.

        Raises:
            DrawTurnedError: a draw was sealed or ended since.
            LookupError: the question did not look how far the store reaches.
        """
        if self._turns is None:
            raise LookupError("nobody looked how far the store reaches: do so before figures are read")
        ((turns,),) = await ask(plain("turned"), {})
        if int(turns) != self._turns:
            raise DrawTurnedError("a draw was sealed or ended while this was answered: ask again")
