"""Why sales changed: reads the question, sums two periods by group and outlet, and lays the parts out as a drill."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from fucai.analytics import definitions
from fucai.analytics.asked import Asked
from fucai.analytics.drill import Drilled, drill
from fucai.analytics.measures import growth_message
from fucai.analytics.paging import page
from fucai.analytics.paired import cells, sides_of
from fucai.analytics.pairing import pairing, pairing_message, read_period
from fucai.analytics.questions import MAX_DIMENSIONS, BadQuestionError
from fucai.analytics.reach import names, reach
from fucai.analytics.selection import read_selection
from fucai.domain.comparison import Pairing
from fucai.domain.decomposition import Line
from fucai.domain.periods import Comparison
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

DIMENSIONS = ("game", "zone", "zone_type", "district", "mgmt_area", "format", "channel_class", "outlet")
"""What a change can be drilled by."""
_AVERAGES = (
    "open_day compares averages, whose parts are no whole fen: choose yoy, previous, weekday, lunar or base_period; "
    "the pairing tells the open days of both sides"
)


async def decompose(asked: Asked, request: analytics_pb2.DecomposeRequest) -> analytics_pb2.DecomposeResponse:
    """The answer: the whole and every group below it, with parts that sum exactly.

    Raises:
        BadQuestionError: a field is wrong, or there is no stored base.
    """
    now = await reach(asked.ask)
    bad: list[Violation] = []
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad)
    by = _dimensions(request, bad)
    period = read_period(request, now, asked.today, bad)
    if period is not None and period.rule is Comparison.OPEN_DAY:
        bad.append(Violation("compare", _AVERAGES))
    if bad or period is None:
        raise BadQuestionError(bad)
    found = await pairing(asked.ask, period, selection)
    sides = sides_of(found)
    read, named = await asyncio.gather(cells(asked.ask, sides, by, selection, outlets=True), names(asked.ask, by))
    rows = [(one.group, one.member, one.base_fen, one.value_fen, one.base_bets, one.value_bets) for one in read]
    opened = {one.member for one in read if one.opened and one.opened >= sides[1].first}
    total, *groups = [_message(one, named, found) for one in await asyncio.to_thread(drill, rows, opened, request.top)]
    shown, token = page(groups, request)
    return analytics_pb2.DecomposeResponse(
        pairing=pairing_message(found, asked.today),
        total=total,
        groups=shown,
        total_rows=len(groups),
        next_page_token=token,
        about=asked.about(now, definitions.of_decompose(grouped=bool(by))),
    )


def _dimensions(request: analytics_pb2.DecomposeRequest, bad: list[Violation]) -> tuple[str, ...]:
    by = tuple(request.by)
    for place, name in enumerate(by):
        if name not in DIMENSIONS:
            bad.append(Violation(f"by[{place}]", f"{name!r} is no dimension here: choose {', '.join(DIMENSIONS)}"))
        elif name in by[:place]:
            bad.append(Violation(f"by[{place}]", f"{name!r} stands twice: name each dimension once"))
    if len(by) > MAX_DIMENSIONS:
        bad.append(Violation("by", f"{len(by)} dimensions: choose at most {MAX_DIMENSIONS}"))
    return by


def _message(one: Drilled, named: Sequence[Mapping[str, str]], found: Pairing) -> analytics_pb2.Waterfall:
    """As it goes over the wire."""
    line = one.line
    values = zip(line.group, named, strict=False)
    return analytics_pb2.Waterfall(
        group=line.group,
        group_names=[known.get(value) or value for value, known in values],
        base_fen=line.base_fen,
        new_fen=line.new_fen,
        closed_fen=line.closed_fen,
        same_fen=line.same_fen,
        value_fen=line.value_fen,
        new_outlets=line.new_outlets,
        closed_outlets=line.closed_outlets,
        same_outlets=line.same_outlets,
        scale_effect_fen=line.scale_effect_fen,
        intensity_effect_fen=line.intensity_effect_fen,
        price_effect_fen=line.price_effect_fen,
        other_effect_fen=line.other_effect_fen,
        opened_fen=line.opened_fen,
        first_sales_fen=line.first_sales_fen,
        moved_fen=one.moved.fen,
        moved_outlets=one.moved.outlets,
        others=one.others,
        by_averages=_averages(line),
        growth=growth_message(found.grow(line.value_fen, line.base_fen)),
    )


def _averages(line: Line) -> analytics_pb2.AverageEffects | None:
    found = line.averages
    if found is None:
        return None
    return analytics_pb2.AverageEffects(
        base_outlets=line.base_outlets,
        outlets=line.value_outlets,
        scale_effect_fen=found.scale_effect_fen,
        intensity_effect_fen=found.intensity_effect_fen,
        price_effect_fen=found.price_effect_fen,
    )
