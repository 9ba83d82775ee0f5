"""A measure that is absent for want of a rate names the games that lack one, with their sales; sealed draws never."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.served import served
from tests.support.clickhouse import fresh_database

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2025, 3, 11, 9, tzinfo=ZONE)
DAYS: dict[str, Any] = {"from_day": "2025-03-01", "to_day": "2025-03-10"}
GAME = ["game", "valid_from", "name", "has_draws", "prize_bp", "issuing_fee_bp", "welfare_fund_bp", "commission_bp"]
GAMES = [
    ("instant", "2019-01-01", "刮刮乐", False, 6_500, 1_500, 2_000, 850),
    ("new", "2025-03-05", "新游戏", False, 5_000, 1_300, 3_700, 0),
    ("known", "2019-01-01", "", False, 0, 0, 0, 0),
]
EVENTS = [  # day, kind, game, draw, fen
    (date(2024, 3, 2), "SALE", "known", "", 900),
    (date(2025, 3, 2), "SALE", "instant", "", 5_000),
    (date(2025, 3, 2), "SALE", "new", "", 700),
    (date(2025, 3, 3), "VOID", "new", "", 200),
    (date(2025, 3, 3), "PAYOUT", "unheard", "", 100),
    (date(2025, 3, 8), "SALE", "new", "", 2_000),
    (date(2025, 3, 8), "SALE", "sealed", "2025001", 77_700),
]
SALES = ["outlet_id", "business_day", "sold_at", "kind", "game", "draw_no", "amount_fen", "bets", "terminal_id", "seq"]
Named = dict[str, tuple[str, list[str], int, int]]


@pytest.fixture(scope="module")
def analytics(clickhouse_url: str) -> Iterator[AnalyticsServiceStub]:
    """A store in which one game has rates, one has them since 5 March but no commission, others have none."""
    with fresh_database(clickhouse_url) as database:
        client = database.client()
        client.insert("game_rows", [[*game, 1] for game in _dated()], column_names=[*GAME, "import_id"])
        client.insert("imports", [[1, "test"]], column_names=["import_id", "source"])
        rows = [
            ["A", day, datetime.combine(day, time(12), ZONE), kind, game, draw_no, fen, 1, "T", seq]
            for seq, (day, kind, game, draw_no, fen) in enumerate(EVENTS, 1)
        ]
        client.insert("sales", rows, column_names=SALES)
        client.close()
        with served(database.url, database.name, NOW) as stub:
            yield stub


def _dated() -> Iterator[list[object]]:
    for game, since, *rest in GAMES:
        yield [game, date.fromisoformat(str(since)), *rest]


def named(found: pb.About | pb.TrendResponse) -> Named:
    """What an answer says of games without a rate."""
    return {one.game: (one.name, list(one.measures), one.sales_fen, one.base_sales_fen) for one in found.unrated}


NEW = ("新游戏", ["welfare_fund"], 500, 0)
KNOWN = ("known", ["welfare_fund"], 0, 900)


def test_growth_names_the_games_of_both_sides(analytics: AnalyticsServiceStub) -> None:
    """Sales less voids of days without a rate; a payout needs none, and a sealed draw's game is not told."""
    request = pb.GrowthRequest(**DAYS, measures=["sales", "welfare_fund"])
    answer = analytics.Growth(request)
    assert not answer.total.measurements[1].HasField("value")
    assert named(answer.about) == {"new": NEW, "known": KNOWN}
    request.measures.append("commission")
    assert named(analytics.Growth(request).about)["new"] == ("新游戏", ["welfare_fund", "commission"], 2_500, 0)
    request.selection.filters.add(dimension="game", values=["instant"])
    answer = analytics.Growth(request)
    assert (answer.total.measurements[1].value.fen, named(answer.about)) == (1_000, {})


def test_a_trend_names_them_whole_or_in_parts(analytics: AnalyticsServiceStub) -> None:
    """Of the period without comparison, and of the base with one."""
    request = pb.TrendRequest(**DAYS, measures=["welfare_fund"])
    answer = analytics.Trend(request)
    assert named(answer) == {"new": NEW}
    absent = {row.bucket for row in answer.rows if not row.measurements[0].HasField("value")}
    assert absent == {"2025-03-02", "2025-03-03"}
    request.compare = pb.COMPARISON_YOY
    assert named(analytics.Trend(request)) == {"new": NEW, "known": KNOWN}
    *_, last = analytics.StreamTrend(pb.StreamTrendRequest(question=request))
    assert named(last.end) == {"new": NEW, "known": KNOWN}
    assert named(analytics.Trend(pb.TrendRequest(**DAYS, measures=["visits"]))) == {}


def test_an_outlets_card_names_them(analytics: AnalyticsServiceStub) -> None:
    """Its welfare fund needs a rate, its commission another one."""
    about = analytics.Outlet(pb.OutletRequest(outlet_id="A", **DAYS)).about
    assert named(about) == {
        "new": ("新游戏", ["welfare_fund", "commission"], 2_500, 0),
        "known": ("known", ["welfare_fund", "commission"], 0, 900),
    }
