"""Frames a Kafka value for the gate: length, the same bytes, the loader's own fields behind them. Decodes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fucai.v1 import sales_pb2

if TYPE_CHECKING:
    from fucai.domain.record import RecordRange
    from fucai.loader.record import Record

_VARINT, _BYTES = 0, 2
_MORE = 0x80


def varint(number: int) -> bytes:
    """Return a non-negative integer as protobuf writes it."""
    if number < _MORE:
        return bytes((number,))
    out = bytearray()
    while number >= _MORE:
        out.append(number & 0x7F | _MORE)
        number >>= 7
    out.append(number)
    return bytes(out)


def _tag(field: str, wire_type: int) -> bytes:
    """Return the tag of a SalesBatch field."""
    return varint(sales_pb2.SalesBatch.DESCRIPTOR.fields_by_name[field].number << 3 | wire_type)


_PARTITION = _tag("kafka_partition", _VARINT)
_OFFSET = _tag("kafka_offset", _VARINT)
_KEY = _tag("record_key", _BYTES)
_FIRST = _tag("first_seq", _VARINT)
_COUNT = _tag("event_count", _VARINT)
_DISPOSITION = _tag("disposition", _VARINT)
_TOPIC = _tag("kafka_topic", _VARINT)
_EPOCH = _tag("record_epoch", _VARINT)


def frame(record: Record, value: bytes, span: RecordRange, disposition: int) -> tuple[bytes, bytes, bytes]:
    """Return prefix, value and suffix of one record for the gate; each of the loader's fields is written once.

    `span` names the events in `value`: the record's own, or those of a part of it.
    """
    suffix = b"".join((
        *(_PARTITION, varint(record.partition), _OFFSET, varint(record.offset)),
        *(_KEY, varint(len(record.key)), record.key),
        *(_FIRST, varint(span.first), _COUNT, varint(span.count)),
        *(_DISPOSITION, varint(disposition), _TOPIC, varint(record.topic), _EPOCH, varint(span.epoch)),
    ))  # fmt: skip
    return varint(len(value) + len(suffix)), value, suffix


def raw_frame(record: Record, detail: str) -> tuple[bytes, bytes, bytes]:
    """Return a frame that puts the whole record, unread, into quarantine with `detail` as the reason for people."""
    message = sales_pb2.SalesBatch(
        received_at_ms=record.timestamp_ms,
        kafka_partition=record.partition,
        kafka_offset=record.offset,
        record_key=record.key.decode("utf-8", "replace"),
        first_seq=record.span.first if record.span else 0,
        event_count=record.span.count if record.span else 0,
        disposition=sales_pb2.DISPOSITION_QUARANTINE,
        raw_record=record.value,
        raw_detail=detail,
        kafka_topic=record.topic,
        record_epoch=record.span.epoch if record.span else 0,
    )
    content = message.SerializeToString()
    return varint(len(content)), content, b""
