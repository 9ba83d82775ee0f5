"""The account of a terminal's numbers against plain sets."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.completeness import Account, State, first_above, runs
from fucai.domain.sequences import SequenceSet
from fucai.domain.validation import MAX_SEQ

RANGES = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)).map(lambda pair: (pair[0], pair[0] + pair[1])))


def plain(ranges: list[tuple[int, int]]) -> set[int]:
    """The same numbers as a plain set."""
    return {number for first, last in ranges for number in range(first, last + 1)}


@given(RANGES, RANGES, RANGES)
def test_states_divide_the_numbers_up_to_the_highest(
    stored: list[tuple[int, int]], quarantined: list[tuple[int, int]], waived: list[tuple[int, int]]
) -> None:
    """Each number from 1 to the highest known stands in one stretch, in the state that the plain sets give it."""
    account = Account(SequenceSet(stored), SequenceSet(quarantined), SequenceSet(waived))
    known, stopped = plain(stored), plain(quarantined)
    highest = max(known | stopped, default=0)
    assert account.highest == highest
    stretches = account.stretches()
    told = {number: s.state for s in stretches for number in range(s.first, s.last + 1)}
    expected = {
        number: State.STORED
        if number in known
        else State.WAIVED
        if number in plain(waived)
        else State.QUARANTINED
        if number in stopped
        else State.MISSING
        for number in range(1, highest + 1)
    }
    assert told == expected
    assert sum(stretch.numbers for stretch in stretches) == highest
    assert all(account.state_of(number) is state for number, state in expected.items())
    assert all(a.last + 1 == b.first and a.state is not b.state for a, b in pairwise(stretches))


@given(RANGES, RANGES, st.integers(1, 60))
def test_a_late_arrival_closes_its_gap_and_nothing_else(
    stored: list[tuple[int, int]], quarantined: list[tuple[int, int]], late: int
) -> None:
    """Storing one missing number takes just that number out of what is missing."""
    account = Account(SequenceSet(stored), SequenceSet(quarantined))
    missing = plain([(gap.first, gap.last) for gap in account.gaps()])
    if late > account.highest:
        return
    account.stored.add(late, late)
    assert plain([(gap.first, gap.last) for gap in account.gaps()]) == missing - {late}


@given(st.sets(st.one_of(st.integers(0, 40), st.integers(MAX_SEQ - 2, MAX_SEQ + 2))))
def test_runs_hold_all_sequence_numbers_and_no_others(numbers: set[int]) -> None:
    """0 and what lies above the highest number that a run may begin with name no place in a sequence."""
    found = runs([*numbers, *numbers])
    assert plain(found) == {number for number in numbers if 1 <= number <= MAX_SEQ}
    assert all(a[1] + 1 < b[0] for a, b in pairwise(found))


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 99))), st.sets(st.integers(0, 30)))
def test_since_when_is_the_first_arrival_above(arrivals: list[tuple[int, int]], lasts: set[int]) -> None:
    """As the definition says it, number by number."""
    expected = {last: [at for number, at in arrivals if number > last] for last in lasts}
    assert first_above(arrivals, lasts) == {last: min(times) for last, times in expected.items() if times}


def test_a_waiver_makes_no_number_known() -> None:
    """Waiving what is no sequence number, or lies above all events, leaves the sequence as it was."""
    account = Account(SequenceSet([(1, 3)]))
    account.waive(0, 0)
    account.waive(7, 9)
    assert account.highest == 3
    assert account.is_waived(0)
    assert not list(account.gaps())
