"""Figures for people: units of money, signs and arrows of growth, curves."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.cli.numbers import exact, growth_text, mark_notes, money_unit, percent, sparkline
from fucai.cli.out.sheet import Change, Mark
from fucai.cli.output import Lang


@pytest.mark.parametrize(
    ("fen", "currency", "lang", "shown"),
    [
        (123_456, "CNY", Lang.ZH, "1,234.56 元"),
        (1_234_567_890, "CNY", Lang.ZH, "1,234.57 万元"),
        (2_085_770_000_000, "CNY", Lang.ZH, "208.5770 亿元"),
        (123_456, "CNY", Lang.EN, "1,234.56 yuan"),
        (39_838_507_900, "CAD", Lang.EN, "398,385.1 thousand CAD"),
        (39_838_507_900_00, "CAD", Lang.ZH, "39,838.51 million CAD"),
        (-123_456_789, "CNY", Lang.ZH, "-123.46 万元"),
        (0, "CNY", Lang.EN, "0.00 yuan"),
    ],
)
def test_money_has_a_unit_that_fits(fen: int, currency: str, lang: Lang, shown: str) -> None:
    """Yuan, 万元 and 亿元 in Chinese; thousands and millions of the currency elsewhere."""
    unit = money_unit([fen, 0], currency, lang)
    assert f"{unit.show(fen)} {unit.name}" == shown


@given(st.integers(-(10**18), 10**18))
def test_exact_money_loses_no_fen(fen: int) -> None:
    """The decimal text is the amount, to the last fen and with two places."""
    text = exact(fen)
    assert Decimal(text) * 100 == fen
    assert text[-3] == "."


@pytest.mark.parametrize(
    ("growth", "zh", "en"),
    [
        (Change(0.0712, Mark.RATIO), "▲ +7.1%", "▲ +7.1%"),
        (Change(-0.2, Mark.RATIO), "▼ −20.0%", "▼ −20.0%"),
        (Change(0.0, Mark.RATIO), "= 0.0%", "= 0.0%"),
        (Change(12.5, Mark.PARTIAL_BASE), "+1,250.0%*", "+1,250.0%*"),
        (Change(None, Mark.NEW), "新增", "new"),
        (Change(None, Mark.NO_BASE), "—", "—"),
        (None, "", ""),
    ],
)
def test_growth_has_sign_and_arrow_or_a_mark(growth: Change | None, zh: str, en: str) -> None:
    """Direction is told by arrow and sign, not by colour alone; what is no ratio is told by its mark."""
    assert growth_text(growth, Lang.ZH).plain == zh
    assert growth_text(growth, Lang.EN).plain == en


def test_marks_are_explained_once() -> None:
    """Each mark used has one note; plain ratios need none."""
    growths = [Change(None, mark) for mark in (Mark.RATIO, Mark.NEW, Mark.NEW, Mark.NO_BASE)]
    assert mark_notes(growths, Lang.EN) == [
        "new the base is zero",
        "— the base is not stored, or the calendar has no counterpart",
    ]


@given(st.lists(st.integers(-(10**9), 10**12), max_size=120), st.integers(1, 30))
def test_a_curve_fits_and_keeps_its_top(values: list[int], width: int) -> None:
    """At most `width` characters; where it rises at all, the highest bar is full."""
    curve = sparkline(values, width)
    assert len(curve) == min(width, len(values))
    if len(values) <= width and values and max(values) > min(0, *values):
        assert curve[values.index(max(values))] == "█"


def test_percentages_use_a_real_minus() -> None:
    """A minus that does not break lines, thousands separated."""
    assert percent(-12.345) == "−1,234.5%"
