"""Which terminals are silent, in open time, and which silence is to be expected."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.flood import FloodRule, Traffic
from fucai.domain.silence import Silence, build_roster, find_silent, silence_of
from fucai.v1.registry_pb2 import Closure, Outlet, RegistryRecord
from tests.support.registry_stub import terminal

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2025, 3, 10, 12, tzinfo=ZONE)


def outlet(outlet_id: str, opened: str = "2020-01-01", closed: str = "") -> RegistryRecord:
    """An outlet."""
    return RegistryRecord(outlet=Outlet(outlet_id=outlet_id, valid_from="2020-01-01", opened=opened, closed=closed))


def closure(first: str, last: str) -> RegistryRecord:
    """A market closure."""
    return RegistryRecord(closure=Closure(first_day=first, last_day=last, scope="draw_games", name="holiday"))


RECORDS = [
    outlet("O-1"),
    outlet("O-closed", closed="2025-03-01"),
    outlet("O-new", opened="2025-04-01"),
    terminal("T-1", "O-1"),
    terminal("T-moved", "O-closed"),
    terminal("T-moved", "O-1", valid_from="2025-03-09"),
    terminal("T-withdrawn", "O-1"),
    terminal("T-withdrawn", "", valid_from="2025-02-01"),
    terminal("T-closed", "O-closed"),
    terminal("T-new", "O-new", valid_from="2025-01-01"),
    terminal("T-later", "O-1", valid_from="2025-06-01"),
    terminal("import:O-1", "O-1", kind="import"),
]


def look(terminal_id: str, last: datetime | None, *more: RegistryRecord, now: datetime = NOON) -> Silence | None:
    """How one terminal is silent after a day of open time."""
    roster = build_roster([*RECORDS, *more])
    last_ms = int(last.timestamp() * 1000) if last else 0
    return silence_of(roster, terminal_id, last_ms, now, threshold_hours=24)


@pytest.mark.parametrize(
    ("terminal_id", "told"),
    [
        ("T-withdrawn", "withdrawn on 2025-02-01"),
        ("T-closed", "closed for good on 2025-03-01"),
        ("T-new", "opens on 2025-04-01"),
        ("import:O-1", "kind import"),
    ],
)
def test_silence_with_a_reason_is_expected(terminal_id: str, told: str) -> None:
    """A withdrawn terminal, a closed outlet, one not open yet, and history imports may be silent for months."""
    found = look(terminal_id, NOON - timedelta(days=60))
    assert found is not None
    assert found.expected
    assert told in found.reason.en
    assert re.search("[终撤关开绑]", found.reason.zh)


def test_silence_without_a_reason_is_not() -> None:
    """A day of open time without an event, or none ever since the terminal was bound."""
    for last, told in ((NOON - timedelta(hours=24), "its last event is older"), (None, "never sent")):
        found = look("T-1", last)
        assert found is not None
        assert not found.expected
        assert told in found.reason.en
    assert look("T-1", NOON - timedelta(hours=23)) is None


def test_silence_begins_with_the_binding() -> None:
    """A terminal that was bound anew yesterday is not blamed for the time before, nor one not bound yet."""
    found = look("T-moved", NOON - timedelta(days=90))
    assert found is not None
    assert found.open_hours == pytest.approx(36)
    assert look("T-later", None) is None


def test_a_market_closure_excuses_today_and_does_not_count() -> None:
    """On a closed day silence is expected; afterwards the closed days do not count against the terminal."""
    holiday = closure("2025-03-07", "2025-03-09")
    before = datetime(2025, 3, 6, 20, tzinfo=ZONE)
    during = look("T-1", before, holiday, now=datetime(2025, 3, 9, 12, tzinfo=ZONE))
    assert during is not None
    assert during.expected
    assert "market closure: holiday" in during.reason.en
    assert during.reason.zh == "休市：holiday，2025-03-07 至 2025-03-09"
    after = look("T-1", before, holiday)
    assert after is not None
    assert after.expected
    assert after.open_hours == pytest.approx(16)
    assert after.hours == pytest.approx(88)
    later = look("T-1", before, holiday, now=NOON + timedelta(hours=9))
    assert later is not None
    assert not later.expected


def test_the_worst_stand_first() -> None:
    """Unexpected before expected, the longest open silence first."""
    roster = build_roster(RECORDS)
    found = find_silent(roster, {"T-1": int(NOON.timestamp() - 90_000) * 1000}, NOON, threshold_hours=24)
    assert [silence.terminal_id for silence in found[:2]] == ["T-moved", "T-1"]
    assert [silence.expected for silence in found] == sorted(silence.expected for silence in found)


@given(st.integers(0, 400), st.integers(0, 400))
def test_more_bad_events_never_end_a_flood(bad: int, stored: int) -> None:
    """A flood stays one with one bad event more; few bad events alone are none."""
    rule = FloodRule(count=200, share=0.5, least=20)
    flood = rule.is_flood(Traffic("T", bad, stored))
    assert flood == (bad >= 200 or (bad >= 20 and bad >= stored))
    assert rule.is_flood(Traffic("T", bad + 1, stored)) or not flood
