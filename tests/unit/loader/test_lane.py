"""What a worker has before it: when to insert, how much, and how suspicion narrows down to one record."""

from __future__ import annotations

from fucai.domain.record import RecordRange
from fucai.loader.lane import FlushPolicy, Lane
from fucai.loader.record import SALES_TOPIC, Record

POLICY = FlushPolicy(linger_s=1.0, flush_bytes=100, flush_records=10, hold_bytes=200)


def record(offset: int, size: int = 10) -> Record:
    """Return a record of some size."""
    return Record(SALES_TOPIC, 0, offset, b"T1", b"x" * size, 1, RecordRange(1, offset + 1, offset + 1, 1))


def filled(count: int, size: int = 10) -> Lane:
    """Return an open lane with records that came at second 5."""
    lane = Lane(0, open=True)
    for offset in range(count):
        lane.take(record(offset, size), now=5.0)
    return lane


def test_waits_for_more_unless_there_is_much() -> None:
    """A flush is due when the oldest record has lingered, or at once when enough waits; never while one runs."""
    lane = filled(3)
    assert not lane.due(5.9, POLICY)
    assert lane.due(6.0, POLICY)
    assert filled(10).due(5.0, POLICY)
    assert not Lane(0, open=True).due(99.0, POLICY)
    closed = filled(10)
    closed.open = False
    assert not closed.due(99.0, POLICY)


def test_flush_takes_the_front_and_keeps_count_of_bytes() -> None:
    """A flush is bounded in bytes and records; what is left waits, with its size."""
    lane = filled(15, size=20)
    taken = lane.next_records(POLICY)
    assert [taken_record.offset for taken_record in taken] == [0, 1, 2, 3, 4]
    assert lane.waiting_bytes == 10 * 20
    assert [waiting.offset for waiting in lane.waiting] == list(range(5, 15))


def test_suspicion_narrows_to_one_record_and_condemns_it_only_alone() -> None:
    """After a refusal all are looked at; after a second each goes alone; only one refused alone is condemned."""
    lane = filled(3)
    lane.flushing = lane.next_records(POLICY)
    lane.suspect("Code 32")
    assert set(lane.suspects.values()) == {""}
    assert not lane.one_by_one
    again = filled(3)
    again.suspects = lane.suspects
    again.flushing = again.next_records(POLICY)
    again.suspect("Code 32")
    assert again.one_by_one
    alone = filled(3)
    alone.suspects, alone.one_by_one = again.suspects, True
    alone.flushing = alone.next_records(POLICY)
    assert [one.offset for one in alone.flushing] == [0]
    alone.suspect("Code 32")
    assert alone.suspects[0, 0, 0] == "ClickHouse refuses it: Code 32"
    assert alone.suspects[0, 0, 1] == ""


def test_single_record_is_looked_at_before_it_is_condemned() -> None:
    """A refusal of one record that nobody suspected yet may be an accident: it is only suspected."""
    lane = filled(1)
    lane.flushing = lane.next_records(POLICY)
    lane.suspect("Code 33")
    assert lane.suspects == {(0, 0, 0): ""}


def test_suspicion_ends_with_success() -> None:
    """Records that went through are cleared, and inserts are large again when none is left."""
    lane = filled(2)
    lane.flushing = lane.next_records(POLICY)
    lane.suspect("Code 32")
    lane.one_by_one = True
    lane.cleared(lane.flushing)
    assert not lane.suspects
    assert not lane.one_by_one
