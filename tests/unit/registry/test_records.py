"""What one record must be: the good ones pass, and each rule has a record that breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.registry.records import faults_of
from tests.unit.registry.records import CLOSE_MS, KINDS, good, table_of

INSTANT = {
    "game_type": "instant",
    "unit_price_fen": 0,
    "has_draws": False,
    "draw_weekdays": [],
    "draw_time": "",
    "face_values_fen": [200, 1000],
}


@pytest.mark.parametrize("kind", KINDS)
def test_good_record_has_no_fault(kind: str) -> None:
    """Nothing is wrong with a good record of any table."""
    assert faults_of(table_of(kind), good(kind)) == []


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("outlet", {"zone_id": "", "format": "", "channel_class": "", "agent_id": "", "mgmt_area": ""}),
        ("outlet", {"closed": "2020-01-02"}),
        ("outlet", {"district_code": "120102"}),
        ("terminal", {"outlet_id": ""}),
        ("terminal", {"public_key": "0f" * 32}),
        ("terminal", {"public_key": " ".join(["0f" * 32, "a1" * 32])}),
        ("terminal", {"terminal_id": "import:001", "kind": "import"}),
        ("terminal", {"terminal_id": "import:001", "kind": "import", "outlet_id": ""}),
        ("game", INSTANT),
        ("game", {"prize_bp": 0, "issuing_fee_bp": 0, "welfare_fund_bp": 0}),
        ("game", {"draw_weekdays": [], "draw_time": ""}),
        ("game", {**INSTANT, "game_type": "summary", "face_values_fen": []}),
        ("draw", {"drawn_ms": 0}),
        ("draw", {"drawn_ms": CLOSE_MS}),
        ("closure", {"last_day": "2024-02-08"}),
        ("closure", {"scope": "all"}),
        ("benchmark", {"yoy_pct": "", "period": "2024"}),
    ],
)
def test_what_may_be_left_out_or_lie_on_the_edge_passes(kind: str, changes: dict[str, Any]) -> None:
    """Optional values may be empty, and limits include their edge."""
    assert faults_of(table_of(kind), good(kind, **changes)) == []


@pytest.mark.parametrize(
    ("kind", "changes", "field", "told"),
    [
        ("zone", {"zone_id": ""}, "zone_id", "empty"),
        ("terminal", {"public_key": "0F" * 32}, "public_key", "64 small hexadecimal digits"),
        ("terminal", {"public_key": "0f" * 31}, "public_key", "64 small hexadecimal digits"),
        ("zone", {"zone_id": "Z\n1"}, "zone_id", "control character"),
        ("zone", {"zone_id": "Z" * 61}, "zone_id", "61 characters"),
        ("zone", {"name": ""}, "name", "empty"),
        ("zone", {"zone_type": "park"}, "zone_type", "none of business_district"),
        ("zone", {"district_code": "12010"}, "district_code", "six digits"),
        ("zone", {"district": ""}, "district", "empty"),
        ("outlet", {"valid_from": "2020-13-01"}, "valid_from", "no day of the calendar"),
        ("outlet", {"opened": ""}, "opened", "empty"),
        ("outlet", {"opened": "01.02.2020"}, "opened", "YYYY-MM-DD"),
        ("outlet", {"closed": "2020-01-01"}, "closed", "not after the opening"),
        ("outlet", {"closed": "2019-12-31"}, "closed", "not after the opening"),
        ("outlet", {"format": "Tea House"}, "format", "small letters"),
        ("outlet", {"channel_class": "online"}, "channel_class", "none of exclusive"),
        ("outlet", {"name": "a" * 401}, "name", "401 characters"),
        ("terminal", {"kind": "vending"}, "kind", "none of till, import"),
        ("terminal", {"terminal_id": "import:001"}, "kind", "of kind import"),
        ("terminal", {"terminal_id": "import:002", "kind": "import"}, "outlet_id", "'002'"),
        ("game", {"game": "双色球"}, "game", "no code"),
        ("game", {"game_type": "bingo"}, "game_type", "none of lotto"),
        ("game", {"unit_price_fen": -1}, "unit_price_fen", "below zero"),
        ("game", {**INSTANT, "unit_price_fen": 200}, "unit_price_fen", "no price of a bet"),
        ("game", {"has_draws": False, "draw_weekdays": [], "draw_time": ""}, "has_draws", "lotto games have draws"),
        ("game", {**INSTANT, "has_draws": True}, "has_draws", "instant games have no draws"),
        ("game", {"face_values_fen": [200]}, "face_values_fen", "only instant"),
        ("game", {**INSTANT, "face_values_fen": [200, 0]}, "face_values_fen", "above zero"),
        ("game", {**INSTANT, "face_values_fen": [200, 200]}, "face_values_fen", "twice"),
        ("game", {"prize_bp": 5000}, "prize_bp", "9900"),
        ("game", {"commission_bp": 10_001}, "commission_bp", "above 10000"),
        ("game", {"draw_weekdays": [0, 4]}, "draw_weekdays", "1 (Monday) to 7"),
        ("game", {"draw_weekdays": [4, 4]}, "draw_weekdays", "different"),
        ("game", {"draw_time": "24:00"}, "draw_time", "HH:MM"),
        ("game", {"draw_time": ""}, "draw_time", "missing"),
        ("draw", {"draw_no": "2024000"}, "draw_no", "YYYYNNN"),
        ("draw", {"sales_close_ms": 0, "drawn_ms": 0}, "sales_close_ms", "no instant"),
        ("draw", {"drawn_ms": CLOSE_MS - 1}, "drawn_ms", "before sales close"),
        ("closure", {"last_day": "2024-02-07"}, "last_day", "before the first day"),
        ("closure", {"scope": "instant"}, "scope", "none of draw_games, all"),
        ("benchmark", {"series": "national welfare"}, "series", "no code"),
        ("benchmark", {"period": "2024-13"}, "period", "neither a year"),
        ("benchmark", {"amount_fen": 0}, "amount_fen", "not above zero"),
        ("benchmark", {"yoy_pct": "7 %"}, "yoy_pct", "no number of percent"),
    ],
)
def test_broken_rule_names_the_field(kind: str, changes: dict[str, Any], field: str, told: str) -> None:
    """Each rule, broken alone, is told once, with its field and what to do."""
    faults = faults_of(table_of(kind), good(kind, **changes))
    assert [fault.field for fault in faults] == [field]
    assert told in faults[0].remedy


@given(st.tuples(*[st.integers(0, 10_000)] * 3))
def test_rates_make_a_whole(rates: tuple[int, int, int]) -> None:
    """Rates pass where they sum to 10,000 basis points, or where none is given."""
    prize_bp, issuing_fee_bp, welfare_fund_bp = rates
    game = good("game", prize_bp=prize_bp, issuing_fee_bp=issuing_fee_bp, welfare_fund_bp=welfare_fund_bp)
    assert (faults_of(table_of("game"), game) == []) == (sum(rates) in (0, 10_000))


@given(st.integers(0, 8_000))
def test_rates_that_sum_to_a_whole_pass(prize_bp: int) -> None:
    """Any split of the whole is taken."""
    game = good("game", prize_bp=prize_bp, issuing_fee_bp=8_000 - prize_bp, welfare_fund_bp=2_000)
    assert faults_of(table_of("game"), game) == []
