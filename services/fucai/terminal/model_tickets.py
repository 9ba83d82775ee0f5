"""What is on a ticket, and what follows it: void, payout, spend beside it. Pure; randomness is passed in.

Amounts keep the game's own price, faces and limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from fucai.v1.registry_pb2 import Game

VOID_SHARE = 0.003
INSTANT_TYPE = "instant"

_FACE_WEIGHTS: Mapping[int, float] = {200: 4, 300: 3, 500: 16, 1000: 40, 2000: 27, 3000: 7, 5000: 3}
_USUAL_FACES = (200, 300, 500, 1000, 2000, 3000, 5000)
_TICKETS = {1: 62, 2: 22, 3: 8, 4: 3, 5: 5}
_BETS = {1: 14, 2: 16, 3: 10, 4: 8, 5: 32, 6: 5, 8: 5, 10: 10}
_MULTIPLES = {1: 86, 2: 8, 3: 3, 5: 2, 10: 1}
_PRIZE_TIMES = {1: 60, 2: 25, 5: 10, 10: 4, 50: 1}
_INSTANT_WINS, _DRAW_WINS = 0.36, 0.06
_DRAW_PRIZES_FEN = {500: 75, 1000: 20, 20_000: 5}
_COMPANION_MEDIAN_FEN, _COMPANION_SPREAD = 2_200, 0.7


@dataclass(frozen=True, slots=True)
class Ticket:
    """A sale: bets (tickets for instant games), multiplier, face value, amount in fen."""

    bets: int
    multiplier: int
    face_value_fen: int
    amount_fen: int


class TicketPrinter:
    """All tickets that a game's customers ask for, with their weights."""

    def __init__(self, game: Game) -> None:
        weighted = _instant(game) if game.game_type == INSTANT_TYPE else _lottery(game)
        self._instant = game.game_type == INSTANT_TYPE
        self._tickets = list(weighted)
        self._weights = list(accumulate(weighted.values()))
        self.mean_fen = sum(ticket.amount_fen * weight for ticket, weight in weighted.items()) / self._weights[-1]
        self.mean_bets = sum(ticket.bets * weight for ticket, weight in weighted.items()) / self._weights[-1]

    def ticket(self, random: Random) -> Ticket:
        """The next customer's ticket."""
        return random.choices(self._tickets, cum_weights=self._weights)[0]

    def prize_fen(self, ticket: Ticket, random: Random) -> int:
        """What a customer like this one hands in as a win, in fen; 0 for no win."""
        if random.random() >= (_INSTANT_WINS if self._instant else _DRAW_WINS):
            return 0
        if self._instant:
            return ticket.face_value_fen * pick(_PRIZE_TIMES, random)
        return pick(_DRAW_PRIZES_FEN, random)


def companion_fen(share: float, random: Random) -> int:
    """What the customer spends on the outlet's other trade, in fen; 0 for all but `share` of them."""
    if random.random() >= share:
        return 0
    return max(100, round(_COMPANION_MEDIAN_FEN * random.lognormvariate(0.0, _COMPANION_SPREAD) / 10) * 10)


def pick(weighted: Mapping[int, float], random: Random) -> int:
    """One of the keys, by weight."""
    return random.choices(list(weighted), weights=list(weighted.values()))[0]


def _instant(game: Game) -> dict[Ticket, float]:
    faces = [face for face in game.face_values_fen or _USUAL_FACES if not 0 < game.max_ticket_fen < face]
    return {
        Ticket(count, 0, face, face * count): _FACE_WEIGHTS.get(face, 5) * weight
        for face in faces
        for count, weight in _TICKETS.items()
    }


def _lottery(game: Game) -> dict[Ticket, float]:
    price = game.unit_price_fen
    tickets = {
        Ticket(bets, multiple, 0, price * bets * multiple): weight * multiple_weight
        for bets, weight in _BETS.items()
        for multiple, multiple_weight in _MULTIPLES.items()
    }
    return {
        ticket: weight
        for ticket, weight in tickets.items()
        if not 0 < game.max_multiplier < ticket.multiplier and not 0 < game.max_ticket_fen < ticket.amount_fen
    }
