"""Whether the values that a selection filters by exist, and whether anybody may ask for a draw now. Shows no figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from fucai.analytics.questions import BadQuestionError
from fucai.analytics.reach import reach
from fucai.analytics.store import Ask
from fucai.analytics.texts import plain
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

_LISTED_AT_MOST = 30
_NEAREST = 3
_SMALL = ("game", "zone", "zone_type", "district", "mgmt_area", "format", "channel_class")


class SealedDrawError(Exception):
    """A filter names a draw whose figures nobody may see now; the message says which, and when they return."""


async def check_values(ask: Ask, selection: analytics_pb2.Selection, zone: ZoneInfo) -> None:
    """Refuses values that neither the registry nor the store knows; dimensions it does not know it leaves to others.

    Times are told in the business time `zone`.

    Raises:
        BadQuestionError: with the valid choices, or the nearest ones where there are many.
        SealedDrawError: a draw is sealed and has not ended.
    """
    asked = {one.dimension for one in selection.filters}
    known: dict[str, Collection[str]] = {}
    if asked & set(_SMALL):
        known |= await _small(ask)
    if "outlet" in asked:
        known["outlet"] = {str(outlet) for (outlet,) in await ask(plain("known_outlets"), {})}
    if "draw" in asked:
        known["draw"] = await _draws(ask, selection, zone)
    bad = [
        Violation(f"selection.filters[{place}].values[{number}]", _told(one.dimension, value, known[one.dimension]))
        for place, one in enumerate(selection.filters)
        if one.dimension in known
        for number, value in enumerate(one.values)
        if value not in known[one.dimension]
    ]
    if bad:
        raise BadQuestionError(bad)


async def _small(ask: Ask) -> Mapping[str, Collection[str]]:
    """The values of the small dimensions; the empty one stands for outlets that the registry says nothing of."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for dimension, value in await ask(plain("known_values"), {}):
        found[str(dimension)].add(str(value))
    return {dimension: found[dimension] | (set() if dimension == "game" else {""}) for dimension in _SMALL}


async def _draws(ask: Ask, selection: analytics_pb2.Selection, zone: ZoneInfo) -> Collection[str]:
    """The draw numbers that are known, none of them sealed in a game that the selection leaves."""
    numbers = sorted(set(_values(selection, "draw")))
    games = set(_values(selection, "game"))
    rows = await ask(plain("draw_filter"), {"draws": numbers})
    for game, number, drawn_ms, sealed in rows:
        if sealed and (not games or game in games):
            raise SealedDrawError(await _sealed(ask, str(game), str(number), int(drawn_ms), zone))
    return {str(number) for _, number, *_ in rows}


def _values(selection: analytics_pb2.Selection, dimension: str) -> Iterator[str]:
    for one in selection.filters:
        if one.dimension == dimension and not (dimension == "game" and one.exclude):
            yield from one.values


async def _sealed(ask: Ask, game: str, number: str, drawn_ms: int, zone: ZoneInfo) -> str:
    """Which draw is sealed, and when its figures return as far as that is known."""
    listed = (await reach(ask)).withheld.draws
    returns_ms = drawn_ms or next((one.returns_ms for one in listed if (one.game, one.draw_no) == (game, number)), 0)
    when = "once it is recorded as drawn"
    if returns_ms:
        moment = datetime.fromtimestamp(returns_ms / 1000, zone).isoformat(timespec="seconds")
        when = f"once it is drawn, by schedule at {moment}"
    return f"draw {number} of {game} is sealed: its figures return {when}; ask for other draws, or then"


def _told(dimension: str, value: str, known: Collection[str]) -> str:
    if dimension == "draw":
        return f"no draw {value!r} is in the registry or the store: write YYYYNNN, such as 2025058"
    choices: Sequence[str] = sorted(one for one in known if one)
    if dimension == "outlet" or len(choices) > _LISTED_AT_MOST:
        near = get_close_matches(value, choices, n=_NEAREST, cutoff=0.5)
        remedy = f"did you mean {', '.join(near)}?" if near else f"choose one of the {len(choices):,} that are"
    else:
        remedy = f"choose {', '.join(choices)}" if choices else "import the registry first"
    return f"no {dimension} {value!r} is in the registry or the store: {remedy}"
