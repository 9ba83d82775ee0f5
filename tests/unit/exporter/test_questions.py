"""What Prometheus sees of each question but the headline: names, units, labels, marks, and what is absent."""

from __future__ import annotations

import pytest

from fucai.v1 import analytics_pb2 as pb
from tests.unit.exporter import answers
from tests.unit.exporter.rig import Rig

PERIOD = {"period": "28d"}


def test_scale_of_the_channel_has_terminals_and_leaves_active_outlets_to_the_headline() -> None:
    """Counts of outlets and terminals; a figure that the headline has is not told twice."""
    rig = Rig()
    row = answers.scale_row(
        terminals=8,
        active_terminals=6,
        sales_per_installed_fen=225,
        sales_per_outlet_open_day_fen=12,
        sales_per_terminal_week_fen=28,
    )
    rig.publish("scale_channel", pb.ScaleResponse(rows=[row], about=answers.about()))
    assert rig.value("fucai_channel_installed_outlets") == 4
    assert rig.value("fucai_channel_active_not_installed_outlets") == 1
    assert rig.value("fucai_channel_opened_outlets", **PERIOD) == 2
    assert rig.value("fucai_channel_closed_outlets", **PERIOD) == 1
    assert rig.value("fucai_channel_penetration_ratio") == 0.5
    assert rig.value("fucai_channel_sales_per_active_outlet_yuan", **PERIOD) == 3
    assert rig.value("fucai_channel_sales_per_installed_outlet_yuan", **PERIOD) == 2.25
    assert rig.value("fucai_channel_sales_per_active_outlet_open_day_yuan", **PERIOD) == 0.12
    assert rig.value("fucai_channel_sales_per_installed_outlet_open_day_yuan", **PERIOD) is None
    assert rig.value("fucai_channel_sales_per_terminal_week_yuan", **PERIOD) == 0.28
    assert rig.value("fucai_channel_terminals") == 8
    assert rig.value("fucai_channel_active_terminals") == 6
    assert rig.value("fucai_channel_active_outlets") is None


def test_scale_of_a_district_has_active_outlets_with_growth_and_its_mark() -> None:
    """Only the mark that holds is there; without installed outlets there is no penetration."""
    rig = Rig()
    grown, new = answers.scale_row("120101", growth=answers.UP), answers.scale_row("", sales_fen=0, growth=answers.NEW)
    new.ClearField("penetration")
    rig.publish("scale_district", pb.ScaleResponse(rows=[grown, new], about=answers.about()))
    assert rig.value("fucai_district_active_outlets", district="120101") == 3
    assert rig.value("fucai_district_active_outlets_growth_ratio", district="120101") == 0.5
    assert rig.value("fucai_district_active_outlets_growth_ratio", district="none") is None
    assert rig.value("fucai_district_penetration_ratio", district="none") is None
    marks = [sample for sample in rig.scrape() if sample.name == "fucai_district_growth_mark"]
    assert [(one.labels["district"], one.labels["mark"], one.value) for one in marks] == [
        ("120101", "ratio", 1),
        ("none", "new", 1),
    ]


def test_growth_has_every_measure_in_its_unit() -> None:
    """Money in yuan, counts, ratios; a measure that can not be formed is absent, and so is growth without a ratio."""
    rig = Rig()
    row = answers.growth_row(
        "ssq",
        measures=(
            pb.Measurement(measure="bets", value=pb.Quantity(count=12), growth=answers.NEW),
            pb.Measurement(measure="attach_rate", value=pb.Quantity(ratio=0.25), growth=answers.UP),
            pb.Measurement(measure="welfare_fund", growth=answers.NO_BASE),
        ),
    )
    rig.publish("growth_game", answers.growth(row))
    of_ssq = {"game": "ssq", **PERIOD}
    assert rig.value("fucai_game_sales_yuan", **of_ssq) == 9
    assert rig.value("fucai_game_sales_growth_ratio", **of_ssq) == 0.5
    assert rig.value("fucai_game_bets", **of_ssq) == 12
    assert rig.value("fucai_game_bets_growth_ratio", **of_ssq) is None
    assert rig.value("fucai_game_growth_mark", game="ssq", figure="bets", mark="new") == 1
    assert rig.value("fucai_game_attach_ratio", **of_ssq) == 0.25
    assert rig.value("fucai_game_welfare_fund_yuan", **of_ssq) is None
    assert rig.value("fucai_game_info", game="ssq", name="ssq区") == 1


def test_same_outlet_growth_is_told_where_there_is_a_base() -> None:
    """Sales and number of same outlets with their growth; without a stored base none of them, but for the mark."""
    rig = Rig()
    without = answers.growth_row("120102")
    without.same_outlet.ClearField("base")
    without.same_outlet.growth.CopyFrom(answers.NO_BASE)
    rig.publish("growth_district", answers.growth(answers.growth_row("120101"), without))
    here, there = {"district": "120101", **PERIOD}, {"district": "120102", **PERIOD}
    assert rig.value("fucai_district_same_outlet_sales_yuan", **here) == 9
    assert rig.value("fucai_district_same_outlet_sales_growth_ratio", **here) == 0.5
    assert rig.value("fucai_district_same_outlets", **here) == 2
    assert rig.value("fucai_district_same_outlets", **there) is None
    assert rig.value("fucai_district_same_outlet_sales_yuan", **there) is None
    figure = {"district": "120102", "figure": "same_outlet_sales"}
    assert rig.value("fucai_district_growth_mark", **figure, mark="no_base") == 1


def test_headline_and_growth_share_their_metrics_without_a_sample_twice() -> None:
    """Marks of both stand in one metric, and sales of the channel come from the headline alone."""
    rig = Rig()
    rig.publish("headline", answers.headline())
    rig.publish("growth_channel", answers.growth())
    rig.publish("growth_zone_type", answers.growth(answers.growth_row("night_market")))
    keys = [(sample.name, *sorted(sample.labels.items())) for sample in rig.scrape()]
    assert len(keys) == len(set(keys))
    assert rig.value("fucai_channel_sales_yuan", **PERIOD) == 107_000.50
    figures = {one.labels["figure"] for one in rig.scrape() if one.name == "fucai_channel_growth_mark"}
    assert figures == {"active_outlets", "sales", "same_outlet_sales"}


def test_parts_and_effects_sum_to_the_change() -> None:
    """Base plus parts, and base plus effects, are the sales."""
    rig = Rig()
    rig.publish("decompose", answers.decomposition())
    parts = rig.values("fucai_channel_sales_change_yuan", "part")
    assert parts == {"new": 5, "closed": -3, "same": 1}
    assert rig.values("fucai_channel_change_outlets", "part") == {"new": 2, "closed": 1, "same": 7}
    effects = rig.values("fucai_channel_sales_effect_yuan", "effect")
    assert set(effects) == {"scale", "intensity", "price", "other"}
    base = rig.value("fucai_channel_base_sales_yuan", **PERIOD)
    assert base == 10
    assert base + sum(parts.values()) == pytest.approx(base + sum(effects.values())) == 13


def test_concentration_is_told_of_the_channel_and_of_each_zone_type() -> None:
    """Over how many outlets, the share of the largest tenth, and Gini; without outlets that sold only their number."""
    rig = Rig()
    spread = pb.Concentration(members=20, top_members=2, top_share=0.4, gini=0.25)
    rig.publish("concentration_channel", pb.RankResponse(pairing=answers.PAIRING, concentrations=[spread]))
    of_types = [
        pb.Concentration(within="night_market", members=1, top_members=1, top_share=1, gini=0),
        pb.Concentration(within=""),
    ]
    rig.publish("concentration_zone_type", pb.RankResponse(pairing=answers.PAIRING, concentrations=of_types))
    assert rig.value("fucai_channel_concentration_outlets", **PERIOD) == 20
    assert rig.value("fucai_channel_largest_tenth_share_ratio", **PERIOD) == 0.4
    assert rig.value("fucai_channel_sales_gini_ratio", **PERIOD) == 0.25
    market, nowhere = ({"zone_type": name, **PERIOD} for name in ("night_market", "none"))
    assert rig.value("fucai_zone_type_largest_tenth_share_ratio", **market) == 1
    assert rig.value("fucai_zone_type_sales_gini_ratio", **market) == 0
    assert rig.value("fucai_zone_type_concentration_outlets", **nowhere) == 0
    assert rig.value("fucai_zone_type_sales_gini_ratio", **nowhere) is None


def test_alerts_are_counted_by_rule_where_it_could_judge() -> None:
    """No alert of a rule that judged nothing is unknown, not zero."""
    rig = Rig()
    rules = [
        pb.AlertRule(rule="fall", evaluated=50, alerts=3),
        pb.AlertRule(rule="rise", evaluated=50),
        pb.AlertRule(rule="silence"),
    ]
    rig.publish("alerts", pb.AlertsResponse(day="2025-03-10", rules=rules, about=answers.about()))
    assert rig.values("fucai_channel_alerts", "rule") == {"fall": 3, "rise": 0}
    assert rig.values("fucai_channel_alerts_evaluated", "rule") == {"fall": 50, "rise": 50, "silence": 0}
    assert rig.value("fucai_channel_alerts_day_end_timestamp_seconds") == 1_741_622_400
    rig.publish("alerts", pb.AlertsResponse(rules=rules, about=answers.about()))
    assert rig.values("fucai_channel_alerts", "rule") == {}


def test_silent_outlets_are_counted_where_silence_was_judged() -> None:
    """With nothing stored there is no moment to judge, and no zero."""
    rig = Rig()
    rig.publish(
        "silent", pb.SilentResponse(total_rows=2, watched=50, without_pattern=4, at_ms=1, about=answers.about())
    )
    assert rig.value("fucai_channel_silent_outlets") == 2
    assert rig.value("fucai_channel_watched_outlets") == 50
    assert rig.value("fucai_channel_watched_outlets_without_pattern") == 4
    rig.publish("silent", pb.SilentResponse(about=answers.about()))
    assert rig.value("fucai_channel_silent_outlets") is None


def test_a_benchmark_shows_its_newest_published_period_with_the_verdict() -> None:
    """A period that is missing at the end is passed over; the excess is a ratio; one verdict is 1."""
    rig = Rig()
    newest = pb.BenchmarkRow(
        period="2024",
        amount_fen=1,
        published_growth=-0.02,
        computed_growth=-0.021,
        growth=pb.Growth(ratio=0.03, mark=answers.RATIO),
        excess_points=5.0,
        verdict=pb.VERDICT_AGAINST_TREND,
    )
    rows = [pb.BenchmarkRow(period="2023", amount_fen=1, published_growth=0.3), newest, pb.BenchmarkRow(period="2025")]
    answer = pb.BenchmarkResponse(series="own", rows=rows, about=answers.about())
    rig.publish("benchmark_year", answer)
    of_it = {"series": "own", "grain": "year", "benchmark_period": "2024"}
    assert rig.values("fucai_benchmark_growth_ratio", "basis") == {"published": -0.02, "computed": -0.021}
    assert rig.value("fucai_benchmark_own_growth_ratio", **of_it) == 0.03
    assert rig.value("fucai_benchmark_excess_ratio", **of_it) == pytest.approx(0.05)
    verdicts = rig.values("fucai_benchmark_verdict", "verdict")
    assert verdicts == {"against_trend": 1, "ahead": 0, "level": 0, "behind": 0}
    newest.verdict = pb.VERDICT_UNSPECIFIED
    newest.ClearField("excess_points")
    newest.growth.CopyFrom(answers.NO_BASE)
    rig.publish("benchmark_year", pb.BenchmarkResponse(series="own", rows=[newest], about=answers.about()))
    names = {sample.name for sample in rig.figures()}
    assert "fucai_benchmark_growth_ratio" in names
    assert not names & {"fucai_benchmark_verdict", "fucai_benchmark_excess_ratio", "fucai_benchmark_own_growth_ratio"}


def test_withheld_draws_are_counted_and_the_most_overdue_told() -> None:
    """A draw whose figures should have been back for an hour is an hour overdue; one without a return is not."""
    rig = Rig()
    returns_ms = int(rig.now * 1000) - 3_600_000
    draws = [
        pb.WithheldDraw(game="ssq", draw_no="2025027", sealed_ms=1, returns_ms=returns_ms),
        pb.WithheldDraw(game="3d", draw_no="2025028", sealed_ms=1, returns_ms=returns_ms + 7_200_000),
        pb.WithheldDraw(game="3d", draw_no="2099001"),
    ]
    rig.publish("silent", pb.SilentResponse(about=answers.about(withheld=draws, withheld_draws=3)))
    assert rig.value("fucai_channel_withheld_draws") == 3
    assert rig.value("fucai_channel_withheld_draw_overdue_seconds") == 3_600
    rig.publish("silent", pb.SilentResponse(about=answers.about(withheld=draws[1:], withheld_draws=2)))
    assert rig.value("fucai_channel_withheld_draw_overdue_seconds") == 0


def test_an_answer_ends_when_a_newer_one_knows_of_a_seal() -> None:
    """A draw sealed by hand stands in older answers and not in newer ones: those older are not shown any more."""
    rig = Rig()
    known = pb.WithheldDraw(game="ssq", draw_no="2025027", sealed_ms=5)
    unknown = pb.WithheldDraw(game="ssq", draw_no="2099001")
    rig.publish("decompose", answers.decomposition())
    rig.publish("silent", pb.SilentResponse(at_ms=1, about=answers.about(2, withheld=[unknown], withheld_draws=1)))
    assert rig.value("fucai_channel_base_sales_yuan", **PERIOD) == 10
    rig.publish("silent", pb.SilentResponse(at_ms=1, about=answers.about(3, withheld=[known], withheld_draws=1)))
    assert rig.value("fucai_channel_base_sales_yuan", **PERIOD) is None
    assert rig.value("fucai_channel_silent_outlets") == 0
    assert not rig.collector.is_shown("decompose")
    again = answers.decomposition()
    again.about.CopyFrom(answers.about(4, withheld=[known], withheld_draws=1))
    rig.publish("decompose", again)
    assert rig.value("fucai_channel_base_sales_yuan", **PERIOD) == 10
