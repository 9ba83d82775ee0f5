"""What the registry said is kept until something is imported, and nothing else is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fucai.analytics.kept import KEPT, LONGEST_SECONDS, Kept
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
        """One row: the revision, or the name."""
        self.asked.append(text)
        await asyncio.sleep(0)
        return [(self.revision if text == plain("revision") else self.name,)]


def asked(kept: Kept, store: Store, *texts: str, **parameters: object) -> list[object]:
    """What one question hears."""

    async def question() -> list[object]:
        ask = kept.over(store.ask)
        return [row[0] for found in await asyncio.gather(*(ask(text, parameters) for text in texts)) for row in found]

    return asyncio.run(question())


def test_a_name_is_read_once_and_a_figure_each_time() -> None:
    """The second question only asks whether there was an import."""
    store = Store()
    kept = Kept(lambda: store.now)
    for _ in range(2):
        assert asked(kept, store, NAMES, FIGURES) == ["old", "old"]
    assert store.asked.count(NAMES) == 1
    assert store.asked.count(FIGURES) == 2
    assert store.asked.count(plain("revision")) == 2


def test_one_question_asks_once_whether_there_was_an_import() -> None:
    """However many texts it has."""
    store = Store()
    asked(Kept(), store, NAMES, plain("closures"), plain("rates"))
    assert store.asked.count(plain("revision")) == 1


def test_an_import_is_heard_by_the_next_question() -> None:
    """And so is what becomes of it."""
    store = Store()
    kept = Kept(lambda: store.now)
    asked(kept, store, NAMES)
    store.name = "new"
    assert asked(kept, store, NAMES) == ["old"]
    store.revision += 1
    assert asked(kept, store, NAMES) == ["new"]


def test_nothing_is_kept_for_long() -> None:
    """A replica may show an import before its rows."""
    store = Store()
    kept = Kept(lambda: store.now)
    asked(kept, store, NAMES)
    store.name = "late"
    store.now += LONGEST_SECONDS
    assert asked(kept, store, NAMES) == ["late"]


def test_parameters_are_told_apart() -> None:
    """The same text of another series is another answer."""
    store = Store()
    kept = Kept(lambda: store.now)
    asked(kept, store, plain("benchmark"), series="a")
    store.name = "other"
    assert asked(kept, store, plain("benchmark"), series="b") == ["other"]
    assert asked(kept, store, plain("benchmark"), series="a") == ["old"]


def test_no_text_that_is_kept_reads_sales() -> None:
    """The embargo changes with the clock, so no figure may be kept."""
    assert not [text for text in KEPT if "sales" in text.split("\n", 1)[1]]
