"""Which days a question is about and what they are compared with, read from any request. Reads no figure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from google.protobuf.message import Message

from fucai.analytics.asked import Asked
from fucai.analytics.lunar import new_years
from fucai.analytics.questions import BadQuestionError, read_day
from fucai.analytics.reach import Reach
from fucai.analytics.selection import EVERYTHING, Selection
from fucai.analytics.store import Ask
from fucai.analytics.texts import plain
from fucai.domain.comparison import Pairing, Why, pair, whole_days
from fucai.domain.market import Closure, Market, Scope
from fucai.domain.periods import Comparison, DayRange, Grain, whole
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

FOUR_WEEKS_DAYS = 28
COMPARISONS = tuple(one.name.lower() for one in Comparison if one is not Comparison.NONE)

_DAY = timedelta(days=1)
_NO_BASE_REMEDY = {
    Why.LEAP_DAY: ("from_day", "ask for whole months, or compare with COMPARISON_WEEKDAY or COMPARISON_PREVIOUS"),
    Why.NO_SUCH_DAYS: ("from_day", "ask for other days, or choose another comparison"),
    Why.NO_NEW_YEAR: ("compare", "choose another comparison"),
    Why.NO_OPEN_DAY: ("compare", "ask for longer periods, or choose another comparison"),
    Why.BEFORE_CALENDAR: ("from_day", "ask for later days"),
}


class Begin(enum.Enum):
    """Where a period without from_day begins."""

    MONTH = enum.auto()
    """On the first of to_day's month."""
    FOUR_WEEKS = enum.auto()
    """27 days before to_day: four of each weekday."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a question, checked: those asked for, the rule, the base given for BASE_PERIOD, what is stored.

    `stored` leaves out the day that still runs, unless the period begins with it; None where nothing is stored.
    """

    days: DayRange
    rule: Comparison
    given: DayRange | None
    stored: DayRange | None


def read_period(
    request: Message,
    now: Reach,
    today: date,
    bad: list[Violation],
    *,
    begin: Begin = Begin.MONTH,
    unset: Comparison = Comparison.YOY,
) -> Period | None:
    """The days of a request with from_day and to_day, and, where it has them, compare, base_from_day, base_to_day.

    An empty to_day is the last whole stored day, an empty from_day what `begin` says, compare 0 stands for `unset`; a
    base without an end is as long as the period. What is wrong goes into `bad`: field, value, what to do; then the
    answer is None.
    """
    before = len(bad)
    rule = _rule(request, unset, bad)
    stored = _stored(now)
    over = whole_days(stored, today) or stored
    first, last = _text(request, "from_day", bad), _text(request, "to_day", bad)
    given_first, given_last = _text(request, "base_from_day", bad), _text(request, "base_to_day", bad)
    if len(bad) > before:
        return None
    begins, ends = first is not None, last is not None
    last = last or max(over.last if over else today - _DAY, first or date.min)
    first = first or _begin(begin, last, stored)
    _check(first, last, stored, today, bad, begins=begins, ends=ends)
    if len(bad) > before:
        return None
    days = DayRange(first, last)
    given = _given(request, rule, days, (given_first, given_last), stored, bad)
    if len(bad) > before:
        return None
    return Period(days, rule, given, stored if first >= today else over)


async def pairing(
    ask: Ask, period: Period, selection: Selection = EVERYTHING, *, grain: Grain | None = None
) -> Pairing:
    """Both sides of a period by its rule, cut to what is stored, with marks and warnings.

    Where the base ends before the first stored day there is a pairing with a gap: growth is NO_BASE.

    Raises:
        BadQuestionError: the calendar has no base for these days.
    """
    known = await market(ask, period.days, selection)
    found = pair(period.days, period.rule, period.stored, known, grain=grain, given=period.given)
    if found.gap is not None and found.gap.why in _NO_BASE_REMEDY:
        field, remedy = _NO_BASE_REMEDY[found.gap.why]
        raise BadQuestionError([Violation(field, f"{period.days}: {found.gap.text.en}; {remedy}")])
    return found


async def read_pairing(
    asked: Asked, request: Message, now: Reach, selection: Selection = EVERYTHING, *, begin: Begin = Begin.MONTH
) -> Pairing:
    """`read_period` and `pairing` at once, for a request that has no other bad field left.

    Raises:
        BadQuestionError: a day or the rule is wrong, or there is no base.
    """
    bad: list[Violation] = []
    period = read_period(request, now, asked.today, bad, begin=begin)
    if period is None:
        raise BadQuestionError(bad)
    return await pairing(asked.ask, period, selection)


async def market(ask: Ask, days: DayRange, selection: Selection = EVERYTHING) -> Market:
    """Closures of the registry and the lunar new years around `days`.

    Where the selection leaves only games without draws, closures of the draw games close nothing.
    """
    closures = tuple(
        Closure(DayRange(first, last), Scope(str(scope))) for first, last, scope in await ask(plain("closures"), {})
    )
    games = [set(one.values) for one in selection.of("game") if not one.exclude]
    scopes = frozenset(Scope)
    if games and set.intersection(*games) <= {str(game) for (game,) in await ask(plain("games_without_draws"), {})}:
        scopes = frozenset({Scope.ALL})
    return Market(closures, new_years(days.first.year - 2, days.last.year + 1), scopes)


def pairing_message(found: Pairing, today: date) -> analytics_pb2.Pairing:
    """As it goes over the wire; a day that still runs is marked as unfinished too."""
    line = found.line()
    warning = found.caution.text() if found.caution else None
    as_of = found.as_of or (found.days.last if found.days.last >= today else None)
    return analytics_pb2.Pairing(
        from_day=found.days.first.isoformat(),
        to_day=found.days.last.isoformat(),
        base_from_day=found.base.first.isoformat() if found.base else "",
        base_to_day=found.base.last.isoformat() if found.base else "",
        rule=cast("analytics_pb2.Comparison.ValueType", int(found.rule)),
        rule_zh=line.zh,
        rule_en=line.en,
        open_days=found.open_days[0],
        base_open_days=found.open_days[1],
        unfinished_as_of=as_of.isoformat() if as_of else "",
        warning_zh=warning.zh if warning else "",
        warning_en=warning.en if warning else "",
    )


def caution_message(found: Pairing) -> analytics_pb2.Caution:
    """Why a comparison misleads, with both sides; of one that has a caution."""
    assert found.caution is not None  # noqa: S101 (the caller leaves the others out)
    text = found.caution.text()
    return analytics_pb2.Caution(
        from_day=found.days.first.isoformat(),
        to_day=found.days.last.isoformat(),
        base_from_day=found.base.first.isoformat() if found.base else "",
        base_to_day=found.base.last.isoformat() if found.base else "",
        text_zh=text.zh,
        text_en=text.en,
    )


def _stored(now: Reach) -> DayRange | None:
    return DayRange(now.first_day, now.last_day) if now.first_day and now.last_day else None


def _rule(request: Message, unset: Comparison, bad: list[Violation]) -> Comparison:
    if "compare" not in request.DESCRIPTOR.fields_by_name:
        return Comparison.NONE
    number: int = getattr(request, "compare")  # noqa: B009 (requests of several types have it)
    if number not in set(Comparison):
        bad.append(Violation("compare", f"{number} is no comparison: choose {', '.join(COMPARISONS)}"))
    return Comparison(number) if number in set(Comparison) - {Comparison.NONE} else unset


def _text(request: Message, field: str, bad: list[Violation]) -> date | None:
    """The day of a field; None where the request has no such field, or it is empty or wrong."""
    text: str = getattr(request, field) if field in request.DESCRIPTOR.fields_by_name else ""
    return read_day(field, text, bad) if text else None


def _begin(begin: Begin, last: date, stored: DayRange | None) -> date:
    """The first day of a period without one; never before the first stored day, unless the period ends before it."""
    first = last.replace(day=1) if begin is Begin.MONTH else last - timedelta(days=FOUR_WEEKS_DAYS - 1)
    return max(first, min(stored.first, last)) if stored else first


def _check(
    first: date,
    last: date,
    stored: DayRange | None,
    today: date,
    bad: list[Violation],
    *,
    begins: bool,
    ends: bool,
) -> None:
    """Reversed, longer than what is stored, in the future; `begins` and `ends` say which days the request gives."""
    if last < first:
        bad.append(Violation("to_day", f"{last} is before from_day {first}: swap them"))
        return
    year_end = whole(Grain.YEAR, today).last
    if ends and last > year_end:
        text = f"{last} is in the future: choose up to {year_end}; a period that is not over counts as of its last day"
        bad.append(Violation("to_day", text))
    if stored is not None and first > stored.last and (begins or last <= year_end):
        text = (
            f"{first} is after {stored.last}, the last day that can be answered: choose {stored.first} to {stored.last}"
        )
        bad.append(Violation("from_day", text))
        return
    if stored is not None and first < stored.first:
        text = f"{first} is before {stored.first}, the first stored day: choose {stored.first} to {stored.last}"
        bad.append(Violation("from_day", text))


def _given(
    request: Message,
    rule: Comparison,
    days: DayRange,
    given: tuple[date | None, date | None],
    stored: DayRange | None,
    bad: list[Violation],
) -> DayRange | None:
    """The base that the request gives; wrong where it has none or has one too many, reversed, late or not stored."""
    first, last = given
    if rule is not Comparison.BASE_PERIOD:
        if first or last:
            field = "base_from_day" if first else "base_to_day"
            text = f"{first or last}, but the comparison is {rule.name.lower()}: choose base_period, or leave it out"
            bad.append(Violation(field, text))
        return None
    if first is None:
        text = "is empty, and the comparison is base_period: give the first day of the base, YYYY-MM-DD"
        bad.append(Violation("base_from_day", text))
        return None
    last = last or first + timedelta(days=days.days - 1)
    end = "base_to_day" if getattr(request, "base_to_day", "") else "base_from_day"
    if last < first:
        bad.append(Violation("base_to_day", f"{last} is before base_from_day {first}: swap them"))
    elif last >= days.first:
        text = f"the base {first} to {last} reaches into the period: give days that end before {days.first}"
        bad.append(Violation(end, text))
    elif stored is not None and last < stored.first:
        text = f"the base {first} to {last} ends before {stored.first}, the first stored day: choose later days"
        bad.append(Violation(end, text))
    else:
        return DayRange(first, last)
    return None
