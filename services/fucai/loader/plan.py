"""Decides what becomes of each record: stored, duplicate, split or quarantined. Pure: records in, frames out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from fucai.domain.record import RecordRange
from fucai.domain.sequences import SequenceSet
from fucai.domain.validation import MAX_SEQ
from fucai.loader.faults import fault
from fucai.loader.framing import frame, raw_frame
from fucai.loader.record import QUARANTINE_TOPIC, SALES_TOPIC, Record
from fucai.v1 import sales_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    """One flush: the frames, what they hold (in events), and where reading goes on once they are on disk.

    Duplicates go in an insert of their own, after the other has returned: what they are duplicates of is on disk then,
    whatever becomes of either. `next_offsets` maps (topic, partition) to the offset after the last record.
    `bad_records` counts whole records that could not be used, `capped_records` good ones that are set aside because
    their terminal's numbers jump around too much.
    """

    frames: list[bytes] = field(default_factory=list, repr=False)
    duplicate_frames: list[bytes] = field(default_factory=list, repr=False)
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    bad_records: int = 0
    capped_records: int = 0
    replayed: int = 0
    next_offsets: dict[tuple[int, int], int] = field(default_factory=dict)
    newest_ms: int = 0

    @property
    def body(self) -> bytes:
        """The bytes to insert first; empty where every record is known."""
        return b"".join(self.frames)

    @property
    def duplicates_body(self) -> bytes:
        """The bytes to insert then; empty on an ordinary day."""
        return b"".join(self.duplicate_frames)


NOBODY: Suspects = MappingProxyType({})
"""No record is suspected."""

_NOTHING = SequenceSet()
"""The numbers stored of a record that is read for the first time."""


def plan_flush(records: Iterable[Record], ledger: Ledger, suspects: Suspects = NOBODY) -> Plan:
    """Plan one insert and enter its numbers into the ledger.

    If the insert fails, the ledger is wrong and must be restored from the store. Suspects are decoded and checked one
    by one, as are the records of the quarantine topic and those that might grow beyond measure; one with a verdict goes
    into quarantine as it is.
    """
    plan = Plan()
    condemned = ledger.condemned
    for record in records:
        plan.next_offsets[record.topic, record.partition] = record.offset + 1
        plan.newest_ms = max(plan.newest_ms, record.timestamp_ms)
        span = record.span
        problem = record.problem
        place = record.place
        if condemned and place in condemned:
            plan.replayed += span.count if span else 0
            continue
        verdict = suspects.get(place)
        if span is not None:
            problem = _fault_of_header(record, span)
            heavy = record.topic == QUARANTINE_TOPIC or span.count * len(record.value) > _HEAVY_BYTES
            if not problem and (heavy or verdict is not None):
                problem = verdict or fault(record)
        if span is None or problem:
            _condemn(plan, record, problem or "the record has no range header")
        elif record.topic == SALES_TOPIC:
            _plan_sales(plan, record, span, ledger)
        else:
            _plan_quarantine(plan, record, span, ledger)
    return plan


def _condemn(plan: Plan, record: Record, problem: str) -> None:
    """Put the whole record into quarantine."""
    plan.frames.extend(raw_frame(record, problem))
    plan.bad_records += 1


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
    """Store what is new of a record; the rest is a duplicate, unless it was stored from this very record before."""
    if not span.contiguous or not record.key:
        _condemn(plan, record, f"header {span}: not a contiguous range of a terminal's events")
        return
    stored = ledger.of(record.key, span.epoch).stored
    known = stored.overlap(span.first, span.last)
    if not known:
        if stored.range_count >= ledger.max_ranges:
            problem = _fault_of_numbering(span, stored, [(span.first, span.last)], ledger.max_ranges)
            if problem:
                _set_aside(plan, record, span, problem)
                return
        plan.frames.extend(frame(record, record.value, span, _STORE))
        plan.stored += span.count
        stored.add(span.first, span.last)
        return
    own = ledger.replayed.get(record.place, _NOTHING)
    if known == span.count and own.overlap(span.first, span.last) == span.count:
        plan.replayed += span.count
    elif known == span.count and own is _NOTHING:
        plan.duplicate_frames.extend(frame(record, record.value, span, _DUPLICATE))
        plan.duplicates += span.count
    else:
        _split(plan, record, span, stored, own)


def _split(plan: Plan, record: Record, span: RecordRange, stored: SequenceSet, own: SequenceSet) -> None:
    """Take a record apart that is known in part: the only place that decodes on an ordinary day.

    What is stored of the record itself (`own`) stays as it is, what is stored of others is a duplicate, the rest new.
    """
    problem = fault(record)
    if problem:
        _condemn(plan, record, problem)
        return
    batch = sales_pb2.SalesBatch.FromString(record.value)
    old, new = list(stored.within(span.first, span.last)), list(stored.missing(span.first, span.last))
    for first, last in new:
        plan.frames.extend(_part(record, batch, RecordRange(span.epoch, first, last, last - first + 1), _STORE))
        plan.stored += last - first + 1
        stored.add(first, last)
    foreign = [part for first, last in old for part in own.missing(first, last)]
    for first, last in foreign:
        part = RecordRange(span.epoch, first, last, last - first + 1)
        plan.duplicate_frames.extend(_part(record, batch, part, _DUPLICATE))
        plan.duplicates += last - first + 1
    plan.replayed += own.overlap(span.first, span.last)


def _part(record: Record, batch: sales_pb2.SalesBatch, span: RecordRange, disposition: int) -> tuple[bytes, ...]:
    """Return a frame with those events of a batch that `span` names."""
    part = sales_pb2.SalesBatch()
    part.CopyFrom(batch)
    skipped = span.first - batch.events[0].seq
    del part.events[skipped + span.count :]
    del part.events[:skipped]
    return frame(record, part.SerializeToString(), span, disposition)


def _plan_quarantine(plan: Plan, record: Record, span: RecordRange, ledger: Ledger) -> None:
    """Put a record of the quarantine topic into quarantine, once for each set of numbers.

    One of which events stand there already goes there again, whole: the table keeps each of its events once.
    """
    known = ledger.of(record.key, span.epoch)
    is_again = record.place in ledger.rejected
    if span.contiguous and span.last <= MAX_SEQ:
        added = [(span.first, span.last)]
        if not is_again and _is_known(span, known):
            plan.duplicate_frames.extend(frame(record, record.value, span, _DUPLICATE))
            plan.duplicates += span.count
            return
    else:
        numbers = [event.seq for event in sales_pb2.SalesBatch.FromString(record.value).events]
        added = [(number, number) for number in numbers if 1 <= number <= MAX_SEQ]
    problem = _fault_of_numbering(span, known.quarantined, added, ledger.max_ranges)
    if problem and not is_again:
        _set_aside(plan, record, span, problem)
        return
    plan.frames.extend(frame(record, record.value, span, _QUARANTINE))
    if is_again:
        plan.replayed += span.count
    else:
        plan.quarantined += span.count
    for first, last in added:
        known.quarantined.add(first, last)


def _is_known(span: RecordRange, known: Known) -> bool:
    """Whether each number is stored, or stands in quarantine."""
    unseen = known.quarantined.missing(span.first, span.last)
    return all(known.stored.overlap(first, last) == last - first + 1 for first, last in unseen)


def _fault_of_numbering(
    span: RecordRange, known: SequenceSet, added: Sequence[tuple[int, int]], max_ranges: int
) -> str:
    """Return why a terminal's numbers jump around too much to be kept in mind; empty where they do not."""
    further = sum(not known.touches(first, last) for first, last in added)
    if not further or known.range_count + further <= max_ranges:
        return ""
    return (
        f"the terminal's numbers of epoch {span.epoch} stand in {known.range_count} ranges with gaps between them, and "
        f"{span.first} to {span.last} would make another; at most {max_ranges} are kept: send what is missing first"
    )


def _set_aside(plan: Plan, record: Record, span: RecordRange, problem: str) -> None:
    """Put a good record whole into quarantine, because of the numbering of its terminal."""
    plan.frames.extend(raw_frame(record, problem))
    plan.quarantined += span.count
    plan.capped_records += 1
