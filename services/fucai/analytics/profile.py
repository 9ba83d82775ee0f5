"""When sales happen: hour by weekday (时段分布), of the whole or by one dimension. Sums come from the store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from string import Template

from fucai.analytics import definitions, sums, texts
from fucai.analytics.asked import Asked
from fucai.analytics.pairing import Begin, pairing, read_period
from fucai.analytics.questions import HEADLINE_DIMENSIONS, MAX_ROWS, BadQuestionError
from fucai.analytics.reach import names, reach
from fucai.analytics.selection import Selection, merged, read_selection
from fucai.analytics.store import Row
from fucai.domain.periods import DayRange
from fucai.domain.rounding import apportion
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

_WITHOUT_HOUR = 24


async def profile(asked: Asked, request: analytics_pb2.ProfileRequest) -> analytics_pb2.ProfileResponse:
    """The answer: the cells with events, by group, weekday, hour.

    Raises:
        BadQuestionError: a field of the request is wrong, or there are too many cells.
    """
    now = await reach(asked.ask)
    bad: list[Violation] = []
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad)
    period = read_period(request, now, asked.today, bad, begin=Begin.FOUR_WEEKS)
    if request.by and request.by not in HEADLINE_DIMENSIONS:
        text = f"{request.by!r} is no dimension here: choose {', '.join(HEADLINE_DIMENSIONS)}, or none"
        bad.append(Violation("by", text))
    if bad or period is None:
        raise BadQuestionError(bad)
    days = (await pairing(asked.ask, period, selection)).days
    by = (request.by,) if request.by else ()
    text = profile_text(by, selection.key, today=selection.today is not None, as_of=bool(selection.as_of_ms))
    named = {"first_day": days.first, "last_day": days.last, "rows": MAX_ROWS + 1}
    rows, known = await asyncio.gather(
        asked.ask(text, merged(selection.parameters(), named)), names(asked.ask, list(by))
    )
    if len(rows) > MAX_ROWS:
        told = f"the answer has more than {MAX_ROWS:,} cells: filter, or group by another dimension"
        raise BadQuestionError([Violation("by", told)])
    counted = weekdays(days, selection)
    groups = [(group, list(some)) for group, some in groupby(rows, key=lambda row: tuple(row[0]))]
    return analytics_pb2.ProfileResponse(
        from_day=days.first.isoformat(),
        to_day=days.last.isoformat(),
        cells=[cell for group, some in groups for cell in _cells(group, some, counted, known)],
        hours=[one for group, some in groups for one in _by_hour(group, some, counted, known)],
        weekdays=[one for group, some in groups for one in _by_weekday(group, some, counted, known)],
        without_hour_fen=sum(int(row[3]) for row in rows if row[2] == _WITHOUT_HOUR),
        about=asked.about(now, definitions.of_profile(grouped=bool(by))),
    )


@cache
def profile_text(
    dimensions: tuple[str, ...],
    conditions: tuple[tuple[str, bool], ...] = (),
    *,
    today: bool = False,
    as_of: bool = False,
) -> str:
    """The query: groups, weekday, hour (24 for daily summaries), sales_fen, net_bets, events, payouts_fen.

    Parameters: first_day, last_day, rows, those of the selection whose key is `conditions`.
    """
    chosen = texts.where(conditions, today=today, as_of=as_of)
    keys = texts.keys_of(dimensions) | chosen.keys
    return Template(texts.plain("profile")).substitute(
        groups=texts.groups(dimensions, today=today),
        keys=", ".join(sorted(keys)) or "1",
        columns=sums.texts_of(sums.columns_of(["sales", "bets", "events"])),
        sales=sums.SUMS["sales"].term,
        bets=sums.SUMS["bets"].term,
        payouts=sums.SUMS["payouts"].term,
        read=chosen.read,
        summed=chosen.summed,
    )


def weekdays(days: DayRange, selection: Selection) -> Mapping[int, int]:
    """How often each weekday, 1 to 7, stands in these days, as far as the selection has it."""
    found = dict.fromkeys(range(1, 8), 0)
    for day in days:
        found[day.isoweekday()] += 1
    for one in selection.of("weekday"):
        values = {int(value) for value in one.values}
        found = {weekday: count for weekday, count in found.items() if (weekday in values) != one.exclude}
    return found


def _cells(
    group: tuple[str, ...], rows: Sequence[Row], days: Mapping[int, int], named: Sequence[Mapping[str, str]]
) -> list[analytics_pb2.ProfileCell]:
    timed = [row for row in rows if row[2] != _WITHOUT_HOUR]
    shares = apportion([int(row[3]) for row in timed])
    value, name = _named(group, named)
    return [
        analytics_pb2.ProfileCell(
            group=value,
            group_name=name,
            weekday=int(weekday),
            hour=int(hour),
            figures=analytics_pb2.Figures(
                sales_fen=int(fen), bets=int(bets), events=int(events), payouts_fen=int(paid)
            ),
            days=days[int(weekday)],
            share_bp=share,
        )
        for (_, weekday, hour, fen, bets, events, paid), share in zip(timed, shares, strict=True)
    ]


def _by_hour(
    group: tuple[str, ...], rows: Sequence[Row], days: Mapping[int, int], named: Sequence[Mapping[str, str]]
) -> Iterator[analytics_pb2.ProfileShare]:
    """Sales by hour over all weekdays; daily summaries have none."""
    timed = [(int(hour), int(fen)) for _, _, hour, fen, *_ in rows if hour != _WITHOUT_HOUR]
    return _shares(group, timed, dict.fromkeys(range(_WITHOUT_HOUR), sum(days.values())), named)


def _by_weekday(
    group: tuple[str, ...], rows: Sequence[Row], days: Mapping[int, int], named: Sequence[Mapping[str, str]]
) -> Iterator[analytics_pb2.ProfileShare]:
    """Sales by weekday, those of daily summaries with them."""
    return _shares(group, [(int(weekday), int(fen)) for _, weekday, _, fen, *_ in rows], days, named)


def _shares(
    group: tuple[str, ...],
    sales: Iterable[tuple[int, int]],
    days: Mapping[int, int],
    named: Sequence[Mapping[str, str]],
) -> Iterator[analytics_pb2.ProfileShare]:
    """The sums of `sales`, each with its hour or weekday, in order."""
    sums = Counter[int]()
    for of, fen in sales:
        sums[of] += fen
    value, name = _named(group, named)
    for (of, fen), share in zip(sorted(sums.items()), apportion([sums[of] for of in sorted(sums)]), strict=True):
        yield analytics_pb2.ProfileShare(
            group=value, group_name=name, of=of, sales_fen=fen, days=days[of], share_bp=share
        )


def _named(group: tuple[str, ...], named: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    """Value and name of a group; both empty for the whole."""
    value = group[0] if group else ""
    return value, (named[0].get(value) or value) if named else ""
