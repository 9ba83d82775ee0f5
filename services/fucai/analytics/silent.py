"""Which outlets should be selling and are not: reads the question, finds who has no late sale, looks at their hours.

What is usual, and which hours count, is in domain/. Terminals that send nothing are the ledger's.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from string import Template

from fucai.analytics import watch_definitions
from fucai.analytics.asked import Asked
from fucai.analytics.left_out import withheld_days
from fucai.analytics.open_outlets import FILTERS, Key, OpenOutlet, on_day, outlet_of, outlets_text
from fucai.analytics.paging import page
from fucai.analytics.pairing import market
from fucai.analytics.questions import BadQuestionError
from fucai.analytics.reach import Reach, reach
from fucai.analytics.selection import Selection, not_up_to_now, read_selection
from fucai.analytics.store import Row
from fucai.analytics.texts import plain, where
from fucai.domain.open_time import ClosedDays, Trade, closed_days, has_pattern, silence
from fucai.domain.periods import DayRange
from fucai.domain.usual_hours import Quiet, SilenceRule
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

DEFAULT_HOURS = 24
MAX_HOURS = 28 * 24
MAX_CELLS = 3_000_000
"""Hours of outlets that one question may walk."""

_RULE = SilenceRule()
_READ_DAYS = _RULE.reach_days + 7 * _RULE.reach_weeks
_DAY = timedelta(days=1)
_HOUR_MS = 3_600_000
_WHOLE_DAY = 24  # the hour of a daily summary


@dataclass(frozen=True, slots=True)
class _Moment:
    """The moment that silence is judged at: its business day and the hour that runs, and the hours asked for."""

    at_ms: int
    day: date
    hour: int
    least_hours: int

    @property
    def read(self) -> DayRange:
        """The days of which sales are looked at."""
        return DayRange(self.day - timedelta(days=_READ_DAYS), self.day)


@dataclass(slots=True)
class _Sales:
    """Sales of one outlet while they are read; see `Trade`."""

    selling: defaultdict[date, set[int]] = field(default_factory=lambda: defaultdict(set))
    counted: defaultdict[date, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    drawless: defaultdict[date, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    last_ms: int = 0


@dataclass(frozen=True, slots=True)
class _Silent:
    outlet: OpenOutlet
    quiet: Quiet
    last_ms: int


async def silent(asked: Asked, request: analytics_pb2.SilentRequest) -> analytics_pb2.SilentResponse:
    """The answer: outlets open on the day with enough usual hours since their last sale, largest usual sales first.

    Raises:
        BadQuestionError: a field is wrong, or there is more to walk than one question may.
    """
    now = await reach(asked.ask)
    bad: list[Violation] = []
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad, allowed=FILTERS)
    moment = _moment(request, asked, now, bad)
    if bad:
        raise BadQuestionError(bad)
    if now.first_day is None:
        return analytics_pb2.SilentResponse(about=asked.about(now, watch_definitions.of_silent(moment.least_hours)))
    withheld, known = await asyncio.gather(withheld_days(asked.ask, now, moment.read), market(asked.ask, moment.read))
    left_out = withheld.games(tuple(moment.read))
    (outlets, lately), sales = await asyncio.gather(
        _outlets(asked, moment, selection), _sales(asked, moment, selection, left_out)
    )
    closed = closed_days(known.closures, moment.read)
    found, without_pattern = _judge(outlets, lately, sales, moment, now.first_day, closed)
    shown, token = page(found, request)
    note = withheld.note(left_out)
    return analytics_pb2.SilentResponse(
        outlets=[_message(one, moment, asked) for one in shown],
        total_rows=len(found),
        next_page_token=token,
        watched=len(outlets),
        without_pattern=without_pattern,
        at_ms=moment.at_ms,
        games_left_out=left_out,
        note_zh=note.zh if note else "",
        note_en=note.en if note else "",
        about=asked.about(now, watch_definitions.of_silent(moment.least_hours)),
    )


def _moment(request: analytics_pb2.SilentRequest, asked: Asked, now: Reach, bad: list[Violation]) -> _Moment:
    """What was received last bounds it: hours of which nobody has sent anything yet say nothing of an outlet."""
    if not 0 <= request.at_ms <= asked.now_ms:
        bad.append(not_up_to_now("at_ms", request.at_ms, asked.now_ms))
    if request.least_hours > MAX_HOURS:
        text = f"{request.least_hours} hours: choose 1 to {MAX_HOURS}, or 0 for {DEFAULT_HOURS}"
        bad.append(Violation("least_hours", text))
    given = [request.at_ms or asked.now_ms, request.selection.as_of_ms or asked.now_ms]
    at_ms = min(*given, now.latest_received_ms or asked.now_ms)
    local = datetime.fromtimestamp(max(at_ms, 0) / 1000, asked.zone)
    return _Moment(at_ms, local.date(), local.hour, request.least_hours or DEFAULT_HOURS)


async def _outlets(asked: Asked, moment: _Moment, selection: Selection) -> tuple[Mapping[str, OpenOutlet], set[str]]:
    """The outlets looked at, and those of them with a late sale, which cannot be silent."""
    rows = await asked.ask(
        outlets_text(selection.key, _lately(selection.key, as_of=bool(selection.as_of_ms))),
        _parameters(asked, moment, selection),
    )
    found = {outlet.outlet_id: outlet for outlet in map(outlet_of, rows)}
    return found, {str(outlet_id) for outlet_id, *_, lately in rows if lately}


async def _sales(asked: Asked, moment: _Moment, selection: Selection, left_out: list[str]) -> Mapping[str, _Sales]:
    """What the others sold by hour, by outlet.

    Raises:
        BadQuestionError: there are more than MAX_CELLS hours.
    """
    drawless = [str(game) for (game,) in await asked.ask(plain("games_without_draws"), {})]
    recent = [moment.day - _DAY, moment.day]
    rows = await asked.ask(
        _text(selection.key, as_of=bool(selection.as_of_ms)),
        _parameters(asked, moment, selection)
        | {
            "first_day": moment.read.first,
            "recent_day": recent[0],
            "weekdays": [day.isoweekday() for day in recent],
            "left_out": left_out,
            "drawless": drawless,
            "rows": MAX_CELLS + 1,
        },
    )
    if len(rows) > MAX_CELLS:
        told = (
            f"more than {MAX_CELLS:,} hours of outlets to walk: filter, or ask for more than {moment.least_hours} hours"
        )
        raise BadQuestionError([Violation("selection.filters", told)])
    return _by_outlet(rows)


def _parameters(asked: Asked, moment: _Moment, selection: Selection) -> dict[str, object]:
    lately_ms = moment.at_ms - moment.least_hours * _HOUR_MS
    return on_day(selection, moment.day).parameters() | {
        "day": moment.day,
        "at_ms": moment.at_ms,
        "lately_ms": lately_ms,
        "lately_day": datetime.fromtimestamp(lately_ms / 1000, asked.zone).date(),
    }


def _by_outlet(rows: Iterable[Row]) -> Mapping[str, _Sales]:
    found: defaultdict[str, _Sales] = defaultdict(_Sales)
    for outlet_id, day, hour, has_counted, counted_fen, has_drawless, drawless_fen, last_ms in rows:
        sales = found[str(outlet_id)]
        sales.selling[day].update(range(_WHOLE_DAY) if hour == _WHOLE_DAY else (hour,))
        sales.last_ms = max(sales.last_ms, last_ms)
        if has_counted:
            sales.counted[day][hour] = int(counted_fen)
        if has_drawless:
            sales.drawless[day][hour] = int(drawless_fen)
    return found


def _judge(
    outlets: Mapping[str, OpenOutlet],
    lately: set[str],
    sales: Mapping[str, _Sales],
    moment: _Moment,
    first_stored: date,
    closed: ClosedDays,
) -> tuple[list[_Silent], int]:
    """The silent ones in order, and how many of those without a late single sale have no usual hour."""
    found, without_pattern = [], 0
    for outlet_id, outlet in outlets.items():
        if outlet_id in lately:
            continue
        sold = sales.get(outlet_id, _Sales())
        since = max(outlet.opened, first_stored)
        trade = Trade(sold.selling, sold.counted, sold.drawless)
        quiet = silence(trade, moment.day, moment.hour, since=since, closed=closed, rule=_RULE)
        if quiet.hours >= moment.least_hours:
            found.append(_Silent(outlet, quiet, sold.last_ms))
        elif not quiet.hours and not has_pattern(trade, moment.day, since=since, closed=closed, rule=_RULE):
            without_pattern += 1
    found.sort(key=lambda one: (-one.quiet.usual_fen, one.outlet.outlet_id))
    return found, without_pattern


def _message(one: _Silent, moment: _Moment, asked: Asked) -> analytics_pb2.SilentOutlet:
    hours, least = one.quiet.hours, moment.least_hours
    if one.last_ms:
        last = f"{datetime.fromtimestamp(one.last_ms / 1000, asked.zone):%Y-%m-%d %H:%M}"
        zh, en = f"最后一笔销售在 {last}", f"its last sale was at {last}"
    else:
        zh, en = f"最近 {_READ_DAYS} 天内未见销售", f"no sale was seen in the last {_READ_DAYS} days"
    return analytics_pb2.SilentOutlet(
        outlet_id=one.outlet.outlet_id,
        outlet_name=one.outlet.name,
        zone_name=one.outlet.zone_name,
        mgmt_area=one.outlet.mgmt_area,
        last_sale_ms=one.last_ms,
        silent_hours=hours,
        usual_sales_fen=one.quiet.usual_fen,
        reason_zh=f"{zh}；此后往常有销售的 {hours} 个小时内无销售（{least} 个起算静默）",
        reason_en=f"{en}; none in the {hours} hours since in which it usually sells (silent from {least} on)",
    )


@cache
def _lately(key: Key, *, as_of: bool) -> str:
    """The condition that an outlet sold lately."""
    text = Template(plain("sold_lately")).substitute(read=where(key, as_of=as_of).read)
    return f"outlet_id IN (\n{text})"


@cache
def _text(key: Key, *, as_of: bool) -> str:
    return Template(plain("silent")).substitute(
        read=where(key, as_of=as_of).read, outlets=f"\n{outlets_text(key, _lately(key, as_of=as_of))}"
    )
