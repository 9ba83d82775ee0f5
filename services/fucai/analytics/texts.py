"""The queries: texts from sql/, filled with fixed fragments chosen by enum or by a known name. Takes no input text."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

from fucai.domain.periods import Comparison, Grain

# Dimension: the key that the inner query groups by, and the value as of the sale.
_OUTLET = "outlet_id"
_AS_OF = "dictGetOrDefault('outlet_history', '{}', tuple(outlet_id), business_day, '')"
_DIMENSIONS = {
    "game": ("game", "toString(game)"),
    "zone": (_OUTLET, _AS_OF.format("zone_id")),
    "zone_type": (_OUTLET, _AS_OF.format("zone_type")),
    "district": (_OUTLET, _AS_OF.format("district_code")),
    "mgmt_area": (_OUTLET, _AS_OF.format("mgmt_area")),
    "format": (_OUTLET, _AS_OF.format("format")),
    "channel_class": (_OUTLET, _AS_OF.format("channel_class")),
    "outlet": (_OUTLET, "toString(outlet_id)"),
    "kind": ("kind", "lower(toString(kind))"),
}
DIMENSIONS = tuple(_DIMENSIONS)

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


@cache
def figures(grain: Grain, shift: Comparison, dimensions: tuple[str, ...]) -> str:
    """Figures by bucket and group; with `shift`, those of base days under the bucket they are compared with.

    Parameters of the query: first_day, last_day, rows. Columns: bucket (Date), hour, groups (Array(String)),
    sales_fen, net_bets, events, payouts_fen.
    """
    hourly = grain is Grain.HOUR
    alone = shift is Comparison.YOY and grain in (Grain.HOUR, Grain.DAY)
    hour = "modulo(sold_hour + 1, 24)" if shift is Comparison.PREVIOUS else "sold_hour"
    keys = {"sold_hour"} if hourly else set()
    keys |= {_DIMENSIONS[dimension][0] for dimension in dimensions} - {"kind"}
    return Template(_read("figures")).substitute(
        bucket=_START[grain].format(_SHIFTED.get((grain, shift), "business_day")),
        hour=hour if hourly else "0",
        groups=_groups(dimensions),
        keys=", ".join(sorted(keys)) or "1",
        kept="NOT daily_summary" if hourly else "1",
        counterpart=_NOT_LEAP_DAY if alone else "1",
    )


@cache
def active(dimensions: tuple[str, ...]) -> str:
    """Active outlets by group. Parameters: open_days, least_sales, rows. Columns: groups (Array(String)), outlets."""
    keys = sorted({_DIMENSIONS[dimension][0] for dimension in dimensions} - {_OUTLET})
    return Template(_read("active")).substitute(groups=_groups(dimensions), keys=", ".join(keys) or "1")


def _groups(dimensions: tuple[str, ...]) -> str:
    values = ", ".join(_DIMENSIONS[dimension][1] for dimension in dimensions)
    return f"[{values}]" if values else "emptyArrayString()"


def _read(name: str) -> str:
    return files("fucai.analytics").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
