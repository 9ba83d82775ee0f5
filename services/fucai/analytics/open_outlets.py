"""The registered outlets that are open on a day: those that silence and alerts look at. Reads no figure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from string import Template

from fucai.analytics.selection import Selection
from fucai.analytics.store import Ask, Row
from fucai.analytics.texts import plain, where

FILTERS = ("zone", "zone_type", "district", "mgmt_area", "format", "channel_class", "outlet")
"""What outlets can be chosen by."""

Key = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class OpenOutlet:
    """An outlet with its registered name, its zone's name, its management area and the day it opened."""

    outlet_id: str
    name: str
    zone_name: str
    mgmt_area: str
    opened: date


def on_day(selection: Selection, day: date) -> Selection:
    """The selection with attributes of that day, unless today's were asked for: one set of outlets for all days."""
    return replace(selection, today=selection.today or day)


async def open_outlets(ask: Ask, day: date, selection: Selection) -> dict[str, OpenOutlet]:
    """The chosen outlets that are open on `day`, by id, in order."""
    chosen = on_day(selection, day)
    rows = await ask(outlets_text(chosen.key), chosen.parameters() | {"day": day})
    return {outlet.outlet_id: outlet for outlet in map(outlet_of, rows)}


def outlet_of(row: Row) -> OpenOutlet:
    """The outlet of a row of `outlets_text`."""
    outlet_id, name, zone_name, mgmt_area, opened, _ = row
    return OpenOutlet(str(outlet_id), str(name), str(zone_name), str(mgmt_area), opened)


@cache
def outlets_text(key: Key, lately: str = "false") -> str:
    """The query of open outlets; parameters day, today, those of the selection, those of the condition `lately`."""
    chosen = where(key, today=True)
    return Template(plain("open_outlets")).substitute(chosen=f"{chosen.read} AND {chosen.summed}", lately=lately)
