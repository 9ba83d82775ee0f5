"""The auditor's own wire format against protobuf itself."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from fucai.auditor import wire
from fucai.domain.chain import event_bytes
from fucai.v1 import sales_pb2

TEXTS = st.text(max_size=200)
INT64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 10**6))
UINT32 = st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 200))
UINT64 = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 200))
REFERENCES = st.builds(sales_pb2.EventReference, terminal_id=TEXTS, epoch=UINT32, seq=UINT64)
EVENTS = st.builds(
    sales_pb2.SalesEvent,
    seq=UINT64,
    kind=st.integers(-(2**31), 2**31 - 1),
    game=TEXTS,
    draw_no=TEXTS,
    amount_fen=INT64,
    bets=UINT32,
    multiplier=UINT32,
    face_value_fen=INT64,
    ticket_serial=TEXTS,
    sold_at_ms=INT64,
    refers_to=st.none() | REFERENCES,
    companion_fen=INT64,
    daily_summary=st.booleans(),
)
BATCHES = st.builds(
    sales_pb2.SalesBatch,
    terminal_id=TEXTS,
    outlet_id=TEXTS,
    epoch=UINT32,
    events=st.lists(EVENTS, max_size=5),
    digest=st.binary(max_size=40),
    received_at_ms=INT64,
    collector_id=TEXTS,
    findings=st.lists(st.builds(sales_pb2.Finding, seq=UINT64, field=TEXTS), max_size=5),
)


def plain(event: sales_pb2.SalesEvent) -> list[Any]:
    """The event's fields as protobuf has them, in the form of the auditor's."""
    found: list[Any] = []
    for name in wire.FIELDS[1:]:
        value = getattr(event, name)
        if name == "refers_to":
            value = value.SerializeToString()
        found.append(value.encode() if isinstance(value, str) else value)
    return found


@given(EVENTS)
def test_reads_what_protobuf_wrote(event: sales_pb2.SalesEvent) -> None:
    """Every field of every event has the value that protobuf gives it."""
    assert wire.read_event(event_bytes(event))[1:] == plain(event)


@given(EVENTS)
def test_writes_what_enters_the_chain(event: sales_pb2.SalesEvent) -> None:
    """An event written from its fields is byte for byte what the terminal chained."""
    reference = event.refers_to
    fields = [b"", *plain(event)]
    fields[wire.REFERS] = wire.write_reference(reference.terminal_id.encode(), reference.epoch, reference.seq)
    if event.HasField("refers_to") and not fields[wire.REFERS]:
        event.ClearField("refers_to")
    assert wire.write_event(fields) == event_bytes(event)


@given(BATCHES)
def test_reads_batches_as_protobuf_does(batch: sales_pb2.SalesBatch) -> None:
    """Names, digest, times and the exact bytes of each event are those of the batch."""
    found = wire.read_batch(batch.SerializeToString())
    assert found.terminal == batch.terminal_id.encode()
    assert found.outlet == batch.outlet_id.encode()
    assert found.collector == batch.collector_id.encode()
    assert (found.epoch, found.digest, found.received_at_ms) == (batch.epoch, batch.digest, batch.received_at_ms)
    assert list(found.events) == [event_bytes(event) for event in batch.events]
    assert list(found.finding_seqs) == [finding.seq for finding in batch.findings]
    assert not found.loader_fields


@given(st.binary(max_size=60))
def test_garbage_is_refused_or_read_as_protobuf_reads_it(data: bytes) -> None:
    """Bytes that protobuf refuses never pass as other numbers, and nothing but a WireError comes of them."""
    try:
        found = wire.read_event(data)
    except wire.WireError:
        return
    try:
        event = sales_pb2.SalesEvent.FromString(data)
    except DecodeError:
        return
    assert found[wire.SEQ] == event.seq
    assert found[wire.AMOUNT] == event.amount_fen
    assert found[wire.BETS] == event.bets


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_cut_batches_are_refused(cut: int) -> None:
    """A batch whose end is missing is no batch."""
    whole = sales_pb2.SalesBatch(terminal_id="T1", events=[sales_pb2.SalesEvent(seq=300)]).SerializeToString()
    with pytest.raises(wire.WireError):
        wire.read_batch(whole[:-cut])


@pytest.mark.parametrize("field", [wire.SEQ, wire.SOLD_AT, wire.SUMMARY])
def test_numbers_without_an_end_are_refused_at_once(field: int) -> None:
    """A number of a megabyte costs no more than one of eleven bytes."""
    with pytest.raises(wire.WireError):
        wire.read_event(bytes([field << 3]) + b"\xff" * 1_000_000 + b"\x01")
