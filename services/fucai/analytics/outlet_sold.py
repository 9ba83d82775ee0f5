"""What one outlet sold, by game and day, in a period and its base; and when it last sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class OfGame(NamedTuple):
    """What the outlet sold of a game: sums by name; net sales in fen by day, of a period that is no base."""

    sums: Sums
    by_day: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Sold:
    """What it sold in a period and its base, by game; its last sale in the period, Unix ms, 0 without any."""

    now: Mapping[str, OfGame]
    base: Mapping[str, OfGame]
    last_sale_ms: int


def own(outlet_id: str, others: Selection) -> Selection:
    """The same selection, for this outlet only."""
    return replace(others, conditions=(*others.conditions, Condition("outlet", (outlet_id,))))


async def sold(ask: Ask, outlet_id: str, others: Selection, found: Pairing, names: Sequence[str]) -> Sold:
    """What it sold in the period and its base: the sums `names`, with `others` the selection of its events."""
    chosen = own(outlet_id, others)
    rows = await ask(
        sold_text(tuple(names), chosen.key, **chosen.switches),
        merged(of_sides(found.days, found.base), chosen.parameters(), await rates.parameters(ask, names)),
    )
    sides: tuple[dict[str, OfGame], dict[str, OfGame]] = ({}, {})
    last_sale_ms = 0
    for of_base, game, *figures, by_day, last_ms in rows:
        sides[of_base][game] = OfGame(dict(zip(names, figures, strict=True)), dict(zip(*by_day, strict=True)))
        last_sale_ms = max(last_sale_ms, 0 if of_base else int(last_ms))
    return Sold(*sides, last_sale_ms)


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
    """The query of what one outlet sold. Parameters: those of the sides, the selection and the sums.

    Columns: of_base, code of the game, the sums `names`, by_day (days and net sales), last_sale_ms.
    """
    chosen = texts.where(conditions, today=today, as_of=as_of)
    return Template(texts.plain("outlet_sold")).substitute(
        now=NOW.text,
        before=BEFORE.text,
        days=(NOW | BEFORE).text,
        sums=",\n    ".join(f"sum({sums.SUMS[name].term}) AS {name}" for name in names),
        sales=sums.SUMS["sales"].term,
        columns=sums.texts_of(sums.columns_of(names)),
        read=chosen.read,
        summed=chosen.summed,
    )


@cache
def last_sale_text(conditions: tuple[tuple[str, bool], ...] = (), *, today: bool = False, as_of: bool = False) -> str:
    """The query of the last sale. Parameters: outlet_id, since, those of the selection. Column: last_sale_ms."""
    chosen = texts.where(conditions, today=today, as_of=as_of)
    return Template(texts.plain("outlet_last_sale")).substitute(read=chosen.read, summed=chosen.summed)
