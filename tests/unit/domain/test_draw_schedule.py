"""Scheduled draws: on the right days, numbered through the year, closed before they are drawn."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.draw_schedule import DrawSchedule
from fucai.v1.registry_pb2 import Game

ZONE = ZoneInfo("Asia/Shanghai")
SSQ = Game(game="ssq", valid_from="2010-01-01", has_draws=True, draw_weekdays=[2, 4, 7], draw_time="21:15")
MORE = Game(game="ssq", valid_from="2025-07-01", has_draws=True, draw_weekdays=[1, 2, 4, 7], draw_time="21:30")
CLOSED = {date(2025, 1, 27).toordinal() + day for day in range(10)}
DAYS = st.dates(date(2023, 1, 1), date(2027, 12, 31))


def expected(year: int) -> list[date]:
    """The year's draw days, counted one by one."""
    found, day = [], date(year, 1, 1)
    while day.year == year:
        weekdays = {1, 2, 4, 7} if day >= date(2025, 7, 1) else {2, 4, 7}
        if day.isoweekday() in weekdays and day.toordinal() not in CLOSED:
            found.append(day)
        day += timedelta(days=1)
    return found


@given(DAYS, st.integers(0, 400))
def test_numbers_do_not_depend_on_the_part_asked_for(first: date, length: int) -> None:
    """Each draw's number is its place in the calendar year; closures have none; rules change with their version."""
    last = first + timedelta(days=length)
    plan = DrawSchedule([SSQ, MORE], CLOSED)
    wanted = [
        (f"{year}{place:03}", day)
        for year in range(first.year, last.year + 1)
        for place, day in enumerate(expected(year), 1)
        if first <= day <= last
    ]
    found = [
        (draw.draw_no, datetime.fromtimestamp(draw.sales_close_ms / 1000, ZONE))
        for draw in plan.draws(first, last, ZONE)
    ]
    assert [(number, close.date()) for number, close in found] == wanted
    for _, close in found:
        drawn = datetime.fromtimestamp(plan.scheduled_ms(int(close.timestamp() * 1000), ZONE) / 1000, ZONE)
        assert drawn - close == timedelta(minutes=75)


def test_no_draw_before_a_game_is_on_sale_or_without_a_time() -> None:
    """What the catalogue does not foresee is not made up."""
    assert not list(DrawSchedule([MORE], ()).draws(date(2025, 6, 1), date(2025, 6, 30), ZONE))
    bare = Game(game="ssq", valid_from="2010-01-01", has_draws=True)
    assert not list(DrawSchedule([bare], ()).draws(date(2025, 6, 1), date(2025, 6, 30), ZONE))
    assert DrawSchedule([bare], ()).scheduled_ms(1_760_000_000_000, ZONE) == 0
