"""What records must be to each other: known zones, outlets and games, closures apart, draws in order. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from fucai.domain.calendar import DrawNumber, business_day, overlaps, parse_day
from fucai.domain.registry.faults import Fault, shown
from fucai.domain.registry.tables import CLOSURES, DRAWS, GAMES, OUTLETS, ZONES, Key, Records, Table

Faults = Iterator[Fault]


@dataclass(frozen=True)
class World:
    """The registry as it would be with the records that are being checked.

    `unreadable` names tables of which records are missing because their file could not be read: what refers to them
    is not judged. Records with faults of their own may be among them.
    """

    records: Records
    zone: ZoneInfo
    unreadable: Collection[str] = field(default_factory=frozenset)

    def lacks(self, table: Table) -> bool:
        """Whether the table is not whole, so that nothing can be said to be missing from it."""
        return table.name in self.unreadable

    @cached_property
    def outlets(self) -> Mapping[str, list[Any]]:
        """Versions of each outlet, by valid_from."""
        return self._versions(OUTLETS)

    @cached_property
    def games(self) -> Mapping[str, list[Any]]:
        """Versions of each game, by valid_from."""
        return self._versions(GAMES)

    @cached_property
    def districts(self) -> Mapping[str, dict[str, str]]:
        """Names of each district code, with a zone that has it."""
        names: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for zone in self.records[ZONES.name].values():
            names[zone.district_code].setdefault(zone.district, zone.zone_id)
        return names

    @cached_property
    def closure_conflicts(self) -> Mapping[Key, Any]:
        """By key of a closure, another of its scope that shares days with it."""
        found: dict[Key, Any] = {}
        by_scope: defaultdict[str, dict[tuple[date, date], Key]] = defaultdict(dict)
        for key, closure in self.records[CLOSURES.name].items():
            span = _span(closure)
            if span is not None:
                by_scope[closure.scope][span] = key
        closures = self.records[CLOSURES.name]
        for spans in by_scope.values():
            for left, right in overlaps(spans):
                found[spans[left]] = closures[spans[right]]
                found[spans[right]] = closures[spans[left]]
        return found

    @cached_property
    def draw_conflicts(self) -> Mapping[Key, Any]:
        """By key of a draw, its neighbour in number that does not close in the same order."""
        found: dict[Key, Any] = {}
        draws = self.records[DRAWS.name]
        for left, right in pairwise(sorted(key for key, draw in draws.items() if draw.sales_close_ms > 0)):
            if left[0] == right[0] and draws[left].sales_close_ms >= draws[right].sales_close_ms:
                found.setdefault(left, draws[right])
                found[right] = draws[left]
        return found

    def _versions(self, table: Table) -> Mapping[str, list[Any]]:
        found: defaultdict[str, list[Any]] = defaultdict(list)
        records = self.records[table.name]
        for key in sorted(records):
            found[key[0]].append(records[key])
        return found


def reference_faults(table: Table, message: Any, world: World) -> Iterable[Fault]:
    """What is wrong with a record beside the others of `world`, which holds it too."""
    rule = _RULES.get(table.kind)
    return rule(message, world) if rule is not None else ()


def _zone(zone: Any, world: World) -> Faults:
    for name, zone_id in world.districts[zone.district_code].items():
        if name != zone.district:
            remedy = f"is called {name!r} by zone {zone_id}; a district code has one name, correct one of them"
            yield Fault("district", shown(zone.district), remedy)


def _outlet(outlet: Any, world: World) -> Faults:
    if outlet.zone_id and (outlet.zone_id,) not in world.records[ZONES.name] and not world.lacks(ZONES):
        remedy = "is no known zone; add it to zones.csv, correct it, or leave it empty"
        yield Fault("zone_id", shown(outlet.zone_id), remedy)


def _terminal(terminal: Any, world: World) -> Faults:
    if not terminal.outlet_id or world.lacks(OUTLETS):
        return
    versions = world.outlets.get(terminal.outlet_id)
    value = shown(terminal.outlet_id)
    if not versions:
        yield Fault("outlet_id", value, "is no known outlet; add it to outlets.csv, or correct it")
        return
    index = bisect_right(versions, terminal.valid_from, key=lambda version: str(version.valid_from)) - 1
    if index < 0:
        known = versions[0].valid_from
        remedy = f"is known from {known} only; bind the terminal from then on, or give the outlet an earlier valid_from"
        yield Fault("outlet_id", value, remedy)
    elif versions[index].closed and versions[index].closed <= terminal.valid_from:
        remedy = f"was closed on {versions[index].closed}; bind the terminal elsewhere, or correct the day"
        yield Fault("outlet_id", value, remedy)


def _draw(draw: Any, world: World) -> Faults:
    try:
        number = DrawNumber.parse(draw.draw_no)
        day = business_day(draw.sales_close_ms, world.zone)
    except (ValueError, OverflowError, OSError):
        return  # has a fault of its own
    yield from _draw_game(draw, day, world)
    if number.year != day.year:
        yield Fault(
            "draw_no", draw.draw_no, f"begins with another year than its sales close, {day}; correct one of them"
        )
    other = world.draw_conflicts.get(DRAWS.key(draw))
    if other is not None:
        remedy = f"is not in the order of the draw numbers: see draw {other.draw_no}; correct one of them"
        yield Fault("sales_close_ms", str(draw.sales_close_ms), remedy)


def _draw_game(draw: Any, day: date, world: World) -> Faults:
    if world.lacks(GAMES):
        return
    versions = world.games.get(draw.game)
    if not versions:
        yield Fault("game", shown(draw.game), "is no known game; add it to games.csv, or correct it")
        return
    index = bisect_right(versions, day.isoformat(), key=lambda version: str(version.valid_from)) - 1
    if index < 0:
        yield Fault("game", shown(draw.game), f"is on sale from {versions[0].valid_from} only; correct the day")
    elif not versions[index].has_draws:
        yield Fault("game", shown(draw.game), "has no draws; correct the game's has_draws, or leave the draw out")


def _closure(closure: Any, world: World) -> Faults:
    other = world.closure_conflicts.get(CLOSURES.key(closure))
    if other is not None:
        remedy = f"overlaps the closure {other.first_day} to {other.last_day} of the same scope; join or part them"
        yield Fault("first_day", closure.first_day, remedy)


def _span(closure: Any) -> tuple[date, date] | None:
    try:
        span = parse_day(closure.first_day), parse_day(closure.last_day)
    except ValueError:
        return None  # has a fault of its own
    return span if span[0] <= span[1] else None


_RULES: Mapping[str, Callable[[Any, World], Faults]] = {
    "zone": _zone,
    "outlet": _outlet,
    "terminal": _terminal,
    "draw": _draw,
    "closure": _closure,
}
