"""Which columns the CSV file of each table has, and how its lines become records. The rules are in `records`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from fucai.domain.calendar import instant_ms
from fucai.domain.registry.changes import Entry
from fucai.domain.registry.csvfile import Columns, Line
from fucai.domain.registry.faults import Fault, shown
from fucai.domain.registry.tables import TABLES

FEN_A_UNIT: Mapping[str, int] = MappingProxyType({"yuan": 100, "wan": 10**6, "yi": 10**10})
"""Fen in a yuan (元), in 10,000 yuan (万) and in 100 million yuan (亿)."""

_MAX_UINT32 = 2**32 - 1
_MAX_INT64 = 2**63 - 1
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,12})?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{3})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)

Parse = Callable[[str, Mapping[str, str], ZoneInfo], Any]
"""Turns a cell into a field's value, given the whole line and the business time zone; ValueError says what is wrong."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, how it is read, and the message's field it fills (by default its name; empty for none)."""

    name: str
    parse: Parse
    field: str | None = None
    optional: bool = False

    @property
    def target(self) -> str:
        """The field that it fills."""
        return self.name if self.field is None else self.field


def _text(cell: str, _line: Mapping[str, str], _zone: ZoneInfo) -> str:
    return cell


def _whole(lowest: int, highest: int) -> Parse:
    def parse(cell: str, _line: Mapping[str, str], _zone: ZoneInfo) -> int:
        if not cell:
            return 0
        if not _WHOLE.fullmatch(cell):
            raise ValueError("is no whole number")
        if not lowest <= int(cell) <= highest:
            raise ValueError(f"is not within {lowest} to {highest}")
        return int(cell)

    return parse


def _several(parse_one: Parse) -> Parse:
    def parse(cell: str, line: Mapping[str, str], zone: ZoneInfo) -> list[int]:
        try:
            return [parse_one(part, line, zone) for part in cell.split()]
        except ValueError as error:
            raise ValueError(f"holds a part that {error}; separate them by spaces") from error

    return parse


def _flag(cell: str, _line: Mapping[str, str], _zone: ZoneInfo) -> bool:
    if cell not in ("true", "false", ""):
        raise ValueError("is neither true nor false")
    return cell == "true"


def _unit(cell: str, _line: Mapping[str, str], _zone: ZoneInfo) -> None:
    if cell not in FEN_A_UNIT:
        raise ValueError(f"is none of {', '.join(FEN_A_UNIT)}")


def _amount(cell: str, line: Mapping[str, str], _zone: ZoneInfo) -> int:
    return to_fen(cell, line["unit"]) if line["unit"] in FEN_A_UNIT else 0


def to_fen(amount: str, unit: str) -> int:
    """The amount, written as a decimal number of yuan, wan or yi, in fen, exactly.

    Raises:
        ValueError: it is no number, is no whole number of fen, or is too large.
    """
    if not _DECIMAL.fullmatch(amount):
        raise ValueError("is no number, such as 1912.38")
    numerator, denominator = Decimal(amount).as_integer_ratio()
    fen, rest = divmod(numerator * FEN_A_UNIT[unit], denominator)
    if rest:
        raise ValueError(f"{unit} is no whole number of fen; give fewer decimals, or another unit")
    if abs(fen) > _MAX_INT64:
        raise ValueError(f"{unit} is too large; check the unit")
    return fen


def _moment(cell: str, _line: Mapping[str, str], zone: ZoneInfo) -> int:
    if not cell:
        return 0
    if not _MOMENT.fullmatch(cell):
        raise ValueError("is no moment, such as 2024-01-02T20:00 or 2024-01-02T20:00+08:00")
    moment = datetime.fromisoformat(cell)
    return instant_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


_COUNT = _whole(0, _MAX_UINT32)
_FEN = _whole(-_MAX_INT64, _MAX_INT64)
_SAMPLE = Column("is_sample", _flag, optional=True)


def _texts(names: str) -> list[Column]:
    return [Column(name, _text) for name in names.split()]


COLUMNS: Mapping[str, Sequence[Column]] = MappingProxyType(
    {
        "zones": [*_texts("zone_id name zone_type district_code district basis"), _SAMPLE],
        "outlets": [
            *_texts("outlet_id valid_from name agent_id zone_id district_code mgmt_area format channel_class"),
            *_texts("opened closed"),
            _SAMPLE,
        ],
        "terminals": [
            *_texts("terminal_id valid_from outlet_id kind"),
            _SAMPLE,
            Column("public_key", _text, optional=True),
        ],
        "games": [
            *_texts("game valid_from name game_type"),
            Column("unit_price_fen", _FEN),
            Column("has_draws", _flag),
            Column("max_multiplier", _COUNT),
            Column("max_ticket_fen", _FEN),
            Column("face_values_fen", _several(_FEN)),
            *(Column(name, _COUNT) for name in ("prize_bp", "issuing_fee_bp", "welfare_fund_bp", "commission_bp")),
            Column("draw_weekdays", _several(_COUNT)),
            *_texts("draw_time basis"),
        ],
        "draws": [
            *_texts("game draw_no"),
            Column("sales_close", _moment, "sales_close_ms"),
            Column("drawn", _moment, "drawn_ms"),
            _SAMPLE,
        ],
        "closures": _texts("first_day last_day scope name"),
        "benchmarks": [
            *_texts("series period"),
            Column("amount", _amount, "amount_fen"),
            Column("unit", _unit, ""),
            *_texts("yoy_pct basis"),
        ],
    }
)
"""Columns of each table's file, which is named after the table."""

FILE_NAMES = tuple(f"{table.name}.csv" for table in TABLES if table.imported)


def columns_of(name: str) -> Columns:
    """The columns that the file of a table must and may have."""
    return Columns(
        [column.name for column in COLUMNS[name] if not column.optional],
        [column.name for column in COLUMNS[name] if column.optional],
    )


def fill(entry: Entry[Any], line: Line, zone: ZoneInfo) -> None:
    """Fills the entry's message from a line, and notes cells that cannot be read; their fields stay empty."""
    for column in COLUMNS[entry.table.name]:
        cell = line.cells.get(column.name, "")
        try:
            value = column.parse(cell, line.cells, zone)
        except ValueError as error:
            entry.faults.append(Fault(column.target or column.name, shown(cell), str(error)))
            continue
        if isinstance(value, list):
            getattr(entry.message, column.target).extend(value)
        elif value:
            setattr(entry.message, column.target, value)


def cell_of(name: str, line: Line, field: str) -> tuple[str, str]:
    """The column of a table's file that fills a field, and its cell in a line."""
    column = next((column.name for column in COLUMNS[name] if column.target == field), field)
    return column, shown(line.cells.get(column, ""))
