"""Charts: well-formed, labelled for those who cannot see them, and drawn where the figures say."""

from __future__ import annotations

import itertools
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.cli.numbers import MoneyUnit
from fucai.cli.report.charts import WIDTH, Bar, Line, Step, bars, curve, ticks, waterfall
from fucai.cli.report.heat import heat
from fucai.cli.report.markup import el

YUAN = MoneyUnit("yuan", 100, 2)
FEN = st.integers(-(10**13), 10**13)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _check(chart: Element) -> Element:
    """The picture read back as XML: with title and description that it is labelled by, and all within its frame."""
    found = fromstring(tostring(chart))  # noqa: S314 (made a line above)
    space = found.tag.removesuffix("svg")
    labels = found.attrib["aria-labelledby"].split()
    assert [one.attrib["id"] for one in found[:2]] == labels
    assert [one.tag for one in found[:2]] == [f"{space}title", f"{space}desc"]
    assert all(one.text for one in found[:2])
    height = float(found.attrib["viewBox"].split()[3])
    for one in found.iter():
        assert "nan" not in str(one.attrib)
        if one.tag.endswith("rect") and "x" in one.attrib:
            assert float(one.attrib["width"]) >= 0
            assert float(one.attrib["height"]) >= 0
            assert float(one.attrib["x"]) >= -0.01
            assert float(one.attrib["x"]) + float(one.attrib["width"]) <= WIDTH + 0.01
            assert float(one.attrib["y"]) >= -0.01
            assert float(one.attrib["y"]) + float(one.attrib["height"]) <= height + 0.01
    return found


def _bars(found: Element) -> list[Element]:
    return [one for one in found.iter() if one.tag.endswith("rect") and "x" in one.attrib]


@given(FEN, FEN)
def test_ticks_are_round_and_reach_around_all(a: int, b: int) -> None:
    """They are equally far apart, two at least and a handful at most, and none is needed beyond them."""
    low, high = min(a, b), max(a, b)
    found = ticks(low, high)
    steps = {after - before for before, after in itertools.pairwise(found)}
    assert len(steps) == 1
    (step,) = steps
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert 2 <= len(found) <= 9
    assert found[0] <= low
    assert found[-1] >= high
    assert found[0] > low - step


@given(st.lists(st.tuples(st.none() | FEN, st.none() | FEN), min_size=1, max_size=31))
def test_a_curve_draws_every_amount_and_no_gap(amounts: list[tuple[int | None, int | None]]) -> None:
    """The first line has a dot for each amount, and lines leave out what is missing."""
    lines = [Line("period", [value for value, _ in amounts]), Line("base", [base for _, base in amounts])]
    found = _check(curve("c", "t", "d", [str(day) for day in range(len(amounts))], lines, YUAN))
    dots = [one for one in found.iter() if one.tag.endswith("circle")]
    assert len(dots) - 1 == sum(value is not None for value, _ in amounts)
    drawn = [one.attrib["points"].split() for one in found.iter() if one.tag.endswith("polyline")]
    assert sum(map(len, drawn)) == sum(fen is not None for pair in amounts for fen in pair)


@given(st.integers(0, 10**12), st.lists(st.integers(-(10**12), 10**12), min_size=4, max_size=4))
def test_a_waterfall_ends_where_its_value_stands(base: int, parts: list[int]) -> None:
    """Each change hangs from the end of the bar before, so the last change ends at the top of the value."""
    value = base + sum(parts)
    steps = [Step("base", base, whole=True), *(Step("part", fen) for fen in parts), Step("value", value, whole=True)]
    found = _check(waterfall("w", "t", "d", steps, YUAN, "from {}"))
    joints = [one for one in found.iter() if one.tag.endswith("line") and one.get("stroke-dasharray") == "2 2"]
    assert len(joints) == len(steps) - 1
    last, bar = joints[-1], _bars(found)[-1]
    top, bottom = float(bar.attrib["y"]), float(bar.attrib["y"]) + float(bar.attrib["height"])
    ends = bottom if value < 0 else top
    assert float(last.attrib["y1"]) == pytest.approx(ends, abs=1.1)


def test_a_waterfall_that_begins_above_zero_says_so() -> None:
    """Small changes beside large wholes: the axis is cut, the wholes are broken, and the note says where it begins."""
    small = [Step("base", 1_000_000, whole=True), Step("part", 5_000), Step("value", 1_005_000, whole=True)]
    large = [Step("base", 1_000_000, whole=True), Step("part", 900_000), Step("value", 1_900_000, whole=True)]
    cut, whole = (_check(waterfall("w", "t", "d", steps, YUAN, "from {}")) for steps in (small, large))
    assert any((one.text or "").startswith("from ") for one in cut.iter())
    assert not any((one.text or "").startswith("from ") for one in whole.iter())


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.none() | st.floats(-1e9, 1e9)), max_size=12))
def test_bars_are_as_long_as_their_figures(found: list[tuple[float, float | None]]) -> None:
    """Lengths stand to each other as the figures do, and what falls is hatched."""
    chart = _check(bars("b", "t", "d", [Bar(f"n{at}", length, "x", base) for at, (length, base) in enumerate(found)]))
    drawn = [one for one in _bars(chart) if one.get("fill") != "#ffffff"]
    assert len(drawn) == len(found)
    assert [one.attrib["fill"] == "url(#b-hatch)" for one in drawn] == [length < 0 for length, _ in found]
    most = max((abs(length) for length, _ in found), default=0)
    if most > 1e-3:
        longest = max(float(one.attrib["width"]) for one in drawn)
        for one, (length, _) in zip(drawn, found, strict=True):
            assert float(one.attrib["width"]) == pytest.approx(max(longest * abs(length) / most, 0.5), abs=0.52)


def test_bars_without_a_length_are_drawn_all_the_same() -> None:
    """Figures of zero, or so near that a scale would overflow, are bars of no more than a stroke."""
    for lengths in ((0.0, 0.0), (2.2e-309, 0.0)):
        chart = _check(bars("b", "t", "d", [Bar("n", length, "0", 0.0) for length in lengths]))
        assert [one.attrib["width"] for one in _bars(chart)] == ["0.5", "0.5"]


def test_a_heat_map_has_a_field_for_each_hour_and_its_number() -> None:
    """Seven rows from the first hour with sales to the last; the largest is darkest, and what is absent blank."""
    found = _check(heat("h", "t", "d", {(1, 9): 100_00, (7, 11): 2_550_00, (2, 10): -5_00}, DAYS, YUAN))
    assert len(_bars(found)) == 7 * 3
    numbers = [one.text for one in found.iter() if one.tag.endswith("text") and one.get("font-size") == "9"]
    assert numbers == ["100", "-5.0", "2,550"]
    shades = {one.attrib["fill"] for one in _bars(found)}
    assert min(shades) == "#08306b"


@given(st.text(), st.text())
def test_no_text_leaves_its_element(text: str, value: str) -> None:
    """Whatever stands in a text or an attribute is read back as one text and one attribute."""
    found = fromstring(tostring(el("p", text, "|", el("b", value), text, title=value)))  # noqa: S314 (made here)
    assert [one.tag for one in found.iter()] == ["p", "b"]
    assert "".join(found.itertext()).count("|") == 1 + 2 * text.count("|") + value.count("|")
