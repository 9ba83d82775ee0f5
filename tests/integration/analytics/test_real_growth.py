"""Growth on the real file: every comparison of periods that hurt, by game and by outlet, with every measure it feeds.

The file has no market closures, so the average per open day grows as the calendar year on year does; and no rates, so
that funds and commission are absent. No outlet of it ever closes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.ontario import FIRST, LAST, Ontario
from tests.integration.analytics.ontario_periods import GIVEN, NEW_YEARS, PERIODS, RULES, base_of, mark_of, of_days
from tests.integration.analytics.oracle import days_between
from tests.integration.analytics.test_growth import MEASURES, growth_of, wire

Group = tuple[str, ...]
Side = Mapping[Group, Mapping[str, Any]]
NOTHING: Mapping[str, Any] = {"fen": 0, "bets": 0, "events": 0, "sales": {}}
FUNDS = {"welfare_fund", "issuing_fee", "prize_pool", "commission"}
STORED = ("sales", "bets", "events", "selling_outlets", "sales_per_outlet", "sales_per_open_day", "share")
OF_VISITS = ("attach_rate", "spend_per_visit", "spend_per_attached_visit")
ZERO = {"visits", "payouts", "companion"}


def side_of(rows: pl.DataFrame, by: str) -> Side:
    """Sums, events and sales by outlet of each group, and of the whole under ()."""
    found: dict[Group, dict[str, Any]] = {}
    by_outlet = rows.group_by(pl.col(by).alias("group"), "outlet").agg(
        pl.col("fen").sum(), pl.col("bets").sum(), pl.len().alias("events")
    )
    for row in by_outlet.to_dicts():
        for group in ((), (row["group"],)):
            one = found.setdefault(group, {"fen": 0, "bets": 0, "events": 0, "sales": {}})
            for name in ("fen", "bets", "events"):
                one[name] += row[name]
            one["sales"][row["outlet"]] = one["sales"].get(row["outlet"], 0) + row["fen"]
    return found


def measured(group: Mapping[str, Any], whole: Mapping[str, Any], days: int) -> dict[str, Fraction | None]:
    """Every measure of a group; None where it can not be formed. All bets are tickets, for no game has draws.

    The market of the file is always open, and its rows know no visits.
    """
    outlets = len(group["sales"])
    found: dict[str, Fraction | None] = dict.fromkeys(ZERO, Fraction(0))
    found |= dict.fromkeys(FUNDS, None if group["events"] else Fraction(0)) | dict.fromkeys(OF_VISITS)
    found |= {"sales": Fraction(group["fen"]), "bets": Fraction(group["bets"]), "tickets": Fraction(group["bets"])}
    found |= {"events": Fraction(group["events"]), "selling_outlets": Fraction(outlets)}
    found["sales_per_outlet"] = Fraction(group["fen"], outlets) if outlets else None
    found["sales_per_open_day"] = Fraction(group["fen"], days)
    found["share"] = Fraction(group["fen"], whole["fen"]) if whole["fen"] else None
    return found


def check(row: pb.GrowthRow, now: Side, before: Side, days: int, base: list[date]) -> None:
    """Every measure of a row with base and growth, and the same outlets."""
    group = tuple(row.group)
    mine, theirs = now.get(group, NOTHING), before.get(group, NOTHING)
    values, bases = measured(mine, now[()], days), measured(theirs, before.get((), NOTHING), len(base))
    stored = base[-1] >= FIRST
    for one in row.measurements:
        name = one.measure
        exact = float if name == "share" else round
        value, old = values[name], bases[name] if stored else None
        assert (wire(one.value) if one.HasField("value") else None) == (None if value is None else exact(value)), name
        assert (wire(one.base) if one.HasField("base") else None) == (None if old is None else exact(old)), name
        mark, ratio = ("NO_BASE", None) if value is None or old is None else mark_of(value, old, base)
        assert growth_of(one.growth) == (mark, None if ratio is None else pytest.approx(float(ratio))), name
    same = mine["sales"].keys() & theirs["sales"].keys()
    value, old = (sum(side["sales"][outlet] for outlet in same) for side in (mine, theirs))
    assert (row.same_outlets, row.same_outlet.value.fen) == (len(same), value)
    mark, ratio = mark_of(value, old, base)
    assert growth_of(row.same_outlet.growth) == (mark, None if ratio is None else pytest.approx(ratio))


@pytest.mark.parametrize("by", ["game", "outlet"])
@pytest.mark.parametrize("rule", RULES)
def test_growth_equals_the_file(toronto: AnalyticsServiceStub, real: Ontario, rule: str, by: str) -> None:
    """Both stretches of days, every measure, base, ratio and mark of the whole and of each group, largest first.

    It warns where lunar new year lies in one side only. Each rule meets each period, half of them by game, with all
    measures, and half by outlet, with those that the file feeds. Averages per open day, which are those of the
    calendar where no day is closed, and a base that is named meet half of the periods.
    """
    start = (RULES.index(rule) + ["game", "outlet"].index(by)) % 2
    step = 4 if rule in {"OPEN_DAY", "BASE_PERIOD"} else 2
    for name, (first, last) in list(PERIODS.items())[start::step]:
        if rule == "BASE_PERIOD" and first <= GIVEN[1]:
            continue
        base = base_of(rule, first, last)
        measures = MEASURES if by == "game" else STORED
        request = pb.GrowthRequest(from_day=first.isoformat(), to_day=last.isoformat(), by=[by], measures=measures)
        request.compare = pb.Comparison.Value(f"COMPARISON_{rule}")
        if rule == "BASE_PERIOD":
            request.base_from_day, request.base_to_day = (day.isoformat() for day in GIVEN)
        answer = toronto.Growth(request)
        found = answer.pairing
        ends = [first, min(last, LAST), base[0], base[-1]]
        assert [found.from_day, found.to_day, found.base_from_day, found.base_to_day] == [
            day.isoformat() for day in ends
        ], name
        assert found.unfinished_as_of == ("" if last <= LAST else LAST.isoformat())
        assert (found.open_days, found.base_open_days) == ((ends[1] - first).days + 1, len(base))
        festivals = [sum(day in side for day in NEW_YEARS) for side in (days_between(*ends[:2]), base)]
        assert bool(found.warning_en) == bool(found.warning_zh) == (festivals[0] != festivals[1]), name
        now = side_of(of_days(real.rows, ends[:2]), by)
        before = side_of(of_days(real.rows, base), by)
        days = (ends[1] - first).days + 1
        check(answer.total, now, before, days, base)
        order = sorted({*now, *before} - {()}, key=lambda group: (-now.get(group, NOTHING)["fen"], group))
        assert [tuple(row.group) for row in answer.rows] == order, name
        for row in answer.rows:
            check(row, now, before, days, base)
