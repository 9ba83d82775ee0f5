"""A trend as a sheet: totals of whole answers and of pages, marks, empty answers."""

from __future__ import annotations

from fucai.cli.out.reading import change_of
from fucai.cli.out.sheet import Change, Mark, Sheet
from fucai.cli.query.trend_sheet import trend_sheet
from fucai.domain.periods import Grain
from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import TREND


def sheet_of(answer: pb.TrendResponse) -> Sheet:
    """The sheet of a trend by zone type."""
    return trend_sheet(answer, grain=Grain.MONTH, by=["zone_type"], first="2025-02-01", last="2025-03-10")


def total(sheet: Sheet, key: str) -> object:
    """The total of a column."""
    assert sheet.total is not None
    return sheet.total[sheet.place(key)]


def test_a_whole_answer_has_its_sums() -> None:
    """Sales, base, bets, events and payouts add up over the rows; growth does not."""
    sheet = sheet_of(TREND)
    assert [total(sheet, key) for key in ("sales", "base_sales", "bets", "events", "payouts")] == [
        106_999_900,
        100_000_000,
        499,
        21,
        200,
    ]
    assert total(sheet, "growth") is None
    assert sheet.all_rows == 2


def test_a_base_that_is_missing_leaves_no_total_of_bases() -> None:
    """A sum without it would be too small, and would make growth look better than it is."""
    answer = pb.TrendResponse()
    answer.CopyFrom(TREND)
    answer.rows[1].ClearField("base")
    assert total(sheet_of(answer), "base_sales") is None
    assert total(sheet_of(answer), "sales") == 106_999_900


def test_a_page_has_the_total_of_the_whole_answer() -> None:
    """It is the service's, not the sum of the rows that happen to be here; how many there are is known."""
    page = pb.TrendResponse()
    page.CopyFrom(TREND)
    page.total_rows = 7
    assert sheet_of(page).total is None
    page.total.CopyFrom(pb.Figures(sales_fen=900_000_000, bets=4_000, events=90, payouts_fen=300))
    sheet = sheet_of(page)
    assert sheet.all_rows == 7
    assert [total(sheet, key) for key in ("sales", "bets", "base_sales")] == [900_000_000, 4_000, None]


def test_every_mark_of_the_contract_is_known() -> None:
    """One that a newer service may have is no growth figure, and no failure."""
    for name, number in pb.GrowthMark.items():
        change = change_of(pb.Growth(ratio=0.5, mark=number))
        if number == pb.GROWTH_MARK_UNSPECIFIED:
            assert change is None
        else:
            mark = Mark(name.removeprefix("GROWTH_MARK_"))
            assert change == Change(0.5 if mark in (Mark.RATIO, Mark.PARTIAL_BASE) else None, mark)
    assert change_of(pb.Growth(mark=99)) is None  # type: ignore[arg-type]  # a number that is none of the enum


def test_an_empty_answer_is_a_sheet() -> None:
    """No rows, no total, the columns all the same."""
    sheet = sheet_of(pb.TrendResponse(currency="CNY"))
    assert (sheet.rows, sheet.total, sheet.all_rows) == ([], None, 0)
    assert sheet.place("zone_type_name") > 0
