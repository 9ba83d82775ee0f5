"""`fucai query`: what it asks, its three formats, its languages, and its exit codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import grpc
import pytest

from fucai.cli.out.words import fresh
from fucai.cli.output import Lang
from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import FRESH, FakeAnalytics, Ran, run, serving

TREND = ("query", "trend", "--from", "2025-02-01", "--to", "2025-03-10", "--grain", "month", "--by", "zone_type")


@pytest.fixture(scope="module")
def service() -> FakeAnalytics:
    """An analytics service with fixed answers."""
    return FakeAnalytics()


@pytest.fixture(scope="module")
def address(service: FakeAnalytics) -> Iterator[str]:
    """Where it listens."""
    with serving(service) as found:
        yield found


def ask(address: str, *arguments: str, **environ: str) -> Ran:
    """A command that succeeds."""
    ran = run(*arguments, FUCAI_ANALYTICS=address, **environ)
    assert ran.exit_code == 0, ran.err
    return ran


def test_a_trend_table_explains_itself(address: str) -> None:
    """Amounts in one unit, growth with sign and arrow, marks explained, exact days of both sides, freshness."""
    out = ask(address, *TREND).out
    assert "unit yuan" in out or "thousand yuan" in out
    assert "▲ +7.0%" in out
    assert "2025-03-01..03-10" in out
    assert "night market" in out
    assert "(none)" in out
    assert "new the base is zero" in out
    assert "2025-02-01..2025-03-10" in out
    assert "compared with 2024-02-01..2024-03-10" in out
    assert "Year on year: the same calendar days" in out
    assert "stored business days 2021-11-17..2025-03-10" in out
    assert max(len(line) for line in out.splitlines()) <= 100


def test_the_freshness_line_tells_what_is_sealed_and_until_when() -> None:
    """How many draws no figure contains, and when the last returns; open where one has no time or is not named."""
    found = pb.DataFreshness(first_day="2025-01-01", last_day="2025-03-10", answered_ms=1, withheld_draws=2)
    found.withheld.add(game="ssq", draw_no="2025027", sealed_ms=1, returns_ms=1_741_612_500_000)
    assert "for how long is open" in fresh(found, Lang.EN)
    found.withheld.add(game="3d", draw_no="2025060", sealed_ms=1, returns_ms=1_741_612_500_000)
    assert fresh(found, Lang.EN).endswith("without 2 draws that are sealed, back by 2025-03-10 21:15")
    assert fresh(found, Lang.ZH).endswith("不含封存中的 2 期，预计恢复显示 2025-03-10 21:15")
    assert "sealed" not in fresh(FRESH, Lang.EN)


def test_labels_follow_the_locale_or_the_option(address: str) -> None:
    """A Chinese locale has Chinese labels; --lang wins over it."""
    assert "夜市" in ask(address, *TREND, LANG="zh_CN.UTF-8").out
    assert "销售额" in ask(address, *TREND, "--lang", "zh").out
    assert "night market" in ask(address, *TREND, "--lang", "en", LANG="zh_CN.UTF-8").out


def test_trend_csv_is_exact_and_alone_on_stdout(address: str) -> None:
    """Yuan with two decimals and raw fen, growth empty without a ratio; talk goes to stderr."""
    ran = ask(address, *TREND, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["sales"] for row in rows] == ["1070000.05", "-1.05"]
    assert [row["sales_fen"] for row in rows] == ["107000005", "-105"]
    assert [row["zone_type"] for row in rows] == ["night_market", ""]
    assert [row["zone_type_name"] for row in rows] == ["night market", ""]
    assert [row["base_sales"] for row in rows] == ["1000000.00", "0.00"]
    assert [row["growth_ratio"] for row in rows] == ["0.07000005", ""]
    assert [row["growth_mark"] for row in rows] == ["RATIO", "NEW"]
    assert "2 rows" in ran.err


def test_an_export_comes_in_parts(service: FakeAnalytics, address: str) -> None:
    """So it has as many rows as there are; a table asks for what one message holds."""
    ask(address, *TREND, "--format", "csv")
    assert isinstance(service.asked, pb.StreamTrendRequest)
    ask(address, *TREND)
    assert isinstance(service.asked, pb.TrendRequest)


def test_json_is_the_whole_answer(address: str) -> None:
    """One document: rows by column name with integers in fen, facts, total, notes and freshness."""
    answer = json.loads(ask(address, *TREND, "--format", "json").out)
    assert (answer["rows"][0]["sales_fen"], answer["rows"][0]["bets"]) == (107000005, 500)
    assert answer["rows"][0]["base_last_day"] == "2024-02-29"
    assert (answer["rows"][1]["growth_mark"], answer["rows"][1]["growth_ratio"]) == ("NEW", None)
    assert answer["total"]["sales_fen"] == 106999900
    assert answer["row_count"] == answer["rows_available"] == 2
    assert answer["freshness"]["latest_received_ms"] == FRESH.latest_received_ms
    assert ask(address, *TREND, "--json").out == ask(address, *TREND, "--format", "json").out
    headline = json.loads(ask(address, "query", "headline", "--json").out)
    assert headline["rows"][0]["daily_sales_fen"] == list(range(28))
    assert headline["facts"]["benchmark_growth_ratio"] == -0.03
    assert headline["facts"]["excess_points"] is None
    assert headline["definitions"][0] == {
        "name": "active_outlets",
        "zh": "活跃网点口径",
        "en": "active outlets are ...",
    }


def test_a_headline_stands_beside_its_benchmark(address: str) -> None:
    """Scale, sales, both growths, a curve; the benchmark under its own label with the reason why it is not compared."""
    out = ask(address, "query", "headline", "--by", "zone_type").out
    for told in (
        "54",
        "▲ +8.0%",
        "▲ +7.0%",
        "█",
        "(national_welfare) 2025-02 −3.0%",
        "no whole months",
        "night market",
    ):
        assert told in out
    assert "2025-02-11..2025-03-10 compared with 2024-02-11..2024-03-10" in out
    assert "active outlets are ..." in out
    assert max(len(line) for line in out.splitlines()) <= 100
    chinese = ask(address, "query", "headline", "--by", "zone_type", "--lang", "zh").out
    assert "不是整月" in chinese
    assert "活跃网点口径" in chinese


def test_headline_csv_has_the_benchmark_in_the_channels_row(address: str) -> None:
    """The whole channel first, then the groups; the benchmark once."""
    rows = list(
        csv.DictReader(io.StringIO(ask(address, "query", "headline", "--by", "zone_type", "--format", "csv").out))
    )
    assert [row["level"] for row in rows] == ["channel", "zone_type"]
    assert [row["benchmark_growth_ratio"] for row in rows] == ["-0.03", ""]
    assert rows[0]["excess_points"] == ""
    assert rows[0]["base_from_day"] == "2024-02-11"


def test_open_days_end_with_the_last_whole_stored_day(address: str, service: FakeAnalytics) -> None:
    """Without --from and --to a trend of days has 28 of them, of months 13, of years all that is stored."""
    for grain, first in (
        ("day", "2025-02-11"),
        ("month", "2024-03-01"),
        ("year", "2021-11-17"),
        ("hour", "2025-03-10"),
    ):
        ask(address, "query", "trend", "--grain", grain, "--by", "zone_type")
        assert (service.asked.from_day, service.asked.to_day) == (first, "2025-03-10")
    assert service.asked.compare == pb.COMPARISON_YOY
    assert service.asked.grain == pb.GRAIN_HOUR


@pytest.mark.parametrize(
    ("status", "exit_code", "told"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, 64, "INVALID_ARGUMENT: --by: 'shop' is no dimension"),
        (grpc.StatusCode.UNAVAILABLE, 69, "fucai status"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 75, "shorter period"),
        (grpc.StatusCode.INTERNAL, 70, "service's log"),
    ],
)
def test_a_refusal_is_one_line_and_a_hint(status: grpc.StatusCode, exit_code: int, told: str) -> None:
    """Stdout stays empty, stderr has the reason and what to do, the exit code is that of sysexits."""
    with serving(FakeAnalytics((status, "by[0]: 'shop' is no dimension"))) as address:
        ran = run("query", "headline", FUCAI_ANALYTICS=address)
    assert ran.exit_code == exit_code
    assert ran.out == ""
    assert told in ran.err
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) == 2


def test_nobody_listening_is_unavailable() -> None:
    """Exit code 69, one line and a hint."""
    ran = run("query", "headline", FUCAI_ANALYTICS="127.0.0.1:1")
    assert ran.exit_code == 69
    assert ran.err.startswith("error: UNAVAILABLE")
    assert "hint:" in ran.err
