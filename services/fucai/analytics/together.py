"""One answer for all who ask the same at once. What anybody is given was begun after he asked; nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(slots=True, eq=False)
class _Turn(Generic[Value]):
    """An answer that is awaited: by how many, and until when the most patient of them waits (the loop's time)."""

    task: asyncio.Task[Value]
    waiting: int = 0
    ends: float = 0.0


class Together(Generic[Value]):
    """Answers by what was asked. Who asks while one is made waits for the next, with all who ask meanwhile."""

    def __init__(self) -> None:
        self._made: dict[Hashable, _Turn[Value]] = {}
        self._next: dict[Hashable, _Turn[Value]] = {}

    async def get(self, asked: Hashable, seconds: float, answer: Callable[[float], Awaitable[Value]]) -> Value:
        """The answer of whoever's `answer` comes first, within the seconds of the most patient.

        It raises what that raises, to all who wait for it. If nobody waits any more, the making is cancelled.
        """
        loop = asyncio.get_running_loop()
        turn = self._next.get(asked)
        if turn is None:
            turn = _Turn(loop.create_task(self._make(asked, self._made.get(asked), answer)))
            self._next[asked] = turn
        turn.ends = max(turn.ends, loop.time() + seconds)
        turn.waiting += 1
        try:
            return await asyncio.shield(turn.task)
        finally:
            turn.waiting -= 1
            if not turn.waiting and not turn.task.done():
                self._forget(asked, turn)
                turn.task.cancel()

    async def _make(
        self, asked: Hashable, before: _Turn[Value] | None, answer: Callable[[float], Awaitable[Value]]
    ) -> Value:
        if before is not None:
            await asyncio.wait([before.task])
        turn = self._made[asked] = self._next.pop(asked)
        try:
            return await answer(turn.ends - asyncio.get_running_loop().time())
        finally:
            self._forget(asked, turn)

    def _forget(self, asked: Hashable, turn: _Turn[Value]) -> None:
        """From now on nobody joins this one, nor waits for its end."""
        for turns in (self._made, self._next):
            if turns.get(asked) is turn:
                del turns[asked]
