"""Rankings on the real file: every place, value, base and share, equal to the cent, by the rules of eligibility.

One outlet opened after the first day, so it alone can be a new star and none but it is left out of progress as new. The
management areas are postal districts.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics import test_rank
from tests.integration.analytics.ontario import Ontario
from tests.integration.analytics.ontario_periods import check_days

SALES, GROWTH, CONTRIBUTION = pb.RANKING_MEASURE, pb.RANKING_GROWTH, pb.RANKING_CONTRIBUTION
RANKINGS: list[dict[str, Any]] = [
    {"from_day": "2015-12-01", "to_day": "2016-02-29", "top": 5},
    {"from_day": "2015-02-15", "to_day": "2015-03-01", "ranking": SALES, "within": "mgmt_area", "lowest_first": True},
    {"from_day": "2015-01-01", "to_day": "2015-12-31", "ranking": GROWTH, "page_size": 1000},
    {
        "from_day": "2015-12-28",
        "to_day": "2016-01-03",
        "ranking": GROWTH,
        "within": "game",
        "measure": "bets",
        "top": 7,
    },
    {"from_day": "2015-06-06", "to_day": "2015-06-07", "ranking": CONTRIBUTION, "within": "mgmt_area"},
    {"from_day": "2015-01-01", "to_day": "2015-12-31", "ranking": SALES, "of": "game"},
    {"from_day": "2015-01-01", "to_day": "2015-06-30", "ranking": GROWTH, "of": "mgmt_area", "within": "game"},
    {"from_day": "2014-02-01", "to_day": "2014-02-28", "ranking": pb.RANKING_NEW_STAR, "cutoff_day": "2014-01-01"},
    {"from_day": "2014-02-01", "to_day": "2014-02-28", "ranking": pb.RANKING_NEW_STAR, "cutoff_day": "2014-01-02"},
    {"from_day": "2015-01-01", "to_day": "2015-12-31", "ranking": pb.RANKING_PROGRESS, "cutoff_day": "2014-01-01"},
    {
        "from_day": "2015-01-03",
        "to_day": "2015-12-31",
        "ranking": pb.RANKING_PROGRESS,
        "within": "mgmt_area",
        "below_average_too": True,
        "least_value": 100_000_000,
    },
]


@pytest.mark.parametrize("asked", RANKINGS)
def test_rankings_equal_the_file(toronto: AnalyticsServiceStub, real: Ontario, asked: dict[str, Any]) -> None:
    """Every place, value, base and share, the others, and the numbers ranked and left out by each rule."""
    rule = "PREVIOUS" if asked["from_day"] == "2014-02-01" else "YOY"
    request = pb.RankRequest(**asked, compare=pb.Comparison.Value(f"COMPARISON_{rule}"))
    answer = toronto.Rank(request)
    check_days(answer.pairing, asked["from_day"], asked["to_day"], rule)
    first = date.fromisoformat(asked["from_day"])
    members = test_rank.members(real.rows, real.world(), answer, request)
    rows, left_out = test_rank.expected(members, request, first)
    assert test_rank.shown(answer) == rows
    assert test_rank.spread(answer) == test_rank.concentrations(members, dict.fromkeys(row[0] for row in rows))
    assert answer.left_out == left_out == sum(reason.members for reason in answer.reasons)
    assert answer.ranked == sum(row.members for row in answer.rows)


def test_the_one_new_outlet_is_the_one_new_star(toronto: AnalyticsServiceStub, real: Ontario) -> None:
    """After the first day one outlet opened: it alone is a new star, and it alone is left out of progress as new."""
    days: dict[str, Any] = {"from_day": "2015-01-01", "to_day": "2015-12-31", "cutoff_day": "2014-01-01"}
    stars = toronto.Rank(pb.RankRequest(**days, ranking=pb.RANKING_NEW_STAR))
    assert [row.id for row in stars.rows] == [outlet for outlet, day in real.opened.items() if day.day == 2]
    assert stars.left_out == len(real.opened) - 1
    progress = toronto.Rank(pb.RankRequest(**days, ranking=pb.RANKING_PROGRESS, page_size=100))
    assert stars.rows[0].id not in {row.id for row in progress.rows}
    assert {reason.members for reason in progress.reasons} >= {1}
