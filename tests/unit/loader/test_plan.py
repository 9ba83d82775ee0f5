"""What becomes of records: decided by the header and the ledger alone, decoded by the same reader as ClickHouse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.protobuf.internal.decoder import _DecodeVarint  # type: ignore[attr-defined]  # the stubs leave it out
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain import topics
from fucai.domain.batches import Limits, Stamper, make_records, parse
from fucai.domain.record import RecordRange, decode_range
from fucai.domain.sequences import SequenceSet
from fucai.domain.validation import Run
from fucai.loader.faults import fault
from fucai.loader.ledger import Ledger
from fucai.loader.plan import Plan, plan_flush
from fucai.loader.record import QUARANTINE_TOPIC, SALES_TOPIC, Record
from fucai.v1 import sales_pb2
from tests.support.tills import NOW_MS, sale, usual_validator
from tests.support.tills import batch as till_batch

STORE, DUPLICATE, QUARANTINE = 1, 2, 3


def batch(first: int, count: int, terminal: str = "T1") -> sales_pb2.SalesBatch:
    """Return a batch as a collector writes it."""
    events = [
        sales_pb2.SalesEvent(
            seq=first + index,
            kind=sales_pb2.EVENT_KIND_SALE,
            game="3d",
            draw_no="2026001",
            amount_fen=200 + first + index,
            bets=1,
            sold_at_ms=1_760_000_000_000,
        )
        for index in range(count)
    ]
    return sales_pb2.SalesBatch(
        terminal_id=terminal,
        outlet_id="O1",
        epoch=7,
        events=events,
        received_at_ms=1_760_000_000_500,
        collector_id="c-0",
    )


def record(offset: int, first: int, count: int, *, terminal: str = "T1") -> Record:
    """Return a good record of the sales topic."""
    span = RecordRange(7, first, first + count - 1, count)
    value = batch(first, count, terminal).SerializeToString()
    return Record(SALES_TOPIC, 3, offset, terminal.encode(), value, 1_760_000_001_000, span)


def rejected(offset: int, first: int, count: int) -> Record:
    """Return a good record of the quarantine topic."""
    made = batch(first, count)
    made.findings.extend(
        sales_pb2.Finding(seq=event.seq, reason=sales_pb2.QUARANTINE_REASON_UNKNOWN_GAME, field="game")
        for event in made.events
    )
    sent = record(offset, first, count)
    return replace(sent, topic=QUARANTINE_TOPIC, value=made.SerializeToString())


def read(plan: Plan) -> list[sales_pb2.SalesBatch]:
    """Return the messages of a plan, as ClickHouse would read them."""
    body, position, messages = plan.body + plan.duplicates_body, 0, []
    while position < len(body):
        size, position = _DecodeVarint(body, position)
        messages.append(sales_pb2.SalesBatch.FromString(body[position : position + size]))
        position += size
    return messages


def numbers(plan: Plan, disposition: int) -> list[int]:
    """Return the sequence numbers that go a certain way, in order."""
    return [event.seq for sent in read(plan) if sent.disposition == disposition for event in sent.events]


def test_new_record_is_stored_as_it_is() -> None:
    """The collector's bytes stand unchanged in the frame; behind them only the loader's own fields."""
    sent = record(41, 1, 3)
    plan = plan_flush([sent], Ledger())
    assert sent.value in plan.body
    (message,) = read(plan)
    assert (message.record_key, message.first_seq, message.event_count) == ("T1", 1, 3)
    assert (message.kafka_partition, message.kafka_offset, message.disposition) == (3, 41, STORE)
    assert (plan.stored, plan.next_offsets) == (3, {(SALES_TOPIC, 3): 42})


def test_second_record_with_the_same_numbers_is_a_duplicate() -> None:
    """The same numbers from another offset are kept as duplicates, not stored."""
    plan = plan_flush([record(1, 1, 3), record(2, 1, 3)], Ledger())
    assert numbers(plan, STORE) == [1, 2, 3]
    assert numbers(plan, DUPLICATE) == [1, 2, 3]
    assert (plan.stored, plan.duplicates) == (3, 3)


def test_record_read_again_counts_nowhere() -> None:
    """A record that an unfinished flush had stored is neither new nor a duplicate."""
    ledger = Ledger(replayed={(SALES_TOPIC, 3, 5): SequenceSet([(1, 3)])})
    ledger.of(b"T1", 7).stored.add(1, 3)
    plan = plan_flush([record(5, 1, 3)], ledger)
    assert (plan.frames, plan.replayed, plan.duplicates) == ([], 3, 0)
    assert plan.next_offsets == {(SALES_TOPIC, 3): 6}


def test_half_stored_record_is_completed() -> None:
    """Of a record of which an unfinished flush stored a part, the rest is stored and nothing is a duplicate."""
    ledger = Ledger(replayed={(SALES_TOPIC, 3, 5): SequenceSet([(2, 2)])})
    ledger.of(b"T1", 7).stored.add(2, 2)
    plan = plan_flush([record(5, 1, 3)], ledger)
    assert numbers(plan, STORE) == [1, 3]
    assert (plan.stored, plan.replayed, plan.duplicates) == (2, 1, 0)


def test_numbers_of_others_are_duplicates_of_a_record_read_again() -> None:
    """Of a record of which a part was stored, what other records had stored before is written as a duplicate again."""
    ledger = Ledger(replayed={(SALES_TOPIC, 3, 5): SequenceSet([(4, 5)])})
    ledger.of(b"T1", 7).stored.add(1, 5)
    plan = plan_flush([record(5, 1, 6)], ledger)
    assert (numbers(plan, STORE), numbers(plan, DUPLICATE)) == ([6], [1, 2, 3])
    assert (plan.stored, plan.duplicates, plan.replayed) == (1, 3, 2)


def test_condemned_record_stays_condemned() -> None:
    """A record that stands whole in quarantine is not stored, even if it looks better after a restart."""
    plan = plan_flush([record(5, 1, 3)], Ledger(condemned={(SALES_TOPIC, 3, 5)}))
    assert (plan.frames, plan.replayed, plan.next_offsets) == ([], 3, {(SALES_TOPIC, 3): 6})


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 9)), min_size=1, max_size=25), st.data())
def test_every_number_is_stored_exactly_once(spans: list[tuple[int, int]], data: st.DataObject) -> None:
    """However batches overlap, repeat and skip: each number is stored once, each repeat is kept."""
    records = [record(offset, first, count) for offset, (first, count) in enumerate(spans)]
    cut = data.draw(st.integers(0, len(records)))
    ledger = Ledger()
    plans = [plan_flush(records[:cut], ledger), plan_flush(records[cut:], ledger)]
    sent = [number for first, count in spans for number in range(first, first + count)]
    stored = [number for plan in plans for number in numbers(plan, STORE)]
    again = [number for plan in plans for number in numbers(plan, DUPLICATE)]
    assert sorted(stored) == sorted(set(sent))
    assert sorted(stored + again) == sorted(sent)
    assert sum(plan.stored for plan in plans) == len(stored)
    for plan in plans:
        for message in read(plan):
            assert [event.seq for event in message.events] == list(
                range(message.first_seq, message.first_seq + message.event_count)
            )


def test_quarantined_numbers_fill_no_gap_but_close_it() -> None:
    """A number in quarantine is no gap; stored later, it leaves quarantine; sent again, it is a duplicate."""
    ledger = Ledger()
    plan = plan_flush([record(1, 1, 2), rejected(1, 3, 1), record(2, 4, 1)], ledger)
    assert numbers(plan, QUARANTINE) == [3]
    assert ledger.gap_count == 0
    again = plan_flush([rejected(2, 3, 1), record(3, 3, 1)], ledger)
    assert numbers(again, DUPLICATE) == [3]
    assert numbers(again, STORE) == [3]


def test_gap_is_counted_and_late_batch_closes_it() -> None:
    """A batch that skips ahead is stored at once; the late one that fills the gap is stored too."""
    ledger = Ledger()
    plan_flush([record(1, 1, 2), record(2, 5, 2)], ledger)
    assert ledger.gap_count == 1
    assert plan_flush([record(3, 3, 2)], ledger).stored == 2
    assert ledger.gap_count == 0


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (replace(record(9, 1, 2), span=None, problem="header fucai-range is missing"), "header fucai-range is missing"),
        (replace(record(9, 1, 2), span=RecordRange(7, 1, 3, 2)), "not a contiguous range"),
        (replace(record(9, 1, 2), key=b""), "not a contiguous range"),
        (replace(record(9, 1, 2), span=RecordRange(7, 1, 4_000_000_000, 4_000_000_000)), "4000000000 events"),
    ],
    ids=["no header", "range with a hole", "no key", "more events than bytes"],
)
def test_unusable_record_goes_whole_into_quarantine(bad: Record, words: str) -> None:
    """A record whose header cannot be used is kept byte for byte, and its neighbours are stored."""
    plan = plan_flush([record(8, 1, 1), bad, record(10, 2, 1)], Ledger())
    (kept,) = (message for message in read(plan) if message.disposition == QUARANTINE)
    assert kept.raw_record == bad.value
    assert words in kept.raw_detail
    assert numbers(plan, STORE) == [1, 2]
    assert plan.bad_records == 1


def test_record_that_would_grow_beyond_measure_is_looked_at() -> None:
    """A digest of megabytes beside each of thousands of events never reaches ClickHouse."""
    heavy = batch(1, 500)
    heavy.digest = b"d" * 3_000_000
    span = RecordRange(7, 1, 500, 500)
    bad = replace(record(1, 1, 500), value=heavy.SerializeToString(), span=span)
    (kept,) = read(plan_flush([bad], Ledger()))
    assert (kept.raw_record, "longer than a collector takes" in kept.raw_detail) == (bad.value, True)


def test_terminal_that_jumps_around_does_not_grow_the_memory() -> None:
    """Beyond so many ranges, what would open another is kept whole with the reason; what closes a gap is stored."""
    ledger = Ledger(max_ranges=3)
    plan = plan_flush([record(number, 1 + 10 * number, 2) for number in range(5)], ledger)
    assert numbers(plan, STORE) == [1, 2, 11, 12, 21, 22]
    kept = [message for message in read(plan) if message.disposition == QUARANTINE]
    assert [(message.first_seq, message.event_count) for message in kept] == [(31, 2), (41, 2)]
    assert all("3 ranges with gaps" in message.raw_detail for message in kept)
    assert (plan.capped_records, plan.quarantined, plan.bad_records) == (2, 4, 0)
    more = plan_flush([record(5, 23, 2), record(6, 19, 2), record(7, 3, 8), record(8, 31, 2)], ledger)
    assert numbers(more, STORE) == [23, 24, 19, 20, *range(3, 11), 31, 32]
    assert ledger.of(b"T1", 7).stored.range_count == 3


def test_quarantine_that_jumps_around_does_not_grow_the_memory() -> None:
    """The same holds for numbers in quarantine; there is a record for each thing that is not remembered."""
    ledger = Ledger(max_ranges=3)
    plan = plan_flush([rejected(number, 1 + 10 * number, 1) for number in range(4)], ledger)
    assert numbers(plan, QUARANTINE) == [1, 11, 21]
    assert plan.capped_records == 1
    assert plan_flush([rejected(9, 22, 1)], ledger).quarantined == 1


def apart(offset: int, *seqs: int) -> Record:
    """Return a record of the quarantine topic with events whose numbers were bad."""
    made = batch(1, len(seqs))
    for event, seq in zip(made.events, seqs, strict=True):
        event.seq = seq
        made.findings.add(seq=seq, reason=sales_pb2.QUARANTINE_REASON_BAD_SEQUENCE, field="seq")
    span = RecordRange(7, seqs[0], seqs[-1], len(seqs))
    return replace(record(offset, 1, 1), topic=QUARANTINE_TOPIC, value=made.SerializeToString(), span=span)


def test_bad_numbers_share_a_record() -> None:
    """Events of bad numbers, rising but with gaps, are taken as one record; only possible numbers are remembered."""
    sent = apart(1, 0, 3, 4, 9, 2**64 - 1)
    plan = plan_flush([sent], ledger := Ledger())
    assert numbers(plan, QUARANTINE) == [0, 3, 4, 9, 2**64 - 1]
    assert plan.bad_records == 0
    assert list(ledger.of(b"T1", 7).quarantined.ranges()) == [(3, 4), (9, 9)]


@pytest.mark.parametrize("seqs", [(3, 9, 9, 12), (3, 9, 8, 12)], ids=["twice", "falling"])
def test_bad_numbers_that_share_a_record_rise(seqs: tuple[int, ...]) -> None:
    """A number twice in one record would be kept once: no collector writes that."""
    assert "other sequence numbers" in fault(apart(1, *seqs))


def test_last_number_of_all_is_not_taken() -> None:
    """ClickHouse cannot count beyond 2^64 - 1: a record that ends there goes into quarantine at once."""
    last = 2**64 - 1
    bad = replace(record(1, 1, 2), span=RecordRange(7, last - 1, last, 2))
    (kept,) = read(plan_flush([bad], Ledger()))
    assert kept.raw_record == bad.value


def test_good_records_have_no_fault() -> None:
    """What a collector writes passes the closer look, on both topics."""
    assert fault(record(1, 5, 20)) == ""
    assert fault(rejected(1, 5, 3)) == ""


def test_records_of_the_collector_have_no_fault() -> None:
    """The bytes that the collector really makes, good and bad runs of one batch, pass the closer look."""
    sent = batch(1, 6)
    for field in ("received_at_ms", "collector_id"):
        sent.ClearField(field)
    sent.digest = b"d" * 32
    finding = sales_pb2.Finding(seq=3, reason=sales_pb2.QUARANTINE_REASON_UNKNOWN_GAME, field="game", detail="bad")
    runs = [Run(0, 2), Run(2, 3, (finding,)), Run(3, 6)]
    parsed = parse(sent.SerializeToString(), Limits())
    checked = make_records(parsed, runs, Stamper("collector-0").stamp(1_760_000_000_500))
    assert [made.topic for made in checked.records] == [topics.SALES, topics.QUARANTINE, topics.SALES]
    for made in checked.records:
        topic = QUARANTINE_TOPIC if made.topic == topics.QUARANTINE else SALES_TOPIC
        span = decode_range(made.headers[0][1])
        assert fault(Record(topic, 3, 1, checked.key, made.value, 1, span)) == ""


@given(st.lists(st.one_of(st.integers(0, 12), st.sampled_from([2**63 - 1, 2**63, 2**64 - 1])), min_size=1, max_size=30))
def test_records_of_the_collector_are_taken_whatever_the_numbers(seqs: list[int]) -> None:
    """Whichever way the numbers of a batch jump, fall and repeat: no record that a collector makes of it is a lie."""
    parsed = parse(till_batch(*(sale(seq, sold_at_ms=NOW_MS) for seq in seqs)).SerializeToString(), Limits())
    runs = usual_validator().examine(parsed.batch, now_ms=NOW_MS)
    checked = make_records(parsed, runs, Stamper("collector-0").stamp(NOW_MS))
    records = [
        Record(
            QUARANTINE_TOPIC if made.topic == topics.QUARANTINE else SALES_TOPIC,
            *(3, offset, checked.key, made.value, 1, decode_range(made.headers[0][1])),
        )
        for offset, made in enumerate(checked.records)
    ]
    assert [fault(made) for made in records] == [""] * len(records)
    plan = plan_flush(records, Ledger())
    assert plan.bad_records == 0
    assert plan.stored + plan.quarantined + plan.duplicates == len(seqs)


def twice(name: str) -> bytes:
    """Return a good batch in which a field of the batch stands twice."""
    extra = sales_pb2.SalesBatch()
    setattr(extra, name, "X")
    return batch(1, 2).SerializeToString() + extra.SerializeToString()


def changed(**fields: int) -> Record:
    """Return a record with fields of its batch replaced."""
    made = batch(1, 2)
    for name, value in fields.items():
        setattr(made, name, value)
    return replace(record(1, 1, 2), value=made.SerializeToString())


def holed() -> bytes:
    """Return a batch with a hole that its header hides."""
    made = batch(1, 3)
    del made.events[1]
    return made.SerializeToString()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (replace(record(1, 1, 2), value=b""), "empty"),
        (replace(record(1, 1, 2), value=b"\xff\x01garbage"), "not a SalesBatch"),
        (replace(record(1, 1, 2), key=b"T2"), "the key is"),
        (replace(record(1, 1, 2), value=twice("terminal_id")), "the key is"),
        (replace(record(1, 1, 2), value=twice("outlet_id")), "twice"),
        (replace(record(1, 1, 2), value=batch(2, 2).SerializeToString()), "other sequence numbers"),
        (replace(record(1, 1, 2), span=RecordRange(8, 1, 2, 2)), "batch epoch 7"),
        (replace(record(1, 1, 3), value=holed()), "with 2 events"),
        (replace(record(1, 1, 1), value=sales_pb2.SalesBatch(terminal_id="T1").SerializeToString()), "epoch 0"),
        (replace(rejected(1, 1, 2), value=batch(1, 2).SerializeToString()), "not one finding"),
        (changed(received_at_ms=2**62), "no clock shows"),
        (changed(kafka_offset=1), "only the loader"),
    ],
    ids=[
        "empty",
        "random",
        "wrong key",
        "key twice",
        "outlet twice",
        "shifted",
        "epoch",
        "hole",
        "no events",
        "no findings",
        "far year",
        "loader's field",
    ],
)
def test_closer_look_names_the_fault(bad: Record, words: str) -> None:
    """Each way in which a record can lie is found when it is decoded, and the record goes whole into quarantine."""
    assert words in fault(bad)
    plan = plan_flush([bad], Ledger(), {bad.place: ""})
    assert [message.raw_record for message in read(plan)] == [bad.value]


def test_condemned_record_is_quarantined_with_the_verdict() -> None:
    """A record that looks good but that ClickHouse refuses alone goes into quarantine with ClickHouse's words."""
    sent = record(1, 1, 2)
    (message,) = read(plan_flush([sent], Ledger(), {sent.place: "ClickHouse refuses it: Code 32"}))
    assert (message.raw_record, message.raw_detail) == (sent.value, "ClickHouse refuses it: Code 32")
