"""What the registry said is kept until something is imported, and nothing else is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from fucai.analytics.kept import KEPT, LONGEST_SECONDS, Kept
from fucai.analytics.shared import Shared
from fucai.analytics.store import Row
from fucai.analytics.texts import figures, plain
from fucai.domain.periods import Comparison, Grain

NAMES = plain("names_game")
FIGURES = figures(Grain.DAY, Comparison.NONE, ())


class Store:
    """Answers with what its registry says, and counts what it was asked."""

    def __init__(self) -> None:
        self.revision = 1
        self.name = "old"
        self.asked: list[str] = []
        self.now = 0.0

    async def ask(self, text: str, _parameters: Mapping[str, object]) -> list[Row]:
        """One row: the reach, which ends with revision and turns, or the name."""
        self.asked.append(text)
        await asyncio.sleep(0)
        return [(self.name, self.revision, 0) if text == plain("reach") else (self.name,)]


def keeping(store: Store) -> Kept:
    """What keeps answers of this store, by its clock."""
    return Kept(lambda _seconds: store.ask, lambda: store.now)


def asked(kept: Kept, *texts: str, **parameters: object) -> list[object]:
    """What one question hears."""

    async def question() -> list[object]:
        ask = kept.over(60.0)
        return [row[0] for found in await asyncio.gather(*(ask(text, parameters) for text in texts)) for row in found]

    return asyncio.run(question())


def test_a_name_is_read_once_and_a_figure_each_time() -> None:
    """The second question only asks whether there was an import."""
    store = Store()
    kept = keeping(store)
    for _ in range(2):
        assert asked(kept, NAMES, FIGURES) == ["old", "old"]
    assert store.asked.count(NAMES) == 1
    assert store.asked.count(FIGURES) == 2
    assert store.asked.count(plain("reach")) == 2


def test_one_question_asks_once_whether_there_was_an_import() -> None:
    """However many texts it has."""
    store = Store()
    asked(keeping(store), NAMES, plain("closures"), plain("rates"))
    assert store.asked.count(plain("reach")) == 1


def test_an_import_is_heard_by_the_next_question() -> None:
    """And so is what becomes of it."""
    store = Store()
    kept = keeping(store)
    asked(kept, NAMES)
    store.name = "new"
    assert asked(kept, NAMES) == ["old"]
    store.revision += 1
    assert asked(kept, NAMES) == ["new"]


def test_nothing_is_kept_for_long() -> None:
    """A replica may show an import before its rows."""
    store = Store()
    kept = keeping(store)
    asked(kept, NAMES)
    store.name = "late"
    store.now += LONGEST_SECONDS
    assert asked(kept, NAMES) == ["late"]


def test_parameters_are_told_apart() -> None:
    """The same text of another series is another answer."""
    store = Store()
    kept = keeping(store)
    asked(kept, plain("benchmark"), series="a")
    store.name = "other"
    assert asked(kept, plain("benchmark"), series="b") == ["other"]
    assert asked(kept, plain("benchmark"), series="a") == ["old"]


def test_no_text_that_is_kept_reads_sales() -> None:
    """The embargo changes with the clock, so no figure may be kept."""
    assert not [text for text in KEPT if "sales" in text.split("\n", 1)[1]]


def test_questions_that_come_at_once_share_a_look() -> None:
    """One looks at once; those who come while it does share the next look, which begins after they came."""
    store = Store()
    kept = keeping(store)

    async def crowd() -> None:
        first = asyncio.ensure_future(kept.over(60.0)(plain("reach"), {}))
        while plain("reach") not in store.asked:
            await asyncio.sleep(0)
        store.name = "later"
        others = [asyncio.ensure_future(kept.over(60.0)(plain("reach"), {})) for _ in range(5)]
        assert await asyncio.gather(*others) == [[("later", 1, 0)]] * 5
        await first

    asyncio.run(crowd())
    assert store.asked.count(plain("reach")) == 2


def test_a_look_that_fails_tells_all_and_harms_none_after() -> None:
    """The next one looks again."""
    calls: list[int] = []

    async def read() -> int:
        calls.append(1)
        await asyncio.sleep(0)
        if len(calls) == 1:
            raise ConnectionError
        return len(calls)

    async def crowd() -> None:
        shared = Shared(read)
        found = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
        assert [type(one) for one in found] == [ConnectionError, ConnectionError]
        assert await shared.get() == 2

    asyncio.run(crowd())


def test_who_cannot_wait_leaves_and_the_others_are_answered() -> None:
    """A deadline is each question's own."""

    async def read() -> str:
        await release.wait()
        return "found"

    async def crowd() -> None:
        shared = Shared(read)
        patient = asyncio.create_task(shared.get())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await shared.get()
        release.set()
        assert await patient == "found"

    release = asyncio.Event()
    asyncio.run(crowd())
