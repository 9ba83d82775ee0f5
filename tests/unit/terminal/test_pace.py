"""Simulated time and rates against a wall clock that the test turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.terminal.pace import RatePace, speed_pace

MIDNIGHT_MS = 1_764_000_000_000
NOON_MS = MIDNIGHT_MS + 43_200_000

steps = st.lists(st.integers(0, 5_000), max_size=50)


@given(speed=st.floats(0.01, 10_000), seconds=st.none() | st.floats(0, 10_000), ticks=steps)
def test_simulated_time_rises_from_today_and_never_passes_the_clock(
    speed: float, seconds: float | None, ticks: list[int]
) -> None:
    """Spans follow each other without gap or overlap, from midnight at the earliest, to now at the latest."""
    now_ms = NOON_MS
    pace = speed_pace(speed, seconds, now_ms, MIDNIGHT_MS)
    reached_ms = pace.reached_ms
    assert MIDNIGHT_MS <= reached_ms <= now_ms
    for tick in ticks:
        now_ms += tick
        from_ms, to_ms = pace.span(now_ms)
        assert from_ms == reached_ms <= to_ms <= now_ms
        reached_ms = to_ms


def test_a_bounded_run_ends_at_the_wall_clock() -> None:
    """Sixty seconds at 61 times real time cover the hour before, and arrive at now."""
    pace = speed_pace(61, 60, NOON_MS, MIDNIGHT_MS)
    assert pace.reached_ms == NOON_MS - 3_600_000
    assert pace.span(NOON_MS + 60_000) == (NOON_MS - 3_600_000, NOON_MS + 60_000)


@pytest.mark.parametrize("rate", [0.5, 7.0, 5_000.0])
def test_a_rate_is_kept_to_the_event(rate: float) -> None:
    """Over ten seconds of uneven ticks as many events come as the rate says."""
    pace = RatePace(rate, NOON_MS)
    now_ms, events = NOON_MS, 0
    for tick in [7, 193, 333, 467] * 10:
        now_ms += tick
        events += pace.due(now_ms)[0]
    assert abs(events - rate * 10) <= 1


def test_a_rate_makes_up_for_one_second_at_most() -> None:
    """After a long pause there is no flood."""
    pace = RatePace(100, NOON_MS)
    assert pace.due(NOON_MS + 60_000) == (100, NOON_MS + 59_000, NOON_MS + 60_000)
