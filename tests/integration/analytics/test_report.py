"""A bulletin of a real store: its figures are those of analytics, and those of the events themselves."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.world import World
from tests.unit.cli.fake import run
from tests.unit.cli.report.reading import header, read, table, text

WEEK: dict[str, Any] = {"from_day": "2025-03-03", "to_day": "2025-03-09", "compare": pb.COMPARISON_WEEKDAY}
MONTH: dict[str, Any] = {"from_day": "2025-02-01", "to_day": "2025-02-28", "compare": pb.COMPARISON_YOY}


def _written(address: str, folder: Path, *arguments: str) -> Element:
    """The page that the command writes, read back."""
    path = folder / "page.html"
    ran = run("report", *arguments, "--output", str(path), FUCAI_ANALYTICS=address)
    assert ran.exit_code == 0, ran.err
    assert ran.out == f"{path}\n"
    assert "headline" in ran.err
    return read(path.read_text(encoding="utf-8"))


def _columns(tree: Element, key: str) -> dict[str, list[str]]:
    """The columns of a table; of equal names the first one."""
    rows = table(tree, key)
    found: dict[str, list[str]] = {}
    for place, name in enumerate(header(tree, key)):
        found.setdefault(name, [row[place] for row in rows])
    return found


@pytest.fixture(scope="module")
def week(analytics_address: str, tmp_path_factory: pytest.TempPathFactory) -> Element:
    """The bulletin of the last whole week, which nobody named."""
    return _written(analytics_address, tmp_path_factory.mktemp("week"), "weekly", "--lang", "en")


def test_a_week_has_the_figures_of_analytics(week: Element, analytics: AnalyticsServiceStub) -> None:
    """Headline, days, parts of the change, places, shares and hours are the answers, exactly."""
    assert "2025-W10" in text(next(week.iter("h1")))
    headline = analytics.Headline(pb.HeadlineRequest(**WEEK, by="zone_type"))
    shown = _columns(week, "headline-table")
    groups = [headline.total, *headline.groups]
    assert shown["sales"] == [str(group.sales_fen) for group in groups]
    assert shown["active"] == [str(group.active_outlets) for group in groups]
    days = _columns(week, "curve-table")
    trend = analytics.Trend(pb.TrendRequest(**WEEK, grain=pb.GRAIN_DAY))
    assert days["sales"] == [*(str(row.figures.sales_fen) for row in trend.rows), str(trend.total.sales_fen)]
    assert days["base"][:-1] == [str(row.base.sales_fen) for row in trend.rows]
    why = analytics.Decompose(pb.DecomposeRequest(**WEEK, by=["district"], top=20))
    drilled = _columns(week, "why-district-table")
    lines = [why.total, *why.groups]
    for name, field in (("base", "base_fen"), ("new", "new_fen"), ("closed", "closed_fen"), ("same", "same_fen")):
        assert drilled[name] == [str(getattr(line, field)) for line in lines], name
    top = analytics.Rank(pb.RankRequest(**WEEK, top=10))
    assert _columns(week, "top-table")["sales"] == [str(row.measurement.value.fen) for row in top.rows]
    falls = analytics.Rank(pb.RankRequest(**WEEK, ranking=pb.RANKING_CONTRIBUTION, top=5, lowest_first=True))
    assert _columns(week, "falls-table")["change"] == [str(row.contribution) for row in falls.rows]
    games = analytics.Growth(pb.GrowthRequest(**WEEK, by=["game"], measures=["sales", "share"]))
    shares = _columns(week, "share-game-table")["share"]
    assert shares == [repr(row.measurements[1].value.ratio) for row in (games.total, *games.rows)]
    scale = analytics.Scale(pb.ScaleRequest(**WEEK, by=["zone_type"]))
    assert _columns(week, "scale-table")["installed"][:-1] == [str(row.installed) for row in scale.rows]
    profile = analytics.Profile(pb.ProfileRequest(from_day=WEEK["from_day"], to_day=WEEK["to_day"]))
    (heat,) = (one for one in week.iter("svg") if one.get("aria-labelledby", "").startswith("hours"))
    assert sum(one.get("font-size") == "9" for one in heat.iter("text")) == len(profile.cells)


def test_a_week_has_the_sales_of_the_events(week: Element, world: World) -> None:
    """The sum of the channel and of each day is that of the sales less the voids that the store was given."""
    signs = {"SALE": 1, "VOID": -1, "PAYOUT": 0}

    def sales(first: date, last: date) -> int:
        return sum(signs[one.kind] * one.amount_fen for one in world.events if first <= one.day <= last)

    assert _columns(week, "headline-table")["sales"][0] == str(sales(date(2025, 3, 3), date(2025, 3, 9)))
    for day, shown in enumerate(_columns(week, "curve-table")["sales"][:7], 3):
        assert shown == str(sales(date(2025, 3, day), date(2025, 3, day)))
    base = dict(zip(*(_columns(week, "measures-table")[name] for name in ("measure", "Base")), strict=True))
    assert base["sales"] == str(sales(date(2024, 3, 4), date(2024, 3, 10)))


def test_a_week_with_closures_counts_open_days_and_warns(week: Element) -> None:
    """Four days of the week were closed and none of the base: both counts and the warning stand at the top."""
    top = text(next(week.iter("header")))
    assert "period 3 · base 7" in top
    assert "closed days differ" in top
    assert "2024-03-04" in top


def test_a_month_stands_beside_its_benchmark(
    analytics: AnalyticsServiceStub, analytics_address: str, tmp_path: Path
) -> None:
    """February is compared with the year before and a series that has both months, in Chinese, with its verdict."""
    tree = _written(analytics_address, tmp_path, "monthly", "--month", "2025-02", "--lang", "zh", "--benchmark", "own")
    headline = analytics.Headline(pb.HeadlineRequest(**MONTH, by="zone_type", benchmark="own"))
    word = {
        pb.VERDICT_AGAINST_TREND: "逆势",
        pb.VERDICT_AHEAD: "领先",
        pb.VERDICT_LEVEL: "持平",
        pb.VERDICT_BEHIND: "落后",
    }[headline.benchmark.verdict]
    lead = text(next(tree.iter("ul")))
    assert word in lead
    assert f"{headline.benchmark.excess_points:+,.1f}".replace("-", "−") in lead
    assert "休市" in text(next(tree.iter("header")))
    assert _columns(tree, "headline-table")["销售额"][0] == str(headline.total.sales_fen)


def test_a_filtered_bulletin_has_the_figures_of_its_part(
    analytics: AnalyticsServiceStub, analytics_address: str, tmp_path: Path
) -> None:
    """Sales are those of the part, which stands at the top; a section that cannot be of it says why."""
    where = ("--filter", "game=instant", "--lang", "en")
    tree = _written(analytics_address, tmp_path, "monthly", "--month", "2025-02", *where)
    selection = pb.Selection(filters=[pb.Filter(dimension="game", values=["instant"])])
    part = analytics.Headline(pb.HeadlineRequest(**MONTH, by="zone_type", selection=selection))
    whole = analytics.Headline(pb.HeadlineRequest(**MONTH, by="zone_type"))
    assert _columns(tree, "headline-table")["sales"][0] == str(part.total.sales_fen)
    assert part.total.sales_fen != whole.total.sales_fen
    assert "game is instant" in text(next(tree.iter("header")))
    assert "selection.filters" in text(next(one for one in tree.iter("section") if one.get("id") == "alerts"))


def test_the_first_month_has_no_base_and_says_so(analytics_address: str, tmp_path: Path) -> None:
    """A month whose base was never stored is written all the same, with the reason where comparisons would stand."""
    tree = _written(analytics_address, tmp_path, "monthly", "--month", "2021-12", "--lang", "en")
    assert "There is no stored base" in text(next(tree.iter("header")))
    assert not any(one.get("id") == "why-table" for one in tree.iter("table"))


def test_a_month_beyond_the_data_is_refused_and_nothing_written(analytics_address: str, tmp_path: Path) -> None:
    """The error names the days that can be answered, and no file appears."""
    path = tmp_path / "page.html"
    ran = run("report", "monthly", "--month", "2019-01", "--output", str(path), FUCAI_ANALYTICS=analytics_address)
    assert ran.exit_code == 64
    assert "2021-11-17" in ran.err
    assert not path.exists()
