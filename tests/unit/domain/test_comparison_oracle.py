"""Ten thousand random questions, calendars and bases: rules and a day-by-day oracle agree on all."""

from __future__ import annotations

import random
from datetime import date

from fucai.domain.calendar import FIRST_DAY, LAST_DAY
from fucai.domain.comparison import Why, pair
from fucai.domain.growth import Mark
from fucai.domain.market import Closure, Market, Scope
from fucai.domain.periods import Comparison, DayRange, Grain, whole
from tests.unit.domain.comparison_oracle import Case, expected, growth

LOW, HIGH = FIRST_DAY.toordinal(), LAST_DAY.toordinal()
CASES = 10_000
SEED = 2018


def span(first: int, last: int) -> DayRange:
    """A range from two ordinals."""
    return DayRange(date.fromordinal(first), date.fromordinal(last))


def draw(rng: random.Random) -> tuple[Case, Market]:
    """A random question with a random calendar, as the oracle and as the rules know it."""
    first, last, grain = stretch(rng)
    spans = []
    for _ in range(rng.randrange(5)):
        begin = first - rng.choice([0, 30, 354, 364, 365, 384]) + rng.randint(-20, 20)
        spans.append((begin, begin + rng.randrange(14), rng.choice(list(Scope))))
    scopes = frozenset(rng.choice([[Scope.ALL], list(Scope)]))
    shut = {day for begin, end, scope in spans for day in range(begin, end + 1) if scope in scopes}
    year = date.fromordinal(first).year
    years = range(year - 3, date.fromordinal(last).year + 4)
    new_years = {y: date(y, 1, 21).toordinal() + rng.randrange(30) for y in years}
    missing = rng.choice([0, 0, 0, year - 1, year, year + 1])
    known = {y: date.fromordinal(day) for y, day in new_years.items() if y != missing}
    closures = tuple(Closure(span(begin, end), scope) for begin, end, scope in spans)
    begin = first - rng.randint(1, 800)
    case = Case(
        asked=list(range(first, last + 1)),
        rule=rng.choice(list(Comparison)),
        grain=grain,
        stored=stored(rng, first, last),
        shut=frozenset(shut),
        new_years=new_years,
        missing_year=missing,
        given=list(range(begin, min(first, begin + rng.randint(1, 90)))),
    )
    return case, Market(closures, known, scopes)


def stretch(rng: random.Random) -> tuple[int, int, Grain | None]:
    """First and last ordinal of a period: any, whole months, about the end of February, or a part of a bucket."""
    year = rng.randint(1971, 2148)
    edges = [date(year, 2, 26).toordinal() + rng.randrange(5), date(year, 3, rng.randint(29, 31)).toordinal()]
    first = rng.choice([rng.randint(LOW, HIGH), rng.randint(LOW, HIGH), *edges])
    match rng.randrange(4):
        case 0:
            return first, min(HIGH, first + rng.choice([0, 1, 6, rng.randrange(62), rng.randrange(62)])), None
        case 1:
            return first, min(HIGH, first + rng.randrange(500)), None
        case 2:
            day = date.fromordinal(max(first, date(1970, 2, 1).toordinal())).replace(day=1)
            end = day.year * 12 + day.month - 1 + rng.choice([1, 1, 2, 3, 12, 24, rng.randint(1, 26)])
            after = date(end // 12, end % 12 + 1, 1).toordinal() - 1
            return day.toordinal(), min(HIGH, after), None
        case _:
            grain = rng.choice(list(Grain))
            bucket = whole(grain, date.fromordinal(first))
            begin = rng.choice([max(LOW, bucket.first.toordinal()), first])
            end = min(HIGH, bucket.last.toordinal())
            return begin, rng.choice([end, rng.randint(begin, end)]), grain


def stored(rng: random.Random, first: int, last: int) -> tuple[int, int] | None:
    """First and last stored ordinal: often all that is needed, else one that cuts the period or its base."""
    if rng.random() < 0.02:
        return None
    begin = rng.choice([LOW - 800, first - rng.randrange(800), first - 365 + rng.randint(-20, 20)])
    end = rng.choice([last, last + 9, rng.randint(first, last), first + rng.randint(-3, 40)])
    return begin, max(begin, end)


def test_rules_and_oracle_agree() -> None:
    """Days, base, reason, coverage, open days, warning and growth are those of the oracle, in every case."""
    rng = random.Random(SEED)
    seen: set[str] = set()
    for number in range(CASES):
        case, market = draw(rng)
        reach = span(*case.stored) if case.stored else None
        asked = span(case.asked[0], case.asked[-1])
        given = span(case.given[0], case.given[-1])
        found = pair(asked, case.rule, reach, market, grain=case.grain, given=given)
        want = expected(case)
        place = f"case {number}: {case.rule.name} {case.grain} {asked}, stored {reach}: {found.line().en}"
        assert (found.days.first.toordinal(), found.days.last.toordinal()) == (want.days[0], want.days[-1]), place
        base = range(found.base.first.toordinal(), found.base.last.toordinal() + 1) if found.base else ()
        assert list(base) == want.base, place
        assert (found.gap.why if found.gap else None) is want.why, place
        assert found.coverage is want.coverage, place
        assert found.open_days == want.open_days, place
        assert (found.caution is not None) == want.warns, place
        assert (found.as_of is not None) == (want.days != case.asked), place
        value, whole_base = (rng.choice([0, rng.randint(-9, 99), rng.randint(-(10**12), 10**14)]) for _ in range(2))
        least = rng.choice([0, 0, 50, 10**12])
        read = found.grow(value, whole_base, least)
        assert read == growth(case, want, value, whole_base, least), place
        seen |= {str(want.why), str(read.mark.name), case.rule.name, f"warns {want.warns}", f"over {found.overlaps}"}
    named = {*map(str, Why), *(mark.name for mark in Mark), *(rule.name for rule in Comparison)}
    assert seen == named | {"None", "warns True", "warns False", "over True", "over False"}
