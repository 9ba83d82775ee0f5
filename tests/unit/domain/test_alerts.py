"""The rule set of alerts: what each rule tells, in which order, and how it describes itself."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.alerts import (
    Alert,
    Rule,
    RuleSet,
    active_terminals_alert,
    describe,
    in_order,
    silence_alert,
    swing_alert,
)
from fucai.domain.baseline import Outcome, Swing, SwingRule
from fucai.domain.scale import Penetration
from fucai.domain.usual_hours import Quiet

TUESDAY = date(2024, 6, 4)


def test_a_fall_tells_weekday_size_and_weeks() -> None:
    """The text has how far below which median; a rise says above; anything else is no alert."""
    fall = swing_alert("001", TUESDAY, Swing(Outcome.FALL, 38_000, 100_000, -6.2, 8))
    assert fall is not None
    assert (fall.rule, fall.outlet_id, fall.actual, fall.expected) == (Rule.FALL, "001", 38_000, 100_000)
    assert fall.text_en == "sales are 62.0% below the median of the last 8 open Tuesdays (z = -6.2)"
    assert fall.text_zh == "销售额比此前 8 个开市星期二的中位数低 62.0%（z = -6.2）"
    rise = swing_alert("001", TUESDAY, Swing(Outcome.RISE, 200_000, 100_000, 10.0, 8))
    assert rise is not None
    assert rise.rule is Rule.RISE
    assert "100.0% above" in rise.text_en
    assert all(
        swing_alert("001", TUESDAY, Swing(outcome, 0, 0, 0.0, 0)) is None
        for outcome in Outcome
        if outcome not in (Outcome.FALL, Outcome.RISE)
    )


def test_silence_tells_the_hours() -> None:
    """No sale from 9 to 12 where 30 yuan are usual; where nothing is quiet there is no alert."""
    alert = silence_alert("001", TUESDAY, range(9, 12), Quiet(3, 3_000))
    assert alert is not None
    assert (alert.rule, alert.actual, alert.expected) == (Rule.SILENCE, 0, 3_000)
    assert "09:00-12:00" in alert.text_en
    assert "09:00-12:00" in alert.text_zh
    assert silence_alert("001", TUESDAY, range(9, 12), None) is None


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 10_000))
def test_too_few_active_terminals_are_an_alert(active: int, installed: int, least_bp: int) -> None:
    """There is one exactly where the active ones are fewer than the least number that it names."""
    terminals = Penetration(installed, min(active, installed))
    alert = active_terminals_alert(TUESDAY, terminals, least_bp)
    least = -(-installed * least_bp // 10_000)
    assert (alert is not None) == (terminals.active < least)
    assert alert is None or (alert.expected, alert.actual) == (least, terminals.active)


def test_the_text_of_the_96_percent_rule() -> None:
    """95 of 100 are under 96 %."""
    alert = active_terminals_alert(TUESDAY, Penetration(100, 95))
    assert alert is not None
    assert alert.text_en == "95 of 100 installed terminals are active (95.0%), under 96 %"
    assert alert.text_zh == "100 台在册终端中 95 台活跃（95.0%），低于 96%"


@given(st.permutations(range(6)))
def test_order_is_by_rule_then_by_difference_then_by_outlet(order: list[int]) -> None:
    """However they come, falls stand before silence, larger differences first, and equals by outlet."""
    expected = [
        Alert(rule, TUESDAY, outlet, actual, 100, 0.0, "", "")
        for rule, outlet, actual in [
            (Rule.FALL, "3", 0),
            (Rule.FALL, "1", 50),
            (Rule.FALL, "2", 50),
            (Rule.RISE, "4", 900),
            (Rule.SILENCE, "1", 0),
            (Rule.ACTIVE_TERMINALS, "", 95),
        ]
    ]
    assert in_order([expected[index] for index in order]) == expected


@pytest.mark.parametrize("rule", Rule)
def test_each_rule_describes_itself_with_its_parameters(rule: Rule) -> None:
    """Changed parameters are in both texts."""
    rules = RuleSet(swing=SwingRule(weeks=9, least_z=4.5, least_change_bp=3300), least_active_bp=9_550)
    zh, en = describe(rule, rules)
    parts = {
        Rule.FALL: ("9", "4.5", "33%", "200.00"),
        Rule.RISE: ("9", "4.5", "33%", "200.00"),
        Rule.SILENCE: ("80%", "8", "4"),
        Rule.ACTIVE_TERMINALS: ("95.5",),
    }
    assert all(part in zh and part in en for part in parts[rule])
