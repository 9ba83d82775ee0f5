"""Sums by day, kind and keys; those by outlet come from the projection `by_outlet` where a question allows.

There, on settled days, the sums of days that nothing asked can tell apart are made one (`fold`), so that what is looked
up of an outlet is looked up once for all of them. The other days are read by draw, as the embargo demands. Takes no
input text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Template

from fucai.analytics import sums

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
_KINDS = ("SALE", "VOID", "PAYOUT")
_KIND_TYPE = "Enum8(\\'SALE\\' = 1, \\'VOID\\' = 2, \\'PAYOUT\\' = 3)"

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
    kinds: int = ALL_KINDS,
) -> str:
    """The text of sums by business_day, kind and `keys`: the column fen, then the named ones of `sums`.

    `days` are the conditions on business_day, `read` those on the events, which with `fine` tell events of one outlet
    and day apart. `fold` gives, of a business_day, the first of the days that may be made one with it: the question
    means the same by all of them, but for the attributes of outlets, which are looked after here. Kinds beyond `kinds`
    may be left out.
    """
    needed = ["fen", *sorted({*columns} - {"fen"})]
    found = set(keys) - {"kind"}
    if found != {OUTLET} or fine:
        named = ", ".join(["business_day", "kind", *sorted(found)])
        asked = f"{named}, {sums.texts_of(needed)} FROM visible_sales WHERE {days} AND {read}"
        return f"SELECT {asked} GROUP BY {named}"
    turned = f"if({fold} >= dictGet('outlet_turns', 'turned', {OUTLET}), {fold}, {EACH_DAY})"
    known = {column: _KINDS[: min(kinds, _AGGREGATES[column][1])] for column in needed}
    aggregates = [(column, kind) for column in needed for kind in known[column]]
    many = kinds > SALES_ONLY
    return _template().substitute(
        kind="kind" if many else f"CAST('SALE', '{_KIND_TYPE}') AS kind",
        names="".join(f", {column}" for column in needed[1:]),
        day=EACH_DAY if fold == EACH_DAY else turned,
        sums=", ".join(
            f"{_AGGREGATES[column][0].format(kind)} AS {_name(column, kind) if many else column}"
            for column, kind in aggregates
        ),
        split=f"\nARRAY JOIN {_split(known, kinds)}" if many else "",
        days=days,
        read=read,
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


@cache
def _template() -> Template:
    return Template(files("fucai.analytics").joinpath("sql", "outlet_days.sql").read_text(encoding="utf-8"))
