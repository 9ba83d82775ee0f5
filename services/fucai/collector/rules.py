"""The rules in force: a validator over the newest registry snapshot, kept fresh, and kept at all while it is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from structlog.typing import FilteringBoundLogger

from fucai.domain.catalogue import EMPTY, Catalogue, build_catalogue
from fucai.domain.validation import Validator, Window
from fucai.runtime.progress import Progress
from fucai.runtime.snapshot import RegistryAwayError, Snapshot, load, save

FetchSnapshot = Callable[[int], Awaitable[Snapshot | None]]
"""Given the revision known, the newest snapshot, or None where that is it. Raises RegistryAwayError."""


@dataclass(frozen=True, slots=True)
class RefreshSettings:
    """How often to ask the registry, and where to keep its last answer for the next start."""

    every_seconds: float = 3.0
    at_most_every_seconds: float = 0.5
    path: Path | None = None


class CurrentRules:
    """Holds the validator; `refresh` replaces it when the registry has something newer."""

    def __init__(
        self,
        fetch: FetchSnapshot,
        *,
        zone: ZoneInfo,
        window: Window,
        settings: RefreshSettings,
        log: FilteringBoundLogger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.validator = Validator(EMPTY, zone=zone, window=window)
        self._fetch = fetch
        self._zone = zone
        self._window = window
        self._settings = settings
        self._log = log
        self._loaded = False
        self._clock = clock
        self._confirmed_at = clock()
        self._asked_at = float("-inf")
        self._turn = asyncio.Lock()
        self._coming: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None  # kept here because the event loop holds tasks weakly

    @property
    def zone(self) -> ZoneInfo:
        """The business time zone."""
        return self._zone

    @property
    def revision(self) -> int:
        """Revision of the snapshot in use; 0 for none."""
        return self.validator.catalogue.revision

    @property
    def age_seconds(self) -> float:
        """Seconds since the registry last confirmed the snapshot in use; since the start if it never has."""
        return self._clock() - self._confirmed_at

    def restore(self) -> None:
        """Takes up the snapshot kept by an earlier run, if there is one."""
        path = self._settings.path
        snapshot = load(path) if path is not None else None
        if snapshot is not None:
            self._use(_catalogue(snapshot))
            self._log.info("registry snapshot restored", revision=snapshot.revision, path=str(path))

    async def refresh(self) -> bool:
        """Asks the registry and tells whether it had anything newer. One question answers all who came before it.

        A registry that is away changes nothing.
        """
        revision = self.revision
        if self._coming is None:
            self._coming = asyncio.create_task(self._ask())
        await asyncio.shield(self._coming)
        return self.revision != revision

    async def keep_fresh(self, progress: Progress) -> None:
        """Asks the registry every few seconds. Ready as soon as there is any snapshot. Never returns."""
        while True:
            await self.refresh()
            if not self._loaded:
                progress.blocked("no snapshot of the registry yet; it is away, and none was kept")
            else:
                progress.idle(f"revision {self.revision}, confirmed {self.age_seconds:.0f} s ago")
            await asyncio.sleep(self._settings.every_seconds)

    async def _ask(self) -> None:
        async with self._turn:
            pause_s = self._asked_at + self._settings.at_most_every_seconds - self._clock()
            if pause_s > 0:
                await asyncio.sleep(pause_s)
            self._asked_at = self._clock()
            self._asking, self._coming = self._coming, None
            try:
                snapshot = await self._fetch(self.revision)
                if snapshot is not None:
                    self._use(await asyncio.to_thread(_catalogue, snapshot))
            except (RegistryAwayError, ValueError) as error:
                self._log.warning("no snapshot from the registry", error=str(error), revision=self.revision)
                return
            self._confirmed_at = self._clock()
            if snapshot is not None:
                self._log.info("registry snapshot taken", revision=self.revision, records=len(snapshot.content.records))
                await self._keep(snapshot)

    async def _keep(self, snapshot: Snapshot) -> None:
        path = self._settings.path
        if path is None:
            return
        try:
            await asyncio.to_thread(save, snapshot, path)
        except OSError as error:
            self._log.warning("registry snapshot cannot be kept", path=str(path), error=str(error))

    def _use(self, catalogue: Catalogue) -> None:
        self.validator = Validator(catalogue, zone=self._zone, window=self._window)
        self._loaded = True


def _catalogue(snapshot: Snapshot) -> Catalogue:
    return build_catalogue(snapshot.revision, snapshot.content.records)
