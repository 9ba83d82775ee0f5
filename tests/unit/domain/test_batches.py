"""From a terminal's bytes to Kafka's bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from google.protobuf.internal import encoder
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain import topics
from fucai.domain.batches import (
    BatchRefusedError,
    CheckedBatch,
    Limits,
    Stamper,
    is_cured_by_newer_snapshot,
    make_records,
    parse,
)
from fucai.domain.record import HEADER_NAME, RecordRange, decode_range
from fucai.v1 import sales_pb2
from tests.support.tills import NOW_MS, TILL, batch, sale, usual_validator

LIMITS = Limits(max_bytes=10_000, max_events=50)


def intake(raw: bytes) -> CheckedBatch:
    """The records of a batch under the usual catalogue."""
    parsed = parse(raw, LIMITS)
    runs = usual_validator().examine(parsed.batch, now_ms=NOW_MS)
    return make_records(parsed, runs, Stamper("collector-7").stamp(NOW_MS))


def unknown_field(number: int, content: bytes) -> bytes:
    """A length-delimited field of that number."""
    tag = encoder.TagBytes(number, 2)
    return bytes(tag + bytes([len(content)]) + content)


def test_good_batch_becomes_one_record() -> None:
    """Value is what the terminal sent plus the collector's fields, once; the header names the range."""
    sent = batch(*(sale(seq) for seq in range(7, 12)))
    checked = intake(sent.SerializeToString())
    (record,) = checked.records
    assert (record.topic, checked.key, checked.accepted) == (topics.SALES, TILL.encode(), 5)
    assert record.value.startswith(sent.SerializeToString())
    ((name, header),) = record.headers
    assert (name, decode_range(header)) == (HEADER_NAME, RecordRange(sent.epoch, 7, 11, 5))
    sent.received_at_ms, sent.collector_id = NOW_MS, "collector-7"
    assert record.value == sent.SerializeToString()
    receipt = sales_pb2.Receipt.FromString(checked.receipt)
    assert receipt == sales_pb2.Receipt(terminal_id=TILL, epoch=sent.epoch, through_seq=11, accepted=5)


def test_unknown_fields_never_reach_kafka() -> None:
    """Fields that the contract does not know are dropped from batch, event and reference."""
    event = sale(1, refers_to=sales_pb2.EventReference(terminal_id="T", epoch=1, seq=1))
    clean = batch(event).SerializeToString()
    spoiled_event = event.SerializeToString() + unknown_field(77, b"in the event")
    spoiled = batch().SerializeToString() + unknown_field(4, spoiled_event) + unknown_field(99, b"in the batch")
    (record,) = intake(spoiled).records
    (expected,) = intake(clean).records
    assert record == expected


def test_field_sent_twice_is_stored_once() -> None:
    """A singular field that comes twice is stored as it was checked: the last one, once."""
    twice = sales_pb2.SalesBatch(terminal_id="T-other").SerializeToString() + batch(sale(1)).SerializeToString()
    (record,) = intake(twice).records
    (expected,) = intake(batch(sale(1)).SerializeToString()).records
    assert record == expected


def test_bad_events_go_to_quarantine_with_aligned_findings() -> None:
    """Each run is a record; quarantine records carry one finding an event; the receipt lists them all."""
    events = [sale(1), sale(2, amount_fen=1), sale(3, game="x"), sale(4), sale(9)]
    checked = intake(batch(*events).SerializeToString())
    values = [sales_pb2.SalesBatch.FromString(record.value) for record in checked.records]
    assert [record.topic for record in checked.records] == [
        topics.SALES,
        topics.QUARANTINE,
        topics.SALES,
        topics.SALES,
    ]
    assert [[event.seq for event in value.events] for value in values] == [[1], [2, 3], [4], [9]]
    assert [[finding.seq for finding in value.findings] for value in values] == [[], [2, 3], [], []]
    assert [list(value.events) for value in values] == [events[:1], events[1:3], events[3:4], events[4:]]
    spans = [decode_range(record.headers[0][1]) for record in checked.records]
    assert all(span.contiguous for span in spans)
    assert [bool(value.digest) for value in values] == [False, False, False, True]
    assert all((value.received_at_ms, value.collector_id) == (NOW_MS, "collector-7") for value in values)
    receipt = sales_pb2.Receipt.FromString(checked.receipt)
    assert (receipt.through_seq, receipt.accepted) == (9, 3)
    assert [finding.seq for finding in receipt.quarantined] == [2, 3]
    assert sum(checked.quarantined.values()) == 2


def test_largest_bad_batch_fits_kafka_and_a_receipt() -> None:
    """Findings that quote what the terminal sent neither swell a record beyond 8 MB nor a receipt beyond 4 MB."""
    strange = {"game": "\U000e0001" * 50, "ticket_serial": "x" * 150}
    for terminal_id, outlet_id in ((TILL, "O-01"), ("\U0001f3ab" * 64, "O-01"), (TILL, "\U0001f3ab" * 64)):
        sent = batch(*(sale(seq, **strange) for seq in range(1, 10_001)), terminal_id=terminal_id, outlet_id=outlet_id)
        parsed = parse(sent.SerializeToString(), Limits())
        runs = usual_validator().examine(parsed.batch, now_ms=NOW_MS)
        checked = make_records(parsed, runs, Stamper("collector-7").stamp(NOW_MS))
        assert sum(checked.quarantined.values()) == 10_000
        assert max(len(record.value) for record in checked.records) < 1_000_000
        assert len(checked.receipt) < 4 * 1024 * 1024


@pytest.mark.parametrize(
    "seqs",
    [range(10_000, 0, -1), [seq for seq in range(1, 5_001) for _ in (1, 2)], [*range(1, 101)] * 100],
    ids=["falling", "each twice", "the same hundred again and again"],
)
def test_batch_of_bad_numbers_makes_few_records(seqs: Sequence[int]) -> None:
    """However the numbers of 10,000 events fail to rise: each event is in one record, and there are not many."""
    parsed = parse(batch(*map(sale, seqs)).SerializeToString(), Limits())
    checked = make_records(parsed, usual_validator().examine(parsed.batch, now_ms=NOW_MS), b"")
    values = [sales_pb2.SalesBatch.FromString(record.value) for record in checked.records]
    assert sorted(event.seq for value in values for event in value.events) == sorted(seqs)
    assert checked.accepted + sum(checked.quarantined.values()) == 10_000
    assert len(checked.records) <= 110


def test_number_repeated_too_often_is_refused() -> None:
    """A batch that would make a record of each repetition of one number is refused, which names the number."""
    parsed = parse(batch(*(sale(seq) for seq in [5] * 102)).SerializeToString(), Limits())
    runs = usual_validator().examine(parsed.batch, now_ms=NOW_MS)
    with pytest.raises(BatchRefusedError, match="repeats seq 5 101 times"):
        make_records(parsed, runs, b"")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"", "terminal_id"),
        (b"\xff" * 40, ""),
        (batch(sale(1), terminal_id="T").SerializeToString() + unknown_field(1, b"\xff\xfe"), ""),
        (batch().SerializeToString(), "events"),
        (batch(sale(1), kafka_partition=3).SerializeToString(), "kafka_partition"),
        (batch(sale(1)).SerializeToString() + unknown_field(27, b"later"), "field 27"),
        (batch(sale(1), digest=b"x" * 10_000).SerializeToString(), ""),
        (batch(*(sale(seq) for seq in range(1, 52))).SerializeToString(), "events"),
    ],
    ids=["empty", "random", "no UTF-8", "no events", "reserved", "reserved later", "too large", "too many"],
)
def test_unusable_bytes_are_refused(raw: bytes, field: str) -> None:
    """Malformed, oversized, empty and reserved are refused as a whole, naming the field where there is one."""
    with pytest.raises(BatchRefusedError) as refused:
        parse(raw, LIMITS)
    assert field in [refusal.field for refusal in refused.value.refusals]


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused(raw: bytes) -> None:
    """Nothing that a terminal can send raises anything but a refusal."""
    try:
        checked = intake(raw)
    except BatchRefusedError:
        return
    assert checked.records


@given(st.binary(max_size=60), st.integers(0, 120))
def test_any_change_to_a_good_batch_is_taken_or_refused(noise: bytes, place: int) -> None:
    """A damaged batch is refused, or every one of its events is in one record."""
    good = batch(sale(1), sale(2)).SerializeToString()
    damaged = good[:place] + noise + good[place + len(noise) :]
    try:
        parsed = parse(damaged, LIMITS)
    except BatchRefusedError:
        return
    checked = make_records(parsed, usual_validator().examine(parsed.batch, now_ms=NOW_MS), b"")
    stored = [event for record in checked.records for event in sales_pb2.SalesBatch.FromString(record.value).events]
    assert _sorted(stored) == _sorted(parsed.batch.events)


def _sorted(events: Iterable[sales_pb2.SalesEvent]) -> list[bytes]:
    """Events whatever their order: those with bad numbers share records of their own."""
    return sorted(event.SerializeToString(deterministic=True) for event in events)


@pytest.mark.parametrize(
    ("spoiled", "cured"),
    [({"terminal_id": "T-new"}, True), ({"outlet_id": "O-new"}, True), ({"epoch": 5}, False)],
    ids=["unknown terminal", "moved terminal", "good"],
)
def test_only_what_the_registry_may_have_learnt_asks_for_a_newer_snapshot(
    spoiled: dict[str, object],
    cured: bool,  # noqa: FBT001 (the expected answer)
) -> None:
    """Unknown terminals, games and bindings may be news; nothing else is."""
    runs = usual_validator().examine(batch(sale(1), **spoiled), now_ms=NOW_MS)
    assert is_cured_by_newer_snapshot(runs) is cured
    assert not is_cured_by_newer_snapshot(usual_validator().examine(batch(sale(1, amount_fen=0)), now_ms=NOW_MS))
    assert is_cured_by_newer_snapshot(usual_validator().examine(batch(sale(1, game="new")), now_ms=NOW_MS))
