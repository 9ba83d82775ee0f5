"""A period against its base, by any dimensions, several measures at once. Figures come from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fucai.analytics import definitions, rates, sums, texts
from fucai.analytics.asked import Asked
from fucai.analytics.benchmark import benchmark
from fucai.analytics.measures import (
    Measure,
    Sums,
    growth_message,
    measurement,
    read_measures,
    sums_of,
)
from fucai.analytics.outlet_days import hold_months, of_sides
from fucai.analytics.paging import page
from fucai.analytics.pairing import market, pairing, pairing_message, read_period
from fucai.analytics.questions import BadQuestionError, read_dimensions
from fucai.analytics.reach import names, reach
from fucai.analytics.selection import Selection, merged, read_selection
from fucai.analytics.store import Row
from fucai.analytics.unrated import is_lacking, unrated
from fucai.domain.comparison import Pairing
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

DEFAULT_MEASURES = ("sales", "bets", "selling_outlets", "sales_per_outlet")
MAX_GROUPS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Group:
    """Sums of one group in the period and in the base, and what the outlets that sold in both sold."""

    group: tuple[str, ...]
    value: Sums
    base: Sums
    same_outlets: int = 0
    same_sales: int = 0
    base_same_sales: int = 0
    is_rest: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """A checked question for growth."""

    by: tuple[str, ...]
    measures: tuple[Measure, ...]
    names: tuple[str, ...]
    selection: Selection
    small_base_fen: int
    same_open: bool


async def growth(asked: Asked, request: analytics_pb2.GrowthRequest) -> analytics_pb2.GrowthResponse:
    """The answer: the whole, then the groups with the largest sales first, the rest of more than `top` as "others".

    Raises:
        BadQuestionError: a field of the request is wrong, there is no base, or the answer has too many rows.
    """
    now = await reach(asked.ask)
    bad: list[Violation] = []
    question = _read(request, asked, bad)
    period = read_period(request, now, asked.today, bad)
    if bad or period is None:
        raise BadQuestionError(bad)
    pair = await pairing(asked.ask, period, question.selection)
    fixed = await rates.parameters(asked.ask, question.names)
    if question.same_open:
        fixed |= await _open_span(asked, question, pair)
    groups, whole, named = await asyncio.gather(
        _groups(asked, question, pair, fixed) if question.by else _none(),
        _groups(asked, question, pair, fixed, whole=True),
        names(asked.ask, question.by),
    )
    total = whole[0] if whole else _nothing(question.names, pair.open_days)
    groups.sort(key=lambda one: (-one.value["sales"], one.group))
    shown = groups[: request.top] if request.top else groups
    if len(groups) > len(shown):
        shown = [*shown, *await _groups(asked, question, pair, fixed, shown=[one.group for one in shown])]
    rows = [_row(one, total, question, pair, named) for one in shown]
    paged, token = page(rows, request)
    answer = analytics_pb2.GrowthResponse(
        pairing=pairing_message(pair, asked.today),
        total=_row(total, total, question, pair, ()),
        rows=paged,
        total_rows=len(rows),
        next_page_token=token,
    )
    if request.benchmark:
        ours = pair.grow(total.value["sales"], total.base["sales"])
        answer.benchmark.CopyFrom(
            await benchmark(asked.ask, request.benchmark, pair.days, growth_message(ours), rule=pair.rule)
        )
    lacking = (
        await unrated(asked.ask, question.measures, pair.days, pair.base, question.selection)
        if is_lacking([total.value, total.base])
        else ()
    )
    told = definitions.of_growth(question.measures, grouped=bool(question.by), same_open=question.same_open)
    answer.about.CopyFrom(asked.about(now, told, lacking))
    return answer


def _read(request: analytics_pb2.GrowthRequest, asked: Asked, bad: list[Violation]) -> _Question:
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad)
    measures = read_measures(request.measures, DEFAULT_MEASURES, bad)
    if request.small_base_fen < 0:
        bad.append(Violation("small_base_fen", f"{request.small_base_fen} is below zero: give fen, or 0 for no mark"))
    needed = dict.fromkeys(["sales", *sums_of(measures)])
    return _Question(
        read_dimensions(request.by, bad),
        measures,
        tuple(name for name in needed if name in sums.SUMS),
        selection,
        request.small_base_fen,
        request.same_outlets_open,
    )


async def _none() -> list[_Group]:
    return []


async def _groups(
    asked: Asked,
    question: _Question,
    pair: Pairing,
    fixed: Mapping[str, object],
    *,
    whole: bool = False,
    shown: Sequence[tuple[str, ...]] = (),
) -> list[_Group]:
    """The groups; or the whole as one; or all groups but those `shown` as one."""
    selection = question.selection
    text = texts.growth(
        () if whole else question.by,
        question.names,
        selection.key,
        **selection.switches,
        rest=bool(shown),
        months=hold_months(pair.days, pair.base),
        same_open="open_from" in fixed,
    )
    days = of_sides(pair.days, pair.base)
    if shown:
        days["shown"] = [list(group) for group in shown]
    rows = await asked.ask(text, merged(days, {"rows": MAX_GROUPS + 1}, fixed, selection.parameters()))
    if len(rows) > MAX_GROUPS:
        raise BadQuestionError([Violation("by", f"more than {MAX_GROUPS:,} groups: name fewer dimensions")])
    others = (texts.OTHERS, *[""] * (len(question.by) - 1)) if shown else ()
    return [_group(row, question.names, others, pair.open_days) for row in rows]


async def _open_span(asked: Asked, question: _Question, pair: Pairing) -> dict[str, object]:
    """From when to when an outlet must be open to be so on all open days of both periods; nothing if there are none."""
    sides = [pair.days, *([pair.base] if pair.base else [])]
    closed = (await market(asked.ask, pair.days, question.selection)).closed()
    days = [day for side in sides for day in side if not any(day in closure for closure in closed)]
    return {"open_from": min(days), "open_to": max(days)} if days else {}


def _group(row: Row, named: Sequence[str], others: tuple[str, ...], open_days: tuple[int, int]) -> _Group:
    group, *figures = row
    numbers = [int(figure) for figure in figures]
    count = len(named)
    outlets, base_outlets, same_outlets, same_sales, base_same_sales = numbers[2 * count :]
    value = dict(zip(named, numbers[:count], strict=True)) | {sums.OUTLETS: outlets, sums.OPEN_DAYS: open_days[0]}
    base = dict(zip(named, numbers[count : 2 * count], strict=True))
    base |= {sums.OUTLETS: base_outlets, sums.OPEN_DAYS: open_days[1]}
    return _Group(others or tuple(group), value, base, same_outlets, same_sales, base_same_sales, bool(others))


def _nothing(named: Sequence[str], open_days: tuple[int, int]) -> _Group:
    value, base = (dict.fromkeys([*named, sums.OUTLETS], 0) | {sums.OPEN_DAYS: days} for days in open_days)
    return _Group((), value, base)


def _row(
    one: _Group, total: _Group, question: _Question, pair: Pairing, named: Sequence[Mapping[str, str]]
) -> analytics_pb2.GrowthRow:
    known: Sequence[Mapping[str, str]] = (
        [{texts.OTHERS: texts.OTHERS_ZH}, *[{}] * len(one.group)] if one.is_rest else named
    )
    small = 0 <= one.base["sales"] < question.small_base_fen
    same = analytics_pb2.Measurement(measure="same_outlet_sales", value=analytics_pb2.Quantity(fen=one.same_sales))
    if pair.gap is None:
        same.base.CopyFrom(analytics_pb2.Quantity(fen=one.base_same_sales))
    same.growth.CopyFrom(growth_message(pair.grow(one.same_sales, one.base_same_sales, question.small_base_fen)))
    return analytics_pb2.GrowthRow(
        group=one.group,
        group_names=[of.get(value) or value for of, value in zip(known, one.group, strict=False)],
        measurements=[
            measurement(one_measure, (one.value, total.value), (one.base, total.base), pair, small_base=small)
            for one_measure in question.measures
        ],
        same_outlet=same,
        same_outlets=one.same_outlets,
    )
