"""Sums by day, kind and keys; those by outlet come from the projections `by_outlet` and `by_outlet_month`.

A question that cannot tell the days of a month apart has settled months read as one row an outlet. What is not settled
is read by draw, as the embargo demands. Takes no input text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from string import Template
from typing import NamedTuple

from fucai.analytics import sums
from fucai.domain.periods import DayRange, months_inside

OUTLET = "outlet_id"
SALES_ONLY, NET_SALES, ALL_KINDS = 1, 2, 3
"""How many of the kinds SALE, VOID and PAYOUT a question looks at."""

# For each column of `sums`: its aggregate of one kind as the projection has it, and for how many kinds there is one.
# Bets of payouts, and companion spend and visits of anything but sales, are in no figure.
_AGGREGATES = {
    "fen": ("sumIf(amount_fen, kind = '{}')", ALL_KINDS),
    "event_count": ("countIf(kind = '{}')", ALL_KINDS),
    "bet_count": ("sumIf(bets, kind = '{}')", NET_SALES),
    "companion_sum": ("sumIf(companion_fen, kind = '{}')", SALES_ONLY),
    "visit_count": ("countIf(kind = '{}' AND NOT daily_summary)", SALES_ONLY),
    "attached_count": ("countIf(kind = '{}' AND companion_fen > 0 AND NOT daily_summary)", SALES_ONLY),
    "summary_count": ("countIf(kind = '{}' AND daily_summary AND bets > 0)", SALES_ONLY),
}
_MONTH = 1_000_000_000_000  # what a place counts a month for, see 0007_speed.sql
_KINDS = ("SALE", "VOID", "PAYOUT")
_KIND_TYPE = "Enum8(\\'SALE\\' = 1, \\'VOID\\' = 2, \\'PAYOUT\\' = 3)"


class Where(NamedTuple):
    """Conditions of a selection as they stand in a text: on the events read, and on sums by outlet and day."""

    read: str
    summed: str
    keys: frozenset[str]
    """Keys that the sums need for the second."""
    fine: bool
    """Whether the first tells events of one outlet and day apart."""
    daily: bool
    """Whether it tells days apart."""
    near: bool
    """Whether it names outlets, whose events lie together."""

    def also(self, condition: str) -> Where:
        """The same, with one more condition on what is read; a fine one only where `fine` changes nothing."""
        return self._replace(read=f"{self.read} AND {condition}")


class Days(NamedTuple):
    """A condition on business_day as SQL, and one on `place` or `month` that holds for the months they lie in."""

    text: str
    months: str

    def __or__(self, other: Days) -> Days:
        return Days(f"({self.text} OR {other.text})", f"({self.months} OR {other.months})")

    def of_outlets(self, where: Where) -> str:
        """The condition on `by_outlet`, which is in order of months and outlets.

        Where the events of an outlet lie apart, the table's own marks, ten times as many, tell less of the days than
        the months do, and searching them takes longer than the reading: there the days are hidden from that search.
        """
        return f"{self.months} AND {self.text if where.near else f'if({self.text}, true, false)'}"


def between(first: str, last: str) -> Days:
    """The days from one parameter to another."""
    first, last = f"{{{first}:Date}}", f"{{{last}:Date}}"
    months = f"place BETWEEN toYYYYMM({first}) * {_MONTH} AND (toYYYYMM({last}) + 1) * {_MONTH} - 1"
    return Days(f"business_day BETWEEN {first} AND {last}", months)


def among(name: str) -> Days:
    """The days of a parameter that is an array."""
    days = f"{{{name}:Array(Date)}}"
    return Days(f"business_day IN {days}", f"has(arrayDistinct(arrayMap(day -> toYYYYMM(day), {days})), month)")


NOW = between("first_day", "last_day")
BEFORE = between("base_first_day", "base_last_day")


def of_days(days: DayRange) -> dict[str, object]:
    """The parameters of NOW, and the months that lie in it whole, for `by_month` of rows."""
    return {"first_day": days.first, "last_day": days.last, "whole_months": months_inside(days)}


def of_sides(days: DayRange, base: DayRange | None) -> dict[str, object]:
    """The same of NOW and BEFORE; without a base, BEFORE has no day."""
    first, last = (base.first, base.last) if base else (date(1970, 1, 2), date(1970, 1, 1))
    months = months_inside(days, *([base] if base else []))
    return of_days(days) | {"base_first_day": first, "base_last_day": last, "whole_months": months}


def hold_months(days: DayRange, base: DayRange | None = None) -> bool:
    """Whether a month lies whole in any of them; else nothing is gained by `by_month` of rows."""
    return bool(months_inside(days, *([base] if base else [])))


def rows(
    columns: Iterable[str],
    keys: Iterable[str],
    days: Days,
    where: Where,
    *,
    by_month: bool = False,
    kinds: int = ALL_KINDS,
    turning_of: str = "1",
) -> str:
    """The text of sums by business_day, kind and `keys`: the column fen, then the named ones of `sums`.

    With `by_month` the days of each of the whole_months may stand as its first: the question means the same by all of
    them, but for the attributes of outlets, which are looked after here: of those with `turning_of`, a condition on
    outlet_id, where the others are in no figure. Kinds beyond `kinds` may be left out.
    """
    needed = ["fen", *sorted({*columns} - {"fen"})]
    found = set(keys) - {"kind"}
    if found != {OUTLET} or where.fine:
        named = ", ".join(["business_day", "kind", *sorted(found)])
        asked = f"{named}, {sums.texts_of(needed)} FROM visible_sales WHERE {days.text} AND {where.read}"
        return f"SELECT {asked} GROUP BY {named}"
    known = {column: _KINDS[: min(kinds, _AGGREGATES[column][1])] for column in needed}
    aggregates = [(column, kind) for column in needed for kind in known[column]]
    many = kinds > SALES_ONLY
    summed = ", ".join(
        f"{_AGGREGATES[column][0].format(kind)} AS {_name(column, kind) if many else column}"
        for column, kind in aggregates
    )
    return _template("outlet_days").substitute(
        kind="kind" if many else f"CAST('SALE', '{_KIND_TYPE}') AS kind",
        names="".join(f", {column}" for column in needed[1:]),
        settled=_template("outlet_months" if by_month else "outlet_each_day").substitute(
            sums=summed, days=days.of_outlets(where), read=where.read, turning=_turning(turning_of)
        ),
        split=f"\nARRAY JOIN {_split(known, kinds)}" if many else "",
        days=days.text,
        read=where.read,
        columns=sums.texts_of(needed),
    )


def _split(known: Mapping[str, Sequence[str]], kinds: int) -> str:
    """What makes one row of an outlet and day one for each kind: arrays of the kinds and of each column's sums."""
    names = f"CAST([{', '.join(repr(kind) for kind in _KINDS[:kinds])}], 'Array({_KIND_TYPE})') AS kind"
    values = {
        column: [*(_name(column, kind) for kind in of), *["0"] * (kinds - len(of))] for column, of in known.items()
    }
    return ", ".join([names, *(f"[{', '.join(each)}] AS {column}" for column, each in values.items())])


def _name(column: str, kind: str) -> str:
    return f"{kind.lower()}_{column}"


def _turning(outlets: str) -> str:
    """Whether an outlet changes its attributes within that month, so that its days can be told apart.

    By the key of the projection (0007_speed.sql), so that the others are not read; another outlet of the same number is
    read by day too. Through a scalar, which a query computes once: its branches agree which these are, whatever becomes
    of the registry meanwhile.
    """
    return _template("turning").substitute(outlets=outlets).strip()


@cache
def _template(name: str) -> Template:
    return Template(files("fucai.analytics").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8"))
