"""`fucai query growth`: what it asks, how it looks, and the options that choose events, of all questions."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fucai.analytics import measures
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Format, Output
from fucai.cli.out.sheet import Sheet
from fucai.cli.output import Lang
from fucai.cli.query.growth_sheet import growth_sheet
from fucai.cli.query.measured import MEASURES
from fucai.cli.query.outlet_sheet import outlet_sheet
from fucai.cli.query.trend_sheet import trend_sheet
from fucai.domain.periods import Grain
from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import TREND, FakeAnalytics, run, serving


@pytest.fixture(scope="module")
def service() -> FakeAnalytics:
    """An analytics service with fixed answers."""
    return FakeAnalytics()


@pytest.fixture(scope="module")
def address(service: FakeAnalytics) -> Iterator[str]:
    """Where it listens."""
    with serving(service) as found:
        yield found


def test_a_growth_table_explains_itself(address: str) -> None:
    """The whole first, others last, both periods with their rule, the warning; absent rates are no zeros."""
    ran = run("query", "growth", "--by", "zone_type", FUCAI_ANALYTICS=address)
    assert ran.exit_code == 0, ran.err
    lines = ran.out.splitlines()
    assert [
        next(at for at, line in enumerate(lines) if name in line) for name in ("whole", "night market", "其他")
    ] == [
        1,
        2,
        3,
    ]
    assert "▲ +100.0%" in lines[1]
    assert "against 2024-02-01" in ran.out
    assert "the plain comparison misleads" in ran.out
    assert max(len(line) for line in lines) <= 100


def test_a_growth_export_has_every_figure(address: str) -> None:
    """Csv has level, codes, values and bases in fen, marks, same outlets."""
    ran = run("query", "growth", "--by", "zone_type", "--format", "csv", FUCAI_ANALYTICS=address)
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [(row["level"], row["zone_type"]) for row in rows] == [
        ("total", ""),
        ("group", "night_market"),
        ("group", "others"),
    ]
    assert (rows[1]["sales_fen"], rows[1]["base_sales_fen"], rows[1]["sales_growth_ratio"]) == (
        "200000000",
        "100000000",
        "1.0",
    )
    assert (rows[1]["attach_rate"], rows[1]["attach_rate_growth_mark"], rows[1]["same_outlets"]) == ("", "NO_BASE", "7")


def test_the_options_become_the_question(address: str, service: FakeAnalytics) -> None:
    """Each option in its field; a time without an offset is in the business time zone."""
    words = "--from 2025-02-01 --to 2025-02-28 --by zone_type --compare base_period --base-from 2024-02-01 --top 5"
    words += " --base-to 2024-02-28 --measure sales,share --benchmark own --small-base 1000 --today --explain"
    words += " --filter zone_type=night_market,complex --filter game=ssq --not outlet=001 --as-of 2025-03-01T08:00"
    ran = run("query", "growth", *words.split(), FUCAI_ANALYTICS=address)
    assert ran.exit_code == 0, ran.err
    moment = datetime(2025, 3, 1, tzinfo=UTC)
    assert service.asked == pb.GrowthRequest(
        from_day="2025-02-01",
        to_day="2025-02-28",
        by=["zone_type"],
        compare=pb.COMPARISON_BASE_PERIOD,
        base_from_day="2024-02-01",
        base_to_day="2024-02-28",
        measures=["sales", "share"],
        benchmark="own",
        small_base_fen=100_000,
        top=5,
        selection=pb.Selection(
            filters=[
                pb.Filter(dimension="zone_type", values=["night_market", "complex"]),
                pb.Filter(dimension="game", values=["ssq"]),
                pb.Filter(dimension="outlet", values=["001"], exclude=True),
            ],
            attributes=pb.ATTRIBUTE_BASIS_TODAY,
            as_of_ms=int(moment.timestamp() * 1000),
            explain=True,
        ),
    )
    assert "1,234 rows" in ran.err
    assert "from daily" in ran.err
    assert "rows=3" in ran.err
    assert "SELECT [1] FROM visible_sales" in ran.err


def test_trend_and_headline_take_the_same_options(address: str, service: FakeAnalytics) -> None:
    """Conditions, comparisons and, for a trend, measures, moving average and top."""
    words = "--from 2025-02-01 --to 2025-02-28 --compare lunar --filter game=ssq --measure visits --top 3"
    assert (
        run(
            "query", "trend", *words.split(), "--by", "zone_type", "--moving-average=7", FUCAI_ANALYTICS=address
        ).exit_code
        == 0
    )
    asked = service.asked
    assert not asked.average_open_days
    assert (asked.compare, asked.measures, asked.moving_average, asked.top) == (pb.COMPARISON_LUNAR, ["visits"], 7, 3)
    assert asked.selection.filters == [pb.Filter(dimension="game", values=["ssq"])]
    assert (
        run("query", "headline", "--compare", "open_day", "--not", "game=ssq", FUCAI_ANALYTICS=address).exit_code == 0
    )
    assert (service.asked.compare, service.asked.selection.filters[0].exclude) == (pb.COMPARISON_OPEN_DAY, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--filter", "night_market"], "--filter 'night_market' is no condition: write --filter zone_type="),
        (["--as-of", "noon"], "--as-of 'noon' is no time"),
        (["--compare", "none"], "growth needs a base"),
    ],
)
def test_wrong_options_are_told_before_anything_is_asked(address: str, words: list[str], told: str) -> None:
    """Exit code 64 and what to write instead."""
    ran = run("query", "growth", *words, FUCAI_ANALYTICS=address)
    assert ran.exit_code == 64
    assert told in " ".join(ran.err.split())


def test_every_measure_has_a_name_for_people() -> None:
    """Those that the service offers, no more."""
    assert set(MEASURES) == set(measures.MEASURES)


LACKING = pb.UnratedGame(
    game="new", name="新游戏", measures=["welfare_fund", "commission"], sales_fen=50_005, base_sales_fen=-20
)
CAUTION = pb.Caution(
    from_day="2025-02-01",
    to_day="2025-02-28",
    base_from_day="2024-02-01",
    base_to_day="2024-02-29",
    text_zh="休市天数不同",
    text_en="closed days differ",
)


def with_warnings(sheet: str) -> Sheet:
    """The sheet of an answer that names a game without a rate and, of a trend, a comparison that misleads."""
    if sheet == "growth":
        grown = pb.GrowthResponse(pairing=pb.Pairing(rule_zh="同比", rule_en="year on year"))
        grown.about.unrated.append(LACKING)
        grown.about.currency = "CNY"
        return growth_sheet(grown, by=[])
    if sheet == "outlet":
        card = pb.OutletResponse(outlet_id="A")
        card.about.unrated.append(LACKING)
        card.about.currency = "CNY"
        return outlet_sheet(card)
    trend = pb.TrendResponse(unrated=[LACKING], cautions=[CAUTION], currency="CNY")
    trend.rows.extend(TREND.rows)
    return trend_sheet(trend, grain=Grain.MONTH, by=["zone_type"], first="2025-02-01", last="2025-03-10")


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize("sheet", ["growth", "trend", "outlet"])
def test_every_format_tells_what_is_wanting(
    sheet: str, form: Format, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Games without a rate, with measures and sales, and comparisons that mislead: in the file, of csv on stderr."""
    path = tmp_path / "answer"
    deliver(with_warnings(sheet), Output(form, Lang.EN, path))
    content = path.read_bytes()
    if form is Format.CSV:
        text = capsys.readouterr().err
    elif form is Format.XLSX:
        with zipfile.ZipFile(path) as book:
            text = "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))
    elif form is Format.PARQUET:
        text = pq.read_schema(path).metadata[b"fucai"].decode()
    else:
        text = content.decode(errors="replace")
    words = " ".join(text.split())
    assert "has no rate, so welfare fund, commission are absent; sales concerned: 500.05, base -0.20 (CNY)" in words
    assert ("2025-02-01…2025-02-28 against 2024-02-01…2024-02-29: closed days differ" in words) == (sheet == "trend")
