"""From the bytes that a terminal sent to the records that Kafka gets, and the receipt that they earn. Sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, RecordRange, encode_range
from fucai.domain.validation import Refusal, Run, refusals
from fucai.v1 import sales_pb2

_REASONS = sales_pb2.QuarantineReason
_CURED_BY_NEWER_SNAPSHOT = frozenset(
    (
        _REASONS.QUARANTINE_REASON_UNKNOWN_GAME,
        _REASONS.QUARANTINE_REASON_UNKNOWN_TERMINAL,
        _REASONS.QUARANTINE_REASON_WRONG_OUTLET,
    )
)


MOST_REPEATS = 100
"""How often a batch may repeat a number: each time makes a record in quarantine."""

NONE: Mapping[int, int] = MappingProxyType({})


class BatchRefusedError(Exception):
    """The batch as a whole cannot be taken; `refusals` name the fields."""

    def __init__(self, found: Sequence[Refusal]) -> None:
        super().__init__("; ".join(f"{refusal.field} {refusal.description}" for refusal in found))
        self.refusals = found


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest batch taken."""

    max_bytes: int = 4 * 1024 * 1024
    max_events: int = 10_000


class ParsedBatch(NamedTuple):
    """A batch that may be looked at; `stored` is what it says, without unknown fields, as bytes."""

    batch: sales_pb2.SalesBatch
    stored: bytes


class Record(NamedTuple):
    """One Kafka record; its key is the terminal's id."""

    topic: str
    value: bytes
    headers: list[tuple[str, bytes]]


class CheckedBatch(NamedTuple):
    """The records of one batch, and the receipt to send once Kafka has them all. Good events are in their order."""

    key: bytes
    records: Sequence[Record]
    receipt: bytes
    accepted: int
    quarantined: Mapping[int, int] = NONE


def parse(raw: bytes, limits: Limits) -> ParsedBatch:
    """Reads a batch and forgets its unknown fields.

    Raises:
        BatchRefusedError: the batch is malformed, oversized, empty, or sets a reserved field.
    """
    if len(raw) > limits.max_bytes:
        raise BatchRefusedError([Refusal("", f"the batch has {len(raw)} bytes; send at most {limits.max_bytes}")])
    try:
        batch = sales_pb2.SalesBatch.FromString(raw)
    except DecodeError as error:
        raise BatchRefusedError([Refusal("", f"the message is no SalesBatch: {error}")]) from error
    found = refusals(batch, max_events=limits.max_events)
    batch.DiscardUnknownFields()
    stored = batch.SerializeToString()
    if len(stored) != len(raw):
        found += _unknown_reserved(raw)
    if found:
        raise BatchRefusedError(found)
    return ParsedBatch(batch, stored)


def is_cured_by_newer_snapshot(runs: Sequence[Run]) -> bool:
    """Whether a finding says that the catalogue lacks something, which may have been registered since."""
    for run in runs:
        if run.findings and any(finding.reason in _CURED_BY_NEWER_SNAPSHOT for finding in run.findings):
            return True
    return False


class Stamper:
    """The collector's own fields, as bytes to append to what a terminal sent."""

    def __init__(self, collector_id: str) -> None:
        self._collector_id = collector_id
        self._at_ms = 0
        self._bytes = b""

    def stamp(self, received_at_ms: int) -> bytes:
        """The fields for a batch received then."""
        if received_at_ms != self._at_ms:
            fields = sales_pb2.SalesBatch(received_at_ms=received_at_ms, collector_id=self._collector_id)
            self._at_ms, self._bytes = received_at_ms, fields.SerializeToString()
        return self._bytes


def make_records(parsed: ParsedBatch, runs: Sequence[Run], stamp: bytes) -> CheckedBatch:
    """One record for each run, with the collector's `stamp` appended once, and the receipt.

    Raises:
        BatchRefusedError: one number stands in the batch so often that it would make too many records.
    """
    batch = parsed.batch
    terminal_id = batch.terminal_id
    key = terminal_id.encode()
    if len(runs) == 1 and not runs[0].findings:
        epoch = batch.epoch
        last = batch.events[-1].seq
        count = runs[0].stop
        record = Record(topics.SALES, parsed.stored + stamp, _headers(epoch, last - count + 1, last, count))
        durable = sales_pb2.Receipt(terminal_id=terminal_id, epoch=epoch, through_seq=last, accepted=count)
        return CheckedBatch(key, (record,), durable.SerializeToString(), count)
    if len(runs) > MOST_REPEATS:
        _refuse_repeats(runs)
    records = [_record(batch, run, stamp, is_last=run is runs[-1]) for run in runs]
    findings = [finding for run in runs for finding in run.findings]
    receipt = sales_pb2.Receipt(
        terminal_id=terminal_id,
        epoch=batch.epoch,
        through_seq=max(event.seq for event in batch.events),
        accepted=len(batch.events) - len(findings),
        quarantined=findings,
    ).SerializeToString()
    quarantined = Counter(int(finding.reason) for finding in findings)
    return CheckedBatch(key, records, receipt, len(batch.events) - len(findings), quarantined)


def _record(batch: sales_pb2.SalesBatch, run: Run, stamp: bytes, *, is_last: bool) -> Record:
    part = sales_pb2.SalesBatch(
        terminal_id=batch.terminal_id,
        outlet_id=batch.outlet_id,
        epoch=batch.epoch,
        events=run.of(batch.events),
        digest=batch.digest if is_last else b"",
        findings=run.findings,
    )
    topic = topics.QUARANTINE if run.findings else topics.SALES
    first, last = part.events[0].seq, part.events[-1].seq
    headers = _headers(batch.epoch, first, last, len(part.events))
    return Record(topic, part.SerializeToString() + stamp, headers)


def _refuse_repeats(runs: Sequence[Run]) -> None:
    """Refuses a batch of which a number, sent again and again, would make a record of its own each time."""
    bad = _REASONS.QUARANTINE_REASON_BAD_SEQUENCE
    repeats = Counter(finding.seq for run in runs for finding in run.findings if finding.reason == bad)
    seq, times = max(repeats.items(), key=itemgetter(1), default=(0, 0))
    if times > MOST_REPEATS:
        detail = f"repeats seq {seq} {times} times; number each event once, rising from 1"
        raise BatchRefusedError([Refusal("events", detail)])


def _headers(epoch: int, first: int, last: int, count: int) -> list[tuple[str, bytes]]:
    return [(HEADER_NAME, encode_range(RecordRange(epoch, first, last, count)))]


def _unknown_reserved(raw: bytes) -> list[Refusal]:
    """Fields 20 to 39 that this version of the contract does not know: reserved all the same."""
    unknown = UnknownFieldSet(sales_pb2.SalesBatch.FromString(raw))
    numbers = sorted({unknown[index].field_number for index in range(len(unknown))} & set(range(20, 40)))
    return [Refusal(f"field {number}", "is reserved for the collector and the loader") for number in numbers]
