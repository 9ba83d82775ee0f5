"""What each outlet is expected to sell of each game on a day and in an hour. Pure; knows no tickets and no clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from random import Random
from zoneinfo import ZoneInfo

from fucai.terminal.known import Known
from fucai.terminal.model_draws import DrawCalendar
from fucai.terminal.model_outlets import OutletProfile, hour_weights, profile, weekday_factor
from fucai.terminal.model_tickets import INSTANT_TYPE, TicketPrinter
from fucai.terminal.spool import HistoryRow
from fucai.v1.registry_pb2 import Game

CALIBRATED_ON = date(2026, 1, 1).toordinal()
"""The day whose level of sales is the calibration's; before and after it sales follow each outlet's growth."""

_DAYS_A_MONTH = 30
_DRAW_DAY = 1.6
_JACKPOT_PULL = 0.5
_BEFORE_CLOSE, _AFTER_CLOSE = 1.5, 0.5
_HOURS_BEFORE_CLOSE = 3
_CLOSURE_INSTANT = 0.9
_NOISE = 0.18
_GAME_WEIGHTS = {"ssq": 45.0, "kl8": 25.0, "3d": 20.0, "qlc": 10.0}
_TYPE_WEIGHTS = {"lotto": 20.0, "number": 20.0, "keno": 20.0}
_SEASON = {"night_market": 0.22}
_USUAL_SEASON = 0.05
_WARMEST_DAY = 200


@dataclass(frozen=True, slots=True)
class GamePlay:
    """A game on sale: its rules, its tickets, its draws (None for instant games), its share among its like."""

    game: Game
    printer: TicketPrinter
    draws: DrawCalendar | None
    share: float


class Market:
    """The simulated market under one seed: outlets and games as the registry knows them on each day."""

    def __init__(self, known: Known, seed: int) -> None:
        self.known = known
        self.zone = ZoneInfo(known.timezone)
        self._seed = seed
        self._closed_draws, self._closed_all = known.closed_days()
        self._profiles: dict[tuple[str, str], OutletProfile] = {}
        self._plays: dict[int, list[GamePlay]] = {}
        self._calendars: dict[str, DrawCalendar] = {}
        self._printers: dict[tuple[str, str], TicketPrinter] = {}

    def profile_on(self, outlet_id: str, day: int) -> OutletProfile | None:
        """The outlet's profile on the day (an ordinal); None where it is not open."""
        outlet = self.known.outlet_on(outlet_id, date.fromordinal(day).isoformat())
        if outlet is None:
            return None
        key = (outlet_id, outlet.valid_from)
        if key not in self._profiles:
            zone = self.known.zones.get(outlet.zone_id)
            self._profiles[key] = profile(outlet, zone.zone_type if zone else "", self._seed)
        return self._profiles[key]

    def plays_on(self, day: int) -> list[GamePlay]:
        """The games on sale on the day, market closures observed."""
        if day not in self._plays:
            self._plays[day] = self._find_plays(day)
        return self._plays[day]

    def expected_fen(self, outlet: OutletProfile, play: GamePlay, day: int) -> float:
        """Expected sales of a game at an outlet on a day, in fen."""
        date_of_day = date.fromordinal(day)
        share = (1 - outlet.instant_share) if play.draws else outlet.instant_share
        season = _SEASON.get(outlet.zone_type, _USUAL_SEASON)
        around = math.cos(2 * math.pi * (date_of_day.timetuple().tm_yday - _WARMEST_DAY) / 365.25)
        level = math.pow(1 + outlet.growth, (day - CALIBRATED_ON) / 365.25) * (1 + season * around)
        level *= weekday_factor(outlet.zone_type, date_of_day.isoweekday())
        return outlet.monthly_fen / _DAYS_A_MONTH * share * play.share * level * self._game_factor(play, day)

    def hour_shares(self, outlet: OutletProfile, play: GamePlay, day: int) -> tuple[float, ...]:
        """How a game's sales of the day spread over its 24 hours; sums to 1. They rise before a draw's close."""
        weights = hour_weights(outlet.zone_type)
        if play.draws is None or not play.draws.is_draw_day(day):
            return weights
        close = play.draws.sales_close(day, datetime.fromordinal(day).replace(tzinfo=self.zone)).hour
        shaped = [
            weight * (_AFTER_CLOSE if hour >= close else _BEFORE_CLOSE if hour >= close - _HOURS_BEFORE_CLOSE else 1.0)
            for hour, weight in enumerate(weights)
        ]
        return tuple(weight / sum(shaped) for weight in shaped)

    def history(self, first: int, last: int) -> Iterator[HistoryRow]:
        """Daily summaries from the first to the last day (ordinals), by day, outlet, game.

        Of every outlet that was open and has or had a till: those known by an import only are not played.
        """
        played = self.known.outlets_with_tills()
        for day in range(first, last + 1):
            plays = self.plays_on(day)
            for outlet_id in played:
                outlet = self.profile_on(outlet_id, day)
                if outlet is None:
                    continue
                random = Random(f"{self._seed}/{outlet_id}/{day}")
                for play in plays:
                    noise = random.lognormvariate(-_NOISE * _NOISE / 2, _NOISE)
                    row = _summary(outlet_id, play, day, self.expected_fen(outlet, play, day) * noise)
                    if row is not None:
                        yield row

    def _game_factor(self, play: GamePlay, day: int) -> float:
        if play.draws is None:
            return _CLOSURE_INSTANT if day in self._closed_draws else 1.0
        drawn = len(play.draws.weekdays(day))
        factor = 1.0
        if drawn < 7:  # noqa: PLR2004 (a week)
            other = (7 - _DRAW_DAY * drawn) / (7 - drawn) if _DRAW_DAY * drawn < 7 else 1.0  # noqa: PLR2004 (a week)
            factor = _DRAW_DAY if play.draws.is_draw_day(day) else other
        if play.game.game_type == "lotto":
            factor *= play.draws.jackpot(day) ** _JACKPOT_PULL
        return factor

    def _find_plays(self, day: int) -> list[GamePlay]:
        if day in self._closed_all:
            return []
        text = date.fromordinal(day).isoformat()
        games = [game for code in self.known.games if (game := self.known.game_on(code, text)) is not None]
        instant = [game for game in games if game.game_type == INSTANT_TYPE]
        lottery = [game for game in games if game.has_draws and game.unit_price_fen]
        total = sum(_weight(game) for game in lottery)
        plays = [GamePlay(game, self._printer(game), None, 1 / len(instant)) for game in instant]
        if day not in self._closed_draws:
            plays += [
                GamePlay(game, self._printer(game), self._calendar(game), _weight(game) / total) for game in lottery
            ]
        return plays

    def _printer(self, game: Game) -> TicketPrinter:
        key = (game.game, game.valid_from)
        if key not in self._printers:
            self._printers[key] = TicketPrinter(game)
        return self._printers[key]

    def _calendar(self, game: Game) -> DrawCalendar:
        key = game.game
        if key not in self._calendars:
            closes = {draw.draw_no: draw.sales_close_ms for draw in self.known.draws.get(game.game, [])}
            self._calendars[key] = DrawCalendar(self.known.games[game.game], self._closed_draws, closes, self._seed)
        return self._calendars[key]


def _weight(game: Game) -> float:
    return _GAME_WEIGHTS.get(game.game, _TYPE_WEIGHTS.get(game.game_type, 10.0))


def _summary(outlet_id: str, play: GamePlay, day: int, amount_fen: float) -> HistoryRow | None:
    price = play.game.unit_price_fen if play.draws else 100
    units = round(amount_fen / price)
    if units <= 0:
        return None
    bets = units if play.draws else max(1, round(units * price / play.printer.mean_fen * play.printer.mean_bets))
    return HistoryRow(outlet_id, play.game.game, day, bets, units * price)
