"""Changes for people: signs and bars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.cli.numbers import bar, signed

AMOUNT = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("amount", "shown"), [("1.50", "+1.50"), ("-1,234.00", "−1,234.00"), ("0.00", "0.00"), ("-0.00", "0.00")]
)
def test_a_change_has_its_sign(amount: str, shown: str) -> None:
    """Plus, or a true minus; what is shown as zero has none."""
    assert signed(amount) == shown


def test_bars_stand_on_one_axis() -> None:
    """The largest fall reaches the left end, the largest rise the right one, half of it half the way."""
    assert bar(-100, -100, 100, 9) == "████│    "
    assert bar(100, -100, 100, 9) == "    │████"
    assert bar(50, -100, 100, 9) == "    │██  "
    assert bar(1, -100, 100, 9) == "    │▌   "
    assert bar(-1, -100, 100, 9) == "   ▐│    "
    assert bar(0, 0, 0, 9) == " " * 9


@given(st.lists(AMOUNT, min_size=1), st.integers(5, 40))
def test_every_bar_is_as_wide_as_asked_and_on_its_side(amounts: list[int], width: int) -> None:
    """All bars of a column have one width and axis; sides tell signs, and what is not zero is seen."""
    bars = [bar(amount, min(amounts), max(amounts), width) for amount in amounts]
    assert {len(one) for one in bars} == {width}
    for amount, one in zip(amounts, bars, strict=True):
        before, _, after = one.partition("│")
        if any(amounts):
            assert (bool(before.strip()), bool(after.strip())) == (amount < 0, amount > 0)
