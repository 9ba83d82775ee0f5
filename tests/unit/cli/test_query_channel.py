"""`fucai query scale`, `profile` and `outlet`: what they ask, what people see, and what exports hold."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from fucai.cli.query.outlet_sheet import outlet_sheet
from fucai.cli.query.profile_sheet import profile_sheet
from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import FRESH, RATIO, FakeAnalytics, Ran, run, serving

ABOUT = pb.About(freshness=FRESH, currency="CNY")
PAIRING = pb.Pairing(
    from_day="2025-03-09",
    to_day="2025-03-10",
    base_from_day="2024-03-09",
    base_to_day="2024-03-10",
    rule=pb.COMPARISON_YOY,
    rule_zh="2025-03-09…2025-03-10 对 2024-03-09…2024-03-10，同比（按日历）",
    rule_en="2025-03-09…2025-03-10 against 2024-03-09…2024-03-10, year on year (calendar)",
)


def scale_row(group: str, name: str, **counts: int) -> pb.ScaleRow:
    """A row at the end of the period."""
    return pb.ScaleRow(
        first_day="2025-03-09",
        day="2025-03-10",
        group=[group],
        group_names=[name],
        base_day="2024-03-10",
        growth=pb.Growth(ratio=0.25, mark=RATIO),
        **counts,
    )


SCALE = pb.ScaleResponse(
    rows=[
        scale_row(
            "night_market",
            "夜市",
            installed=6,
            active=5,
            base_active=4,
            opened=1,
            sales_fen=1_050,
            sales_per_outlet_fen=210,
            sales_per_installed_fen=175,
            open_days=2,
            sales_per_outlet_open_day_fen=105,
            sales_per_installed_open_day_fen=88,
        ),
        scale_row("", "", active=1, active_not_installed=1, base_active=0, sales_fen=5),
    ],
    pairing=PAIRING,
    about=ABOUT,
)
SCALE.rows[0].penetration = 5 / 6
PROFILE = pb.ProfileResponse(
    from_day="2025-02-11",
    to_day="2025-03-10",
    cells=[
        pb.ProfileCell(
            group="ssq",
            group_name="双色球",
            weekday=day,
            hour=hour,
            figures=pb.Figures(sales_fen=fen),
            days=4,
            share_bp=bp,
        )
        for day, hour, fen, bp in ((1, 9, 400_000, 8_000), (3, 20, 100_000, 2_000), (7, 23, -400, 0))
    ],
    hours=[pb.ProfileShare(group="ssq", group_name="双色球", of=9, sales_fen=400_000, days=28, share_bp=8_000)],
    weekdays=[pb.ProfileShare(group="ssq", group_name="双色球", of=7, sales_fen=11_945, days=4, share_bp=10_000)],
    without_hour_fen=12_345,
    about=ABOUT,
)
OUTLET = pb.OutletResponse(
    outlet_id="007",
    versions=[
        pb.OutletVersion(
            valid_from="2024-07-01", name="金街[1]店", zone_name="金街", zone_type="night_market", mgmt_area="一分区"
        ),
        pb.OutletVersion(valid_from="2023-01-01", valid_to="2024-06-30", name="老店", zone_name="旧街", format="hotel"),
    ],
    opened="2023-01-01",
    terminals=["T007", "T008"],
    pairing=PAIRING,
    measurements=[
        pb.Measurement(
            measure="sales",
            value=pb.Quantity(fen=107_000),
            base=pb.Quantity(fen=100_000),
            growth=pb.Growth(ratio=0.07, mark=RATIO),
        ),
        pb.Measurement(measure="visits", value=pb.Quantity(count=1_234), growth=pb.Growth(mark=pb.GROWTH_MARK_NO_BASE)),
        pb.Measurement(measure="attach_rate", value=pb.Quantity(ratio=0.25)),
    ],
    daily_sales_fen=[100_000, 7_000],
    games=[pb.GameShare(game="ssq", name="双色球", sales_fen=107_000, share_bp=10_000)],
    place_in_area=2,
    outlets_in_area=9,
    mgmt_area="一分区",
    zone_type="night_market",
    zone_type_average_fen=90_000,
    last_sale_ms=1_741_600_000_000,
    about=ABOUT,
)


class Channel(FakeAnalytics):
    """Answers the three questions with what is fixed here."""

    def Scale(self, request: pb.ScaleRequest, context: Any) -> pb.ScaleResponse:
        """Fixed."""
        self._note(request, context)
        return SCALE

    def Profile(self, request: pb.ProfileRequest, context: Any) -> pb.ProfileResponse:
        """Fixed."""
        self._note(request, context)
        return PROFILE

    def Outlet(self, request: pb.OutletRequest, context: Any) -> pb.OutletResponse:
        """Fixed, of one outlet."""
        self._note(request, context)
        if request.outlet_id != "007":
            context.abort(grpc.StatusCode.NOT_FOUND, "no outlet '07': did you mean 007 金街")
        return OUTLET


@pytest.fixture(scope="module")
def service() -> Channel:
    """An analytics service with fixed answers."""
    return Channel()


@pytest.fixture(scope="module")
def address(service: Channel) -> Iterator[str]:
    """Where it listens."""
    with serving(service) as found:
        yield found


def ask(address: str, *arguments: str) -> Ran:
    """A question that is answered."""
    ran = run("query", *arguments, FUCAI_ANALYTICS=address)
    assert ran.exit_code == 0, ran.err
    return ran


def test_scale_asks_what_is_said(address: str, service: Channel) -> None:
    """Every option reaches the service under its name."""
    ask(
        address,
        *("scale", "--from", "2024-01-01", "--to", "2024-12-31", "--grain", "month", "--by", "format"),
        *("--active-sales", "5", "--active-days", "14", "--terminals", "--compare", "previous", "--not", "game=ssq"),
    )
    assert service.asked == pb.ScaleRequest(
        from_day="2024-01-01",
        to_day="2024-12-31",
        grain=pb.GRAIN_MONTH,
        by=["format"],
        active_sales=5,
        active_open_days=14,
        with_terminals=True,
        compare=pb.COMPARISON_PREVIOUS,
        selection=pb.Selection(filters=[pb.Filter(dimension="game", values=["ssq"], exclude=True)]),
    )
    ask(address, "scale", "--by", "zone", "--compare", "none")
    assert service.asked.grain == pb.GRAIN_UNSPECIFIED
    assert service.asked.compare == pb.COMPARISON_UNSPECIFIED


@pytest.mark.parametrize(("lang", "words"), [("zh", ["夜市", "合计", "活跃率"]), ("en", ["night market", "total"])])
def test_a_scale_table_adds_up(address: str, lang: str, words: list[str]) -> None:
    """Groups of one day have a total; what has no ratio is blank; it fits 100 columns."""
    out = ask(address, "scale", "--by", "zone_type", "--lang", lang).out
    for word in words:
        assert word in out
    assert "83.3%" in out
    (total,) = (line for line in out.splitlines() if words[1] in line or "total" in line)
    assert {"6", "10.55"} <= set(total.split())
    assert max(len(line) for line in out.splitlines()) <= 100


def test_a_scale_export_is_exact(address: str) -> None:
    """Fen as integers, ratios unrounded, what is missing empty, the unregistered told apart."""
    rows = list(csv.DictReader(io.StringIO(ask(address, "scale", "--by", "zone_type", "--format", "csv").out)))
    assert [row["sales_fen"] for row in rows] == ["1050", "5"]
    assert [row["sales_per_outlet_fen"] for row in rows] == ["210", ""]
    assert [row["sales_per_installed_fen"] for row in rows] == ["175", ""]
    assert [row["sales_per_outlet_open_day_fen"] for row in rows] == ["105", ""]
    assert [row["sales_per_installed_open_day_fen"] for row in rows] == ["88", ""]
    assert rows[0]["open_days"] == "2"
    assert [row["active_not_installed"] for row in rows] == ["0", "1"]
    assert float(rows[0]["penetration"]) == 5 / 6
    assert rows[1]["penetration"] == ""


@pytest.mark.parametrize(
    ("lang", "monday", "peak"), [("zh", "周一", "峰值 1,000.00，周一 09 时"), ("en", "Mon", "Mon 09h")]
)
def test_a_heat_map_shades_by_the_average_day(address: str, lang: str, monday: str, peak: str) -> None:
    """Hours across, weekdays down: full for the peak, light for a quarter, dots below zero, blank without events."""
    out = ask(address, "profile", "--by", "game", "--lang", lang).out
    lines = out.splitlines()
    assert "双色球" in lines[0]
    days = {line[:3].strip(): line for line in lines if line.startswith((monday, "周", "Wed", "Sun"))}
    hour = 5 - (2 if lang == "zh" else 0)  # a Chinese weekday takes two cells for each character
    wednesday, sunday = days["周三" if lang == "zh" else "Wed"], days["周日" if lang == "zh" else "Sun"]
    assert days[monday][hour + 27 : hour + 29] == "██"
    assert days[monday][hour : hour + 27].strip() == ""
    assert wednesday[hour + 60 : hour + 62] == "░░"
    assert sunday[hour + 69 : hour + 71] == "··"
    assert peak in out
    assert "123.45 CNY" in out
    assert "2025-02-11…2025-03-10" in out
    assert max(len(line) for line in lines) <= 100


def test_a_profile_of_daily_summaries_alone_says_so() -> None:
    """Sales without an hour are no lack of sales: their sum and the days stand there."""
    summaries = pb.ProfileResponse()
    summaries.CopyFrom(PROFILE)
    del summaries.cells[:]
    sheet = profile_sheet(summaries, by="")
    assert sheet.empty.zh == "没有带小时的销售"
    assert [note.text.zh for note in sheet.notes][:2] == [
        "2025-02-11…2025-03-10",
        "另有日汇总销售额 123.45 CNY，无小时",
    ]


def test_a_profile_export_has_every_cell(address: str, service: Channel) -> None:
    """A row a cell with its share and average; what has no hour is a fact of the document."""
    found = json.loads(ask(address, "profile", "--by", "game", "--filter", "weekday=1,3,7", "--json").out)
    assert service.asked.by == "game"
    assert service.asked.selection.filters[0].values == ["1", "3", "7"]
    assert [(row["weekday"], row["hour"], row["sales_fen"], row["share_bp"]) for row in found["rows"]] == [
        (1, 9, 400_000, 8_000),
        (3, 20, 100_000, 2_000),
        (7, 23, -400, 0),
    ]
    assert found["rows"][0]["sales_per_day_fen"] == 100_000
    assert "12345" in json.dumps(found)
    hours, weekdays = (found["beside"][name]["rows"] for name in ("hours", "weekdays"))
    assert [(row["game"], row["hour"], row["days"], row["share_bp"]) for row in hours] == [("ssq", 9, 28, 8_000)]
    assert [(row["sales_fen"], row["share"]) for row in weekdays] == [(11_945, 1.0)]
    assert "share by weekday, with daily summaries: Sun 100.0%" in ask(address, "profile", "--lang", "en").out


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "zh",
            [
                "007 金街[1]店",
                "金街 · 夜市 · 一分区",
                "一分区 第 2 名，共 9 家",
                "夜市站均 900.00",
                "旧街 · 酒店 · 至 2024-06-30",
            ],
        ),
        ("en", ["007 金街[1]店", "night market", "place 2 of 9 in 一分区", "average in night market 900.00", "hotel"]),
    ],
)
def test_a_card_fits_a_screen(address: str, lang: str, words: list[str]) -> None:
    """Who it is, its figures with growth, curve, games, place, history, in at most 30 lines of 100 columns."""
    out = ask(address, "outlet", "007", "--lang", lang).out
    for word in [*words, "1,070.00", "1,000.00", "▲ +7.0%", "1,234", "25.0%", "T007, T008", "█▁", "100.0%"]:
        assert word in out, word
    assert len(out.splitlines()) <= 30
    assert max(len(line) for line in out.splitlines()) <= 100


def test_a_card_with_alerts_says_by_which_parameters() -> None:
    """By the defaults, and where others can be asked for; a card without alerts needs no such line."""
    alarmed = pb.OutletResponse()
    alarmed.CopyFrom(OUTLET)
    alarmed.alerts.add(rule="fall", day="2025-03-10", outlet_id="007", text_zh="低", text_en="low")
    texts = [[note.text.en for note in outlet_sheet(card).notes] for card in (OUTLET, alarmed)]
    assert ["alerts by the default parameters; fucai query alerts takes others" in one for one in texts] == [
        False,
        True,
    ]


def test_a_card_export_has_all_in_long_form(address: str, service: Channel) -> None:
    """Measures, games, versions and days, each a row, amounts exact."""
    rows = list(
        csv.DictReader(io.StringIO(ask(address, "outlet", "007", "--compare", "weekday", "--format", "csv").out))
    )
    assert service.asked.compare == pb.COMPARISON_WEEKDAY
    sections = [row["section"] for row in rows]
    assert {name: sections.count(name) for name in sections} == {"measure": 3, "game": 1, "version": 2, "day": 2}
    assert [(row["item"], row["money_fen"]) for row in rows if row["section"] == "day"] == [
        ("2025-03-09", "100000"),
        ("2025-03-10", "7000"),
    ]
    assert [row["count"] for row in rows if row["item"] == "visits"] == ["1234"]


def test_an_unknown_outlet_ends_with_no_input(address: str) -> None:
    """Exit code 66, and the near ones on stderr."""
    ran = run("query", "outlet", "07", FUCAI_ANALYTICS=address)
    assert ran.exit_code == 66
    assert ran.out == ""
    assert "did you mean 007" in ran.err
