"""The queries: texts from sql/, filled with fixed fragments chosen by enum or by a known name. Takes no input text."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from string import Template
from typing import NamedTuple

from fucai.analytics import outlet_days, sums
from fucai.analytics.outlet_days import BEFORE, NOW, OUTLET, Where, among
from fucai.domain.periods import WEEKS_A_YEAR_DAYS, Comparison, Grain

# Dimension: the keys that the inner query groups by besides the day; the value, attributes as of day $day.
_ON_DAY = "dictGetOrDefault('outlet_history', '{}', tuple(outlet_id), $day, '')"
_AS_OF_SALE = "business_day"
_TODAY = "{today:Date}"
_DIMENSIONS = {
    "game": (("game",), "toString(game)"),
    "zone": ((OUTLET,), _ON_DAY.format("zone_id")),
    "zone_type": ((OUTLET,), _ON_DAY.format("zone_type")),
    "district": ((OUTLET,), _ON_DAY.format("district_code")),
    "mgmt_area": ((OUTLET,), _ON_DAY.format("mgmt_area")),
    "format": ((OUTLET,), _ON_DAY.format("format")),
    "channel_class": ((OUTLET,), _ON_DAY.format("channel_class")),
    "outlet": ((OUTLET,), "toString(outlet_id)"),
    "kind": (("kind",), "lower(toString(kind))"),
    "draw": (("draw_no",), "toString(draw_no)"),
    "weekday": ((), "toString(toDayOfWeek(business_day))"),
    "hour": (("sold_hour", "daily_summary"), "if(daily_summary, '', leftPad(toString(sold_hour), 2, '0'))"),
}
DIMENSIONS = tuple(_DIMENSIONS)
OF_EVENTS = ("game", "kind", "draw", "weekday", "hour")
"""Those that an outlet without a sale has no value of."""
_OF_DAYS = frozenset({"weekday"})
OTHERS, OTHERS_ZH = "others", "其他"
"""The group of those that are not shown, summed; and its name for people."""
_SHOWN = "{shown:Array(Array(String))}"


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
    for name, (keys, value) in _DIMENSIONS.items()
    if keys == (OUTLET,) and name != "outlet"
}
"""What a selection can filter by."""
_FINE = frozenset({"game", "draw", "hour"})

_START = {
    Grain.HOUR: "{}",
    Grain.DAY: "{}",
    Grain.WEEK: "toMonday({})",
    Grain.MONTH: "toStartOfMonth({})",
    Grain.YEAR: "toStartOfYear({})",
}

# The day of the bucket that a base day is compared with. addYears turns 29 February into 28 February.
_YEAR_LATER = "addYears(business_day, 1)"
_SHIFTED = {
    (Grain.WEEK, Comparison.OPEN_DAY): _YEAR_LATER,
    (Grain.HOUR, Comparison.YOY): _YEAR_LATER,
    (Grain.DAY, Comparison.YOY): _YEAR_LATER,
    (Grain.WEEK, Comparison.YOY): "addDays(business_day, 364)",
    (Grain.MONTH, Comparison.YOY): _YEAR_LATER,
    (Grain.YEAR, Comparison.YOY): _YEAR_LATER,
    (Grain.HOUR, Comparison.PREVIOUS): "if(sold_hour = 23, addDays(business_day, 1), business_day)",
    (Grain.DAY, Comparison.PREVIOUS): "addDays(business_day, 1)",
    (Grain.WEEK, Comparison.PREVIOUS): "addDays(business_day, 7)",
    (Grain.MONTH, Comparison.PREVIOUS): "addMonths(toStartOfMonth(business_day), 1)",
    (Grain.YEAR, Comparison.PREVIOUS): _YEAR_LATER,
}
_ALWAYS_SHIFTED = {
    Comparison.WEEKDAY: f"addDays(business_day, {WEEKS_A_YEAR_DAYS})",
    Comparison.LUNAR: "addDays(business_day, {shift_days:Int32})",
    Comparison.BASE_PERIOD: "addDays(business_day, {shift_days:Int32})",
}
_OPEN = "outlet_id IN (SELECT outlet_id FROM ({stays}) WHERE opened <= {{open_from:Date}} AND gone > {{open_to:Date}})"
_NOT_LEAP_DAY = "NOT (toMonth(business_day) = 2 AND toDayOfMonth(business_day) = 29)"


@cache
def plain(name: str) -> str:
    """The text of sql/`name`.sql, which has no fragments."""
    return _read(name)


@cache
def where(key: tuple[tuple[str, bool], ...], *, today: bool = False, as_of: bool = False) -> Where:
    """The conditions of a `Selection` with that key, whose `parameters()` they name; "1" where there are none."""
    read, summed, keys = [], [], set()
    named = {dimension for dimension, _ in key}
    for place, (dimension, exclude) in enumerate(key):
        kind, value = FILTERS[dimension]
        values = f"{{filter_{place}:Array({'UInt8' if kind is FilterKind.NUMBER else 'String'})}}"
        text = f"{'NOT ' if exclude else ''}has({values}, {value})"
        if kind is FilterKind.ATTRIBUTE:
            summed.append(_dated(text, today=today))
            keys.add(OUTLET)
        else:
            read.append(text)
            if dimension == "hour":
                read.append("NOT daily_summary")  # which has no hour
    if as_of:
        read.append("stored_at <= fromUnixTimestamp64Milli({as_of_ms:Int64})")
    return Where(
        read=" AND ".join(read) or "1",
        summed=" AND ".join(summed) or "1",
        keys=frozenset(keys),
        fine=as_of or not _FINE.isdisjoint(named),
        daily="weekday" in named,
        near=("outlet", False) in key,
    )


def groups(dimensions: Iterable[str], *, today: bool = False) -> str:
    """The values of dimensions as an array of strings, over rows with their keys and business_day."""
    values = ", ".join(_dated(_DIMENSIONS[dimension][1], today=today) for dimension in dimensions)
    return f"[{values}]" if values else "emptyArrayString()"


def keys_of(dimensions: Iterable[str]) -> set[str]:
    """The columns that `groups` needs besides business_day."""
    return {key for dimension in dimensions for key in _DIMENSIONS[dimension][0]}


def tells_days(dimensions: Iterable[str]) -> bool:
    """Whether any of them has several values in a month of one outlet."""
    return not _OF_DAYS.isdisjoint(dimensions)


def _dated(text: str, *, today: bool) -> str:
    return text.replace("$day", _TODAY if today else _AS_OF_SALE)


def folded(value: str) -> str:
    """Groups of that text, those that are not shown as one; parameter shown (Array(Array(String)))."""
    return f"if(has({_SHOWN}, {value}), {value}, ['{OTHERS}'])"


def _bucket(grain: Grain, shift: Comparison) -> str:
    like = Comparison.YOY if shift is Comparison.OPEN_DAY else shift
    default = _ALWAYS_SHIFTED.get(shift, "business_day")
    day = _SHIFTED.get((grain, shift)) or _SHIFTED.get((grain, like)) or default
    return _START[grain].format(day)


def _by_month(grain: Grain, shift: Comparison) -> bool:
    """Whether all days of a month stand in one bucket, wherever the month is shifted to."""
    shifts = (Comparison.NONE, Comparison.YOY, Comparison.PREVIOUS, Comparison.OPEN_DAY)
    return grain in (Grain.MONTH, Grain.YEAR) and shift in shifts


@cache
def figures(
    grain: Grain,
    shift: Comparison,
    dimensions: tuple[str, ...],
    conditions: tuple[tuple[str, bool], ...] = (),
    *,
    today: bool = False,
    as_of: bool = False,
    further: tuple[str, ...] = (),
    fold: bool = False,
    sides: bool = False,
) -> str:
    """Figures by bucket and group; with `shift`, those of base days under the bucket they are compared with.

    With `sides`, of a period and its base, each under its own bucket.

    Parameters of the query: those of the days or sides (outlet_days), rows, those of the selection whose key is
    `conditions`; shift_days by LUNAR and BASE_PERIOD; shown where the groups that are not among those are to `fold`.
    Columns: bucket (Date), hour, groups (Array(String)), sales_fen, net_bets, events, payouts_fen, then the `further`
    sums and outlets.
    """
    chosen = where(conditions, today=today, as_of=as_of)
    hourly = grain is Grain.HOUR
    alone = shift in (Comparison.YOY, Comparison.OPEN_DAY) and grain in (Grain.HOUR, Grain.DAY)
    hour = "modulo(sold_hour + 1, 24)" if shift is Comparison.PREVIOUS else "sold_hour"
    keys = {"sold_hour"} if hourly else set()
    summed = [name for name in further if name != sums.OUTLETS]
    keys |= (keys_of(dimensions) | chosen.keys | sums.keys_of(summed)) - {"kind"}
    if sums.OUTLETS in further:
        keys.add(OUTLET)
    grouped = groups(dimensions, today=today)
    return Template(_read("figures")).substitute(
        bucket=_bucket(grain, shift),
        hour=hour if hourly else "0",
        groups=folded(grouped) if fold else grouped,
        rows=outlet_days.rows(
            sums.columns_of(["sales", "bets", "events", *summed]),
            keys,
            NOW | BEFORE if sides else NOW,
            chosen.also("NOT daily_summary") if hourly else chosen,
            by_month=_by_month(grain, shift) and not (chosen.daily or tells_days(dimensions)),
        ),
        further="".join(f",\n    {_further(name)} AS {name}" for name in further),
        summed=chosen.summed,
        counterpart=_NOT_LEAP_DAY if alone else "1",
        settings=_of_channel(keys, summed, conditions) if OUTLET not in keys and not chosen.fine else "",
    )


def _of_channel(keys: set[str], names: Iterable[str], conditions: Iterable[tuple[str, bool]]) -> str:
    """The settings of a query that asks about no outlet; the projection is named where there is but one for it."""
    by_draw = keys <= {"game", "draw_no"} and "summary_count" not in sums.columns_of(names)
    named = all(dimension != "outlet" for dimension, _ in conditions) and by_draw
    projection = ", preferred_optimize_projection_name = 'by_draw'" if named else ""
    return f"\nSETTINGS max_threads = 1{projection}"


def _further(name: str) -> str:
    if name == sums.OUTLETS:
        return f"uniqExactIf({OUTLET}, {sums.SUMS['sold'].term} > 0)"
    return f"sum({sums.SUMS[name].term})"


@cache
def growth(
    dimensions: tuple[str, ...],
    names: tuple[str, ...],
    conditions: tuple[tuple[str, bool], ...] = (),
    *,
    today: bool = False,
    as_of: bool = False,
    rest: bool = False,
    months: bool = True,
    same_open: bool = False,
) -> str:
    """Sums of a period and its base by group; `rest` for the sums of all groups that are not shown, as one.

    Without `months` no month lies whole in either. With `same_open` same outlets are open from open_from to open_to.

    Parameters of the query: those of the days and their base, rows, those of the selection whose key is `conditions`,
    those of the sums; shown with `rest`. Columns: groups, the sums `names` (sales among them), then
    those of the base, outlets, base_outlets, same_outlets, same_sales, base_same_sales.
    """
    chosen = where(conditions, today=today, as_of=as_of)
    keys = (keys_of(dimensions) | chosen.keys | sums.keys_of(names) | {OUTLET}) - {"kind"}
    grouped = groups(dimensions, today=today)
    sides = ("now_", "", NOW), ("before_", "base_", BEFORE)
    terms = [f"sumIf({sums.SUMS[name].term}, {days.text}) AS {side}{name}" for side, _, days in sides for name in names]
    return Template(_read("growth")).substitute(
        groups="emptyArrayString()" if rest else grouped,
        rows=outlet_days.rows(
            sums.columns_of([*names, "sold"]),
            keys,
            NOW | BEFORE,
            chosen,
            by_month=months and not (chosen.daily or tells_days(dimensions)),
        ),
        sums=",\n    ".join(f"sum({side}{name}) AS {shown}{name}" for side, shown, _ in sides for name in names),
        terms=",\n        ".join(terms),
        sold=sums.SUMS["sold"].term,
        now=NOW.text,
        before=BEFORE.text,
        eligible=_OPEN.format(stays=_read("stays")) if same_open else "1",
        summed=chosen.summed,
        kept=f"NOT has({_SHOWN}, {grouped})" if rest else "1",
    )


@cache
def active(
    dimensions: tuple[str, ...],
    conditions: tuple[tuple[str, bool], ...] = (),
    *,
    today: bool = False,
    as_of: bool = False,
) -> str:
    """Active outlets by group, of two windows.

    Parameters: open_days, base_open_days, least_sales, rows, those of the selection whose key is `conditions`. Columns:
    groups (Array(String)), outlets, base_outlets.
    """
    chosen = where(conditions, today=today, as_of=as_of)
    keys = sorted(keys_of(dimensions) - {OUTLET})
    return Template(_read("active")).substitute(
        groups=groups(dimensions, today=today),
        keys=", ".join(keys) or "1",
        rows=outlet_days.rows(
            ["visit_count", "summary_count"],
            {OUTLET, *keys},
            among("open_days") | among("base_open_days"),
            chosen,
            kinds=outlet_days.SALES_ONLY,
        ),
        summed=chosen.summed,
    )


def _read(name: str) -> str:
    return files("fucai.analytics").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
