"""Which terminals are silent, and whether that is to be expected: withdrawn, closed, not open yet, market closure.

Counts in open time: days on which the market is closed do not count against a terminal.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from fucai.domain.calendar import DaySpan, parse_day
from fucai.domain.catalogue import IMPORT_KIND
from fucai.domain.labels import Label
from fucai.v1 import registry_pb2

HOUR_S = 3_600.0
_NEVER = Label("自绑定以来从未发送事件", "it has never sent an event since it was bound")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a terminal stands from a day on: `outlet_id` is empty for one withdrawn; kind is till or import."""

    first_day: date
    outlet_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Premises:
    """When an outlet opened and closed for good; `closed` is its first day without sales."""

    first_day: date
    opened: date
    closed: date | None


T = TypeVar("T", Standing, Premises)


@dataclass(frozen=True, slots=True)
class MarketClosure:
    """Days on which the market is closed, both ends included."""

    first: date
    last: date
    name: str

    def __str__(self) -> str:
        return f"{self.name}, {self.first} to {self.last}"

    @property
    def zh(self) -> str:
        """The same in Chinese."""
        return f"{self.name}，{self.first} 至 {self.last}"


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a terminal has been silent, in hours and in hours of open time, and how that is to be read."""

    terminal_id: str
    outlet_id: str
    last_event_ms: int
    hours: float
    open_hours: float
    expected: bool
    reason: Label


@dataclass(frozen=True, slots=True)
class Roster:
    """The registry's terminals and outlets, with their versions by first day, and the market closures."""

    terminals: Mapping[str, Sequence[Standing]]
    outlets: Mapping[str, Sequence[Premises]]
    closures: Sequence[MarketClosure]
    closed_spans: Sequence[DaySpan]

    def outlet_of(self, terminal_id: str, today: date) -> str:
        """Where a terminal stands, or stood last, or will stand first; empty where the registry knows nothing."""
        versions = self.terminals.get(terminal_id, ())
        past = [version.outlet_id for version in versions if version.outlet_id and version.first_day <= today]
        future = [version.outlet_id for version in versions if version.outlet_id]
        return past[-1] if past else next(iter(future), "")

    def terminals_of(self, outlet_id: str, today: date) -> list[str]:
        """The terminals of which `outlet_of` names this outlet."""
        return [
            terminal
            for terminal, versions in self.terminals.items()
            if any(version.outlet_id == outlet_id for version in versions)
            and self.outlet_of(terminal, today) == outlet_id
        ]


def build_roster(records: Iterable[registry_pb2.RegistryRecord]) -> Roster:
    """Builds the lookup from registry records; those of other tables are passed over.

    Raises:
        ValueError: a day is not of the form YYYY-MM-DD.
    """
    terminals: defaultdict[str, list[Standing]] = defaultdict(list)
    outlets: defaultdict[str, list[Premises]] = defaultdict(list)
    closures = []
    for record in records:
        if record.HasField("terminal"):
            bound = record.terminal
            terminals[bound.terminal_id].append(Standing(parse_day(bound.valid_from), bound.outlet_id, bound.kind))
        elif record.HasField("outlet"):
            outlet = record.outlet
            closed = parse_day(outlet.closed) if outlet.closed else None
            outlets[outlet.outlet_id].append(
                Premises(parse_day(outlet.valid_from), parse_day(outlet.opened or outlet.valid_from), closed)
            )
        elif record.HasField("closure"):
            closure = record.closure
            closures.append(MarketClosure(parse_day(closure.first_day), parse_day(closure.last_day), closure.name))
    for standings in terminals.values():
        standings.sort(key=lambda standing: standing.first_day)
    for premises in outlets.values():
        premises.sort(key=lambda version: version.first_day)
    closures.sort(key=lambda closure: closure.first)
    return Roster(terminals, outlets, closures, _merged(closures))


def find_silent(
    roster: Roster, last_events: Mapping[str, int], now: datetime, *, threshold_hours: float
) -> list[Silence]:
    """The terminals silent for at least `threshold_hours`, the unexpected first, the longest open silence first.

    `last_events` has the Unix ms at which each terminal's last event was received; `now` is in the business time zone.
    """
    found = (
        silence_of(roster, terminal, last_events.get(terminal, 0), now, threshold_hours=threshold_hours)
        for terminal in roster.terminals
    )
    listed = [silence for silence in found if silence is not None]
    return sorted(listed, key=lambda silence: (silence.expected, -silence.open_hours, silence.terminal_id))


def silence_of(
    roster: Roster, terminal_id: str, last_event_ms: int, now: datetime, *, threshold_hours: float
) -> Silence | None:
    """How one registered terminal is silent; None where it is not, or not for so long.

    Raises:
        TypeError: `now` is not in a time zone of the database.
    """
    zone = now.tzinfo
    if not isinstance(zone, ZoneInfo):
        raise TypeError(f"now {now!r} has no business time zone")
    standing = _on(roster.terminals[terminal_id], now.date())
    premises = _on(roster.outlets[standing.outlet_id], now.date()) if standing.outlet_id in roster.outlets else None
    begins = [last_event_ms / 1000] if last_event_ms else []
    if standing.first_day <= now.date():
        begins += [_start_s(standing.first_day, zone), *([_start_s(premises.opened, zone)] if premises else [])]
    now_s = now.timestamp()
    since_s = max((begin for begin in begins if begin <= now_s), default=now_s)
    hours = (now_s - since_s) / HOUR_S
    if hours < threshold_hours:
        return None
    closed_s = sum(
        max(0.0, min(now_s, _start_s(last + _DAY, zone)) - max(since_s, _start_s(first, zone)))
        for first, last in roster.closed_spans
    )
    open_hours = hours - closed_s / HOUR_S
    reason = _excuse(roster, standing, premises, now.date())
    expected = reason is not None
    if reason is None and open_hours < threshold_hours:
        since = datetime.fromtimestamp(since_s, zone).date()
        named = [closure for closure in roster.closures if closure.last >= since and closure.first <= now.date()]
        reason, expected = _closed_meanwhile(named), True
    if reason is None:
        reason = _older(threshold_hours) if last_event_ms else _NEVER
    outlet_id = roster.outlet_of(terminal_id, now.date())
    return Silence(terminal_id, outlet_id, last_event_ms, hours, open_hours, expected, reason)


def _older(hours: float) -> Label:
    return Label(
        f"最近一笔事件距今已超过 {hours:g} 个开市小时", f"its last event is older than {hours:g} h of open time"
    )


def _closed_meanwhile(closures: Sequence[MarketClosure]) -> Label:
    zh, en = "；".join(closure.zh for closure in closures), "; ".join(str(closure) for closure in closures)
    return Label(f"其间休市：{zh}", f"the market was closed meanwhile: {en}")


def _excuse(roster: Roster, standing: Standing, premises: Premises | None, today: date) -> Label | None:
    """Why the terminal need not send today; None where it should."""
    if standing.kind == IMPORT_KIND:
        return Label("导入用终端：有人导入文件时才发送", "of kind import: sends only when somebody brings a file")
    if standing.first_day > today:
        return Label(f"自 {standing.first_day} 起才绑定", f"it is bound from {standing.first_day} on")
    if not standing.outlet_id:
        return Label(f"已于 {standing.first_day} 撤机", f"it was withdrawn on {standing.first_day}")
    if premises is not None and premises.closed is not None and premises.closed <= today:
        name, day = standing.outlet_id, premises.closed
        return Label(f"网点 {name} 已于 {day} 关停", f"outlet {name} was closed for good on {day}")
    if premises is not None and premises.opened > today:
        name, day = standing.outlet_id, premises.opened
        return Label(f"网点 {name} 于 {day} 开业", f"outlet {name} opens on {day}")
    closure = next((closure for closure in roster.closures if closure.first <= today <= closure.last), None)
    return Label(f"休市：{closure.zh}", f"market closure: {closure}") if closure is not None else None


def _on(versions: Sequence[T], day: date) -> T:
    """The version of that day; the first one before that."""
    index = bisect_right([version.first_day for version in versions], day)
    return versions[max(index - 1, 0)]


def _start_s(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, time(), zone).timestamp()


def _merged(closures: Iterable[MarketClosure]) -> list[DaySpan]:
    """The closed days as spans in order, of which no two share a day."""
    spans: list[DaySpan] = []
    for closure in closures:
        if spans and closure.first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], closure.last))
        else:
            spans.append((closure.first, closure.last))
    return spans
