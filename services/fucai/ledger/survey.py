"""One look at the whole channel: what is missing, who is silent, who floods, and where all events are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fucai.adapters.arrivals_store import last_events
from fucai.adapters.conservation_store import Scope
from fucai.domain.calendar import instant_ms
from fucai.domain.flood import FloodRule, Traffic
from fucai.domain.silence import Silence, find_silent
from fucai.ledger.conservation import By, Outcome, count
from fucai.ledger.desk import floods
from fucai.ledger.gaps import find_gaps, oldest_gap_ms
from fucai.ledger.registry import Known

OTHER_GAME = "other"
"""Stands for games that no catalogue knows: what terminals make up shall make no labels."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look found: 0 as `oldest_gap_ms` without gaps; `events` by game and outcome, without sealed draws.

    `sealed` are the draws that were sealed by a table. Once another one is, `events` may contain it, and are not shown.
    """

    gaps: int
    missing: int
    oldest_gap_ms: int
    silent_expected: int
    silent_unexpected: int
    floods: Sequence[Traffic]
    events: Mapping[tuple[str, Outcome], int]
    withheld_draws: int
    unreadable: int
    sealed: frozenset[tuple[str, str]] = frozenset()


def silent_terminals(client: Any, known: Known, now: datetime, *, threshold_hours: float) -> list[Silence]:
    """Return the silent terminals, the unexpected first; `now` is in the business time zone.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return find_silent(known.roster, last_events(client), now, threshold_hours=threshold_hours)


def take_survey(client: Any, known: Known, now: datetime, *, threshold_hours: float, flood_rule: FloodRule) -> Survey:
    """Look at everything; `now` is in the business time zone.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    now_ms = instant_ms(now)
    gaps = find_gaps(client, known.roster, now.date())
    silent = silent_terminals(client, known, now, threshold_hours=threshold_hours)
    unexpected = sum(not silence.expected for silence in silent)
    conservation = count(client, known.embargo, lambda: now_ms, By.GAME, Scope())
    events: dict[tuple[str, Outcome], int] = {}
    for key, row in conservation.rows.items():
        game = key.game if key.game in known.validator.catalogue.games else OTHER_GAME
        for outcome, total in row.items():
            events[game, outcome] = events.get((game, outcome), 0) + total.events
    return Survey(
        gaps=len(gaps),
        missing=sum(gap.numbers for gap in gaps),
        oldest_gap_ms=oldest_gap_ms(client, gaps),
        silent_expected=len(silent) - unexpected,
        silent_unexpected=unexpected,
        floods=floods(client, flood_rule, now_ms),
        events=events,
        withheld_draws=len(conservation.withheld),
        unreadable=conservation.unreadable,
        sealed=conservation.sealed,
    )
