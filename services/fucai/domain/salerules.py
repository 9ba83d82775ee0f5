"""What one sale, void or payout must look like under the rules of its game. Knows no terminal, time or numbering."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from fucai.domain.catalogue import INSTANT, SUMMARY, GameRules
from fucai.v1 import sales_pb2

_REASONS = sales_pb2.QuarantineReason
_KINDS = frozenset(
    (sales_pb2.EVENT_KIND_SALE, sales_pb2.EVENT_KIND_VOID, sales_pb2.EVENT_KIND_PAYOUT),
)
_DRAW_NUMBER = re.compile(r"(19|20)[0-9]{2}(?!000)[0-9]{3}")
_SHOWN_CHARACTERS = 24
_SHOWN_LENGTH = 40

MAX_EVENT_FEN = 10**13
"""Highest amount of one event, a hundred thousand million yuan: beyond any outlet's day, and such sums stay exact."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one event is bad: code, the field at fault, and the value with what to do, for people."""

    reason: sales_pb2.QuarantineReason.ValueType
    field: str
    detail: str


class Shape(NamedTuple):
    """All of an event that its game's rules look at. Events of one shape get one verdict."""

    kind: int
    game: str
    draw_no: str
    amount_fen: int
    bets: int
    multiplier: int
    face_value_fen: int
    daily_summary: bool


shape_key: Callable[[sales_pb2.SalesEvent], tuple[int, str, str, int, int, int, int, bool]] = attrgetter(*Shape._fields)
"""The values of an event's `Shape`, as a plain tuple: this runs for each event."""


def judge(shape: Shape, rules: GameRules | None, *, takes_history: bool) -> Fault | None:
    """The first rule that a sale of this shape breaks, None for a good one.

    `rules` are the game's on the event's business day, None where it is unknown then; `takes_history` says that the
    terminal is of kind import.
    """
    if shape.kind not in _KINDS:
        return Fault(
            _REASONS.QUARANTINE_REASON_UNKNOWN_KIND, "kind", f"{shape.kind} is none of SALE (1), VOID (2), PAYOUT (3)"
        )
    if shape.daily_summary != takes_history:
        return _not_a_summary_terminal(takes_history=takes_history)
    if rules is None or (rules.game_type == SUMMARY and not shape.daily_summary):
        return _unknown_game(shape, known=rules is not None)
    if shape.amount_fen <= 0:
        detail = f"{shape.amount_fen} is not above zero; amounts are positive for every kind"
        return Fault(_REASONS.QUARANTINE_REASON_AMOUNT_NOT_POSITIVE, "amount_fen", detail)
    if shape.amount_fen > MAX_EVENT_FEN:
        return _over_limit(
            "amount_fen", f"{shape.amount_fen} is above {MAX_EVENT_FEN}, the most that one event may have"
        )
    fault = _judge_draw_number(shape, rules)
    if fault is None and not shape.daily_summary and shape.kind != sales_pb2.EVENT_KIND_PAYOUT:
        fault = _judge_instant(shape, rules) if rules.game_type == INSTANT else _judge_bets(shape, rules)
    return fault


def judge_beside_the_rules(event: sales_pb2.SalesEvent) -> Fault | None:
    """What is wrong with an event apart from its game's rules: the other trade's spend, the sale it is about."""
    if event.companion_fen < 0:
        detail = f"{event.companion_fen} is below zero; give what was spent, or nothing"
        return Fault(_REASONS.QUARANTINE_REASON_AMOUNT_NOT_POSITIVE, "companion_fen", detail)
    if event.companion_fen > MAX_EVENT_FEN:
        detail = f"{event.companion_fen} is above {MAX_EVENT_FEN}, the most that one event may have"
        return _over_limit("companion_fen", detail)
    return _judge_reference(event)


def _judge_reference(event: sales_pb2.SalesEvent) -> Fault | None:
    """What is wrong with the sale that a void or payout is about: a void names one, and a name is complete."""
    if not event.HasField("refers_to"):
        if event.kind != sales_pb2.EVENT_KIND_VOID:
            return None
        detail = "is missing; a void names terminal, epoch and seq of the sale that it takes back"
        return Fault(_REASONS.QUARANTINE_REASON_BAD_REFERENCE, "refers_to", detail)
    reference = event.refers_to
    missing = [name for name in ("terminal_id", "epoch", "seq") if not getattr(reference, name)]
    if not missing:
        return None
    detail = f"lacks {', '.join(missing)}; name terminal, epoch and seq of the sale"
    return Fault(_REASONS.QUARANTINE_REASON_BAD_REFERENCE, "refers_to", detail)


def quoted(value: str) -> str:
    """A value as shown to people, cut to a readable length; what cannot be printed is escaped, and cut again."""
    shown = repr(value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "…")
    return shown if len(shown) <= _SHOWN_LENGTH else shown[:_SHOWN_LENGTH] + "…"


def _not_a_summary_terminal(*, takes_history: bool) -> Fault:
    detail = (
        "is false; a terminal of kind import sends daily summaries only"
        if takes_history
        else "is true; only a terminal of kind import sends daily summaries"
    )
    return Fault(_REASONS.QUARANTINE_REASON_NOT_A_SUMMARY_TERMINAL, "daily_summary", detail)


def _unknown_game(shape: Shape, *, known: bool) -> Fault:
    detail = (
        f"{quoted(shape.game)} is known by daily summaries only"
        if known
        else f"{quoted(shape.game)} is not in the catalogue on that day; register it, or correct the code"
    )
    return Fault(_REASONS.QUARANTINE_REASON_UNKNOWN_GAME, "game", detail)


def _judge_draw_number(shape: Shape, rules: GameRules) -> Fault | None:
    if not rules.has_draws or shape.daily_summary:
        if not shape.draw_no:
            return None
        what = "a daily summary" if shape.daily_summary else quoted(shape.game)
        detail = f"{quoted(shape.draw_no)} is set, but {what} has no draw; leave it empty"
    elif not shape.draw_no:
        detail = f"is missing; {quoted(shape.game)} has draws, numbered YYYYNNN"
    elif _DRAW_NUMBER.fullmatch(shape.draw_no) is None:
        detail = f"{quoted(shape.draw_no)} is not of the form YYYYNNN, such as 2023058"
    else:
        return None
    return Fault(_REASONS.QUARANTINE_REASON_BAD_DRAW_NUMBER, "draw_no", detail)


def _judge_instant(shape: Shape, rules: GameRules) -> Fault | None:
    face, faces = shape.face_value_fen, rules.face_values_fen
    if face <= 0 or (faces and face not in faces):
        exist = f"the game's are {', '.join(map(str, sorted(faces)))}" if faces else "it is above zero"
        return _over_limit("face_value_fen", f"{face} is no face value of an instant ticket: {exist}")
    if not shape.bets:
        return _over_limit("bets", "is 0; give the number of tickets")
    if shape.multiplier > 1:
        return _over_limit("multiplier", f"{shape.multiplier} is above 1; instant tickets have no multiplier")
    if 0 < rules.max_ticket_fen < face:
        return _over_limit("face_value_fen", f"{face} is above the {rules.max_ticket_fen} fen of a ticket")
    if shape.amount_fen != face * shape.bets:
        return _wrong_amount(shape, face * shape.bets, f"{shape.bets} tickets at {face} fen")
    return None


def _judge_bets(shape: Shape, rules: GameRules) -> Fault | None:
    multiple = shape.multiplier or 1
    if shape.face_value_fen:
        return _over_limit("face_value_fen", f"{shape.face_value_fen} is set, but only instant tickets have one")
    if not shape.bets:
        return _over_limit("bets", "is 0; give the number of bets on the ticket")
    if 0 < rules.max_multiplier < multiple:
        return _over_limit("multiplier", f"{multiple} is above the game's highest, {rules.max_multiplier}")
    if 0 < rules.max_ticket_fen < shape.amount_fen:
        return _over_limit("amount_fen", f"{shape.amount_fen} is above the {rules.max_ticket_fen} fen of a ticket")
    due_fen = rules.unit_price_fen * shape.bets * multiple
    if rules.unit_price_fen and shape.amount_fen != due_fen:
        return _wrong_amount(shape, due_fen, f"{shape.bets} bets at {rules.unit_price_fen} fen, {multiple}-fold,")
    return None


def _over_limit(field: str, detail: str) -> Fault:
    return Fault(_REASONS.QUARANTINE_REASON_OVER_LIMIT, field, detail)


def _wrong_amount(shape: Shape, due_fen: int, quantity: str) -> Fault:
    detail = f"{shape.amount_fen} is not {due_fen}: {quantity} make that; no premium, discount or credit sale"
    return Fault(_REASONS.QUARANTINE_REASON_WRONG_AMOUNT, "amount_fen", detail)
