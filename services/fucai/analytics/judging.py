"""The rule set of alerts applied to one day: asks for what the rules need, judges by domain/. Reads no request."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from string import Template
from typing import NamedTuple

from fucai.analytics.left_out import Withheld, withheld_days
from fucai.analytics.open_outlets import Key, OpenOutlet, on_day, open_outlets
from fucai.analytics.pairing import market
from fucai.analytics.reach import Reach
from fucai.analytics.selection import Selection
from fucai.analytics.store import Ask
from fucai.analytics.texts import plain, where
from fucai.domain.alerts import (
    OF_OUTLETS,
    Alert,
    Rule,
    RuleSet,
    active_terminals_alert,
    in_order,
    silence_alert,
    swing_alert,
)
from fucai.domain.baseline import same_weekdays, swing
from fucai.domain.catalogue import IMPORT_KIND
from fucai.domain.labels import Label
from fucai.domain.market import Closure
from fucai.domain.open_time import closed_days
from fucai.domain.periods import DayRange, open_window
from fucai.domain.scale import Penetration
from fucai.domain.usual_hours import quiet_today

WINDOW_DAYS = 7
"""Open days in which an active terminal has a sale."""
MAX_ROWS = 4_000_000

_NEAR = "\nSETTINGS optimize_use_projections = 0"  # the events of an outlet lie together: none would be used
_WEEK = timedelta(days=7)
_WHOLE_DAY = range(24)
_ALL_DAY = 0  # the hour under which a day's sales stand when the whole day is looked at

_CLOSED = Label(
    "当日休市，骤降、骤升、静默均不判断", "the market was closed on the day: falls, rises and silence are not judged"
)
_NO_WINDOW = Label(
    "可用于判断终端活跃率的日期不足（未入库或含封存中的期次）",
    "too few days to judge active terminals by (not stored, or with sales of a sealed draw)",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules found on a day.

    Attributes:
        alerts: in order.
        evaluated: outlets (or terminals) that each rule could judge.
        outlets: those looked at, by id.
        left_out: games that count on no side.
        notes: what was left out or not judged, and why.
    """

    alerts: list[Alert]
    evaluated: Mapping[Rule, int]
    outlets: Mapping[str, OpenOutlet]
    left_out: list[str]
    notes: list[Label]


class DaySold(NamedTuple):
    """What an outlet sold of a game on a day: fen less voids, and whether anything, voided or not."""

    outlet_id: str
    game: str
    day: date
    fen: int
    sold: bool


@dataclass(slots=True)
class _Days:
    """An outlet's sales by day: fen of the games that count; days with a sale of those; whether it sold anything."""

    fen: dict[date, int] = field(default_factory=dict)
    counted: dict[date, dict[int, int]] = field(default_factory=dict)
    sold: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    """What holds on the day for all outlets: the first stored day, closures, closed days, what is withheld."""

    day: date
    first_stored: date
    closures: tuple[Closure, ...]
    closed: frozenset[date]
    withheld: Withheld


def compared_days(day: date, rules: RuleSet) -> list[date]:
    """The day and those whose sales a fall, a rise or silence of it is judged by, if stored and open."""
    return [day - back * _WEEK for back in range(_weeks(rules) + 1)]


async def judge(
    ask: Ask,
    now: Reach,
    day: date,
    wanted: Collection[Rule],
    selection: Selection,
    rules: RuleSet,
    outlets: Mapping[str, OpenOutlet] | None = None,
    sold: Collection[DaySold] | None = None,
) -> Judged:
    """The alerts of the rules `wanted` on a stored day that is over, of the outlets that are chosen and open then.

    They are looked up unless given; so is what they `sold` on the `compared_days`.
    """
    reach = DayRange(day - _weeks(rules) * _WEEK, day)
    known, withheld = await asyncio.gather(market(ask, reach), withheld_days(ask, now, reach))
    if outlets is None:
        outlets = await open_outlets(ask, day, selection)
    found = _Known(day, now.first_day or day, known.closures, closed_days(known.closures, reach).all, withheld)
    outlet_rules = [rule for rule in wanted if rule in OF_OUTLETS]
    by_outlet, by_terminal = await asyncio.gather(
        _by_outlet(ask, found, outlets, outlet_rules, selection, rules, sold),
        _by_terminal(ask, found, outlets, selection, rules, wanted=Rule.ACTIVE_TERMINALS in wanted),
    )
    parts = [by_outlet, by_terminal]
    left_out = by_outlet.left_out
    note = withheld.note(left_out)
    return Judged(
        in_order(alert for part in parts for alert in part.alerts),
        {rule: sum(part.evaluated.get(rule, 0) for part in parts) for rule in wanted},
        outlets,
        left_out,
        [*([note] if note else []), *(told for part in parts for told in part.notes)],
    )


async def _by_outlet(
    ask: Ask,
    known: _Known,
    outlets: Mapping[str, OpenOutlet],
    wanted: Collection[Rule],
    selection: Selection,
    rules: RuleSet,
    given: Collection[DaySold] | None,
) -> Judged:
    """Falls, rises and silence."""
    if not wanted:
        return Judged([], {}, outlets, [], [])
    if known.day in known.closed:
        return Judged([], {}, outlets, [], [_CLOSED])
    days = compared_days(known.day, rules)
    left_out = known.withheld.games(days)
    sales = await _sales(ask, days, left_out, selection) if given is None else _folded(given, known.day, left_out)
    alerts: list[Alert] = []
    evaluated: Counter[Rule] = Counter()
    for outlet_id, outlet in outlets.items():
        since = max(outlet.opened, known.first_stored)
        sold = sales.get(outlet_id, _Days())
        found = swing(sold.fen, known.day, since=since, closed=known.closed, rule=rules.swing)
        evaluated.update(rule for rule in (Rule.FALL, Rule.RISE) if found.outcome.is_judged)
        pattern = same_weekdays(
            known.day, rules.silence.weeks, since=since, closed=known.closed, reach_weeks=rules.silence.reach_weeks
        )
        evaluated[Rule.SILENCE] += len(pattern) >= rules.silence.least_weeks
        quiet = None
        if not sold.sold:
            quiet = quiet_today(
                sold.counted, known.day, _WHOLE_DAY, since=since, closed=known.closed, rule=rules.silence
            )
        judged = (swing_alert(outlet_id, known.day, found), silence_alert(outlet_id, known.day, _WHOLE_DAY, quiet))
        alerts += [alert for alert in judged if alert is not None and alert.rule in wanted]
    return Judged(alerts, {rule: evaluated[rule] for rule in wanted}, outlets, left_out, [])


async def _sales(ask: Ask, days: Collection[date], left_out: list[str], selection: Selection) -> Mapping[str, _Days]:
    rows = await ask(
        _text("weekday_sales", selection.key, as_of=bool(selection.as_of_ms)),
        on_day(selection, max(days)).parameters() | {"days": list(days), "left_out": left_out, "rows": MAX_ROWS},
    )
    found: defaultdict[str, _Days] = defaultdict(_Days)
    for outlet_id, day, fen, sold, sold_counted in rows:
        sales = found[str(outlet_id)]
        sales.fen[day] = int(fen)
        if sold_counted:
            sales.counted[day] = {_ALL_DAY: int(fen)}
        if sold and day == max(days):
            sales.sold = True
    return found


def _folded(given: Collection[DaySold], day: date, left_out: Collection[str]) -> Mapping[str, _Days]:
    """The same of what is known by game."""
    found: defaultdict[str, _Days] = defaultdict(_Days)
    for one in given:
        sales = found[one.outlet_id]
        sales.sold |= one.sold and one.day == day
        if one.game not in left_out:
            sales.fen[one.day] = sales.fen.get(one.day, 0) + one.fen
    for one in given:
        if one.sold and one.game not in left_out:
            sales = found[one.outlet_id]
            sales.counted[one.day] = {_ALL_DAY: sales.fen[one.day]}
    return found


async def _by_terminal(
    ask: Ask,
    known: _Known,
    outlets: Mapping[str, OpenOutlet],
    selection: Selection,
    rules: RuleSet,
    *,
    wanted: bool,
) -> Judged:
    """Whether enough terminals of the open outlets had a sale on the last open days without a sealed draw."""
    nothing = Judged([], {}, outlets, [], [])
    if not wanted:
        return nothing
    sealed = [DayRange(day, day) for found in known.withheld.days.values() for day in found]
    window = open_window(known.day, WINDOW_DAYS, [*(closure.days for closure in known.closures), *sealed])
    if window[0] < known.first_stored:
        return Judged([], {}, outlets, [], [_NO_WINDOW])
    rows = await ask(
        _text("open_terminals", selection.key, as_of=bool(selection.as_of_ms)),
        on_day(selection, known.day).parameters() | {"day": known.day, "window": window, "import_kind": IMPORT_KIND},
    )
    states = [bool(active) for outlet_id, _, active in rows if outlet_id in outlets]
    alert = active_terminals_alert(known.day, Penetration(len(states), sum(states)), rules.least_active_bp)
    return Judged([alert] if alert else [], {Rule.ACTIVE_TERMINALS: len(states)}, outlets, [], [])


def _weeks(rules: RuleSet) -> int:
    return max(rules.swing.reach_weeks, rules.silence.reach_weeks)


@cache
def _text(name: str, key: Key, *, as_of: bool) -> str:
    chosen = where(key, as_of=as_of)
    return Template(plain(name)).substitute(read=chosen.read, settings=_NEAR if chosen.near else "")
