"""Why sales changed, on the real file: every part and effect of every group, equal to the cent.

One outlet opens on the second day and rests on most weekends, so it is new or closed between a Saturday and a Monday;
nothing of the file moves, and nothing is voided.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, localcontext

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.ontario import Ontario
from tests.integration.analytics.ontario_periods import check_days
from tests.integration.analytics.test_decompose import ask, expected, shown
from tests.integration.analytics.two_periods import sides, within

CHANGES = [
    ("2014-01-02", "2014-01-02", "PREVIOUS", ["outlet"]),
    ("2015-12-28", "2016-01-03", "WEEKDAY", ["game", "outlet"]),
    ("2015-06-08", "2015-06-08", "PREVIOUS", ["outlet", "game"]),
    ("2015-06-06", "2015-06-06", "PREVIOUS", ["mgmt_area", "outlet"]),
    ("2015-02-15", "2015-03-01", "LUNAR", ["mgmt_area", "game", "outlet"]),
    ("2015-01-01", "2015-12-31", "YOY", ["outlet"]),
    ("2015-01-01", "2016-02-29", "YOY", ["game", "mgmt_area"]),
    ("2014-12-30", "2015-01-02", "YOY", []),
]


@pytest.mark.parametrize(("first", "last", "rule", "by"), CHANGES)
def test_parts_equal_the_file(
    toronto: AnalyticsServiceStub, real: Ontario, first: str, last: str, rule: str, by: list[str]
) -> None:
    """Every part and effect of every group of every level; parts sum to their change and groups to the one above."""
    answer = ask(toronto, from_day=first, to_day=last, compare=pb.Comparison.Value(f"COMPARISON_{rule}"), by=by)
    check_days(answer.pairing, first, last, rule)
    lines = [answer.total, *answer.groups]
    assert shown(lines) == expected(real.rows, *sides(answer.pairing), by)
    assert answer.total_rows == len(answer.groups)
    for line in lines:
        kept = dict(zip(by, line.group, strict=False))
        mine = real.rows.filter(*(pl.col(name) == value for name, value in kept.items()))
        found = line.by_averages if line.HasField("by_averages") else None
        effects = (found.scale_effect_fen, found.intensity_effect_fen, found.price_effect_fen) if found else None
        assert effects == averages(*(mine.filter(within(side)) for side in sides(answer.pairing)))


def averages(now: pl.DataFrame, before: pl.DataFrame) -> tuple[int, int, int] | None:
    """The change as outlets x bets per outlet x fen per bet, in 60 digits; None where a side has no sales."""
    if now.is_empty() or before.is_empty():
        return None
    with localcontext() as exact:
        exact.prec = 60
        (outlets, bets, value), (old_outlets, old_bets, base) = (
            (Decimal(side["outlet"].n_unique()), Decimal(int(side["bets"].sum())), Decimal(int(side["fen"].sum())))
            for side in (now, before)
        )
        mean = value if value == base else (value - base) / (value / base).ln()
        scale = round(mean * (outlets / old_outlets).ln())
        intensity = round(mean * (bets * old_outlets / (old_bets * outlets)).ln())
    return scale, intensity, int(value - base) - scale - intensity


def test_an_outlet_that_opened_is_told_from_one_that_only_rested(toronto: AnalyticsServiceStub, real: Ontario) -> None:
    """The outlet of the second day is new as opened; on a Monday after a Sunday off it is new by first sales."""
    (late,) = [outlet for outlet, opened in real.opened.items() if opened > min(real.opened.values())]
    for day, opened in (("2014-01-02", True), ("2015-06-08", False)):
        total = ask(toronto, from_day=day, to_day=day, compare=pb.COMPARISON_PREVIOUS).total
        on_day = real.rows.filter(pl.col("day") == date.fromisoformat(day))
        before = real.rows.filter(pl.col("day") == date.fromisoformat(day) - timedelta(1))
        fresh = on_day.filter(~pl.col("outlet").is_in(before["outlet"].to_list()))
        assert fresh["outlet"].unique().to_list() == [late]
        parts = (total.opened_fen, total.first_sales_fen)
        assert parts == ((fresh["fen"].sum(), 0) if opened else (0, fresh["fen"].sum()))
