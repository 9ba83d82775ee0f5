"""Who leads: reads the question, sums two periods by what is ranked, lays the places out. The rules are in domain/."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fucai.analytics import definitions
from fucai.analytics.asked import Asked
from fucai.analytics.eligibility import MEASURES, reason, rule
from fucai.analytics.measures import MEASURES as MEASURED
from fucai.analytics.measures import growth_message
from fucai.analytics.paging import page
from fucai.analytics.paired import Cell, cells, placed, sides_of
from fucai.analytics.pairing import Period, market, pairing, pairing_message, read_period
from fucai.analytics.questions import BadQuestionError, read_day
from fucai.analytics.reach import names, reach
from fucai.analytics.selection import Selection, read_selection
from fucai.analytics.texts import plain
from fucai.domain import ranking
from fucai.domain.comparison import Pairing
from fucai.domain.concentration import concentration
from fucai.domain.periods import DayRange
from fucai.domain.ranking import Eligibility, LeftOut, Member, Order, Place, Ranking
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

DIMENSIONS = ("outlet", "zone", "zone_type", "district", "mgmt_area", "format", "channel_class", "game")
"""What can be ranked, and what it can be ranked within."""
DEFAULT_TOP = 10
_ORDERS = {
    analytics_pb2.RANKING_UNSPECIFIED: Order.VALUE,
    analytics_pb2.RANKING_MEASURE: Order.VALUE,
    analytics_pb2.RANKING_GROWTH: Order.GROWTH,
    analytics_pb2.RANKING_CONTRIBUTION: Order.CONTRIBUTION,
    analytics_pb2.RANKING_NEW_STAR: Order.NEW_STAR,
    analytics_pb2.RANKING_PROGRESS: Order.PROGRESS,
}
_OF_OUTLETS = (Order.NEW_STAR, Order.PROGRESS)
_WITHOUT_BASE = (Order.VALUE, Order.NEW_STAR)


@dataclass(frozen=True, slots=True)
class _Question:
    """A checked question, but for its period."""

    of: str
    within: str
    order: Order
    measure: str
    rules: Eligibility
    top: int
    lowest_first: bool


async def rank(asked: Asked, request: analytics_pb2.RankRequest) -> analytics_pb2.RankResponse:
    """The answer: the places of every ranking, and who is left out for which reason.

    Raises:
        BadQuestionError: a field is wrong, or the ranking needs a base and none is stored.
    """
    now = await reach(asked.ask)
    bad: list[Violation] = []
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad)
    period = read_period(request, now, asked.today, bad)
    question = _read(request, period, bad)
    if bad or period is None:
        raise BadQuestionError(bad)
    found = await pairing(asked.ask, period, selection)
    members, (of_names, within_names) = await asyncio.gather(
        _members(asked, question, found, selection), _names(asked, question)
    )
    rankings = ranking.rank(
        members, question.order, question.rules, top=question.top, lowest_first=question.lowest_first
    )
    rows = [_row(place, one, question, found) for one in rankings for place in _places(one)]
    shown, token = page(rows, request)
    for row in shown:
        row.name = of_names.get(row.id) or row.id
        row.within_name = within_names.get(row.within) or row.within
    left_out = sum((Counter(one.left_out) for one in rankings), Counter[LeftOut]())
    told = rule(
        question.order,
        question.measure,
        question.rules,
        within=question.within,
        lowest_first=question.lowest_first,
    )
    return analytics_pb2.RankResponse(
        pairing=pairing_message(found, asked.today),
        rows=shown,
        total_rows=len(rows),
        next_page_token=token,
        ranked=sum(one.ranked for one in rankings),
        left_out=left_out.total(),
        reasons=_reasons(left_out, question),
        concentrations=_concentrations(members, (row.within for row in shown), within_names),
        rule_zh=told.zh,
        rule_en=told.en,
        about=asked.about(now, definitions.of_rank(MEASURED[question.measure], outlets=question.of == "outlet")),
    )


def _read(request: analytics_pb2.RankRequest, period: Period | None, bad: list[Violation]) -> _Question:
    order = _ORDERS.get(request.ranking, Order.VALUE)
    if request.ranking not in _ORDERS:
        text = f"{request.ranking} is no ranking: choose measure, growth, contribution, new_star or progress"
        bad.append(Violation("ranking", text))
    of = request.of or "outlet"
    if of not in DIMENSIONS:
        bad.append(Violation("of", f"{of!r} can not be ranked: choose {', '.join(DIMENSIONS)}"))
    elif order in _OF_OUTLETS and of != "outlet":
        bad.append(Violation("of", f"{of!r} has no first machine: ranking {order.value} is of outlets, leave it out"))
    if request.within and (request.within not in DIMENSIONS or request.within == of):
        others = ", ".join(name for name in DIMENSIONS if name != of)
        bad.append(Violation("within", f"{request.within!r} is nothing to rank within here: choose {others}"))
    measure = request.measure or "sales"
    if measure not in MEASURES:
        bad.append(Violation("measure", f"{measure!r} can not be ranked by: choose {', '.join(MEASURES)}"))
    if request.least_value < 0:
        bad.append(Violation("least_value", f"{request.least_value} is below zero: choose 0 for none, or more"))
    if request.below_average_too and order is not Order.PROGRESS:
        bad.append(Violation("below_average_too", f"has no meaning for ranking {order.value}: leave it out"))
    least = request.least_value or (1 if order is Order.VALUE else None)
    if request.least_open_days and of != "outlet":
        bad.append(Violation("least_open_days", f"{of!r} does not open and close: it is of outlets, leave it out"))
    cutoff = _cutoff(request, order, period, bad)
    rules = Eligibility(cutoff, least, request.least_open_days, above_average=not request.below_average_too)
    top = request.top or (0 if request.page_size else DEFAULT_TOP)
    return _Question(of, request.within, order, measure, rules, top, request.lowest_first)


def _cutoff(
    request: analytics_pb2.RankRequest, order: Order, period: Period | None, bad: list[Violation]
) -> date | None:
    """The day given, else the first of the period, for the rankings that need one."""
    if order not in _OF_OUTLETS:
        if request.cutoff_day:
            text = f"{request.cutoff_day} has no meaning for ranking {order.value}: leave it out"
            bad.append(Violation("cutoff_day", text))
        return None
    if not request.cutoff_day:
        return period.days.first if period else None
    return read_day("cutoff_day", request.cutoff_day, bad)


async def _members(asked: Asked, question: _Question, found: Pairing, selection: Selection) -> list[Member]:
    """All that has a sale or void in one of the periods."""
    based = found.base is not None and found.gap is None
    sides = (found.days, found.days) if not based and question.order in _WITHOUT_BASE else sides_of(found)
    if question.of == "outlet":
        read, open_days = await asyncio.gather(
            placed(asked.ask, sides, question.within, selection), _open_days(asked, question, found.days, selection)
        )
        return [_member(one, one.member, question, open_days.get(one.member), based=based) for one in read]
    dimensions = (question.within, question.of) if question.within else (question.of,)
    read = await cells(asked.ask, sides, dimensions, selection, outlets=False)
    return [_member(one, one.group[-1], question, based=based) for one in read]


async def _open_days(asked: Asked, question: _Question, days: DayRange, selection: Selection) -> Mapping[str, int]:
    """On how many open days of the period each registered outlet was open; empty where nobody asks."""
    if not question.rules.least_open_days:
        return {}
    known, rows = await asyncio.gather(market(asked.ask, days, selection), asked.ask(plain("stays"), {}))
    found = {}
    for outlet_id, opened, gone, *_ in rows:
        first, last = max(days.first, opened), min(days.last, gone - timedelta(days=1))
        found[str(outlet_id)] = known.open_days(DayRange(first, last)) if first <= last else 0
    return found


def _member(cell: Cell, member_id: str, question: _Question, open_days: int | None = None, *, based: bool) -> Member:
    value, base = {
        "sales": (cell.value_fen, cell.base_fen),
        "bets": (cell.value_bets, cell.base_bets),
        "companion": (cell.value_companion_fen, cell.base_companion_fen),
    }[question.measure]
    within = cell.group[0] if question.within else ""
    return Member(member_id, value, base if based else 0, within, cell.opened, open_days)


async def _names(asked: Asked, question: _Question) -> Sequence[Mapping[str, str]]:
    """Names of what is ranked, and of what it is ranked within."""
    found = await names(asked.ask, [question.of, *([question.within] if question.within else [])])
    return [found[0], found[1] if question.within else {}]


def _places(one: Ranking) -> Iterator[Place]:
    yield from one.places
    if one.others:
        yield one.others


def _row(place: Place, one: Ranking, question: _Question, found: Pairing) -> analytics_pb2.RankRow:
    based = found.base is not None and found.gap is None
    growth = growth_message(found.grow(place.value, place.base))
    measured = analytics_pb2.Measurement(
        measure=question.measure,
        value=_quantity(place.value, question.measure),
        base=_quantity(place.base, question.measure) if based else None,
        growth=growth,
    )
    return analytics_pb2.RankRow(
        within=one.within,
        place=place.place,
        id=place.member_id,
        measurement=measured,
        share_bp=place.share_bp,
        contribution=place.contribution if based else 0,
        members=place.members,
    )


def _concentrations(
    members: Iterable[Member], wanted: Iterable[str], named: Mapping[str, str]
) -> Iterator[analytics_pb2.Concentration]:
    """How the measure is spread over all members of each ranking that is wanted, in that order."""
    values = defaultdict[str, list[int]](list)
    for member in members:
        values[member.within].append(member.value)
    for within in dict.fromkeys(wanted):
        found = concentration(values[within])
        yield analytics_pb2.Concentration(
            within=within,
            within_name=named.get(within) or within,
            members=found.outlets,
            top_members=found.top_outlets,
            top_share=None if found.top_share is None else float(found.top_share),
            gini=None if found.gini is None else float(found.gini),
        )


def _quantity(value: int, measure: str) -> analytics_pb2.Quantity:
    return analytics_pb2.Quantity(count=value) if measure == "bets" else analytics_pb2.Quantity(fen=value)


def _reasons(left_out: Mapping[LeftOut, int], question: _Question) -> Iterator[analytics_pb2.LeftOut]:
    for one in LeftOut:
        if count := left_out.get(one, 0):
            text = reason(one, question.measure, question.rules)
            yield analytics_pb2.LeftOut(text_zh=text.zh, text_en=text.en, members=count)
