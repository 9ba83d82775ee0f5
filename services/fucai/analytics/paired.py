"""Two periods side by side in one query: by groups and outlets, or each outlet in one place. Judges no figure."""

from __future__ import annotations

from datetime import date
from functools import cache
from string import Template
from typing import NamedTuple

from fucai.analytics.outlet_days import BEFORE, NET_SALES, NOW, hold_months, of_sides, rows
from fucai.analytics.questions import BadQuestionError
from fucai.analytics.selection import Selection, merged
from fucai.analytics.store import Ask, Row
from fucai.analytics.texts import groups, keys_of, plain, where
from fucai.domain.comparison import Pairing
from fucai.domain.periods import DayRange
from fucai.runtime.errors import Violation

MAX_CELLS = 400_000
"""Groups times outlets that one question may walk; twice the outlets of the whole country."""
_UNKNOWN = date(1970, 1, 1)


class Cell(NamedTuple):
    """Sales in fen and bets (SALE less VOID) and companion spend in fen of one group and member, of base and period.

    `opened` is the day a member that is an outlet opened, as registered on its last day; None if unknown.
    """

    group: tuple[str, ...]
    member: str
    opened: date | None
    base_fen: int
    value_fen: int
    base_bets: int
    value_bets: int
    base_companion_fen: int
    value_companion_fen: int


def sides_of(found: Pairing) -> tuple[DayRange, DayRange]:
    """The period and its base.

    Raises:
        BadQuestionError: nothing of the base is stored, so there is nothing to compare with.
    """
    if found.base is None or found.gap is not None:
        why = found.gap.text.en if found.gap else "there is no base"
        told = f"{found.days} has nothing to compare with: {why}; ask for other days, or choose another comparison"
        raise BadQuestionError([Violation("from_day", told)])
    return found.days, found.base


async def cells(
    ask: Ask, sides: tuple[DayRange, DayRange], dimensions: tuple[str, ...], selection: Selection, *, outlets: bool
) -> list[Cell]:
    """The cells of all groups that have a sale or void in the period or its base (`sides`), in no order.

    With `outlets` one for each group and outlet, else one for each group, with an empty member.

    Raises:
        BadQuestionError: there are more than MAX_CELLS.
    """
    member = "toString(outlet_id)" if outlets else "''"
    keys = frozenset({"outlet_id"} if outlets else ())
    text = _paired(dimensions, member, keys, selection.key, **selection.switches, months=hold_months(*sides))
    return await _cells(ask, text, sides, selection)


async def placed(ask: Ask, sides: tuple[DayRange, DayRange], area: str, selection: Selection) -> list[Cell]:
    """The cells of all outlets with a sale or void in `sides`; the group is the one area an outlet stands in.

    That is the value of dimension `area` on its last day: of its last sale or void in the period, else in the base.
    By `game` an outlet stands in each game that it sold; with an empty `area` the group is ().

    Raises:
        BadQuestionError: there are more than MAX_CELLS.
    """
    text = _placed(area, selection.key, **selection.switches, months=hold_months(*sides))
    return await _cells(ask, text, sides, selection)


async def _cells(ask: Ask, text: str, sides: tuple[DayRange, DayRange], selection: Selection) -> list[Cell]:
    found = await ask(text, merged(of_sides(*sides), {"rows": MAX_CELLS + 1}, selection.parameters()))
    if len(found) > MAX_CELLS:
        told = f"more than {MAX_CELLS:,} groups and outlets to walk: ask for fewer dimensions, or filter"
        raise BadQuestionError([Violation("by", told)])
    return [_cell(row) for row in found]


def _cell(row: Row) -> Cell:
    group, member, opened, *figures, _last_seen = row
    return Cell(tuple(group), member, None if opened == _UNKNOWN else opened, *(int(figure) for figure in figures))


@cache
def _paired(
    dimensions: tuple[str, ...],
    member: str,
    keys: frozenset[str],
    conditions: tuple[tuple[str, bool], ...],
    *,
    today: bool,
    as_of: bool,
    months: bool,
) -> str:
    chosen = where(conditions, today=today, as_of=as_of)
    return Template(plain("paired")).substitute(
        groups=groups(dimensions, today=today),
        member=member,
        rows=rows(
            ("fen", "bet_count", "companion_sum"),
            keys_of(dimensions) | chosen.keys | keys,
            NOW | BEFORE,
            chosen,
            by_month=months and not chosen.daily,
            kinds=NET_SALES,
        ),
        summed=chosen.summed,
    )


@cache
def _placed(area: str, conditions: tuple[tuple[str, bool], ...], *, today: bool, as_of: bool, months: bool) -> str:
    dimensions = ("game",) if area == "game" else ()
    keys = frozenset({"outlet_id"})
    outlets = _paired(dimensions, "toString(outlet_id)", keys, conditions, today=today, as_of=as_of, months=months)
    if area in ("", "game"):
        return outlets
    return Template(plain("placed")).substitute(area=groups((area,), today=today), paired=outlets)
