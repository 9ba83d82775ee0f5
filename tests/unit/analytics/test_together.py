"""Who asks the same at once is answered together: with what was begun after he asked, and by his own patience."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from fucai.analytics.together import Together


@dataclass
class Making:
    """Answers that are made one after another, each when told; how many were begun, and which were cancelled."""

    go: list[asyncio.Event] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)

    async def answer(self, seconds: float) -> str:
        """The number of this answer, once it is told to go."""
        number = len(self.go)
        self.go.append(asyncio.Event())
        self.seconds.append(seconds)
        try:
            await self.go[number].wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        return f"answer {number}"


async def settled() -> None:
    """All tasks have run as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Callable[[Together[str], Making], Awaitable[None]]) -> None:
    """Runs a test in a loop of its own."""

    async def within() -> None:
        await test(Together(), Making())

    asyncio.run(within())


def test_who_asks_meanwhile_waits_for_the_next_which_begins_after_he_asked() -> None:
    """The first gets the first; two who came while it was made share the second, begun when the first was done."""

    async def test(together: Together[str], making: Making) -> None:
        first = asyncio.create_task(together.get("q", 5, making.answer))
        await settled()
        others = [asyncio.create_task(together.get("q", seconds, making.answer)) for seconds in (3, 9)]
        await settled()
        assert len(making.go) == 1
        making.go[0].set()
        assert await first == "answer 0"
        await settled()
        assert len(making.go) == 2
        assert 8 < making.seconds[1] <= 9
        making.go[1].set()
        assert await asyncio.gather(*others) == ["answer 1"] * 2

    run(test)


def test_other_questions_do_not_wait() -> None:
    """Each is answered by itself."""

    async def test(together: Together[str], making: Making) -> None:
        asking = [asyncio.create_task(together.get(asked, 5, making.answer)) for asked in ("a", "b")]
        await settled()
        assert len(making.go) == 2
        for go in making.go:
            go.set()
        assert sorted(await asyncio.gather(*asking)) == ["answer 0", "answer 1"]

    run(test)


def test_nothing_is_kept() -> None:
    """Who asks after an answer was given has one made."""

    async def test(together: Together[str], making: Making) -> None:
        for number in range(2):
            asking = asyncio.create_task(together.get("q", 5, making.answer))
            await settled()
            making.go[number].set()
            assert await asking == f"answer {number}"

    run(test)


def test_it_is_made_as_long_as_anybody_waits() -> None:
    """One of two goes away: the other is answered. Both go away: it is cancelled, and who comes then begins anew."""

    async def test(together: Together[str], making: Making) -> None:
        two = [asyncio.create_task(together.get("q", 5, making.answer)) for _ in range(2)]
        await settled()
        two[0].cancel()
        await settled()
        assert making.cancelled == []
        making.go[0].set()
        assert await two[1] == "answer 0"
        two = [asyncio.create_task(together.get("q", 5, making.answer)) for _ in range(2)]
        await settled()
        for one in two:
            one.cancel()
        late = asyncio.create_task(together.get("q", 5, making.answer))
        await settled()
        assert making.cancelled == [1]
        making.go[2].set()
        assert await late == "answer 2"

    run(test)


def test_who_waits_for_the_next_may_go_away_too() -> None:
    """The next is never begun then, and the one after it is as usual."""

    async def test(together: Together[str], making: Making) -> None:
        first = asyncio.create_task(together.get("q", 5, making.answer))
        await settled()
        gone = asyncio.create_task(together.get("q", 5, making.answer))
        await settled()
        gone.cancel()
        await settled()
        late = asyncio.create_task(together.get("q", 5, making.answer))
        making.go[0].set()
        assert await first == "answer 0"
        await settled()
        making.go[1].set()
        assert await late == "answer 1"
        assert len(making.go) == 2

    run(test)


def test_what_goes_wrong_is_told_to_all_who_wait() -> None:
    """And the next question is answered."""

    async def test(together: Together[str], making: Making) -> None:
        async def wrong(_seconds: float) -> str:
            await asyncio.sleep(0)
            raise LookupError("no such thing")

        asking = [asyncio.create_task(together.get("q", 5, wrong)) for _ in range(2)]
        found = await asyncio.gather(*asking, return_exceptions=True)
        assert [str(one) for one in found] == ["no such thing"] * 2
        late = asyncio.create_task(together.get("q", 5, making.answer))
        await settled()
        making.go[0].set()
        assert await late == "answer 0"

    run(test)


def test_a_failure_does_not_stand_in_the_way_of_the_next() -> None:
    """Who waited for the end of an answer that failed is answered."""

    async def test(together: Together[str], making: Making) -> None:
        fail = asyncio.Event()

        async def wrong(_seconds: float) -> str:
            await fail.wait()
            raise LookupError("no such thing")

        first = asyncio.create_task(together.get("q", 5, wrong))
        await settled()
        second = asyncio.create_task(together.get("q", 5, making.answer))
        await settled()
        fail.set()
        with pytest.raises(LookupError, match="no such thing"):
            await first
        await settled()
        making.go[0].set()
        assert await second == "answer 0"

    run(test)
