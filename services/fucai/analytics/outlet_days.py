"""Sums by outlet, day and kind of event, from the projection `by_outlet` wherever the question allows. Takes no input text.

On settled days the sums of many days are made one where nothing asked can tell these days apart (`fold`), so that what
is looked up of an outlet is looked up once for them; the other days are read by draw, as the embargo demands.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from string import Template

from fucai.analytics import sums

OUTLET = "outlet_id"
# For each column of `sums` the aggregates that the projection has of SALE, VOID and PAYOUT. Bets and companion spend of a
# payout, and visits of anything but a sale, are in no figure.
_BY_KIND = {
    "fen": tuple(f"sumIf(amount_fen, kind = '{kind}')" for kind in ("SALE", "VOID", "PAYOUT")),
    "event_count": tuple(f"countIf(kind = '{kind}')" for kind in ("SALE", "VOID", "PAYOUT")),
    "bet_count": ("sumIf(bets, kind = 'SALE')", "sumIf(bets, kind = 'VOID')", "0"),
    "companion_sum": ("sumIf(companion_fen, kind = 'SALE')", "sumIf(companion_fen, kind = 'VOID')", "0"),
    "visit_count": ("countIf(kind = 'SALE' AND NOT daily_summary)", "0", "0"),
    "attached_count": ("countIf(kind = 'SALE' AND companion_fen > 0 AND NOT daily_summary)", "0", "0"),
    "summary_count": ("countIf(kind = 'SALE' AND daily_summary AND bets > 0)", "0", "0"),
}
_KINDS = "CAST(['SALE', 'VOID', 'PAYOUT'], 'Array(Enum8(\\'SALE\\' = 1, \\'VOID\\' = 2, \\'PAYOUT\\' = 3))')"

EACH_DAY = "business_day"
"""No days are made one."""
NOW = "business_day BETWEEN {first_day:Date} AND {last_day:Date}"
BEFORE = "business_day BETWEEN {base_first_day:Date} AND {base_last_day:Date}"
EACH_SIDE = (
    f"multiIf({NOW} AND {BEFORE}, greatest({{first_day:Date}}, {{base_first_day:Date}}), "
    f"{NOW}, if(business_day < {{base_first_day:Date}}, {{first_day:Date}}, "
    "greatest({first_day:Date}, {base_last_day:Date} + 1)), "
    "if(business_day < {first_day:Date}, {base_first_day:Date}, greatest({base_first_day:Date}, {last_day:Date} + 1)))"
)
"""The first day of the stretch of days that are in the period, in its base, or in both."""


def rows(
    columns: Iterable[str],
    keys: Iterable[str],
    days: str,
    read: str,
    *,
    fine: bool,
    fold: str = EACH_DAY,
    by_kind: bool = False,
) -> str:
    """The text of sums by business_day, kind and `keys`, with the named `columns` of `sums`.

    `days` are the conditions on business_day, `read` the others, which with `fine` tell events of one outlet and day apart. `fold` gives, of business_day, the first of the days that may be made one:
    all of them must mean the same to the question, but for the outlet's attributes, which are looked after here. An outlet
    stands there by its first such day. With `by_kind` each kind's counts must be its own, which they are in the events only.
    """
    needed = ["fen", *sorted({*columns} - {"fen"})]
    text = sums.texts_of(needed)
    found = set(keys)
    if found != {OUTLET} or fine or by_kind:
        named = ", ".join(["business_day", "kind", *sorted(found - {"kind"})])
        return f"SELECT {named}, {text} FROM visible_sales WHERE {days} AND {read} GROUP BY {named}"  # noqa: S608
    kinds = {column: [f"{column}_{place}" for place in range(3)] for column in needed}
    return _template().substitute(
        names="".join(f", {column}" for column in needed[1:]),
        day=EACH_DAY
        if fold == EACH_DAY
        else f"if({fold} >= dictGet('outlet_turns', 'turned', {OUTLET}), {fold}, {EACH_DAY})",
        sums=", ".join(
            f"{aggregate} AS {name}"
            for column in needed
            for aggregate, name in zip(_BY_KIND[column], kinds[column], strict=True)
            if aggregate != "0"
        ),
        kinds=_KINDS,
        arrays=", ".join(
            f"[{', '.join(name if aggregate != '0' else '0' for aggregate, name in zip(_BY_KIND[column], kinds[column], strict=True))}]"
            f" AS {column}"
            for column in needed
        ),
        days=days,
        read=read,
        columns=text,
    )


@cache
def _template() -> Template:
    return Template(files("fucai.analytics").joinpath("sql", "outlet_days.sql").read_text(encoding="utf-8"))
