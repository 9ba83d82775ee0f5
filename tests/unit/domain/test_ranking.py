"""The rules of rankings: places, eligibility, shares, the others."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.growth import Growth, Mark
from fucai.domain.ranking import Eligibility, LeftOut, Member, Order, places, rank

CUTOFF = date(2023, 12, 31)
MACHINES = st.none() | st.sampled_from([date(2020, 5, 1), CUTOFF, date(2024, 1, 1), date(2024, 6, 1)])
MEMBERS = st.lists(
    st.builds(
        Member,
        st.from_regex(r"[0-9]{3}", fullmatch=True),
        st.one_of(st.integers(-100, 10**9), st.sampled_from([0, 5, 10])),
        st.one_of(st.integers(-100, 10**9), st.sampled_from([0, 5, 10])),
        st.sampled_from(["", "一区", "二区"]),
        MACHINES,
        st.none() | st.integers(0, 30),
    ),
    max_size=25,
    unique_by=lambda member: member.member_id,
)
RULES = st.builds(
    Eligibility, st.just(CUTOFF), st.none() | st.integers(-10, 100), st.sampled_from([0, 10]), st.booleans()
)


def test_new_stars_and_progress_as_in_the_scheme_of_2024() -> None:
    """New stars come after the cut-off and rank by sales; progress has a base and more than the average, by growth."""
    old, new = date(2020, 5, 1), date(2024, 3, 1)
    members = [
        Member("001", 900, 600, "一区", old),
        Member("002", 800, 400, "一区", old),
        Member("003", 100, 20, "一区", old),
        Member("004", 700, 0, "一区", old),
        Member("005", 300, 0, "一区", new),
        Member("006", 500, 0, "一区", new),
        Member("007", 50, 40, "二区", CUTOFF),
        Member("008", 60, 40, "二区", None),
    ]
    rules = Eligibility(cutoff=CUTOFF)
    stars = rank(members, Order.NEW_STAR, rules)
    assert [[place.member_id for place in ranking.places] for ranking in stars] == [["006", "005"], []]
    area_one, area_two = sorted(rank(members, Order.PROGRESS, rules), key=lambda ranking: ranking.within)
    assert [(place.member_id, place.growth.ratio) for place in area_one.places] == [("002", 1.0), ("001", 0.5)]
    # The average of area 一区 is 550, so 003 grew most and is not ranked.
    assert area_one.left_out == {LeftOut.NOT_ABOVE_AVERAGE: 1, LeftOut.NO_BASE: 1, LeftOut.NEW: 2}
    assert (area_two.ranked, area_two.left_out) == (0, {LeftOut.NOT_ABOVE_AVERAGE: 1, LeftOut.NO_MACHINE: 1})
    equal = [Member("1", 5, 4, "", old), Member("2", 5, 3, "", old)]
    assert rank(equal, Order.PROGRESS, rules)[0].left_out == {LeftOut.NOT_ABOVE_AVERAGE: 2}
    anyone = rank(members, Order.PROGRESS, Eligibility(cutoff=CUTOFF, above_average=False, least_value=60))
    assert [place.member_id for ranking in anyone for place in ranking.places] == ["003", "002", "001"]


def test_a_scheme_without_its_cut_off_is_refused() -> None:
    """Neither new stars nor progress mean anything without the day; nor does a top of less than none."""
    with pytest.raises(ValueError, match="ranking progress without a cut-off day"):
        rank([], Order.PROGRESS)
    with pytest.raises(ValueError, match="top -1"):
        rank([], top=-1)


def test_equals_share_a_place_and_the_rest_is_summed() -> None:
    """10, 5, 5, 1 have the places 1, 2, 2, 4, by id; the top two leave the others 6 of 21."""
    members = [Member("4", 1, 2), Member("3", 5, 5), Member("2", 5, 0), Member("1", 10, 5)]
    ranking = rank(members)[0]
    assert [(place.place, place.member_id) for place in ranking.places] == [(1, "1"), (2, "2"), (2, "3"), (4, "4")]
    assert [place.share_bp for place in ranking.places] == [4762, 2381, 2381, 476]
    short = rank(members, top=2)[0]
    assert short.places == ranking.places[:2]
    assert short.others is not None
    assert (short.others.value, short.others.base, short.others.members, short.others.share_bp) == (6, 7, 2, 2857)
    assert short.others.growth == Growth(-1 / 7, Mark.RATIO)
    assert [place.member_id for place in rank(members, lowest_first=True)[0].places] == ["4", "2", "3", "1"]
    assert [place.member_id for place in rank(members, Order.CONTRIBUTION)[0].places] == ["1", "2", "3", "4"]


@given(members=MEMBERS, order=st.sampled_from(Order), rules=RULES, top=st.integers(0, 5), lowest=st.booleans())
def test_nobody_is_lost(members: list[Member], order: Order, rules: Eligibility, *, top: int, lowest: bool) -> None:
    """All are shown, summed or left out with a reason; the sums and shares of a ranking are whole."""
    rankings = rank(members, order, rules, top=top, lowest_first=lowest)
    assert [ranking.within for ranking in rankings] == sorted({member.within for member in members})
    known = {member.member_id: member for member in members}
    full = {ranking.within: ranking for ranking in rank(members, order, rules, lowest_first=lowest)}
    for ranking in rankings:
        here = [member for member in members if member.within == ranking.within]
        assert ranking.ranked + sum(ranking.left_out.values()) == len(here)
        rows = [*ranking.places, *([ranking.others] if ranking.others else [])]
        assert sum(row.members for row in rows) == ranking.ranked
        everyone = [known[place.member_id] for place in full[ranking.within].places]
        assert sum(row.value for row in rows) == sum(member.value for member in everyone)
        assert sum(row.contribution for row in rows) == sum(member.value - member.base for member in everyone)
        assert sum(row.share_bp for row in rows) == (10_000 if any(member.value > 0 for member in everyone) else 0)
        assert ranking.places == full[ranking.within].places[: len(ranking.places)]
        assert not top or len(ranking.places) <= top


@given(MEMBERS, st.sampled_from(Order), RULES, st.randoms(), st.integers(2, 100))
def test_order_and_unit_do_not_matter(
    members: list[Member], order: Order, rules: Eligibility, shuffle: random.Random, factor: int
) -> None:
    """Members in any order have the same places; so have amounts in a smaller unit, with the rules in that unit."""
    expected = rank(members, order, rules)
    shuffled = list(members)
    shuffle.shuffle(shuffled)
    assert rank(shuffled, order, rules) == expected
    larger = [
        Member(one.member_id, one.value * factor, one.base * factor, one.within, one.first_machine, one.open_days)
        for one in members
    ]
    least = None if rules.least_value is None else rules.least_value * factor
    scaled = rank(larger, order, Eligibility(CUTOFF, least, rules.least_open_days, rules.above_average))
    for left, right in zip(scaled, expected, strict=True):
        assert [(row.place, row.member_id, row.share_bp) for row in left.places] == [
            (row.place, row.member_id, row.share_bp) for row in right.places
        ]


@given(MEMBERS)
def test_places_are_those_of_polars(members: list[Member]) -> None:
    """By value and by growth, polars' minimum rank gives each the same place."""
    for order in (Order.VALUE, Order.CONTRIBUTION):
        schema = {"id": pl.String, "value": pl.Int64, "within": pl.String}
        amounts = [
            (one.member_id, one.value if order is Order.VALUE else one.value - one.base, one.within) for one in members
        ]
        frame = pl.DataFrame(amounts, schema=schema, orient="row").with_columns(
            pl.col("value").rank("min", descending=True).over("within").alias("place")
        )
        found = {place.member_id: place.place for ranking in rank(members, order) for place in ranking.places}
        assert found == dict(zip(frame["id"], frame["place"], strict=True))


def test_growth_is_compared_exactly() -> None:
    """Two growths that are one float are told apart; equal fractions share a place."""
    big = 10**17
    members = [Member("1", big + 2, big), Member("2", big + 3, big), Member("3", 6, 4), Member("4", 3, 2)]
    assert [(place.place, place.member_id) for place in rank(members, Order.GROWTH)[0].places] == [
        (1, "3"),
        (1, "4"),
        (3, "2"),
        (4, "1"),
    ]
    assert places([Fraction(2), Fraction(1), Fraction(1), Fraction(0)]) == [1, 2, 2, 4]
