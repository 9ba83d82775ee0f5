"""What the registry knows, as lookups by day for a terminal's side. Reads and changes nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any, TypeVar

from fucai.v1.registry_pb2 import Closure, Draw, Game, GetSnapshotResponse, Outlet, Terminal, Zone

V = TypeVar("V", Outlet, Terminal, Game)
IMPORT_KIND = "import"
TILL_KIND = "till"


def import_terminal_id(outlet_id: str) -> str:
    """The terminal that brings in an outlet's history."""
    return f"import:{outlet_id}"


@dataclass(frozen=True, slots=True)
class Known:
    """The registry at one revision. Versions are in order of valid_from."""

    timezone: str
    currency: str
    zones: Mapping[str, Zone]
    outlets: Mapping[str, list[Outlet]]
    terminals: Mapping[str, list[Terminal]]
    games: Mapping[str, list[Game]]
    closures: list[Closure]
    draws: Mapping[str, list[Draw]]

    def outlet_on(self, outlet_id: str, day: str) -> Outlet | None:
        """The outlet as it stood on the day (YYYY-MM-DD); None where it was unknown, not open yet or closed."""
        outlet = _version(self.outlets.get(outlet_id, []), day)
        if outlet is None or (outlet.closed and outlet.closed <= day) or outlet.opened > day:
            return None
        return outlet

    def game_on(self, game: str, day: str) -> Game | None:
        """The game's rules on the day; None where it was unknown."""
        return _version(self.games.get(game, []), day)

    def terminal_on(self, terminal_id: str, day: str) -> Terminal | None:
        """The terminal's binding on the day; None where it was unknown."""
        return _version(self.terminals.get(terminal_id, []), day)

    def outlets_with_tills(self) -> list[str]:
        """The outlets in which a till stands or stood, in order."""
        bound = {
            version.outlet_id
            for versions in self.terminals.values()
            for version in versions
            if version.kind == TILL_KIND and version.outlet_id in self.outlets
        }
        return sorted(bound)

    def closed_days(self) -> tuple[frozenset[int], frozenset[int]]:
        """Ordinals of the days on which draw games stand still, and of those on which everything does."""
        draw_games: set[int] = set()
        everything: set[int] = set()
        for closure in self.closures:
            first, last = date.fromisoformat(closure.first_day), date.fromisoformat(closure.last_day)
            days = range(first.toordinal(), last.toordinal() + 1)
            draw_games.update(days)
            if closure.scope == "all":
                everything.update(days)
        return frozenset(draw_games), frozenset(everything)


def build_known(parts: Iterable[GetSnapshotResponse], *, timezone: str, currency: str) -> Known:
    """Sorts a snapshot into lookups; the snapshot's own time zone and currency win over those given."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for part in parts:
        timezone, currency = part.timezone or timezone, part.currency or currency
        for record in part.records:
            kind = record.WhichOneof("record")
            if kind is not None:
                found[kind].append(getattr(record, kind))
    return Known(
        timezone=timezone,
        currency=currency,
        zones={zone.zone_id: zone for zone in found["zone"]},
        outlets=_grouped(found["outlet"], "outlet_id", "valid_from"),
        terminals=_grouped(found["terminal"], "terminal_id", "valid_from"),
        games=_grouped(found["game"], "game", "valid_from"),
        closures=found["closure"],
        draws=_grouped(found["draw"], "game", "draw_no"),
    )


def _grouped(records: list[Any], key: str, order: str) -> dict[str, list[Any]]:
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for record in sorted(records, key=attrgetter(order)):
        groups[getattr(record, key)].append(record)
    return dict(groups)


def _version(versions: list[V], day: str) -> V | None:
    index = bisect_right(versions, day, key=_valid_from)
    return versions[index - 1] if index else None


def _valid_from(version: Outlet | Terminal | Game) -> str:
    return version.valid_from
