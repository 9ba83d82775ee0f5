"""The registry as the ledger last saw it: rules to judge by, terminals and outlets, draws. Kept fresh."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from structlog.typing import FilteringBoundLogger

from fucai.domain.catalogue import build_catalogue
from fucai.domain.embargo import Embargo, build_embargo
from fucai.domain.silence import Roster, build_roster
from fucai.domain.validation import Validator, Window
from fucai.runtime.progress import Progress
from fucai.runtime.snapshot import RegistryAwayError, Snapshot

FetchSnapshot = Callable[[int], Awaitable[Snapshot | None]]
"""Given the revision known, the newest snapshot, or None where that is it. Raises RegistryAwayError."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry says, at one revision."""

    revision: int
    validator: Validator
    roster: Roster
    embargo: Embargo


class CurrentRegistry:
    """Holds what is known; the last snapshot stays in use while the registry is away.

    A draw whose end the ledger has not heard of stays sealed: old knowledge withholds more, never less.
    """

    def __init__(
        self, fetch: FetchSnapshot, *, zone: ZoneInfo, window: Window, every_seconds: float, log: FilteringBoundLogger
    ) -> None:
        self._fetch = fetch
        self._zone = zone
        self._window = window
        self._every_seconds = every_seconds
        self._log = log
        self._known: Known | None = None
        self._turn = asyncio.Lock()

    @property
    def known(self) -> Known:
        """What is known now.

        Raises:
            RegistryAwayError: nothing is: the registry has never answered.
        """
        if self._known is None:
            raise RegistryAwayError("the registry has not answered since this service started")
        return self._known

    async def refresh(self) -> Known:
        """Asks the registry, and returns the newest it has.

        Raises:
            RegistryAwayError: it does not answer, or with something that cannot be used.
        """
        async with self._turn:
            revision = self._known.revision if self._known is not None else 0
            snapshot = await self._fetch(revision)
            if snapshot is not None:
                try:
                    self._known = await asyncio.to_thread(self._build, snapshot)
                except ValueError as error:
                    raise RegistryAwayError(f"the registry's snapshot cannot be used: {error}") from error
                self._log.debug("registry snapshot taken", revision=snapshot.revision)
            return self.known

    async def keep_fresh(self, progress: Progress) -> None:
        """Asks the registry every few seconds. Ready as soon as there is any snapshot. Never returns."""
        while True:
            try:
                known = await self.refresh()
            except RegistryAwayError as error:
                self._log.warning("no snapshot from the registry", error=str(error))
                if self._known is None:
                    progress.blocked(f"no snapshot of the registry yet: {error}")
            else:
                progress.idle(f"revision {known.revision}")
            await asyncio.sleep(self._every_seconds)

    def _build(self, snapshot: Snapshot) -> Known:
        records = snapshot.content.records
        catalogue = build_catalogue(snapshot.revision, records)
        validator = Validator(catalogue, zone=self._zone, window=self._window)
        return Known(snapshot.revision, validator, build_roster(records), build_embargo(records))
