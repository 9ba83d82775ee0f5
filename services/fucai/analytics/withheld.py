"""Which draws are left out of every answer because they are sealed, and when they return. Holds no figure of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

from fucai.analytics.store import Ask, Row
from fucai.analytics.texts import plain
from fucai.domain.draw_schedule import DrawSchedule
from fucai.v1.analytics_pb2 import WithheldDraw
from fucai.v1.registry_pb2 import Game

NAMED_AT_MOST = 20
_TIMEZONE = 3
_NO_END = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Withheld:
    """The draws named, how many they are in all, and when the next one is sealed in Unix ms, 0 where none is known."""

    draws: tuple[WithheldDraw, ...] = ()
    count: int = 0
    next_seal_ms: int = 0


async def withheld(ask: Ask, draws: Sequence[Row], count: int, next_seal_ms: int) -> Withheld:
    """The draws of these rows (game, number, scheduled close, seal, end), each with the moment when it returns.

    That is its end where one is known, else as scheduled; 0 for a draw in no table.
    """
    open_ended = any(close_ms and ended_ms == _NO_END for _, _, close_ms, _, ended_ms in draws)
    rules: Sequence[Row] = await ask(plain("draw_rules"), {}) if open_ended else ()
    schedules = _schedules(rules)
    found = []
    for game, draw_no, close_ms, sealed_ms, ended_ms in draws:
        returns_ms = 0 if ended_ms == _NO_END else int(ended_ms)
        if not returns_ms and close_ms and game in schedules:
            returns_ms = schedules[game].scheduled_ms(int(close_ms), ZoneInfo(rules[0][_TIMEZONE]))
        found.append(WithheldDraw(game=game, draw_no=draw_no, sealed_ms=int(sealed_ms), returns_ms=returns_ms))
    return Withheld(tuple(found), count, next_seal_ms)


def _schedules(rules: Sequence[Row]) -> Mapping[str, DrawSchedule]:
    games = [
        Game(game=str(game), valid_from=str(since), draw_time=str(at), has_draws=True) for game, since, at, *_ in rules
    ]
    by_game = groupby(games, key=lambda game: game.game)
    return {code: DrawSchedule(list(versions), ()) for code, versions in by_game}
