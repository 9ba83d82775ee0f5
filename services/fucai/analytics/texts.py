"""The queries: texts from sql/, filled with fixed fragments chosen by enum or by a known name. Takes no input text."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from string import Template
from typing import NamedTuple

from fucai.domain.periods import Comparison, Grain

# Dimension: the key that the inner query groups by, and the value, of an outlet's attributes on day $day.
_OUTLET = "outlet_id"
_ON_DAY = "dictGetOrDefault('outlet_history', '{}', tuple(outlet_id), $day, '')"
_AS_OF_SALE = "business_day"
_TODAY = "{today:Date}"
_DIMENSIONS = {
    "game": ("game", "toString(game)"),
    "zone": (_OUTLET, _ON_DAY.format("zone_id")),
    "zone_type": (_OUTLET, _ON_DAY.format("zone_type")),
    "district": (_OUTLET, _ON_DAY.format("district_code")),
    "mgmt_area": (_OUTLET, _ON_DAY.format("mgmt_area")),
    "format": (_OUTLET, _ON_DAY.format("format")),
    "channel_class": (_OUTLET, _ON_DAY.format("channel_class")),
    "outlet": (_OUTLET, "toString(outlet_id)"),
    "kind": ("kind", "lower(toString(kind))"),
}
DIMENSIONS = tuple(_DIMENSIONS)


class FilterKind(enum.Enum):
    """Where a filter is applied, and to what type of value."""

    KEY = enum.auto()
    """A column of the events: filters what is read."""
    NUMBER = enum.auto()
    """A number made of such columns: filters what is read."""
    ATTRIBUTE = enum.auto()
    """An attribute of the outlet on a day: filters after sums by outlet and day."""


class FilterText(NamedTuple):
    """The value that a filter compares, and how."""

    kind: FilterKind
    value: str


FILTERS = {
    "game": FilterText(FilterKind.KEY, "game"),
    "outlet": FilterText(FilterKind.KEY, "outlet_id"),
    "draw": FilterText(FilterKind.KEY, "draw_no"),
    "weekday": FilterText(FilterKind.NUMBER, "toDayOfWeek(business_day)"),
    "hour": FilterText(FilterKind.NUMBER, "sold_hour"),
} | {
    name: FilterText(FilterKind.ATTRIBUTE, value)
    for name, (key, value) in _DIMENSIONS.items()
    if key == _OUTLET and name != "outlet"
}
"""What a selection can filter by."""

_START = {
    Grain.HOUR: "{}",
    Grain.DAY: "{}",
    Grain.WEEK: "toMonday({})",
    Grain.MONTH: "toStartOfMonth({})",
    Grain.YEAR: "toStartOfYear({})",
}

# The day of the bucket that a base day is compared with. addYears turns 29 February into 28 February.
_SHIFTED = {
    (Grain.HOUR, Comparison.YOY): "addYears(business_day, 1)",
    (Grain.DAY, Comparison.YOY): "addYears(business_day, 1)",
    (Grain.WEEK, Comparison.YOY): "addDays(business_day, 364)",
    (Grain.MONTH, Comparison.YOY): "addYears(business_day, 1)",
    (Grain.YEAR, Comparison.YOY): "addYears(business_day, 1)",
    (Grain.HOUR, Comparison.PREVIOUS): "if(sold_hour = 23, addDays(business_day, 1), business_day)",
    (Grain.DAY, Comparison.PREVIOUS): "addDays(business_day, 1)",
    (Grain.WEEK, Comparison.PREVIOUS): "addDays(business_day, 7)",
    (Grain.MONTH, Comparison.PREVIOUS): "addMonths(toStartOfMonth(business_day), 1)",
    (Grain.YEAR, Comparison.PREVIOUS): "addYears(business_day, 1)",
}
_NOT_LEAP_DAY = "NOT (toMonth(business_day) = 2 AND toDayOfMonth(business_day) = 29)"


@cache
def plain(name: str) -> str:
    """The text of sql/`name`.sql, which has no fragments."""
    return _read(name)


class Where(NamedTuple):
    """Conditions of a selection as they stand in a text: on the events read, and on sums by outlet and day."""

    read: str
    summed: str
    keys: frozenset[str]
    """Keys that the sums need for the second."""


@cache
def where(key: tuple[tuple[str, bool], ...], *, today: bool = False, as_of: bool = False) -> Where:
    """The conditions of a `Selection` with that key, whose `parameters()` they name; "1" where there are none."""
    read, summed, keys = [], [], set()
    for place, (dimension, exclude) in enumerate(key):
        kind, value = FILTERS[dimension]
        values = f"{{filter_{place}:Array({'UInt8' if kind is FilterKind.NUMBER else 'String'})}}"
        text = f"{'NOT ' if exclude else ''}has({values}, {value})"
        if kind is FilterKind.ATTRIBUTE:
            summed.append(_dated(text, today=today))
            keys.add(_OUTLET)
        else:
            read.append(text)
    if as_of:
        read.append("stored_at <= fromUnixTimestamp64Milli({as_of_ms:Int64})")
    return Where(" AND ".join(read) or "1", " AND ".join(summed) or "1", frozenset(keys))


def groups(dimensions: Iterable[str], *, today: bool = False) -> str:
    """The values of dimensions as an array of strings, over rows with their keys and business_day."""
    values = ", ".join(_dated(_DIMENSIONS[dimension][1], today=today) for dimension in dimensions)
    return f"[{values}]" if values else "emptyArrayString()"


def keys_of(dimensions: Iterable[str]) -> set[str]:
    """The columns that `groups` needs besides business_day."""
    return {_DIMENSIONS[dimension][0] for dimension in dimensions}


def _dated(text: str, *, today: bool) -> str:
    return text.replace("$day", _TODAY if today else _AS_OF_SALE)


@cache
def figures(
    grain: Grain,
    shift: Comparison,
    dimensions: tuple[str, ...],
    conditions: tuple[tuple[str, bool], ...] = (),
    *,
    today: bool = False,
    as_of: bool = False,
) -> str:
    """Figures by bucket and group; with `shift`, those of base days under the bucket they are compared with.

    Parameters of the query: first_day, last_day, rows, and those of the selection whose key is `conditions`. Columns:
    bucket (Date), hour, groups (Array(String)), sales_fen, net_bets, events, payouts_fen.
    """
    chosen = where(conditions, today=today, as_of=as_of)
    hourly = grain is Grain.HOUR
    alone = shift is Comparison.YOY and grain in (Grain.HOUR, Grain.DAY)
    hour = "modulo(sold_hour + 1, 24)" if shift is Comparison.PREVIOUS else "sold_hour"
    keys = {"sold_hour"} if hourly else set()
    keys |= (keys_of(dimensions) | chosen.keys) - {"kind"}
    return Template(_read("figures")).substitute(
        bucket=_START[grain].format(_SHIFTED.get((grain, shift), "business_day")),
        hour=hour if hourly else "0",
        groups=groups(dimensions, today=today),
        keys=", ".join(sorted(keys)) or "1",
        kept="NOT daily_summary" if hourly else "1",
        read=chosen.read,
        summed=chosen.summed,
        counterpart=_NOT_LEAP_DAY if alone else "1",
    )


@cache
def active(dimensions: tuple[str, ...]) -> str:
    """Active outlets by group. Parameters: open_days, least_sales, rows. Columns: groups (Array(String)), outlets."""
    keys = sorted(keys_of(dimensions) - {_OUTLET})
    return Template(_read("active")).substitute(groups=groups(dimensions), keys=", ".join(keys) or "1")


def _read(name: str) -> str:
    return files("fucai.analytics").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
