"""Model of a gate's views: what the bytes of an insert become, and which records are refused. See schema/gate.sql."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from google.protobuf.message import DecodeError

from fucai.domain.record import YEAR_2100_MS
from fucai.domain.salerules import MAX_EVENT_FEN
from fucai.v1 import sales_pb2

STORE, DUPLICATE, QUARANTINE = 1, 2, 3
DISPOSITIONS = {"to_sales": STORE, "to_duplicates": DUPLICATE, "to_quarantine": QUARANTINE, "to_raw": QUARANTINE}
VIEWS = ("to_duplicates", "to_quarantine", "to_raw", "to_sales")
BAD_RECORD = "BAD_RECORD"
MONTH_END_MS = 1_761_926_400_000
"""2025-11-01 in Shanghai: sales before and after it are written as two parts."""

Spot = tuple[int, int, int, int]
"""Topic (0 sales, 1 quarantine), partition, offset, seq."""
Key = tuple[str, int, int]
"""Terminal, epoch, seq."""


class Row(NamedTuple):
    """One event in one of the tables; `content` is the event as the terminal serialised it."""

    key: Key
    spot: Spot
    outlet_id: str
    content: bytes
    reason: str = ""


class Piece(NamedTuple):
    """Rows that appear in one table at once."""

    view: str
    rows: list[Row]


def messages(frames: bytes) -> Iterable[sales_pb2.SalesBatch]:
    """The length-prefixed messages of an insert."""
    at = 0
    while at < len(frames):
        size = shift = 0
        while True:
            byte = frames[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        try:
            yield sales_pb2.SalesBatch.FromString(frames[at : at + size])
        except DecodeError:
            yield sales_pb2.SalesBatch(disposition=sales_pb2.DISPOSITION_STORE)  # refused, as what cannot be read is
        at += size


def refusal(message: sales_pb2.SalesBatch) -> str:
    """Why the gate's views refuse a message; empty for a good one."""
    sequence = [event.seq for event in message.events]
    if message.disposition not in {STORE, DUPLICATE}:
        return ""
    if (
        message.terminal_id != message.record_key
        or message.epoch != message.record_epoch
        or not sequence
        or sequence != list(range(message.first_seq, message.first_seq + message.event_count))
        or not 0 < message.received_at_ms < YEAR_2100_MS
        or (message.disposition == STORE and not (message.terminal_id and message.outlet_id and message.collector_id))
    ):
        return "Code: 395. fucai: a record says something else than its key and header"
    if message.disposition == STORE and any(
        not 1 <= event.kind <= 3 or not event.game or not 0 < event.amount_fen <= MAX_EVENT_FEN
        for event in message.events
    ):
        return "Code: 395. fucai: a record has an event that no collector lets through"
    return ""


def written(block: Iterable[sales_pb2.SalesBatch]) -> list[Piece]:
    """What a block of messages becomes: rows by view, those of sales by month."""
    rows: dict[tuple[str, bool], list[Row]] = defaultdict(list)
    for message in block:
        place = (message.kafka_topic, message.kafka_partition, message.kafka_offset)
        if message.disposition == QUARANTINE and message.raw_detail:
            key = (message.record_key, message.record_epoch, message.first_seq)
            row = Row(key, (*place, message.first_seq), "", message.raw_record, BAD_RECORD)
            rows["to_raw", False].append(row)
            continue
        view = {STORE: "to_sales", DUPLICATE: "to_duplicates", QUARANTINE: "to_quarantine"}[message.disposition]
        reasons = {finding.seq: str(finding.reason) for finding in message.findings}
        for event in message.events:
            key = (message.terminal_id, message.epoch, event.seq)
            is_later = view == "to_sales" and event.sold_at_ms >= MONTH_END_MS
            content = event.SerializeToString(deterministic=True)
            row = Row(key, (*place, event.seq), message.outlet_id, content, reasons.get(event.seq, ""))
            rows[view, is_later].append(row)
    return [Piece(view, found) for (view, _), found in rows.items()]
