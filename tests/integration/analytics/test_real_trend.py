"""Trends over the real file: every bucket, measure, base and moving average, at its edges and across ISO week 53.

The file knows daily sums of tickets and sales only. So there are no voids, payouts, visits, companion spend, hours or
draws, and its games have no rates: what asks for those is shown to be zero or absent, and is proved on random events.
No day of it is 29 February, and no year of it begins on a Monday.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import polars as pl
import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.ontario import FIRST, GAMES, LAST, RECEIVED_MS, Ontario
from tests.integration.analytics.oracle import Oracle, bucket_key, days_between
from tests.integration.analytics.test_figures import ask
from tests.support.real_sales import DOLLARS, ROWS, TICKETS

QUESTIONS = [
    (FIRST, date(2016, 12, 31), "year", ["outlet", "game"], "yoy"),
    (FIRST, date(2016, 2, 29), "month", ["game"], "yoy"),
    (FIRST, LAST, "month", ["outlet"], "previous"),
    (date(2014, 12, 15), date(2016, 1, 3), "week", ["game"], "yoy"),
    (date(2014, 12, 25), date(2015, 1, 14), "week", ["outlet"], "previous"),
    (date(2015, 2, 26), date(2015, 3, 3), "day", ["game", "mgmt_area"], "yoy"),
    (date(2013, 12, 25), date(2014, 1, 6), "day", ["outlet"], "previous"),
    (date(2015, 12, 24), date(2016, 1, 3), "day", ["outlet"], "yoy"),
    (date(2015, 2, 10), date(2015, 3, 29), "month", ["mgmt_area"], "previous"),
]


@pytest.fixture(scope="module")
def oracle(real: Ontario) -> Oracle:
    """The brute-force computation."""
    return real.oracle()


@pytest.mark.parametrize(("first", "last", "grain", "by", "compare"), QUESTIONS)
def test_trends_equal_the_file(
    toronto: AnalyticsServiceStub, oracle: Oracle, first: date, last: date, grain: str, by: list[str], compare: str
) -> None:
    """Rows, their days, all figures, bases, ratios and marks."""
    expected = oracle.trend(first, last, grain, by, compare)
    assert expected
    assert ask(toronto, first, last, grain, by, compare) == expected
