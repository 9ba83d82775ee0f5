"""Pairings of a period and its base: known ones, their algebra, what they say, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.calendar import FIRST_DAY, LAST_DAY
from fucai.domain.comparison import RULES, Pairing, Why, pair, whole_days
from fucai.domain.growth import Growth, Mark
from fucai.domain.market import Closure, Market, Scope
from fucai.domain.periods import Comparison, DayRange, Grain

STORED = DayRange(date(2010, 1, 1), date(2030, 12, 31))
NEW_YEARS = {2023: date(2023, 1, 22), 2024: date(2024, 2, 10), 2025: date(2025, 1, 29), 2026: date(2026, 2, 17)}
CLOSURES = (
    Closure(DayRange(date(2024, 2, 8), date(2024, 2, 17)), Scope.DRAW_GAMES),
    Closure(DayRange(date(2025, 1, 27), date(2025, 2, 5)), Scope.DRAW_GAMES),
)
MARKET = Market(CLOSURES, NEW_YEARS)
RULED = [rule for rule in Comparison if rule not in (Comparison.NONE, Comparison.BASE_PERIOD)]


def span(first: str, last: str) -> DayRange:
    """A range from its two days."""
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


@st.composite
def spans(draw: st.DrawFn) -> DayRange:
    """Days within those that can be stored, at most the 353 of the shortest lunar year."""
    first = draw(st.dates(FIRST_DAY, LAST_DAY))
    return DayRange(first, min(LAST_DAY, first + timedelta(days=draw(st.integers(0, 352)))))


@pytest.mark.parametrize(
    ("rule", "asked", "base"),
    [
        (Comparison.YOY, span("2025-01-01", "2025-01-31"), span("2024-01-01", "2024-01-31")),
        (Comparison.YOY, span("2024-02-29", "2024-03-02"), span("2023-03-01", "2023-03-02")),
        (Comparison.YOY, span("2025-02-28", "2025-02-28"), span("2024-02-28", "2024-02-28")),
        (Comparison.WEEKDAY, span("2025-01-01", "2025-01-31"), span("2024-01-03", "2024-02-02")),
        (Comparison.OPEN_DAY, span("2025-01-01", "2025-01-31"), span("2024-01-01", "2024-01-31")),
        (Comparison.LUNAR, span("2025-01-15", "2025-02-12"), span("2024-01-27", "2024-02-24")),
        (Comparison.LUNAR, span("2025-01-01", "2025-01-10"), span("2024-01-13", "2024-01-22")),
        (Comparison.LUNAR, span("2025-12-01", "2025-12-31"), span("2024-11-12", "2024-12-12")),
        (Comparison.PREVIOUS, span("2025-01-01", "2025-02-28"), span("2024-11-01", "2024-12-31")),
        (Comparison.PREVIOUS, span("2025-01-06", "2025-01-12"), span("2024-12-30", "2025-01-05")),
        (Comparison.PREVIOUS, span("2024-01-01", "2025-12-31"), span("2022-01-01", "2023-12-31")),
    ],
)
def test_known_bases(rule: Comparison, asked: DayRange, base: DayRange) -> None:
    """Each rule has the bases that docs/definitions.md gives; the whole period counts."""
    found = pair(asked, rule, STORED, MARKET)
    assert (found.days, found.base, found.as_of, found.gap) == (asked, base, None, None)


@pytest.mark.parametrize(
    ("rule", "grain", "asked", "base"),
    [
        (Comparison.YOY, None, span("2025-03-01", "2025-03-31"), span("2024-03-01", "2024-03-10")),
        (Comparison.YOY, Grain.YEAR, span("2025-01-01", "2025-12-31"), span("2024-01-01", "2024-03-10")),
        (Comparison.PREVIOUS, None, span("2025-03-01", "2025-03-31"), span("2025-02-01", "2025-02-10")),
        (Comparison.PREVIOUS, Grain.MONTH, span("2025-03-01", "2025-03-31"), span("2025-02-01", "2025-02-10")),
        (Comparison.PREVIOUS, None, span("2025-01-01", "2025-12-31"), span("2024-01-01", "2024-03-10")),
        (Comparison.PREVIOUS, None, span("2025-03-03", "2025-03-16"), span("2025-02-17", "2025-02-24")),
        (Comparison.WEEKDAY, None, span("2025-03-01", "2025-03-31"), span("2024-03-02", "2024-03-11")),
        (Comparison.LUNAR, None, span("2025-01-29", "2025-03-31"), span("2024-02-10", "2024-03-21")),
    ],
)
def test_an_unfinished_period_meets_the_same_part_of_its_base(
    rule: Comparison, grain: Grain | None, asked: DayRange, base: DayRange
) -> None:
    """Stored to 10 March, a period that goes on is compared with what had passed of its base, and says as of when."""
    found = pair(asked, rule, replace(STORED, last=date(2025, 3, 10)), MARKET, grain=grain)
    assert found.days == DayRange(asked.first, date(2025, 3, 10))
    assert (found.base, found.as_of, found.asked) == (base, date(2025, 3, 10), asked)


def test_a_base_given_is_cut_to_the_elapsed_part() -> None:
    """A base of any length is taken whole, but only as many of its days as have passed of an unfinished period."""
    asked, base = span("2025-03-01", "2025-03-31"), span("2019-05-01", "2019-05-07")
    rule = Comparison.BASE_PERIOD
    assert pair(asked, rule, STORED, MARKET, given=base).base == base
    for day, last in (("2025-03-03", "2019-05-03"), ("2025-03-20", "2019-05-07")):
        found = pair(asked, rule, replace(STORED, last=date.fromisoformat(day)), MARKET, given=base)
        assert found.base == span("2019-05-01", last)


@given(spans(), st.sampled_from(RULED), st.dates(FIRST_DAY, LAST_DAY))
def test_a_base_lies_before_its_period(asked: DayRange, rule: Comparison, last_stored: date) -> None:
    """Up to a lunar year of days never meets itself; rules that shift keep the number of days, and weekdays."""
    years = range(asked.first.year - 2, asked.last.year + 2)
    market = Market(new_years={year: date(year, 2, 4) for year in years})
    found = pair(asked, rule, DayRange(FIRST_DAY - timedelta(days=999), last_stored), market)
    assert found.days.first == asked.first
    assert found.days.last == (min(asked.last, last_stored) if last_stored >= asked.first else asked.last)
    if found.base is None:
        assert found.gap is not None
        return
    assert found.base.first >= FIRST_DAY
    assert found.base.last < found.days.first
    assert not found.overlaps
    if rule in (Comparison.WEEKDAY, Comparison.LUNAR):
        assert found.base.days == found.days.days
    else:  # 29 February counts on one side only; months before have 28 to 31 days
        assert abs(found.base.days - found.days.days) <= (3 if rule is Comparison.PREVIOUS else 1)
    if rule is Comparison.WEEKDAY:
        assert found.base.first.weekday() == found.days.first.weekday()


def test_more_than_a_year_says_that_it_meets_itself() -> None:
    """Two years against the days a year before have one year on both sides, and say so; two before them have none."""
    asked = span("2023-01-01", "2024-12-31")
    assert pair(asked, Comparison.YOY, STORED, MARKET).overlaps
    assert not pair(asked, Comparison.PREVIOUS, STORED, MARKET).overlaps


@pytest.mark.parametrize(
    ("asked", "rule", "stored", "why"),
    [
        (span("2024-02-29", "2024-02-29"), Comparison.YOY, STORED, Why.LEAP_DAY),
        (span("2024-02-29", "2024-02-29"), Comparison.OPEN_DAY, STORED, Why.LEAP_DAY),
        (span("2023-02-01", "2023-02-28"), Comparison.LUNAR, STORED, Why.NO_NEW_YEAR),
        (span("1970-06-01", "1970-06-30"), Comparison.YOY, DayRange(FIRST_DAY, LAST_DAY), Why.BEFORE_CALENDAR),
        (span("2010-06-01", "2010-06-30"), Comparison.YOY, STORED, Why.BASE_NOT_STORED),
        (span("2031-01-01", "2031-01-31"), Comparison.YOY, STORED, Why.NOT_BEGUN),
        (span("2025-01-01", "2025-01-31"), Comparison.YOY, None, Why.NOT_BEGUN),
        (span("2025-01-29", "2025-01-29"), Comparison.OPEN_DAY, STORED, Why.NO_OPEN_DAY),
        (span("2025-01-01", "2025-01-31"), Comparison.NONE, STORED, Why.NOT_ASKED),
    ],
)
def test_where_there_is_no_base_it_says_why(
    asked: DayRange, rule: Comparison, stored: DayRange | None, why: Why
) -> None:
    """Without a base there is a reason, in both languages, and no ratio whatever the figures."""
    found = pair(asked, rule, stored, MARKET)
    assert found.gap is not None
    assert found.gap.why is why
    assert found.gap.text.zh
    assert found.gap.text.en
    assert found.grow(107, 100) == Growth(None, Mark.NO_BASE)
    assert found.caution is None


def test_a_day_of_march_that_february_lacks_has_no_base() -> None:
    """The end of March has no counterpart in the month before, and says so."""
    found = pair(span("2025-03-29", "2025-03-31"), Comparison.PREVIOUS, STORED, MARKET, grain=Grain.MONTH)
    assert found.gap is not None
    assert found.gap.why is Why.NO_SUCH_DAYS


def test_per_open_day_compares_averages_and_shows_both_counts() -> None:
    """February 2025 has 23 open days against 19: 2300 against 1900 is the same average, not a rise of a fifth."""
    asked = span("2025-02-01", "2025-02-28")
    averaged = pair(asked, Comparison.OPEN_DAY, STORED, MARKET)
    assert averaged.open_days == (23, 19)
    assert averaged.grow(2300, 1900) == Growth(0.0, Mark.RATIO)
    assert averaged.grow(2300, 1900, least_base=2000) == Growth(None, Mark.SMALL_BASE)
    assert pair(asked, Comparison.YOY, STORED, MARKET).grow(2300, 1900) == Growth(400 / 1900, Mark.RATIO)


def test_closures_of_draw_games_do_not_close_instant_tickets() -> None:
    """Where only closures of all games count, as for instant tickets, those of draw games leave every day open."""
    instant = replace(MARKET, scopes=frozenset({Scope.ALL}))
    found = pair(span("2025-02-01", "2025-02-28"), Comparison.OPEN_DAY, STORED, instant)
    assert found.open_days == (28, 29)


def test_a_partly_stored_base_is_marked() -> None:
    """A base that begins before the first stored day gives a ratio with a mark."""
    found = pair(span("2010-12-01", "2011-01-31"), Comparison.YOY, STORED, MARKET)
    assert found.grow(107, 100) == Growth(0.07, Mark.PARTIAL_BASE)


@pytest.mark.parametrize(
    ("pairing", "zh", "en"),
    [
        (
            pair(span("2025-03-01", "2025-03-31"), Comparison.YOY, STORED, MARKET),
            "2025-03-01…2025-03-31 对 2024-03-01…2024-03-31，同比（按日历）",
            "2025-03-01…2025-03-31 against 2024-03-01…2024-03-31, year on year (calendar)",
        ),
        (
            pair(span("2025-03-01", "2025-03-31"), Comparison.YOY, replace(STORED, last=date(2025, 3, 1)), MARKET),
            "2025-03-01 对 2024-03-01，同比（按日历），截至 2025-03-01（所问至 2025-03-31）",
            "2025-03-01 against 2024-03-01, year on year (calendar), as of 2025-03-01 (asked to 2025-03-31)",
        ),
        (
            pair(span("2025-02-01", "2025-02-28"), Comparison.OPEN_DAY, STORED, MARKET),
            "2025-02-01…2025-02-28 对 2024-02-01…2024-02-29，同比（开市日均）：23 天对 19 天",
            "2025-02-01…2025-02-28 against 2024-02-01…2024-02-29, year on year (per open day): 23 days against 19",
        ),
        (
            pair(span("2025-01-29", "2025-01-30"), Comparison.LUNAR, STORED, MARKET),
            "2025-01-29…2025-01-30 对 2024-02-10…2024-02-11，同比（按春节对齐）：前推 354 天",
            (
                "2025-01-29…2025-01-30 against 2024-02-10…2024-02-11, "
                "year on year (aligned on lunar new year): 354 days before"
            ),
        ),
        (
            pair(span("2024-02-29", "2024-02-29"), Comparison.YOY, STORED, MARKET),
            "2024-02-29，同比（按日历）；无可比：2 月 29 日在上年无对应日",
            "2024-02-29, year on year (calendar); not comparable: 29 February has no counterpart in the year before",
        ),
        (
            pair(span("2025-03-01", "2025-03-31"), Comparison.NONE, STORED, MARKET),
            "2025-03-01…2025-03-31，不作比较",
            "2025-03-01…2025-03-31, no comparison",
        ),
    ],
)
def test_a_pairing_prints_itself(pairing: Pairing, zh: str, en: str) -> None:
    """Both exact ranges and the rule stand in one line, with what else must be known to read the figure."""
    assert (pairing.line().zh, pairing.line().en) == (zh, en)


def test_a_week_year_on_year_says_that_it_meets_weekdays() -> None:
    """A week is compared with the week 364 days before, and the rule that is printed is that one."""
    found = pair(span("2024-12-30", "2025-01-05"), Comparison.YOY, STORED, MARKET, grain=Grain.WEEK)
    assert (found.rule, found.base) == (Comparison.WEEKDAY, span("2024-01-01", "2024-01-07"))


@pytest.mark.parametrize(
    ("asked", "rule", "grain", "given", "named"),
    [
        (span("1970-01-01", "1970-01-05"), Comparison.YOY, None, None, "choose days from 1970-01-02"),
        (span("2149-06-01", "2149-06-06"), Comparison.YOY, None, None, "to 2149-06-05"),
        (span("2025-01-31", "2025-02-01"), Comparison.YOY, Grain.MONTH, None, "more than one month"),
        (span("2025-01-01", "2025-01-31"), Comparison.BASE_PERIOD, None, None, "give its first and last day"),
        (
            span("2025-01-01", "2025-01-31"),
            Comparison.BASE_PERIOD,
            None,
            span("2024-12-01", "2025-01-01"),
            "give days that end before 2025-01-01",
        ),
    ],
)
def test_a_question_without_sense_is_refused(
    asked: DayRange, rule: Comparison, grain: Grain | None, given: DayRange | None, named: str
) -> None:
    """Days that cannot be stored, two buckets at once, and a base missing or not before the period are named."""
    with pytest.raises(ValueError, match=named):
        pair(asked, rule, STORED, MARKET, grain=grain, given=given)


def test_a_day_that_still_runs_is_not_whole() -> None:
    """Of the stored days, today and what is dated later are left out; nothing remains of a store that began today."""
    stored = span("2025-01-01", "2025-03-10")
    assert whole_days(stored, date(2025, 3, 10)) == span("2025-01-01", "2025-03-09")
    assert whole_days(stored, date(2025, 3, 12)) == stored
    assert whole_days(stored, date(2025, 1, 1)) is None
    assert whole_days(None, date(2025, 1, 1)) is None


def test_every_rule_has_a_name() -> None:
    """Each rule of the contract is named in both languages."""
    assert set(RULES) == set(Comparison)
    assert all(label.zh and label.en for label in RULES.values())
