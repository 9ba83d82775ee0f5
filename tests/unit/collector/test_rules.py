"""The snapshot in force: asked for together, kept while the registry is away, restored from disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from fucai.collector.rules import CurrentRules, RefreshSettings
from fucai.domain.validation import Window
from fucai.runtime.progress import Progress
from fucai.runtime.snapshot import RegistryAwayError, Snapshot, load, save
from fucai.v1.registry_pb2 import GetSnapshotResponse
from tests.support.tills import TILL, usual_records


class ScriptedRegistry:
    """Answers with its revision's records when that is news; can be away."""

    def __init__(self) -> None:
        self.revision = 1
        self.away = False
        self.questions = 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def fetch(self, known_revision: int) -> Snapshot | None:
        """As `snapshot.fetch`."""
        self.questions += 1
        revision = self.revision
        await self.answering.wait()
        if self.away:
            raise RegistryAwayError("UNAVAILABLE: nobody there")
        return None if known_revision == revision else snapshot(revision)


def snapshot(revision: int) -> Snapshot:
    """The usual records under that revision."""
    return Snapshot(GetSnapshotResponse(revision=revision, records=usual_records()))


def rules_over(registry: ScriptedRegistry, path: Path | None = None) -> CurrentRules:
    """Rules that wait for nothing between two questions."""
    return CurrentRules(
        registry.fetch,
        zone=ZoneInfo("Asia/Shanghai"),
        window=Window(),
        settings=RefreshSettings(every_seconds=0.01, at_most_every_seconds=0.0, path=path),
        log=structlog.get_logger(),
    )


def run(scenario: Callable[[ScriptedRegistry], Awaitable[None]]) -> None:
    """Runs a scenario with a registry of its own, within 5 s."""

    async def limited() -> None:
        await asyncio.wait_for(scenario(ScriptedRegistry()), 5)

    asyncio.run(limited())


def test_refresh_takes_what_is_new_and_says_so() -> None:
    """A newer revision replaces the validator; the same one leaves it alone."""

    async def scenario(registry: ScriptedRegistry) -> None:
        rules = rules_over(registry)
        assert await rules.refresh()
        validator = rules.validator
        assert TILL in validator.catalogue.terminals
        assert not await rules.refresh()
        assert rules.validator is validator
        registry.revision = 2
        assert await rules.refresh()
        assert rules.revision == 2

    run(scenario)


def test_many_callers_share_one_question() -> None:
    """Callers that come before the registry is asked share its answer; one that comes later gets a fresh one."""

    async def scenario(registry: ScriptedRegistry) -> None:
        rules = rules_over(registry)
        registry.answering.clear()
        early = [asyncio.create_task(rules.refresh()) for _ in range(50)]
        while not registry.questions:
            await asyncio.sleep(0)
        registry.revision = 2
        late = [asyncio.create_task(rules.refresh()) for _ in range(50)]
        await asyncio.sleep(0)
        registry.answering.set()
        assert all(await asyncio.gather(*early))
        await asyncio.gather(*late)
        assert (registry.questions, rules.revision) == (2, 2)

    run(scenario)


def test_registry_away_changes_nothing() -> None:
    """The last snapshot stays in force, and counts as ready."""

    async def scenario(registry: ScriptedRegistry) -> None:
        rules = rules_over(registry)
        progress = Progress()
        registry.away = True
        keeping = asyncio.create_task(rules.keep_fresh(progress))
        while registry.questions < 2:
            await asyncio.sleep(0.001)
        assert not progress.readiness().ready
        registry.away = False
        while not rules.revision:
            await asyncio.sleep(0.001)
        registry.away = True
        asked = registry.questions
        while registry.questions < asked + 3:
            await asyncio.sleep(0.001)
        assert progress.readiness().ready
        assert TILL in rules.validator.catalogue.terminals
        keeping.cancel()

    run(scenario)


def test_snapshot_on_disk_outlives_the_process(tmp_path: Path) -> None:
    """What was fetched is there for the next start, even while the registry is away."""

    async def scenario(registry: ScriptedRegistry) -> None:
        path = tmp_path / "collector" / "snapshot"
        await rules_over(registry, path).refresh()
        later = rules_over(registry, path)
        later.restore()
        assert later.revision == 1
        assert TILL in later.validator.catalogue.terminals

    run(scenario)


def test_unreadable_snapshot_is_no_snapshot(tmp_path: Path) -> None:
    """A missing or damaged file is as none; a saved one comes back whole."""
    path = tmp_path / "snapshot"
    assert load(path) is None
    path.write_bytes(b"\xff\xff\xff")
    assert load(path) is None
    save(snapshot(4), path)
    assert load(path) == snapshot(4)
    assert [found.name for found in tmp_path.iterdir()] == ["snapshot"]
