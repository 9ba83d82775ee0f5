"""What one record must be, seen by itself: ids, dates, codes, prices, rates. References are in `references`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from fucai.domain.calendar import DrawNumber, parse_day
from fucai.domain.embargo import END, SEAL
from fucai.domain.registry.faults import Fault, shown
from fucai.domain.registry.tables import Table

ZONE_TYPES = ("business_district", "complex", "night_market", "pedestrian_street")
CHANNEL_CLASSES = ("exclusive", "concurrent", "flagship", "social", "traditional", "portable")
TERMINAL_KINDS = ("till", "import")
GAME_TYPES = ("lotto", "number", "keno", "instant", "summary")
SCOPES = ("draw_games", "all")
IMPORT_PREFIX = "import:"
WHOLE_BP = 10_000

_MAX_ID, _MAX_TEXT = 60, 400
_LAST_MS = 253_402_300_799_999  # the end of year 9999
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_WORD = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_DISTRICT = re.compile(r"[0-9]{6}")
_KEYS = re.compile(r"[0-9a-f]{64}( [0-9a-f]{64}){0,4}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_PERIOD = re.compile(r"(19|20|21)[0-9]{2}(-(0[1-9]|1[0-2]))?")
_PERCENT = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,6})?")
_DRAWLESS = ("instant", "summary")

Faults = Iterator[Fault]


def faults_of(table: Table, message: Any) -> list[Fault]:
    """Everything that is wrong with a record; empty for a good one. Field names are those of the message."""
    return list(_RULES[table.kind](message))


def _zone(zone: Any) -> Faults:
    yield from _id(zone, "zone_id")
    yield from _text(zone, "name", needed=True)
    yield from _one_of(zone, "zone_type", ZONE_TYPES)
    yield from _pattern(zone, "district_code", _DISTRICT, "is not the six digits of a district (GB/T 2260)")
    yield from _text(zone, "district", needed=True)
    yield from _text(zone, "basis")


def _outlet(outlet: Any) -> Faults:
    yield from _id(outlet, "outlet_id")
    yield from _day(outlet, "valid_from")
    yield from _text(outlet, "name", needed=True)
    yield from _text(outlet, "agent_id")
    yield from _text(outlet, "mgmt_area")
    if outlet.zone_id:
        yield from _id(outlet, "zone_id")
    if outlet.district_code:
        yield from _pattern(outlet, "district_code", _DISTRICT, "is not the six digits of a district (GB/T 2260)")
    if outlet.format:
        yield from _pattern(outlet, "format", _WORD, "is no code; use small letters, digits and _")
    if outlet.channel_class:
        yield from _one_of(outlet, "channel_class", CHANNEL_CLASSES)
    unusable = [*_day(outlet, "opened"), *(_day(outlet, "closed") if outlet.closed else ())]
    yield from unusable
    if outlet.closed and not unusable and outlet.closed <= outlet.opened:
        yield _fault(
            outlet, "closed", f"is not after the opening on {outlet.opened}; it is the first day without sales"
        )


def _terminal(terminal: Any) -> Faults:
    yield from _id(terminal, "terminal_id", longest=_MAX_ID + len(IMPORT_PREFIX))
    yield from _day(terminal, "valid_from")
    if terminal.outlet_id:
        yield from _id(terminal, "outlet_id")
    yield from _one_of(terminal, "kind", TERMINAL_KINDS)
    if terminal.public_key:
        remedy = "is no Ed25519 key (64 small hexadecimal digits) or several; `fucai terminal key` prints it"
        yield from _pattern(terminal, "public_key", _KEYS, remedy)
    if terminal.terminal_id.startswith(IMPORT_PREFIX):
        own = terminal.terminal_id.removeprefix(IMPORT_PREFIX)
        if terminal.kind == "till":
            yield _fault(
                terminal, "kind", f"is kept for other ids: terminals named {IMPORT_PREFIX}... are of kind import"
            )
        if terminal.outlet_id not in ("", own):
            yield _fault(terminal, "outlet_id", f"is not {own!r}, whose history this terminal brings by its name")


def _game(game: Any) -> Faults:
    yield from _pattern(game, "game", _CODE, "is no code; use up to 32 letters, digits, _ and -")
    yield from _day(game, "valid_from")
    yield from _text(game, "name", needed=True)
    yield from _text(game, "basis")
    yield from _one_of(game, "game_type", GAME_TYPES)
    for field in ("unit_price_fen", "max_ticket_fen"):
        if getattr(game, field) < 0:
            yield _fault(game, field, "is below zero; give fen, or 0 for none")
    drawless = game.game_type in _DRAWLESS
    if drawless and game.unit_price_fen:
        yield _fault(game, "unit_price_fen", f"is set, but {game.game_type} games have no price of a bet; give 0")
    if game.game_type in GAME_TYPES and game.has_draws == drawless:
        yield _fault(game, "has_draws", f"is wrong: {game.game_type} games have {'no draws' if drawless else 'draws'}")
    yield from _face_values(game)
    yield from _rates(game)
    yield from _schedule(game)


def _face_values(game: Any) -> Faults:
    values = list(game.face_values_fen)
    if values and game.game_type != "instant":
        yield _fault(game, "face_values_fen", "are set, but only instant games have face values; leave them empty")
    if any(value <= 0 for value in values):
        yield _fault(game, "face_values_fen", "hold one that is not above zero; give fen")
    if len(set(values)) != len(values):
        yield _fault(game, "face_values_fen", "hold one twice; name each once")


def _rates(game: Any) -> Faults:
    rates = (game.prize_bp, game.issuing_fee_bp, game.welfare_fund_bp)
    if any(rates) and sum(rates) != WHOLE_BP:
        yield _fault(
            game,
            "prize_bp",
            f"does not fit: prize_bp + issuing_fee_bp + welfare_fund_bp = {sum(rates)}, and must be {WHOLE_BP} "
            "basis points; correct them, or leave all three at 0",
        )
    if game.commission_bp > WHOLE_BP:
        yield _fault(game, "commission_bp", f"is above {WHOLE_BP} basis points; 780 is 7.8 %")


def _schedule(game: Any) -> Faults:
    weekdays = list(game.draw_weekdays)
    if any(not 1 <= day <= 7 for day in weekdays) or len(set(weekdays)) != len(weekdays):  # noqa: PLR2004 (ISO weekdays)
        yield _fault(game, "draw_weekdays", "are not different days from 1 (Monday) to 7 (Sunday)")
    if game.draw_time and not _TIME.fullmatch(game.draw_time):
        yield _fault(game, "draw_time", "is not of the form HH:MM, such as 21:15")
    if not game.has_draws and (weekdays or game.draw_time):
        yield _fault(
            game, "draw_weekdays" if weekdays else "draw_time", "is set, but the game has no draws; leave it empty"
        )
    elif bool(weekdays) != bool(game.draw_time):
        field = "draw_time" if weekdays else "draw_weekdays"
        yield _fault(game, field, "is missing; give weekdays and time of the draws, or neither")


def _draw(draw: Any) -> Faults:
    yield from _draw_number(draw)
    if not 0 < draw.sales_close_ms <= _LAST_MS:
        yield _fault(draw, "sales_close_ms", "is no instant after 1970; give when sales of the draw close")
    if draw.drawn_ms and not draw.sales_close_ms <= draw.drawn_ms <= _LAST_MS:
        yield _fault(draw, "drawn_ms", "is before sales close; a draw ends after that")


def _draw_act(act: Any) -> Faults:
    yield from _draw_number(act)
    yield from _one_of(act, "act", (SEAL, END))
    yield from _id(act, "acted_by")
    yield from _text(act, "note")
    if not 0 < act.at_ms <= _LAST_MS:
        yield _fault(act, "at_ms", "is no instant after 1970; give Unix milliseconds, or 0 for now")


def _draw_number(message: Any) -> Faults:
    yield from _pattern(message, "game", _CODE, "is no code; use up to 32 letters, digits, _ and -")
    try:
        DrawNumber.parse(message.draw_no)
    except ValueError as error:
        yield _fault(message, "draw_no", str(error))


def _closure(closure: Any) -> Faults:
    unusable = [*_day(closure, "first_day"), *_day(closure, "last_day")]
    yield from unusable
    if not unusable and closure.last_day < closure.first_day:
        yield _fault(closure, "last_day", f"is before the first day, {closure.first_day}; swap or correct them")
    yield from _one_of(closure, "scope", SCOPES)
    yield from _text(closure, "name", needed=True)


def _benchmark(benchmark: Any) -> Faults:
    yield from _pattern(benchmark, "series", _CODE, "is no code; use up to 32 letters, digits, _ and -")
    yield from _pattern(benchmark, "period", _PERIOD, "is neither a year (YYYY) nor a month (YYYY-MM)")
    if benchmark.amount_fen <= 0:
        yield _fault(benchmark, "amount_fen", "is not above zero; leave periods without a published value out")
    if benchmark.yoy_pct:
        yield from _pattern(benchmark, "yoy_pct", _PERCENT, "is no number of percent, such as -14.8")
    yield from _text(benchmark, "basis")


_RULES: Mapping[str, Callable[[Any], Faults]] = MappingProxyType(
    {
        "zone": _zone,
        "outlet": _outlet,
        "terminal": _terminal,
        "game": _game,
        "draw": _draw,
        "draw_act": _draw_act,
        "closure": _closure,
        "benchmark": _benchmark,
    }
)


def _fault(message: Any, field: str, remedy: str) -> Fault:
    value = getattr(message, field)
    text = value if isinstance(value, str | int) else " ".join(map(str, value))
    return Fault(field, shown(text), remedy)


def _id(message: Any, field: str, *, longest: int = _MAX_ID) -> Faults:
    value = getattr(message, field)
    if not value:
        yield _fault(message, field, "is empty; every record needs it")
    elif len(value) > longest:
        yield _fault(message, field, f"has {len(value)} characters; at most {longest} are taken")
    elif not value.isprintable() or value != value.strip():
        yield _fault(message, field, "has a control character, or space around it; take that out")


def _text(message: Any, field: str, *, needed: bool = False) -> Faults:
    value = getattr(message, field)
    if needed and not value:
        yield _fault(message, field, "is empty; every record needs it")
    elif len(value) > _MAX_TEXT:
        yield _fault(message, field, f"has {len(value)} characters; at most {_MAX_TEXT} are taken")
    elif not value.isprintable() or value != value.strip():
        yield _fault(message, field, "has a line break, a control character, or space around it; take that out")


def _one_of(message: Any, field: str, values: tuple[str, ...]) -> Faults:
    if getattr(message, field) not in values:
        yield _fault(message, field, f"is none of {', '.join(values)}")


def _pattern(message: Any, field: str, pattern: re.Pattern[str], remedy: str) -> Faults:
    value = getattr(message, field)
    if not pattern.fullmatch(value):
        yield _fault(message, field, remedy if value else "is empty; every record needs it")


def _day(message: Any, field: str) -> Faults:
    value = getattr(message, field)
    try:
        parse_day(value)
    except ValueError as error:
        yield _fault(message, field, str(error) if value else "is empty; give a day as YYYY-MM-DD")
