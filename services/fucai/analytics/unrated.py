"""Which games lack a rate that a measure needs, and what they sold: an absent figure names its cause. Computes none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from fucai.analytics import rates, texts
from fucai.analytics.measures import Measure, Sums
from fucai.analytics.outlet_days import of_sides
from fucai.analytics.reach import names
from fucai.analytics.selection import Selection, merged
from fucai.analytics.store import Ask
from fucai.analytics.sums import KNOWN_RATES
from fucai.domain.periods import DayRange
from fucai.v1.analytics_pb2 import UnratedGame

_COUNTS = tuple(name for name in KNOWN_RATES if not name.endswith("_fen"))
_MOST_GAMES = 1_000


def is_lacking(found: Iterable[Sums]) -> bool:
    """Whether any of these sums has events without a rate that was asked for."""
    return any(sums.get(name) for sums in found for name in _COUNTS)


async def unrated(
    ask: Ask, measures: Sequence[Measure], days: DayRange, base: DayRange | None, selection: Selection
) -> list[UnratedGame]:
    """The games of the selection that lack a rate which `measures` need, on a day of the period or its base, by code.

    It asks the store, so ask only where a measure is absent (`is_lacking`). Sealed draws are in no figure of it.
    """
    needing = {
        count: [one.name for one in measures if count in one.sums]
        for count in _COUNTS
        if any(count in one.sums for one in measures)
    }
    sums = ("sales", *(name for count in needing for name in (count, f"{count}_fen")))
    rows, (known,) = await asyncio.gather(
        ask(
            texts.growth(("game",), sums, selection.key, **selection.switches),
            merged(
                of_sides(days, base), {"rows": _MOST_GAMES}, await rates.parameters(ask, sums), selection.parameters()
            ),
        ),
        names(ask, ["game"]),
    )
    found = []
    for (game,), *figures in rows:
        now = dict(zip(sums, map(int, figures), strict=False))
        before = dict(zip(sums, map(int, figures[len(sums) :]), strict=False)) if base else dict.fromkeys(sums, 0)
        lacking = [count for count in needing if now[count] or before[count]]
        if lacking:
            largest = max(lacking, key=lambda count: now[count] + before[count])
            found.append(
                UnratedGame(
                    game=game,
                    name=known.get(game) or game,
                    measures=[name for count in lacking for name in needing[count]],
                    sales_fen=now[f"{largest}_fen"],
                    base_sales_fen=before[f"{largest}_fen"],
                )
            )
    return found
