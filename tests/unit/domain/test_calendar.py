"""Business days, draw numbers and spans of days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.calendar import (
    FIRST_DAY,
    LAST_DAY,
    DrawNumber,
    business_day,
    common_days,
    day_spans,
    instant_ms,
    overlaps,
    parse_day,
)

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "America/Toronto", "UTC", "Pacific/Apia")]
days = st.dates(date(2023, 12, 20), date(2024, 1, 20))
spans = st.tuples(days, days).map(lambda pair: (min(pair), max(pair)))


def expand(span: tuple[date, date]) -> set[date]:
    """The days of a span."""
    return {span[0] + timedelta(days=n) for n in range((span[1] - span[0]).days + 1)}


@given(st.dates(FIRST_DAY, LAST_DAY))
def test_day_reads_as_it_is_written(day: date) -> None:
    """Every day that can be stored is read back from its text."""
    assert parse_day(day.isoformat()) == day


@pytest.mark.parametrize(
    "text",
    ["", "2024-1-1", "20240101", "2024-02-30", "2023-02-29", "2024-W01-1", "1970-01-01", "2149-06-06", " 2024-01-01"],
)
def test_what_is_no_day_is_refused(text: str) -> None:
    """Other forms of ISO 8601, days that do not exist, and days that cannot be stored are no days."""
    with pytest.raises(ValueError, match=r"is|lies"):
        parse_day(text)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2149, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001 (made aware)
def test_business_day_is_the_date_on_the_wall(naive: datetime, zone: ZoneInfo) -> None:
    """An instant's business day is the date that a clock on the wall of the zone shows then."""
    moment = naive.replace(tzinfo=UTC)
    assert business_day(instant_ms(moment), zone) == moment.astimezone(zone).date()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-01-01T15:59:59.999+00:00", date(2024, 1, 1)),
        ("2024-01-01T16:00:00.000+00:00", date(2024, 1, 2)),
    ],
)
def test_business_day_turns_at_midnight_in_shanghai(text: str, day: date) -> None:
    """The last millisecond of a day belongs to it, the next one to the day after."""
    assert business_day(instant_ms(datetime.fromisoformat(text)), ZoneInfo("Asia/Shanghai")) == day


@given(st.integers(0, 4_000_000_000_000))
def test_instant_is_exact_to_the_millisecond(at_ms: int) -> None:
    """A moment turned into milliseconds and back is the same."""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms)
    assert instant_ms(moment) == at_ms


@given(st.integers(1900, 2099), st.integers(1, 999))
def test_draw_number_reads_as_it_is_written(year: int, serial: int) -> None:
    """Every draw number is read back from its seven digits, and text sorts as draws do."""
    number = DrawNumber(year, serial)
    assert DrawNumber.parse(str(number)) == number
    other = DrawNumber(2023, 58)
    assert (str(number) < str(other)) == (number < other)


@pytest.mark.parametrize("text", ["", "2024000", "202401", "20240011", "1824001", "2024-01", "２０２４００１"])
def test_what_is_no_draw_number_is_refused(text: str) -> None:
    """Draw 000, wrong lengths, other centuries and other digits are no draw numbers."""
    with pytest.raises(ValueError, match="YYYYNNN"):
        DrawNumber.parse(text)


@given(st.lists(days, max_size=40))
def test_spans_hold_exactly_the_days(chosen: list[date]) -> None:
    """Spans hold the days given and no other, are in order, and none could be joined to the next."""
    found = day_spans(chosen)
    assert set().union(*map(expand, found)) == set(chosen)
    assert sum(len(expand(span)) for span in found) == len(set(chosen))
    assert all((later[0] - earlier[1]).days > 1 for earlier, later in pairwise(found))


@given(st.lists(days, max_size=30), st.lists(days, max_size=30))
def test_common_days_are_those_of_both(left: list[date], right: list[date]) -> None:
    """Two lists of spans share the days that stand in both, told in order and once."""
    assert list(common_days(day_spans(left), day_spans(right))) == sorted(set(left) & set(right))


@given(st.lists(spans, max_size=12))
def test_overlaps_are_found_where_there_are_any(chosen: list[tuple[date, date]]) -> None:
    """A pair is told only where its spans share a day, and some pair is told whenever two spans do."""
    found = overlaps(chosen)
    assert all(expand(left) & expand(right) for left, right in found)
    total = sum(len(expand(span)) for span in chosen)
    assert bool(found) == (total > len(set().union(*map(expand, chosen))))
