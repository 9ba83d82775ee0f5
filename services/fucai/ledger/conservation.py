"""What became of all events received: stored, duplicate, quarantined. Sealed draws are shown without figures."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from fucai.adapters.conservation_store import (
    Counted,
    Scope,
    count_duplicates,
    count_stored,
    count_unreadable,
    named_draws,
    quarantined_events,
    stored_draws,
)
from fucai.adapters.ledger_store import read_accounts
from fucai.domain.completeness import State
from fucai.domain.embargo import Embargo
from fucai.ledger.sealed import as_stored

_MOST_TRIES = 5


class By(enum.Enum):
    """What a count is broken down by, as the columns of its rows."""

    GAME = ("game",)
    OUTLET = ("outlet_id",)
    DRAW = ("game", "draw_no")
    OUTLET_AND_DRAW = ("outlet_id", "game", "draw_no")


class Outcome(enum.Enum):
    """What became of an event."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    OPEN = "quarantined"
    WAIVED = "waived"
    STORED_SINCE = "quarantined_stored"


_OF_QUARANTINED = {State.STORED: Outcome.STORED_SINCE, State.WAIVED: Outcome.WAIVED}


class RowKey(NamedTuple):
    """What a row is for; empty where it is not broken down by that. A withheld row has no outlet and no figures."""

    outlet_id: str = ""
    game: str = ""
    draw_no: str = ""
    withheld: bool = False


class Sum(NamedTuple):
    """Events and their amounts in fen."""

    events: int = 0
    amount_fen: int = 0


class DisturbedError(Exception):
    """Draws were sealed during each of several counts, so none is of one moment; to be asked again."""


@dataclass(slots=True)
class Conservation:
    """The count.

    Attributes:
        by: what it is broken down by.
        sealed: the draws that are sealed by a table.
        rows: what became of events, by row.
        withheld: game and number of draws that stand in no row, or in one without figures. They are those of the whole
            channel, whichever outlet was asked about: who sold a sealed draw, and how many did, is a figure of it.
        unreadable: Kafka records kept as raw bytes.
    """

    by: By
    sealed: frozenset[tuple[str, str]]
    rows: dict[RowKey, dict[Outcome, Sum]] = field(default_factory=lambda: defaultdict(dict))
    withheld: set[tuple[str, str]] = field(default_factory=set)
    unreadable: int = 0

    def add(self, outlet_id: str, game: str, draw_no: str, outcome: Outcome, events: Sum) -> None:
        """Adds events to the row that they belong to."""
        columns = self.by.value
        row = self.rows[
            RowKey(
                outlet_id if "outlet_id" in columns else "",
                game if "game" in columns else "",
                draw_no if "draw_no" in columns else "",
            )
        ]
        before = row.get(outcome, Sum())
        row[outcome] = Sum(before.events + events.events, before.amount_fen + events.amount_fen)

    def withhold(self, game: str, draw_no: str) -> None:
        """Notes a draw whose figures are withheld."""
        self.withheld.add((game, draw_no))
        if "draw_no" in self.by.value:
            self.rows[RowKey("", game, draw_no, withheld=True)] = {}


def count(client: Any, known: Embargo, clock: Callable[[], int], by: By, scope: Scope) -> Conservation:
    """Count the events of a scope as they stand now; `clock` tells Unix ms.

    The embargo is that of the store, so that a seal by hand holds at once. What was counted while a draw was being
    sealed may contain it, and is counted again.

    Raises:
        ClickHouseError: the server is away or refuses.
        DisturbedError: draws are being sealed all the time.
    """
    for _ in range(_MOST_TRIES):
        now_ms, embargo = clock(), as_stored(client, known)
        found = _count(client, embargo, now_ms, by, scope)
        if as_stored(client, known).sealed(clock()) <= found.sealed:
            return found
    raise DisturbedError(f"draws were sealed in each of {_MOST_TRIES} counts: ask again")


def _count(client: Any, embargo: Embargo, now_ms: int, by: By, scope: Scope) -> Conservation:
    found = Conservation(by, unreadable=count_unreadable(client), sealed=embargo.sealed(now_ms))
    _add_quarantined(client, embargo, now_ms, scope, found)
    for each in count_duplicates(client, scope, ("outlet_id", "game", "draw_no")):
        outlet_id, game, draw_no = each.group
        if not embargo.hides_event(game, draw_no, now_ms, daily_summary=each.found_good):
            found.add(outlet_id, game, draw_no, Outcome.DUPLICATE, Sum(each.events, each.amount_fen))
    if by is By.OUTLET:
        for each in _stored_by_outlet(client, embargo, now_ms, scope):
            found.add(each.group[0], "", "", Outcome.STORED, Sum(each.events, each.amount_fen))
    else:
        columns = ("outlet_id", "game", "draw_no") if by is By.OUTLET_AND_DRAW else ("game", "draw_no")
        for each in count_stored(client, scope, columns):
            *outlet, game, draw_no = each.group
            if not embargo.is_sealed(game, draw_no, now_ms):
                found.add("".join(outlet), game, draw_no, Outcome.STORED, Sum(each.events, each.amount_fen))
    for game, draw_no, found_good in named_draws(client, replace(scope, outlet_id="")):
        if embargo.hides_event(game, draw_no, now_ms, daily_summary=found_good):
            found.withhold(game, draw_no)
    return found


def _stored_by_outlet(client: Any, embargo: Embargo, now_ms: int, scope: Scope) -> list[Counted]:
    """Stored events by outlet without sealed draws. Counts again where a sealed draw turned up meanwhile."""
    draws = stored_draws(client)
    for _ in range(_MOST_TRIES):
        sealed = {draw for draw in draws if embargo.is_sealed(*draw, now_ms)}
        rows = count_stored(client, scope, By.OUTLET.value, sorted(sealed))
        draws = stored_draws(client)
        if not any(embargo.is_sealed(*draw, now_ms) for draw in draws - sealed):
            return rows
    raise DisturbedError(f"sealed draws turned up in each of {_MOST_TRIES} counts: ask again")


def _add_quarantined(client: Any, embargo: Embargo, now_ms: int, scope: Scope, found: Conservation) -> None:
    groups = quarantined_events(client, scope)
    accounts = read_accounts(client, keys={group.key for group in groups}, whole=True)
    for group in groups:
        if embargo.hides_event(group.game, group.draw_no, now_ms, daily_summary=group.daily_summary):
            continue
        sums: defaultdict[Outcome, list[int]] = defaultdict(lambda: [0, 0])
        for seq, amount_fen in group.numbers:
            state = accounts[group.key].state_of(seq) if group.key in accounts else State.QUARANTINED
            total = sums[_OF_QUARANTINED.get(state, Outcome.OPEN)]
            total[0] += 1
            total[1] += amount_fen
        for outcome, (events, fen) in sums.items():
            found.add(group.outlet_id, group.game, group.draw_no, outcome, Sum(events, fen))
