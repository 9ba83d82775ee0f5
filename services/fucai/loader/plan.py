"""Decides what becomes of each record: stored, duplicate, split or quarantined. Pure: records in, frames out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from fucai.domain.record import YEAR_2100_MS, RecordRange
from fucai.domain.salerules import MAX_EVENT_FEN
from fucai.domain.validation import MAX_DIGEST_BYTES, MAX_ID_BYTES
from fucai.loader.framing import frame, raw_frame
from fucai.loader.record import QUARANTINE_TOPIC, SALES_TOPIC, Record
from fucai.v1 import sales_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fucai.loader.ledger import Known, Ledger

Suspects = Mapping[tuple[int, int, int], str]
"""Records, by place, that may have spoiled an insert; with the verdict, empty where there is none yet."""

_STORE = sales_pb2.DISPOSITION_STORE
_DUPLICATE = sales_pb2.DISPOSITION_DUPLICATE
_QUARANTINE = sales_pb2.DISPOSITION_QUARANTINE
_SMALLEST_EVENT = 4
"""Bytes of the shortest event in a batch: its tag, its length, and a sequence number. A longer claim is a lie."""
_HEAVY_BYTES = 1 << 30
"""What a record may take when its own fields stand beside each of its events, before it is looked at."""


@dataclass(slots=True)
class Plan:
    """One insert: the frames, what they hold (in events), and where reading goes on once it returned.

    `next_offsets` maps (topic, partition) to the offset after the last record. `bad_records` counts whole records that
    could not be used.
    """

    frames: list[bytes] = field(default_factory=list, repr=False)
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    bad_records: int = 0
    replayed: int = 0
    next_offsets: dict[tuple[int, int], int] = field(default_factory=dict)
    newest_ms: int = 0

    @property
    def body(self) -> bytes:
        """The bytes to insert; empty where every record was read before."""
        return b"".join(self.frames)


NOBODY: Suspects = MappingProxyType({})
"""No record is suspected."""


def plan_flush(records: Iterable[Record], ledger: Ledger, suspects: Suspects = NOBODY) -> Plan:
    """Plan one insert and enter its numbers into the ledger.

    If the insert fails, the ledger is wrong and must be restored from the store. Suspects are decoded and checked one
    by one, as are the records of the quarantine topic and those that might grow beyond measure; one with a verdict goes
    into quarantine as it is.
    """
    plan = Plan()
    for record in records:
        plan.next_offsets[record.topic, record.partition] = record.offset + 1
        plan.newest_ms = max(plan.newest_ms, record.timestamp_ms)
        span = record.span
        problem = record.problem
        verdict = suspects.get(record.place)
        if span is not None:
            problem = _fault_of_header(record, span)
            heavy = record.topic == QUARANTINE_TOPIC or span.count * len(record.value) > _HEAVY_BYTES
            if not problem and (heavy or verdict is not None):
                problem = verdict or fault(record)
        if span is None or problem:
            plan.frames.extend(raw_frame(record, problem or "the record has no range header"))
            plan.bad_records += 1
        elif record.topic == SALES_TOPIC:
            _plan_sales(plan, record, span, ledger)
        else:
            _plan_quarantine(plan, record, span, ledger)
    return plan


def _fault_of_header(record: Record, span: RecordRange) -> str:
    """Return what is wrong with a record as seen without decoding it; empty where nothing is."""
    if span.count * _SMALLEST_EVENT > len(record.value):
        return f"the header says {span.count} events, the value has {len(record.value)} bytes"
    if not record.key.isascii():
        try:
            record.key.decode()
        except UnicodeDecodeError as error:
            return f"the key {record.key!r} is no text: {error.reason}"
    return ""


def _plan_sales(plan: Plan, record: Record, span: RecordRange, ledger: Ledger) -> None:
    """Store what is new of a record; the rest is a duplicate, unless this very record was stored before."""
    if not span.contiguous or not record.key:
        plan.frames.extend(raw_frame(record, f"header {span}: not a contiguous range of a terminal's events"))
        plan.bad_records += 1
        return
    stored = ledger.of(record.key, span.epoch).stored
    known = stored.overlap(span.first, span.last)
    if not known:
        plan.frames.extend(frame(record, record.value, span, _STORE))
        plan.stored += span.count
        stored.add(span.first, span.last)
        return
    again = record.place in ledger.replayed
    if known < span.count:
        _split(plan, record, span, ledger.of(record.key, span.epoch), keep_known=not again)
    elif again:
        plan.replayed += span.count
    else:
        plan.frames.extend(frame(record, record.value, span, _DUPLICATE))
        plan.duplicates += span.count


def _split(plan: Plan, record: Record, span: RecordRange, known: Known, *, keep_known: bool) -> None:
    """Store the new part of a record that overlaps what is known: the only place that decodes on an ordinary day."""
    problem = fault(record)
    if problem:
        plan.frames.extend(raw_frame(record, problem))
        plan.bad_records += 1
        return
    batch = sales_pb2.SalesBatch.FromString(record.value)
    old, new = list(known.stored.within(span.first, span.last)), list(known.stored.missing(span.first, span.last))
    for first, last in new:
        plan.frames.extend(
            frame(
                record, _part(batch, span, first, last), RecordRange(span.epoch, first, last, last - first + 1), _STORE
            )
        )
        plan.stored += last - first + 1
        known.stored.add(first, last)
    for first, last in old:
        if keep_known:
            plan.frames.extend(
                frame(
                    record,
                    _part(batch, span, first, last),
                    RecordRange(span.epoch, first, last, last - first + 1),
                    _DUPLICATE,
                )
            )
            plan.duplicates += last - first + 1
        else:
            plan.replayed += last - first + 1


def _part(batch: sales_pb2.SalesBatch, span: RecordRange, first: int, last: int) -> bytes:
    """Return the batch with the events first..last only."""
    part = sales_pb2.SalesBatch()
    part.CopyFrom(batch)
    del part.events[last - span.first + 1 :]
    del part.events[: first - span.first]
    return part.SerializeToString()


def _plan_quarantine(plan: Plan, record: Record, span: RecordRange, ledger: Ledger) -> None:
    """Put a record of the quarantine topic into quarantine, once for each set of numbers."""
    if record.place in ledger.replayed:
        plan.replayed += span.count
        return
    if not span.contiguous:
        plan.frames.extend(frame(record, record.value, span, _QUARANTINE))
        plan.quarantined += span.count
        return
    known = ledger.of(record.key, span.epoch)
    unseen = known.quarantined.missing(span.first, span.last)
    seen = all(known.stored.overlap(first, last) == last - first + 1 for first, last in unseen)
    plan.frames.extend(frame(record, record.value, span, _DUPLICATE if seen else _QUARANTINE))
    if seen:
        plan.duplicates += span.count
    else:
        plan.quarantined += span.count
        known.quarantined.add(span.first, span.last)


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
    if not sequence or sequence != list(range(span.first, span.first + len(sequence))):
        return f"the header says {span.first} to {span.last}, the events have other sequence numbers"
    return _batch_fault(batch) or (_finding_fault if record.topic == QUARANTINE_TOPIC else _event_fault)(batch)


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
