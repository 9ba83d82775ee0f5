"""A sheet on a terminal: units, widths, what is left out, marks, codes that a terminal would obey, curves."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType

from fucai.cli.numbers import MoneyUnit, Unit
from fucai.cli.out.plot import Line, drawn, show_plot
from fucai.cli.out.screen import View, fit, show
from fucai.cli.out.sheet import Change, Column, Kind, Mark, Plot, Row, Sheet, summed
from fucai.cli.output import Lang
from fucai.domain.labels import Label
from tests.unit.cli.out.sheets import COLUMNS, ROW, rows, sheet_of


def text_of(shown: RenderableType, width: int = 100) -> str:
    """What a terminal of that width shows."""
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(shown)
    return out.getvalue()


def days(count: int) -> Sheet:
    """A trend of so many days that rises by a thousand yuan a day, its base half of it."""
    first = date(2025, 1, 1)
    columns = (
        Column("period", Kind.TEXT, Label("期间", "period")),
        Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales", adds=True),
        Column("base_sales", Kind.MONEY, Label("基期", "base"), "sales", screen=1),
    )
    found: list[Row] = [(str(first + timedelta(day)), day * 100_000, day * 50_000) for day in range(count)]
    return Sheet(
        "trend",
        Label("趋势", "Trend"),
        columns,
        found,
        total=summed(columns, found, Label("合计", "total")),
        currency="CNY",
        plot=Plot("period", ["sales", "base_sales"]),
    )


@given(rows(), st.integers(30, 140), st.sampled_from(list(Lang)))
def test_a_table_fits_and_tells_what_it_left_out(found: list[Row], width: int, lang: Lang) -> None:
    """No line is wider than the terminal, and each column is in the header or named as given up."""
    sheet = sheet_of(found)
    shown = text_of(show(sheet, View(lang, width)), width)
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    if found:
        unbroken = shown.replace("\n", "").replace(" ", "")
        for column in COLUMNS:
            assert getattr(column.label, lang).replace(" ", "") in unbroken


def test_a_narrow_table_gives_columns_up_in_the_stated_order() -> None:
    """The highest `screen` leaves first, 0 never, and texts fold before that."""
    needed = dict.fromkeys(range(4), 20)
    leaves = {"a": 0, "b": 2, "c": 1, "d": 2}
    columns = [Column(key, Kind.COUNT, Label(key, key), screen=screen) for key, screen in leaves.items()]
    assert fit(columns, needed, 86) == ([0, 1, 2, 3], [])
    assert fit(columns, needed, 85) == ([0, 1, 2], [3])
    assert fit(columns, needed, 63) == ([0, 2], [1, 3])
    assert fit(columns, needed, 5) == ([0], [1, 2, 3])
    folds = [replace(column, kind=Kind.NAME) for column in columns]
    assert fit(folds, needed, 54) == ([0, 1, 2, 3], [])


def test_a_cut_table_says_so() -> None:
    """So many of so many rows, and how to have all; without a limit every row is there."""
    cut = text_of(show(days(250), View(Lang.EN, 100, rows=100)))
    assert "100 of 250 rows shown; --all shows every row" in cut
    assert "2025-04-10" in cut
    assert "2025-04-11" not in cut
    assert "显示 100 行，共 250 行；--all 显示全部" in text_of(show(days(250), View(Lang.ZH, 100, rows=100)))
    whole = text_of(show(days(250), View(Lang.EN, 100)))
    assert "2025-09-07" in whole
    assert "shown" not in whole
    assert "2 of 9 rows shown; ask for more rows" in text_of(show(replace(days(2), available=9), View(Lang.EN, 100)))


@pytest.mark.parametrize(
    ("unit", "lang", "told", "sales"),
    [
        (Unit.AUTO, Lang.EN, "unit yuan", "1,000.00"),
        (Unit.YUAN, Lang.ZH, "单位 元", "1,000.00"),
        (Unit.WAN, Lang.ZH, "单位 万元", "0.10"),
        (Unit.YI, Lang.ZH, "单位 亿元", "0.0000"),
        (Unit.THOUSAND, Lang.EN, "unit thousand yuan", "1.0"),
        (Unit.MILLION, Lang.EN, "unit million yuan", "0.00"),
    ],
)
def test_amounts_are_in_the_unit_asked_for(unit: Unit, lang: Lang, told: str, sales: str) -> None:
    """The unit is named, and the amount is shown in it."""
    shown = text_of(show(days(2), View(lang, 100, unit)))
    assert told in shown
    assert shown.splitlines()[2].split()[1] == sales


def test_units_stand_in_the_header_where_they_differ() -> None:
    """Sales of a city and sales of one outlet cannot share a unit; each column tells its own."""
    columns = (
        Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales"),
        Column("average", Kind.MONEY, Label("站均销量", "per outlet"), "sales_per_outlet"),
    )
    sheet = Sheet("s", Label("", ""), columns, [(300_000_000_00, 5_000_00)], currency="CNY")
    head = text_of(show(sheet, View(Lang.ZH, 100))).splitlines()[0]
    assert "销售额 (万元)" in head
    assert "站均销量 (元)" in head


def test_marks_and_notes_are_explained() -> None:
    """The sign of a missing ratio has its meaning below, the rule and what is withheld are told."""
    row = list(ROW)
    row[sheet_of([]).place("growth")] = Change(None, Mark.NEW)
    shown = text_of(show(sheet_of([tuple(row)]), View(Lang.EN, 100)))
    for told in ("new the base is zero", "the rule", "1 draw withheld", "stored business days 2021-11-17..2025-03-10"):
        assert told in shown


def test_a_text_cannot_command_the_terminal() -> None:
    """Escape sequences, line breaks and changes of direction are shown, not obeyed; markup is text."""
    sheet = Sheet("s", Label("", ""), [Column("a", Kind.TEXT, Label("甲", "a"))], [("\x1b[2J[red]\n\u202ex",)])
    assert "�[2J[red]��x" in text_of(show(sheet, View(Lang.EN, 100)))


def test_nothing_found_is_told() -> None:
    """An empty answer has a line, not an empty table."""
    assert "nothing found" in text_of(show(days(0), View(Lang.EN, 100)))
    assert "没有数据" in text_of(show_plot(days(0), View(Lang.ZH, 100)))


def test_a_plot_has_axes_lines_and_a_legend() -> None:
    """Money up, days across, the top at the next round amount, a legend for this period and its base, notes below."""
    shown = text_of(show_plot(days(100), View(Lang.ZH, 80, Unit.WAN)), 80).splitlines()
    assert shown[0].startswith("单位 万元")
    assert "━━ 销售额" in shown[0]
    assert "┈┈ 基期" in shown[0]
    assert shown[1].split("┤")[0].strip() == "10.00"
    assert shown[14].split("┤")[0].strip() == "0.00"
    highest = next(line.rstrip() for line in shown[1:] if any("\u2800" < sign <= "\u28ff" for sign in line))
    assert cell_len(highest) == 80  # the last day is the highest, in the last column
    assert shown[16].split() == ["2025-01-01", "2025-04-10"]
    assert max(cell_len(line) for line in shown) <= 80


@given(st.lists(st.lists(st.none() | st.integers(-(10**12), 10**13), min_size=1, max_size=60), min_size=1, max_size=4))
def test_a_plot_shows_the_largest_amount_in_its_upper_half(found: list[list[int | None]]) -> None:
    """Whatever the amounts: all lines within the canvas, a dot in the upper half where anything is above zero."""
    longest = max(len(fen) for fen in found)
    lines = [Line(str(number), [*fen, *[None] * (longest - len(fen))]) for number, fen in enumerate(found)]
    amounts = [fen for line in lines for fen in line.fen if fen is not None]
    if not amounts:
        return
    plot = drawn([str(tick) for tick in range(longest)], lines, MoneyUnit("元", 100, 2), 60).plain.splitlines()
    assert len(plot) == 16
    assert all(cell_len(line) <= 60 for line in plot[:15])
    if max(amounts) > 0:
        assert any("\u2800" < sign <= "\u28ff" for line in plot[:8] for sign in line)


def test_a_plot_of_groups_has_a_line_for_each() -> None:
    """Split by a column there is a line a value; more than can be told apart are refused."""
    columns = (
        Column("period", Kind.TEXT, Label("期间", "period")),
        Column("zone_name", Kind.NAME, Label("区域", "zone")),
        Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales"),
    )

    def of(zones: int) -> Sheet:
        found: list[Row] = [(day, f"z{zone}", 100) for day in ("d1", "d2") for zone in range(zones)]
        return Sheet("t", Label("", ""), columns, found, currency="CNY", plot=Plot("period", ["sales"], "zone_name"))

    assert "━━ z0  ┈┈┈ z1" in text_of(show_plot(of(2), View(Lang.EN, 80)))
    with pytest.raises(ValueError, match="7 lines cannot be told apart"):
        show_plot(of(7), View(Lang.EN, 80))


def test_amounts_that_round_away_from_their_total_are_explained() -> None:
    """Two halves of a 万元's hundredth show 0.01 each and 0.01 in all: a line says why; in yuan nothing is rounded."""
    columns = (
        Column("game", Kind.NAME, Label("游戏", "game")),
        Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales", adds=True),
    )
    found: list[Row] = [("a", 5_000), ("b", 5_000)]
    sheet = Sheet("t", Label("", ""), columns, found, summed(columns, found, Label("合计", "all")), currency="CNY")
    assert "相加与合计或差末位" in text_of(show(sheet, View(Lang.ZH, 80, Unit.WAN)))
    assert "差末位" not in text_of(show(sheet, View(Lang.ZH, 80, Unit.YUAN)))
