"""The registry in memory, as it stands in ClickHouse, and the only way to change it. Decides nothing about records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from fucai.adapters.migrate import StoreSettings, read_store_settings
from fucai.adapters.registry_store import StoredState, read_records, read_state, reload_dictionaries, save
from fucai.domain.registry.changes import Plan
from fucai.domain.registry.tables import Snapshot
from fucai.registry.store import Store, StoreAwayError
from fucai.runtime.progress import Progress

WATCH_SECONDS = 2.0
_NOTHING = StoredState(-1, 0)


@dataclass(frozen=True, slots=True)
class Current:
    """The registry now, and the time zone and currency of its store."""

    snapshot: Snapshot
    settings: StoreSettings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change did: the import's number (0 where nothing changed), and the registry's revision after it."""

    import_id: int
    revision: int


class Mirror:
    """Follows the store: asks for its revision before each use, and reads it again where that has moved on."""

    def __init__(self, store: Store, log: FilteringBoundLogger) -> None:
        self._store = store
        self._log = log
        self._lock = asyncio.Lock()
        self._state = _NOTHING
        self._current: Current | None = None
        self._dictionaries_loaded = False
        self._changes: set[asyncio.Task[Outcome]] = set()

    async def current(self) -> Current:
        """The registry as it is now.

        Raises:
            StoreAwayError: ClickHouse cannot be asked.
        """
        async with self._lock:
            return await self._follow()

    async def change(self, decide: Callable[[Current], Plan | None], source: str) -> Outcome:
        """Stores what `decide`, which runs on another thread, plans over the current registry; None stores nothing.

        Changes run one after the other, and end even if the caller is cancelled.

        Raises:
            StoreAwayError: the change is stored or not; make it again, which changes nothing if it is.
        """
        task = asyncio.create_task(self._change(decide, source))
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)

    async def watch(self, watching: Progress) -> None:
        """Follows the store every two seconds and tells `watching`; ends when cancelled."""
        while True:
            try:
                current = await self.current()
            except StoreAwayError as error:
                watching.blocked(str(error))
            else:
                watching.idle(f"at revision {current.snapshot.revision}")
            await asyncio.sleep(WATCH_SECONDS)

    async def close(self) -> None:
        """Waits for changes under way."""
        await asyncio.gather(*self._changes, return_exceptions=True)

    async def _change(self, decide: Callable[[Current], Plan | None], source: str) -> Outcome:
        async with self._lock:
            current = await self._follow()
            plan = await asyncio.to_thread(decide, current)
            if plan is None or not plan.rows:
                return Outcome(0, current.snapshot.revision)
            self._dictionaries_loaded = False
            import_id = await self._store.run(save, plan, source)
            self._state = StoredState(self._state.imports + 1, import_id)
            self._current = Current(Snapshot(import_id, plan.records_after), current.settings)
            self._log.info("import", import_id=import_id, source=source, added=plan.added, corrected=plan.corrected)
            await self._load_dictionaries()
            return Outcome(import_id, import_id)

    async def _follow(self) -> Current:
        """Brings memory to what is stored, and the store's dictionaries to what is visible. Needs the lock."""
        state = await self._store.run(read_state)
        if self._current is None or state != self._state:
            settings = self._current.settings if self._current else await self._store.run(read_store_settings)
            records = await self._store.run(read_records)
            self._current = Current(Snapshot(state.revision, records), settings)
            self._state = state
            self._dictionaries_loaded = False
        if not self._dictionaries_loaded:
            await self._load_dictionaries()
        return self._current

    async def _load_dictionaries(self) -> None:
        await self._store.run(reload_dictionaries)
        self._dictionaries_loaded = True
