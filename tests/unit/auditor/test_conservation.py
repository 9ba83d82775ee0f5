"""The tally behind the law of conservation: nothing counted twice, nothing forgotten, memory bounded."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fucai.adapters.consumer import FetchedRecord, Place
from fucai.auditor.conservation import UNREADABLE, Tally, events_by_game, outcomes
from fucai.domain import topics
from fucai.v1 import sales_pb2

PLACE: Place = (topics.SALES, 3)


def record(offset: int, events: int, game: str = "ssq") -> FetchedRecord:
    """A record with so many events of a game."""
    batch = sales_pb2.SalesBatch(events=[sales_pb2.SalesEvent(seq=n + 1, game=game) for n in range(events)])
    return FetchedRecord(topics.SALES, 3, offset, 0, b"T1", batch.SerializeToString(), [])


@given(st.lists(st.integers(0, 900), max_size=40), st.lists(st.integers(0, 45), max_size=6))
def test_what_is_due_and_what_waits_are_all_of_it(sizes: list[int], commits: list[int]) -> None:
    """However the loader commits, each record is compared once or still in flight, and none before its commit."""
    tally, compared, end = Tally({PLACE: 0}), 0, 0
    for offset, size in enumerate(sizes):
        tally.take(record(offset, size))
    for committed in sorted(commits):
        runs = tally.due({PLACE: committed})
        for run in runs:
            assert (run.first, run.end <= committed) == (end, True)
            assert run.received.total() == sum(sizes[run.first : run.end])
            compared, end = compared + run.received.total(), run.end
        tally.settled(runs)
        assert not tally.due({PLACE: committed})
    assert compared + tally.in_flight().total() == sum(sizes)


def test_a_steady_stream_is_compared_all_the_same() -> None:
    """What was counted before a look at the store becomes due, though records keep coming right behind it."""
    tally = Tally({PLACE: 0})
    for offset in range(10):
        tally.take(record(offset, 1))
        tally.seal()
    assert [run.end for run in tally.due({PLACE: 9})] == [9]


def test_memory_is_bounded_while_the_loader_is_away() -> None:
    """A great many records that nobody loads are kept as few runs, and are all compared in the end."""
    tally = Tally({PLACE: 0}, most_chunks=8)
    big = record(0, 1_500)
    for offset in range(40):
        tally.take(FetchedRecord(topics.SALES, 3, offset, 0, b"T1", big.value, []))
    kept = {run.end for committed in range(41) for run in tally.due({PLACE: committed})}
    assert len(kept) <= 8
    (run,) = tally.due({PLACE: 40})
    assert run.received == Counter(ssq=1_500 * 40)


def test_a_record_that_cannot_be_read_counts_as_one_event() -> None:
    """It stands in quarantine as one row, too."""
    assert events_by_game(b"\xff\xff") == {UNREADABLE: 1}


def test_what_is_stored_but_was_not_received_is_unexplained() -> None:
    """A game that the store has and Kafka has not shows below zero."""
    tally = Tally({PLACE: 0})
    tally.take(record(0, 3))
    runs = tally.due({PLACE: 1})
    found = outcomes(runs, {(PLACE, "ssq"): 1, (PLACE, "3d"): 2}, {(PLACE, "ssq"): 1}, {(PLACE, "ssq"): 1})
    assert {each.game: each.unexplained for each in found} == {"ssq": 0, "3d": -2}
