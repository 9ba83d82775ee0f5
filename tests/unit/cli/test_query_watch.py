"""`fucai query benchmark`, `silent`, `alerts`, `freshness`: what they ask and what people read, zh and en."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import FRESH, RATIO, FakeAnalytics, run, serving

ABOUT = pb.About(
    freshness=FRESH, currency="CNY", definitions=[pb.Definition(name="silence", text_zh="口径", text_en="rule")]
)


class Fake(FakeAnalytics):
    """Fixed answers of the four questions."""

    def Benchmark(self, request: pb.BenchmarkRequest, context: Any) -> pb.BenchmarkResponse:
        """A year without sales of ours, a missing one, one with all."""
        self._note(request, context)
        rows = [
            pb.BenchmarkRow(
                period="2020",
                amount_fen=14_448_800_000_000,
                base_amount_fen=19_123_800_000_000,
                computed_growth=-0.244,
                published_growth=-0.244,
                basis="published",
                absent_zh="未完整入库",
                absent_en="not wholly stored",
            ),
            pb.BenchmarkRow(period="2021", absent_zh="未完整入库", absent_en="not wholly stored"),
            pb.BenchmarkRow(
                period="2022",
                amount_fen=14_813_100_000_000,
                published_growth=-0.041,
                sales_fen=100_000_000,
                growth=pb.Growth(ratio=0.1, mark=RATIO),
                excess_points=14.1,
                verdict=pb.VERDICT_AGAINST_TREND,
            ),
        ]
        return pb.BenchmarkResponse(series="national_welfare", rows=rows, missing=["2021"], about=ABOUT)

    def Silent(self, request: pb.SilentRequest, context: Any) -> pb.SilentResponse:
        """One outlet."""
        self._note(request, context)
        one = pb.SilentOutlet(
            outlet_id="001",
            outlet_name="网点[1]",
            last_sale_ms=1_741_500_000_000,
            silent_hours=31,
            usual_sales_fen=123_456,
            reason_zh="无销售",
            reason_en="no sale",
        )
        return pb.SilentResponse(
            outlets=[one],
            total_rows=3,
            watched=54,
            without_pattern=2,
            at_ms=1_741_600_000_000,
            note_zh="未计双色球",
            note_en="without ssq",
            about=ABOUT,
        )

    def Alerts(self, request: pb.AlertsRequest, context: Any) -> pb.AlertsResponse:
        """A fall and too few terminals."""
        self._note(request, context)
        found = [
            pb.Alert(
                rule="fall",
                day="2025-03-10",
                outlet_id="001",
                outlet_name="网点1",
                actual=pb.Quantity(fen=0),
                expected=pb.Quantity(fen=50_000),
                score=-10,
                text_zh="低 100%",
                text_en="100 % below",
            ),
            pb.Alert(
                rule="active_terminals",
                day="2025-03-10",
                actual=pb.Quantity(count=50),
                expected=pb.Quantity(count=52),
                text_zh="50 台活跃",
                text_en="50 are active",
            ),
        ]
        rules = [
            pb.AlertRule(rule="fall", text_zh="规则", text_en="the rule", evaluated=54, alerts=1),
            pb.AlertRule(rule="active_terminals", text_zh="规则", text_en="the rule", evaluated=54, alerts=1),
        ]
        used = pb.AlertParameters(weeks=8, least_base_fen=20_000, least_z=request.parameters.least_z or 3.5)
        return pb.AlertsResponse(
            alerts=found, total_rows=2, rules=rules, day="2025-03-10", about=ABOUT, parameters=used
        )

    def Freshness(self, _request: pb.FreshnessRequest, _context: Any) -> pb.FreshnessResponse:
        """Ten minutes behind, two draws sealed, five events in quarantine."""
        found = pb.DataFreshness()
        found.CopyFrom(FRESH)
        found.answered_ms = FRESH.latest_received_ms + 600_000
        found.withheld_draws = 3
        found.withheld.add(
            game="ssq", draw_no="2025027", sealed_ms=FRESH.latest_received_ms, returns_ms=found.answered_ms + 3_600_000
        )
        found.withheld.add(game="3d", draw_no="2025999")
        return pb.FreshnessResponse(freshness=found, events=21, quarantined=5)


@pytest.fixture
def service() -> Fake:
    """The fixed answers."""
    return Fake()


@pytest.fixture
def address(service: Fake) -> Iterator[str]:
    """Where they are served."""
    with serving(service) as found:
        yield found


def test_a_benchmark_marks_its_gaps(address: str, service: Fake) -> None:
    """Missing periods are rows without an amount, named below; growth, excess and verdict are where both are known."""
    ran = run("query", "benchmark", "--grain", "month", "--level", "0.5", FUCAI_ANALYTICS=address, COLUMNS="150")
    assert (ran.exit_code, service.asked.grain, service.asked.level_points) == (0, pb.GRAIN_MONTH, 0.5)
    lines = ran.out.splitlines()
    assert "−24.4%" in next(line for line in lines if line.startswith("2020"))
    assert "gap" in next(line for line in lines if line.startswith("2021"))
    with_all = next(line for line in lines if line.startswith("2022"))
    assert all(text in with_all for text in ("▲", "10.0%", "+14.1", "against the trend"))
    assert "1 missing, none interpolated: 2021" in ran.out
    assert "ours of 2020 and 1 more: not wholly stored" in ran.out
    zh = run("query", "benchmark", "--lang", "zh", FUCAI_ANALYTICS=address, COLUMNS="150").out
    assert all(text in zh for text in ("缺期", "逆势", "缺 1 期，未作插补：2021", "亿元"))


def test_a_gap_breaks_the_curve_and_an_export_has_no_zero_for_it(address: str) -> None:
    """The plot has the amounts; csv leaves the missing amount empty."""
    assert "2020" in run("query", "benchmark", "--plot", FUCAI_ANALYTICS=address).out
    rows = json.loads(run("query", "benchmark", "--json", FUCAI_ANALYTICS=address).out)["rows"]
    assert [row["amount_fen"] for row in rows] == [14_448_800_000_000, None, 14_813_100_000_000]
    assert [row["sales_fen"] for row in rows] == [None, None, 100_000_000]


def test_silent_tells_moment_reason_and_what_was_left_out(address: str, service: Fake) -> None:
    """Name, last sale, hours, usual sales, why; how many were looked at; that not all rows are here."""
    ran = run("query", "silent", "--hours", "30", "--at", "1741600000000", FUCAI_ANALYTICS=address, COLUMNS="150")
    assert (ran.exit_code, service.asked.least_hours, service.asked.at_ms) == (0, 30, 1_741_600_000_000)
    assert all(text in ran.out for text in ("001", "网点[1]", "31.00", "1,234.56", "no sale", "without ssq"))
    assert "as of 2025-03-10 17:46: 54 open outlets looked at; 2 can not be judged: no single sale" in ran.out
    assert "daily summaries" in ran.out
    assert "1 of 3 rows shown" in ran.out
    zh = run("query", "silent", "--lang", "zh", FUCAI_ANALYTICS=address, COLUMNS="150").out.replace("\n", "")
    assert all(
        text in zh
        for text in ("往常销售额", "无销售", "未计双色球", "在看 54 个营业网点", "2 个无法判断", "只报日汇总")
    )
    bad = run("query", "silent", "--at", "noon", FUCAI_ANALYTICS=address)
    assert (bad.exit_code, "--at 'noon' is no time" in bad.err) == (64, True)


def test_alerts_tell_rules_counts_and_texts(address: str, service: Fake) -> None:
    """Sales for outlets, a text for the whole channel; each rule with its number; terminals as numbers in exports."""
    ran = run("query", "alerts", "--rules", "fall, active_terminals", FUCAI_ANALYTICS=address, COLUMNS="150")
    assert (ran.exit_code, list(service.asked.rules)) == (0, ["fall", "active_terminals"])
    assert all(text in ran.out for text in ("500.00", "-10.00", "100 % below", "whole channel", "50 are active"))
    assert "fall: 1 of 54 judged; the rule" in ran.out
    assert "\nday 2025-03-10\n" in ran.out
    zh = run("query", "alerts", "--lang", "zh", FUCAI_ANALYTICS=address, COLUMNS="150").out
    assert all(text in zh for text in ("骤降", "终端活跃率", "全渠道", "低 100%", "1 条（判断 54 个）"))
    rows = json.loads(run("query", "alerts", "--json", FUCAI_ANALYTICS=address).out)["rows"]
    assert [(row["actual_fen"], row["actual_count"]) for row in rows] == [(0, None), (None, 50)]


def test_alerts_send_the_parameters_given_and_tell_those_used(address: str, service: Fake) -> None:
    """Percentages as basis points, yuan as fen, what is not given is left to the service; the answer's are facts."""
    words = ("--least-z", "5", "--least-change", "12.5", "--least-base", "300", "--least-active", "90")
    told = json.loads(run("query", "alerts", *words, "--json", FUCAI_ANALYTICS=address).out)
    assert service.asked.parameters == pb.AlertParameters(
        least_z=5, least_change_bp=1_250, least_base_fen=30_000, least_active_bp=9_000
    )
    assert (told["facts"]["least_z"], told["facts"]["weeks"], told["facts"]["least_base_fen"]) == (5.0, 8, 20_000)
    run("query", "alerts", FUCAI_ANALYTICS=address)
    assert service.asked.parameters == pb.AlertParameters()
    assert run("query", "alerts", "--weeks", "0", FUCAI_ANALYTICS=address).exit_code == 64


def test_freshness_tells_reach_lag_sealed_draws_and_quarantine(address: str) -> None:
    """In both languages; each sealed draw by name with its return, one that nobody registered, and how many more."""
    en = run("query", "freshness", FUCAI_ANALYTICS=address, COLUMNS="130")
    assert en.exit_code == 0
    assert all(text in en.out for text in ("2021-11-17", "2025-03-10", "10.00", "21", "ssq 2025027 sealed since"))
    assert "3d 2025999 is not registered, so it counts as sealed" in en.out
    assert "5 in quarantine stand in no figure" in en.out
    assert "1 more sealed" in en.out
    zh = run("query", "freshness", "--lang", "zh", FUCAI_ANALYTICS=address, COLUMNS="130").out
    assert all(text in zh for text in ("滞后(分钟)", "封存期次", "5 条在隔离中", "ssq 2025027 自", "未登记，视为封存"))
    (row,) = json.loads(run("query", "freshness", "--json", FUCAI_ANALYTICS=address).out)["rows"]
    assert (row["lag_minutes"], row["withheld_draws"], row["quarantined"], row["events"]) == (10, 3, 5, 21)
