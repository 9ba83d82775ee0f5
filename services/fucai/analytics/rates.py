"""The games' rates (返奖、发行费、公益金、代销费) by effective date, as parameters of queries. Multiplies nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from fucai.analytics.store import Ask, Row
from fucai.analytics.sums import KNOWN_RATES, RATES
from fucai.analytics.texts import plain


async def parameters(ask: Ask, sums: Iterable[str]) -> dict[str, object]:
    """The query parameters that these sums need beside the question's own: rates, instant games, or none."""
    needed = set(sums)
    found: dict[str, object] = {}
    if "tickets" in needed:
        found["instant_games"] = [str(game) for (game,) in await ask(plain("games_without_draws"), {})]
    wanted = [*(rate for rate in RATES if rate in needed), *(KNOWN_RATES[one] for one in KNOWN_RATES if one in needed)]
    if wanted:
        found |= table(await ask(plain("rates"), {}), wanted)
    return found


def table(rows: Sequence[Row], wanted: Iterable[str]) -> dict[str, object]:
    """Rates as arrays: for each stretch between days of change, a slot for unknown games, then one for each game.

    `rows` are game, first and last day, prize, issuing fee, welfare fund, commission in basis points. Without a rate on
    a day the slot holds 0, and `rated` (prizes, issuing fee, welfare fund) or `commissioned` says so; as in
    domain/funds, a game whose three rates are all 0 has none, and a commission of 0 is none.
    """
    games = sorted({str(game) for game, *_ in rows})
    days: list[date] = sorted({first for _, first, *_ in rows})
    slots: dict[str, list[int]] = {name: [] for name in (*RATES, *KNOWN_RATES.values())}
    for start in [None, *days]:
        valid = {
            str(game): (*values, any(values[:3]), values[3] > 0)
            for game, first, last, *values in rows
            if start is not None and first <= start <= last
        }
        for game in ["", *games]:
            for name, value in zip(slots, valid.get(game, (0,) * len(slots)), strict=True):
                slots[name].append(int(value))
    return {"rate_days": days, "rate_games": games} | {name: slots[name] for name in wanted}
