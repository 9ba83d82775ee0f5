"""Judges a Kafka record on its own: does its value say what its key and header say, and could a collector write it?

The rules are those of the contract (docs/architecture.md, "A record that lies"), written a second time on purpose.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from fucai.adapters.consumer import FetchedRecord
from fucai.auditor import wire
from fucai.auditor.wire import AMOUNT, COMPANION, GAME, KIND, SEQ, SOLD_AT, Batch, Event, WireError
from fucai.domain import topics

SALES, QUARANTINE = 0, 1
TOPIC_NUMBERS = {topics.SALES: SALES, topics.QUARANTINE: QUARANTINE}
"""Topics as the store's column kafka_topic numbers them."""

_HEADER = "fucai-range"
_RANGE = struct.Struct(">BIQQI")
_YEAR_2100_MS = 4_102_444_800_000
_MOST_FEN = 10**13
_LAST_SEQ = 2**64 - 2


class BadRecordError(ValueError):
    """A record that no collector writes; the message says why."""


class Judged(NamedTuple):
    """A record that may be believed: its batch, and its events with their fields, in step with `batch.events`."""

    batch: Batch
    events: Sequence[Event]


def judge(record: FetchedRecord) -> Judged:
    """Read a record of the sales or quarantine topic.

    Raises:
        BadRecordError: the value cannot be read, or says something else than the key and the header.
    """
    epoch, first, last, count = _range_of(record)
    try:
        batch = wire.read_batch(record.value)
        events = [wire.read_event(event) for event in batch.events]
    except WireError as error:
        raise BadRecordError(f"the value is no batch: {error}") from error
    if batch.terminal != record.key or not batch.terminal:
        raise BadRecordError(f"the key is {record.key!r}, the batch is of terminal {batch.terminal!r}")
    if batch.epoch != epoch or len(events) != count or not 1 <= first <= last <= _LAST_SEQ or last - first + 1 != count:
        raise BadRecordError(f"the header says epoch {epoch}, {first} to {last}; the batch epoch {batch.epoch}")
    if not (batch.outlet and batch.collector and batch.epoch):
        raise BadRecordError("outlet, collector or epoch is missing")
    if not 0 < batch.received_at_ms < _YEAR_2100_MS or batch.loader_fields:
        raise BadRecordError("a time that no clock shows, or a field that only the loader may set")
    expected = first
    for event in events:
        if event[SEQ] != expected:
            raise BadRecordError(f"the header says {first} to {last}, an event has {event[SEQ]}")
        expected += 1
    if record.topic == topics.QUARANTINE:
        if list(batch.finding_seqs) != list(range(first, last + 1)):
            raise BadRecordError("not one finding for each event in quarantine")
    else:
        _look_at_sales(events)
    return Judged(batch, events)


def _range_of(record: FetchedRecord) -> tuple[int, int, int, int]:
    header = next((value for name, value in record.headers if name == _HEADER), None)
    if header is None or len(header) != _RANGE.size or header[0] != 1:
        raise BadRecordError(f"header {_HEADER} is missing or of another version")
    _, epoch, first, last, count = _RANGE.unpack(header)
    return epoch, first, last, count


def _look_at_sales(events: Sequence[Event]) -> None:
    for event in events:
        if not (
            0 < event[AMOUNT] <= _MOST_FEN
            and 1 <= event[KIND] <= 3  # noqa: PLR2004 (SALE, VOID, PAYOUT)
            and event[GAME]
            and 0 < event[SOLD_AT] < _YEAR_2100_MS
            and 0 <= event[COMPANION] <= _MOST_FEN
        ):
            raise BadRecordError(f"event {event[SEQ]}: kind, game, amount or time is not what a collector lets through")
