"""What one outlet sold, by game and day, in a period, in its base and on days to watch; and when it last sold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from string import Template
from typing import NamedTuple

from fucai.analytics import rates, sums, texts
from fucai.analytics.measures import Sums
from fucai.analytics.outlet_days import BEFORE, NOW, of_sides
from fucai.analytics.selection import Condition, Selection, merged
from fucai.analytics.store import Ask
from fucai.domain.comparison import Pairing

_LATELY = timedelta(days=31)
_EVER = date(1970, 1, 1)

_PERIOD, _BASE, _WATCHED = "period", "base", "watched"
_WATCHED_DAYS = "has({watched_days:Array(Date)}, business_day)"


class OfGame(NamedTuple):
    """What the outlet sold of a game: sums by name; net sales in fen by day, not of a base; bets by watched day.

    A day is missing where either is 0. Bets are those of sales, voided or not.
    """

    sums: Sums
    by_day: Mapping[date, int]
    bets: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Sold:
    """What it sold in a period, its base and on watched days, by game; the last sale in the period, Unix ms, or 0."""

    now: Mapping[str, OfGame]
    base: Mapping[str, OfGame]
    watched: Mapping[str, OfGame]
    last_sale_ms: int


def own(outlet_id: str, others: Selection) -> Selection:
    """The same selection, for this outlet only."""
    return replace(others, conditions=(*others.conditions, Condition("outlet", (outlet_id,))))


async def sold(
    ask: Ask,
    outlet_id: str,
    others: Selection,
    found: Pairing,
    names: Sequence[str],
    watched: Collection[date] = (),
) -> Sold:
    """What it sold in the period, its base and on the `watched` days: the sums `names`, of the events in `others`."""
    rows = await ask(
        sold_text(tuple(names), others.key, **others.switches),
        merged(
            of_sides(found.days, found.base),
            others.parameters(),
            {"outlet_id": outlet_id, "watched_days": sorted(watched)},
            await rates.parameters(ask, names),
        ),
    )
    sides: dict[str, dict[str, OfGame]] = {_PERIOD: {}, _BASE: {}, _WATCHED: {}}
    last_sale_ms = 0
    for side, game, *figures, by_day, bets, last_ms in rows:
        of_days = (dict(zip(*days, strict=True)) for days in (by_day, bets))
        sides[side][game] = OfGame(dict(zip(names, figures, strict=True)), *of_days)
        last_sale_ms = max(last_sale_ms, int(last_ms) if side == _PERIOD else 0)
    return Sold(sides[_PERIOD], sides[_BASE], sides[_WATCHED], last_sale_ms)


async def last_sale(ask: Ask, outlet_id: str, others: Selection, last_day: date | None) -> int:
    """When it last sold, Unix ms; 0 without any sale. Most sold lately: older days are only read if not."""
    text = last_sale_text(others.key, **others.switches)
    for since in (last_day - _LATELY, _EVER) if last_day else ():
        ((moment,),) = await ask(text, merged(others.parameters(), {"outlet_id": outlet_id, "since": since}))
        if moment:
            return int(moment)
    return 0


@cache
def sold_text(
    names: tuple[str, ...], conditions: tuple[tuple[str, bool], ...], *, today: bool = False, as_of: bool = False
) -> str:
    """The query of what one outlet sold. Parameters: outlet_id, watched_days, those of the sides, selection and sums.

    Columns: side, code of the game, the sums `names`, net sales and bets as days and values, last_sale_ms.
    """
    chosen = texts.where(conditions, today=today, as_of=as_of)
    return Template(texts.plain("outlet_sold")).substitute(
        now=NOW.text,
        before=BEFORE.text,
        days=(NOW | BEFORE).text,
        period=_PERIOD,
        base=_BASE,
        watched=_WATCHED,
        watched_days=_WATCHED_DAYS,
        sums=",\n    ".join(f"sum({sums.SUMS[name].term}) AS {name}" for name in names),
        sales=sums.SUMS["sales"].term,
        sold=sums.SUMS["sold"].term,
        columns=sums.texts_of(sums.columns_of([*names, "sales", "sold"])),
        read=chosen.read,
        summed=chosen.summed,
    )


@cache
def last_sale_text(conditions: tuple[tuple[str, bool], ...] = (), *, today: bool = False, as_of: bool = False) -> str:
    """The query of the last sale. Parameters: outlet_id, since, those of the selection. Column: last_sale_ms."""
    chosen = texts.where(conditions, today=today, as_of=as_of)
    return Template(texts.plain("outlet_last_sale")).substitute(read=chosen.read, summed=chosen.summed)
