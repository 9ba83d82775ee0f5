"""What is wrong with a record's value: the closer look, which decodes it as ClickHouse would. Decides nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from fucai.domain.record import YEAR_2100_MS
from fucai.domain.salerules import MAX_EVENT_FEN
from fucai.domain.validation import MAX_DIGEST_BYTES, MAX_ID_BYTES
from fucai.loader.record import QUARANTINE_TOPIC, Record
from fucai.v1 import sales_pb2

if TYPE_CHECKING:
    from fucai.domain.record import RecordRange


def fault(record: Record) -> str:  # noqa: PLR0911 (a list of faults, each with its words)
    """Return what is wrong with a record's value, for people; empty where it is as a collector writes it."""
    if not record.value:
        return "the value is empty"
    try:
        batch = sales_pb2.SalesBatch.FromString(record.value)
    except DecodeError as error:
        return f"the value is not a SalesBatch: {error}"
    if batch.terminal_id.encode() != record.key:
        return f"the key is {record.key!r}, the batch says terminal {batch.terminal_id!r}"
    if batch.ByteSize() != len(record.value):
        return "the value holds a field twice: no collector wrote it"
    span = record.span
    sequence = [event.seq for event in batch.events]
    if span is None or span.epoch != batch.epoch or len(sequence) != span.count:
        return f"the header says {span}, the batch epoch {batch.epoch} with {len(sequence)} events"
    if not _fits(sequence, span, may_skip=record.topic == QUARANTINE_TOPIC):
        return f"the header says {span.first} to {span.last}, the events have other sequence numbers"
    return _batch_fault(batch) or (_finding_fault if record.topic == QUARANTINE_TOPIC else _event_fault)(batch)


def _fits(sequence: list[int], span: RecordRange, *, may_skip: bool) -> bool:
    """Whether the numbers are those of the header; only bad numbers, in quarantine, may rise by more than one."""
    if not sequence:
        return False
    if may_skip and not span.contiguous:
        rising = all(lower < higher for lower, higher in pairwise(sequence))
        return rising and (sequence[0], sequence[-1]) == (span.first, span.last)
    return sequence == list(range(span.first, span.first + len(sequence)))


def _batch_fault(batch: sales_pb2.SalesBatch) -> str:
    """Return what no collector writes beside the events, as the gate checks it."""
    if not (batch.outlet_id and batch.collector_id and batch.epoch):
        return "outlet, collector or epoch is missing"
    if not 0 < batch.received_at_ms < YEAR_2100_MS:
        return f"it was received at {batch.received_at_ms} ms, which no clock shows"
    names = (batch.terminal_id, batch.outlet_id, batch.collector_id)
    if len(batch.digest) > MAX_DIGEST_BYTES or any(len(name.encode()) > MAX_ID_BYTES for name in names):
        return "terminal, outlet, collector or digest is longer than a collector takes"
    reserved = sales_pb2.SalesBatch.DESCRIPTOR.fields_by_number
    if any(field.number >= reserved[30].number for field, _ in batch.ListFields()):
        return "a field that only the loader may set is set"
    return ""


def _finding_fault(batch: sales_pb2.SalesBatch) -> str:
    """Return where findings and events do not agree."""
    if [finding.seq for finding in batch.findings] != [event.seq for event in batch.events]:
        return "not one finding for each event in quarantine"
    return ""


def _event_fault(batch: sales_pb2.SalesBatch) -> str:
    """Return what no collector lets through, as the gate checks it."""
    for event in batch.events:
        known_kind = event.kind in {sales_pb2.EVENT_KIND_SALE, sales_pb2.EVENT_KIND_VOID, sales_pb2.EVENT_KIND_PAYOUT}
        amounts = 0 < event.amount_fen <= MAX_EVENT_FEN and 0 <= event.companion_fen <= MAX_EVENT_FEN
        if not (known_kind and event.game and amounts and 0 < event.sold_at_ms < YEAR_2100_MS):
            return f"event {event.seq}: kind, game, amount or time is not what a collector lets through"
    return ""
