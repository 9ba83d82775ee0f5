"""The queries of channel scale: texts from sql/, filled with fixed fragments as in `texts`. Takes no input text."""

from __future__ import annotations

from functools import cache
from string import Template

from fucai.analytics.outlet_days import OUTLET, SALES_ONLY, Where, among, rows
from fucai.analytics.texts import groups, keys_of, plain, where

_OPEN_DAYS = among("open_days")
_NUMBER = "toInt32({0}) - toInt32({{first_day:Date}}) + 1"
_NEXT_END = "next_ends[greatest(1, least(toInt64(length(next_ends)), " + _NUMBER + "))]"
_KTH = "arraySlice(days, least_sales)"
# Runs of ends of windows with enough sales: (number of the day of the last sale, first end, last end).
_RUNS = f"""arrayFilter(run -> tupleElement(run, 2) <= tupleElement(run, 3), arrayMap(
                (day, earlier, following) -> (day, next_ends[day], least(next_ends[following] - 1, last_ends[earlier])),
                {_KTH},
                arraySlice(days, 1, length({_KTH})),
                arrayResize(arraySlice(days, least_sales + 1), length({_KTH}), toInt32(length(next_ends)))
            ))"""
# Which version of an outlet a run belongs to, and whether that changes with it.
_HISTORY = """
                LEFT ANY JOIN
                (
                    SELECT outlet_id, groupArray(valid_from) AS turns FROM outlet_history GROUP BY outlet_id
                ) AS history USING (outlet_id)"""
_VERSIONS = """,
                    arrayMap(
                        run -> arrayCount(turn -> turn < {first_day:Date} + tupleElement(run, 1), turns), runs
                    ) AS versions"""
_MOVED = "versions[place] != versions[place - 1]"

Key = tuple[tuple[str, bool], ...]
"""The `key` of a selection."""


@cache
def active(
    dimensions: tuple[str, ...],
    conditions: Key = (),
    *,
    today: bool = False,
    as_of: bool = False,
    once: bool = False,
) -> str:
    """Active outlets. Columns: groups, place, active, installed: steps of running counts at the number of an end.

    Parameters: next_ends, last_ends, first_day, open_days, open_months, open_bits of the `Windows`, least_sales, rows,
    those of the selection. With `once`, least_sales is 1.
    """
    chosen = where(conditions, today=today, as_of=as_of)
    dated = not today and (bool(keys_of(dimensions)) or bool(chosen.keys))
    return Template(plain("scale_active")).substitute(
        groups=groups(dimensions, today=today),
        runs=_RUNS,
        versions=_VERSIONS if dated else "",
        history=_HISTORY if dated else "",
        moved=_MOVED if dated else "false",
        days=_once(chosen) if once and not (chosen.fine or chosen.daily) else _counted(chosen),
        summed=chosen.summed,
        stays=plain("stays"),
        stay_from=_first_end("opened"),
        stay_to=_last_end("gone"),
    )


def _once(chosen: Where) -> str:
    return Template(plain("scale_days_once")).substitute(read=chosen.read, days=_OPEN_DAYS.of_outlets(chosen))


def _counted(chosen: Where) -> str:
    counted = rows(
        ("visit_count", "summary_count"),
        {OUTLET},
        _OPEN_DAYS,
        chosen,
        kinds=SALES_ONLY,
    )
    return Template(plain("scale_days")).substitute(rows=counted)


@cache
def installed(
    dimensions: tuple[str, ...], conditions: Key = (), *, today: bool = False, terminals: bool = False
) -> str:
    """Installed outlets, or `terminals` bound to them. Columns: groups, place, installed: steps of a running count.

    Parameters: next_ends, first_day of the `Windows`, rows, those of the selection.
    """
    return Template(plain("scale_installed")).substitute(
        groups=groups(dimensions, today=today),
        stretches=_stretches("terminal" if terminals else "outlet"),
        read=_on_outlets(conditions),
        summed=where(conditions, today=today).summed,
    )


@cache
def active_terminals(
    dimensions: tuple[str, ...], conditions: Key = (), *, today: bool = False, as_of: bool = False
) -> str:
    """Terminals of installed outlets with a sale in the window. Columns: groups, place, active; else as `active`."""
    chosen = where(conditions, today=today, as_of=as_of)
    return Template(plain("scale_terminals")).substitute(
        groups=groups(dimensions, today=today),
        runs=_RUNS,
        stretches=_stretches("terminal"),
        sold=chosen.read,
        read=_on_outlets(conditions),
        summed=chosen.summed,
    )


@cache
def turnover(dimensions: tuple[str, ...], conditions: Key = (), *, today: bool = False) -> str:
    """Outlets opened and closed. Columns: groups, day, opened_outlets, closed_outlets.

    Parameters: first_day, last_day, rows, those of the selection.
    """
    return Template(plain("scale_turnover")).substitute(
        groups=groups(dimensions, today=today),
        stays=plain("stays"),
        read=_on_outlets(conditions),
        summed=where(conditions, today=today).summed,
    )


def _stretches(unit: str) -> str:
    """Stretches of days on which an outlet, or a terminal bound to it, is installed with the same attributes."""
    return Template(plain(f"stretches_{unit}")).substitute(
        stays=plain("stays"), **{"from": _first_end("business_day"), "to": _last_end("next_day")}
    )


def _first_end(day: str) -> str:
    """The number of the first end on a day or later."""
    return f"toInt64({_NEXT_END.format(day)})"


def _last_end(next_day: str) -> str:
    """The number of the last end before a day."""
    return f"toInt64({_NEXT_END.format(next_day)}) - 1"


def _on_outlets(conditions: Key) -> str:
    """The conditions that name outlets; those on games, draws or hours ask nothing of an outlet that is installed."""
    texts = [
        f"{'NOT ' if exclude else ''}has({{filter_{place}:Array(String)}}, outlet_id)"
        for place, (dimension, exclude) in enumerate(conditions)
        if dimension == "outlet"
    ]
    return " AND ".join(texts) or "1"
