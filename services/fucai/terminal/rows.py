"""What makes a line of a sales file a row of history: every rule on its five fields. Reads no files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fucai.domain.salerules import MAX_EVENT_FEN
from fucai.terminal.columns import Columns
from fucai.terminal.spool import HistoryRow

FIRST_DAY = date(1970, 1, 2).toordinal()
MAX_BETS = 2**32 - 1
MAX_TEXT = 60
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


class BadRowError(Exception):
    """A line cannot be a row; the message names field, value and remedy."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """The five fields of a line, checked for themselves; outlet and game are the file's texts."""

    outlet: str
    game: str
    day: int
    bets: int
    amount_fen: int


class RowParser:
    """Turns lines into rows.

    `amount_unit` is the worth of 1 in the amount column, in fen; `today` the first day not over yet, as an ordinal.
    """

    def __init__(self, columns: Columns, *, amount_unit: int, today: int) -> None:
        self._columns = columns
        self._amount_unit = amount_unit
        self._today = today
        self._days: dict[str, int] = {}

    def parse(self, fields: Sequence[str]) -> RawRow:
        """The row that the fields of a line say.

        Raises:
            BadRowError: for the first thing that is wrong with it.
        """
        columns = self._columns
        if len(fields) != len(columns.header):
            kind = "too many" if len(fields) > len(columns.header) else "too few"
            raise BadRowError(f"{kind} fields: {len(fields)} where the header has {len(columns.header)}")
        day_text = fields[columns.day]
        day = self._days.get(day_text)
        if day is None:
            day = self._days[day_text] = self._day(day_text.strip())
        return RawRow(
            outlet=_text("outlet", fields[columns.outlet]),
            game=_text("game", fields[columns.game]),
            day=day,
            bets=_bets(fields[columns.bets].strip()),
            amount_fen=self._amount(fields[columns.amount].strip()),
        )

    def _day(self, text: str) -> int:
        try:
            day = date.fromisoformat(text if _DAY.fullmatch(text) else "").toordinal()
        except ValueError as error:
            raise BadRowError(f"day: {text!r} is no day; write it as YYYY-MM-DD") from error
        if day < FIRST_DAY:
            raise BadRowError(f"day: {text} is before 1970-01-02, the first day that the store can hold")
        if day >= self._today:
            raise BadRowError(f"day: {text} is not over yet; bring it in from the day after")
        return day

    def _amount(self, text: str) -> int:
        if not _DECIMAL.fullmatch(text):
            raise BadRowError(f"amount: {text!r} is no number; write digits, and a point before any decimals")
        amount = int(text) * self._amount_unit if _WHOLE.fullmatch(text) else _exact(text, self._amount_unit)
        if amount <= 0:
            raise BadRowError(f"amount: {text} is not above zero; a day without sales has no row")
        if amount > MAX_EVENT_FEN:
            raise BadRowError(f"amount: {text} is too large; the most is {MAX_EVENT_FEN} fen")
        return amount


def to_history(raw: RawRow, game: str) -> HistoryRow:
    """The row under the catalogue's code of its game."""
    return HistoryRow(raw.outlet, game, raw.day, raw.bets, raw.amount_fen)


def _exact(text: str, unit: int) -> int:
    numerator, denominator = Decimal(text).as_integer_ratio()
    whole, rest = divmod(numerator * unit, denominator)
    if rest:
        raise BadRowError(f"amount: {text} times --amount-unit {unit} is no whole number of fen")
    return whole


def _bets(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise BadRowError(f"bets: {text!r} is no whole number")
    bets = int(text)
    if bets <= 0:
        raise BadRowError(f"bets: {text} is not above zero; a day without sales has no row")
    if bets > MAX_BETS:
        raise BadRowError(f"bets: {text} is too large; the most is {MAX_BETS}")
    return bets


def _text(field: str, value: str) -> str:
    text = value.strip()
    if not text:
        raise BadRowError(f"{field}: is empty")
    if len(text) > MAX_TEXT:
        raise BadRowError(f"{field}: {text[:20]!r}... is longer than {MAX_TEXT} characters")
    if not text.isprintable():
        remedy = "save the file as UTF-8" if _undecoded(text) else "take out control characters"
        raise BadRowError(f"{field}: {text!r} cannot be read; {remedy}")
    return text


def _undecoded(text: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in text)
