"""Lets files of history in: no two may bring the same day of an outlet and game, and a file keeps its epoch."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

from fucai.adapters.history_store import claims_of, epoch_of, highest_epoch, let_in, other_claims, read_stored
from fucai.domain.calendar import day_spans, parse_day
from fucai.domain.registry.history import Claims, Conflict, Place, conflicts, next_epoch
from fucai.domain.registry.tables import GAMES, OUTLETS, Snapshot
from fucai.registry.store import Store
from fucai.runtime.errors import Violation
from fucai.v1.registry_pb2 import OpenHistoryRequest

MAX_DAYS = 20_000_000
MAX_CONFLICTS = 100_000
_NAMED = 10
_HASH = re.compile(r"[0-9a-f]{64}")


class ClaimError(Exception):
    """What was claimed cannot be used; `violations` name the fields."""

    def __init__(self, field_name: str, description: str) -> None:
        super().__init__(f"{field_name}: {description}")
        self.violations = [Violation(field_name, description)]


@dataclass(slots=True)
class Claiming:
    """Gathers the claims of one file from a stream."""

    content_sha256: str = ""
    file: str = ""
    days: dict[Place, set[date]] = field(default_factory=dict)
    count: int = 0

    def add(self, request: OpenHistoryRequest) -> None:
        """Takes one part.

        Raises:
            ClaimError: it is not one of the same file, or names no outlet, game or day.
        """
        if not _HASH.fullmatch(request.content_sha256):
            raise ClaimError(
                "content_sha256", f"{request.content_sha256!r} is no SHA-256 of 64 small hexadecimal digits"
            )
        if self.content_sha256 not in ("", request.content_sha256):
            raise ClaimError("content_sha256", "differs within the stream; open one file at a time")
        self.content_sha256 = request.content_sha256
        self.file = self.file or request.file
        for name in ("outlet_id", "game"):
            if not getattr(request, name):
                raise ClaimError(name, "is empty; every part names an outlet and a game")
        self.count += len(request.days)
        if self.count > MAX_DAYS:
            raise ClaimError("days", f"are more than {MAX_DAYS:,}; split the file")
        days = self.days.setdefault(Place(request.outlet_id, request.game), set())
        for text in request.days:
            try:
                days.add(parse_day(text))
            except ValueError as error:
                raise ClaimError("days", f"{text!r} {error}") from error

    def claims(self) -> Claims:
        """What the file claims.

        Raises:
            ClaimError: nothing.
        """
        if not self.count:
            raise ClaimError("days", "are missing; a file of history brings at least one day")
        return {place: day_spans(days) for place, days in self.days.items() if days}

    def check(self, snapshot: Snapshot) -> None:
        """Whether the registry knows what the file is about.

        Raises:
            ClaimError: an outlet or a game is unknown.
        """
        for name, table in (("outlet_id", OUTLETS), ("game", GAMES)):
            known = {key[0] for key in snapshot.of(table)}
            unknown = sorted({str(getattr(place, name)) for place in self.days} - known)
            if unknown:
                first = ", ".join(unknown[:_NAMED])
                raise ClaimError(name, f"{first} not registered ({len(unknown)} in all); register before history")


@dataclass(frozen=True, slots=True)
class Opened:
    """The file's epoch and what is stored of each terminal under it; epoch 0 where there are conflicts."""

    epoch: int
    conflicts: list[Conflict]
    stored: dict[str, int]


async def open_history(store: Store, claiming: Claiming, now_s: Callable[[], float] = time.time) -> Opened:
    """Claims a file's days, or finds that it claimed them before.

    At most MAX_CONFLICTS conflicts are told.

    Raises:
        ClaimError: it claims nothing, or other days than before.
        StoreAwayError: the days are claimed or not; open the file again.
    """
    return await store.run(_open, claiming.content_sha256, claiming.file, claiming.claims(), now_s)


def _open(client: Any, content_sha256: str, file: str, claims: Claims, now_s: Callable[[], float]) -> Opened:
    """Runs on the store's one thread, so nothing comes between."""
    epoch = epoch_of(client, content_sha256)
    if epoch:
        if claims_of(client, epoch) != claims:
            raise ClaimError("content_sha256", "was opened with other days before; it must be the hash of the rows")
        return Opened(epoch, [], read_stored(client, epoch))
    outlets = sorted({place.outlet_id for place in claims})
    found = list(islice(conflicts(claims, other_claims(client, outlets)), MAX_CONFLICTS))
    if found:
        return Opened(0, found, {})
    epoch = next_epoch(int(now_s()), highest_epoch(client))
    let_in(client, epoch, content_sha256, file, claims)
    return Opened(epoch, [], {})
