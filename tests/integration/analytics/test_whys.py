"""Decompositions and rankings beside the other questions: the same wholes, pages, projections, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import grpc
import pytest

from fucai.adapters.clickhouse import connect
from fucai.analytics import paired
from fucai.runtime.errors import code_of, violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.world import DATABASE

YEAR: dict[str, Any] = {"from_day": "2024-01-01", "to_day": "2024-12-31"}


def total_of(analytics: AnalyticsServiceStub, **asked: Any) -> tuple[int, int]:
    """Sales of the year and of its base, as a trend has them."""
    request = pb.TrendRequest(**YEAR, grain=pb.GRAIN_YEAR, compare=pb.COMPARISON_YOY, **asked)
    (row,) = analytics.Trend(request).rows
    return row.figures.sales_fen, row.base.sales_fen


def test_wholes_are_those_of_the_trend(analytics: AnalyticsServiceStub) -> None:
    """A decomposition's whole, its groups, and a ranking with its others sum to the sales of the same year."""
    sales, base = total_of(analytics)
    answer = analytics.Decompose(pb.DecomposeRequest(**YEAR, by=["district", "outlet"]))
    assert (answer.total.value_fen, answer.total.base_fen) == (sales, base)
    assert sum(line.base_fen for line in answer.groups if len(line.group) == 2) == base
    short = analytics.Decompose(pb.DecomposeRequest(**YEAR, by=["outlet"], top=2))
    assert sum(line.value_fen for line in short.groups) == sales
    assert [line.others for line in short.groups] == [0, 0, 10]
    assert list(short.groups[-1].group) == ["others"]
    ranked = analytics.Rank(pb.RankRequest(**YEAR, ranking=pb.RANKING_CONTRIBUTION, within="mgmt_area", top=1))
    assert sum(row.measurement.value.fen for row in ranked.rows) == sales
    assert sum(row.contribution for row in ranked.rows) == sales - base
    assert ranked.rows[-1].place == 0


def test_both_kinds_of_a_filter_make_the_whole(analytics: AnalyticsServiceStub) -> None:
    """Sales with a value, and without it, are all sales; for a decomposition and a ranking."""
    for dimension, value in (("game", "ssq"), ("zone_type", "night_market"), ("weekday", "3")):
        whole = analytics.Decompose(pb.DecomposeRequest(**YEAR)).total
        halves = [
            analytics.Decompose(pb.DecomposeRequest(**YEAR, selection=selection)).total
            for selection in selections(dimension, value)
        ]
        assert sum(half.value_fen for half in halves) == whole.value_fen
        assert sum(half.base_fen for half in halves) == whole.base_fen
        rows = [
            row
            for selection in selections(dimension, value)
            for row in analytics.Rank(
                pb.RankRequest(**YEAR, selection=selection, top=1, ranking=pb.RANKING_CONTRIBUTION)
            ).rows
        ]
        assert sum(row.measurement.value.fen for row in rows) == whole.value_fen


def selections(dimension: str, value: str) -> list[pb.Selection]:
    """With the value, and without it."""
    return [
        pb.Selection(filters=[pb.Filter(dimension=dimension, values=[value], exclude=exclude)])
        for exclude in (False, True)
    ]


def test_pages_are_the_answer(analytics: AnalyticsServiceStub) -> None:
    """Pages of four, one after the other, are the rows of the answer in one; the whole stands on each."""
    by = ["zone_type", "outlet"]
    everything = analytics.Decompose(pb.DecomposeRequest(**YEAR, by=by))
    found: list[pb.Waterfall] = []
    token = ""
    while True:
        answer = analytics.Decompose(pb.DecomposeRequest(**YEAR, by=by, page_size=4, page_token=token))
        assert answer.total == everything.total
        assert answer.total_rows == everything.total_rows
        found += answer.groups
        token = answer.next_page_token
        if not token:
            break
    assert found == list(everything.groups)
    ranks = analytics.Rank(pb.RankRequest(**YEAR, page_size=5))
    rest = analytics.Rank(pb.RankRequest(**YEAR, page_size=5, page_token=ranks.next_page_token))
    assert [row.place for row in (*ranks.rows, *rest.rows)] == list(range(1, 11))


def test_a_ranking_by_the_measure_needs_no_base(analytics: AnalyticsServiceStub) -> None:
    """In the first stored month there are places without base, growth NO_BASE and no contribution."""
    answer = analytics.Rank(pb.RankRequest(from_day="2021-12-01", to_day="2021-12-31"))
    assert answer.rows
    assert {row.measurement.growth.mark for row in answer.rows} == {pb.GROWTH_MARK_NO_BASE}
    assert not any(row.measurement.HasField("base") or row.contribution for row in answer.rows)


def test_answers_explain_themselves(analytics: AnalyticsServiceStub) -> None:
    """Both sides, definitions, currency, freshness, names for people, and, asked for, the query with its projection."""
    selection = pb.Selection(explain=True)
    decomposed = analytics.Decompose(pb.DecomposeRequest(**YEAR, by=["district"], selection=selection))
    ranked = analytics.Rank(pb.RankRequest(**YEAR, within="district", selection=selection))
    assert {"和平", "河东"} <= {line.group_names[0] for line in decomposed.groups}
    assert "网点000" in {row.name for row in ranked.rows}
    for answer in (decomposed, ranked):
        assert answer.pairing.base_from_day == "2023-01-01"
        assert answer.about.currency == "CNY"
        assert answer.about.freshness.last_day == "2025-03-10"
        assert all(one.name and one.text_zh and one.text_en for one in answer.about.definitions)
        assert ["by_outlet", "by_outlet_month"] in [list(query.projections) for query in answer.about.queries]


@pytest.mark.parametrize(
    ("method", "request_", "field", "told"),
    [
        ("Decompose", pb.DecomposeRequest(**YEAR, by=["game", "store"]), "by[1]", "'store' is no dimension here"),
        ("Decompose", pb.DecomposeRequest(**YEAR, by=["kind"]), "by[0]", "choose game, zone"),
        ("Decompose", pb.DecomposeRequest(**YEAR, by=["game", "game"]), "by[1]", "stands twice"),
        ("Decompose", pb.DecomposeRequest(from_day="2024-05-01", to_day="2024-04-01"), "to_day", "swap them"),
        ("Decompose", pb.DecomposeRequest(from_day="2024-05-01", to_day="2031-06-01"), "to_day", "future"),
        ("Decompose", pb.DecomposeRequest(from_day="2001-05-01", to_day="2024-06-01"), "from_day", "2021-11-17"),
        (
            "Decompose",
            pb.DecomposeRequest(from_day="2021-12-01", to_day="2021-12-31"),
            "from_day",
            "nothing to compare",
        ),
        ("Decompose", pb.DecomposeRequest(**YEAR, compare=pb.COMPARISON_OPEN_DAY), "compare", "averages"),
        ("Decompose", pb.DecomposeRequest(**YEAR, compare=pb.COMPARISON_BASE_PERIOD), "base_from_day", "is empty"),
        ("Decompose", pb.DecomposeRequest(**YEAR, page_size=60_000), "page_size", "50,000"),
        ("Rank", pb.RankRequest(**YEAR, of="shop"), "of", "choose outlet, zone"),
        ("Rank", pb.RankRequest(**YEAR, of="zone", ranking=pb.RANKING_NEW_STAR), "of", "first machine"),
        ("Rank", pb.RankRequest(**YEAR, within="outlet"), "within", "choose zone"),
        ("Rank", pb.RankRequest(**YEAR, within="'; DROP TABLE sales; --"), "within", "nothing to rank within"),
        ("Rank", pb.RankRequest(**YEAR, measure="profit"), "measure", "choose sales, bets, companion"),
        ("Rank", pb.RankRequest(**YEAR, ranking=9), "ranking", "no ranking"),  # type: ignore[arg-type]
        ("Rank", pb.RankRequest(**YEAR, cutoff_day="2024-01-01"), "cutoff_day", "no meaning"),
        ("Rank", pb.RankRequest(**YEAR, ranking=pb.RANKING_PROGRESS, cutoff_day="1 May"), "cutoff_day", "'1 May'"),
        ("Rank", pb.RankRequest(**YEAR, least_value=-1), "least_value", "below zero"),
        ("Rank", pb.RankRequest(**YEAR, below_average_too=True), "below_average_too", "no meaning"),
        ("Rank", pb.RankRequest(**YEAR, of="zone", least_open_days=3), "least_open_days", "of outlets"),
        (
            "Rank",
            pb.RankRequest(from_day="2021-12-01", to_day="2021-12-31", ranking=pb.RANKING_GROWTH),
            "from_day",
            "nothing to compare",
        ),
    ],
)
def test_a_bad_field_is_named(
    analytics: AnalyticsServiceStub, method: str, request_: Any, field: str, told: str
) -> None:
    """INVALID_ARGUMENT, with a violation for the very field that says what is wrong and what is possible."""
    with pytest.raises(grpc.RpcError) as caught:
        getattr(analytics, method)(request_)
    assert code_of(caught.value) is grpc.StatusCode.INVALID_ARGUMENT
    assert [told in one.description for one in violations_of(caught.value) if one.field == field] == [True]


def test_a_token_belongs_to_its_question(analytics: AnalyticsServiceStub) -> None:
    """The next page of one question is refused to another."""
    token = analytics.Rank(pb.RankRequest(**YEAR, page_size=2)).next_page_token
    with pytest.raises(grpc.RpcError, match="belongs to another question"):
        analytics.Rank(pb.RankRequest(**YEAR, page_size=2, page_token=token, measure="bets"))


def test_more_cells_than_can_be_walked_are_refused(
    analytics: AnalyticsServiceStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit, here 20, nothing is cut in silence."""
    monkeypatch.setattr(paired, "MAX_CELLS", 20)
    with pytest.raises(grpc.RpcError, match="more than 20 groups and outlets"):
        analytics.Decompose(pb.DecomposeRequest(**YEAR, by=["game", "outlet"]))


def test_figures_as_of_a_moment_before_anything_was_stored_are_zero(analytics: AnalyticsServiceStub) -> None:
    """as_of counts only what was stored by then."""
    selection = pb.Selection(as_of_ms=1_000)
    answer = analytics.Decompose(pb.DecomposeRequest(**YEAR, selection=selection))
    assert (answer.total.value_fen, answer.total.same_outlets) == (0, 0)


def test_a_plan_reads_both_periods_from_the_projection_by_draw(store_url: str) -> None:
    """The disjunction of both periods still finds the projection and its key."""
    text = paired._placed("mgmt_area", (("game", False), ("zone", True)), today=False, as_of=False, months=True)  # noqa: SLF001
    days = {"first_day": date(2024, 1, 1), "last_day": date(2024, 1, 31)}
    base = {"base_first_day": date(2023, 1, 1), "base_last_day": date(2023, 1, 31)}
    client = connect(store_url, DATABASE)
    filters = {"filter_0": ["ssq"], "filter_1": ["Z1"], "rows": 10}
    plan = client.query(f"EXPLAIN indexes = 1 {text}", parameters=days | base | filters).result_rows
    client.close()
    lines = "\n".join(line for (line,) in plan)
    assert "ReadFromMergeTree (by_outlet_draw)" in lines
    assert "business_day" in lines
