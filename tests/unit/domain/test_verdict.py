"""The verdict words beside a benchmark."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.benchmarks import Match
from fucai.domain.growth import Growth, Mark
from fucai.domain.verdict import VERDICTS, Verdict, verdict
from fucai.v1 import analytics_pb2

POINTS = st.integers(-5_000, 5_000)  # hundredths of a percentage point


def ratio(hundredths: int) -> Growth:
    """A plain ratio of so many hundredths of a point."""
    return Growth(hundredths / 10_000, Mark.RATIO)


def published(hundredths: int) -> Match:
    """A benchmark published for the very period."""
    return Match(published=True, period="2025", growth=hundredths / 10_000)


@given(POINTS, POINTS, st.integers(0, 100))
def test_each_pair_of_figures_has_one_word(ours: int, theirs: int, level: int) -> None:
    """Level up to the tolerance; else against the trend where they fall and we rise; else by order."""
    found = verdict(ratio(ours), published(theirs), float(Fraction(level, 100)))
    if abs(ours - theirs) <= level:
        assert found is Verdict.LEVEL
    elif theirs < 0 < ours:
        assert found is Verdict.AGAINST_TREND
    else:
        assert found is (Verdict.AHEAD if ours > theirs else Verdict.BEHIND)


@pytest.mark.parametrize(
    ("ours", "theirs", "word"),
    [
        (700, -300, Verdict.AGAINST_TREND),
        (700, 300, Verdict.AHEAD),
        (700, 0, Verdict.AHEAD),
        (-100, -300, Verdict.AHEAD),
        (0, -300, Verdict.AHEAD),
        (300, 305, Verdict.LEVEL),
        (300, 306, Verdict.BEHIND),
        (2, -2, Verdict.LEVEL),
        (-400, -300, Verdict.BEHIND),
        (-100, 300, Verdict.BEHIND),
    ],
)
def test_words_by_example(ours: int, theirs: int, word: Verdict) -> None:
    """Falling less is ahead, not against the trend; 0.05 points apart is level, 0.06 is not."""
    assert verdict(ratio(ours), published(theirs)) is word


@given(POINTS, POINTS)
def test_nothing_is_assumed(ours: int, theirs: int) -> None:
    """Without a plain ratio, or without a benchmark for the very period, there is no word, whatever the figures."""
    elsewhere = Match(published=False, period="2024", growth=theirs / 10_000)
    assert verdict(ratio(ours), elsewhere) is Verdict.UNKNOWN
    assert verdict(ratio(ours), Match(published=False, period="", growth=None)) is Verdict.UNKNOWN
    assert verdict(Growth(ours / 10_000, Mark.PARTIAL_BASE), published(theirs)) is Verdict.UNKNOWN
    for mark in (Mark.NEW, Mark.BOTH_ZERO, Mark.NEGATIVE_BASE, Mark.NO_BASE, Mark.SMALL_BASE):
        assert verdict(Growth(None, mark), published(theirs)) is Verdict.UNKNOWN


def test_numbers_are_those_of_the_contract() -> None:
    """Verdicts have the numbers and names that go over the wire, and each has a word."""
    numbers = {f"VERDICT_{word.name}": int(word) for word in Verdict if word is not Verdict.UNKNOWN}
    assert numbers == {name: number for name, number in analytics_pb2.Verdict.items() if number}
    assert int(Verdict.UNKNOWN) == analytics_pb2.VERDICT_UNSPECIFIED
    assert set(VERDICTS) == set(Verdict)
