"""Lets a consumer read records whose header names are no UTF-8, which brokers take. Knows no header of the suite.

kafka-python gives such a record up with an error and never gets past it. Here each such name is read as question marks.
"""

from __future__ import annotations

from typing import Any

from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import decode_varint

_read_record = DefaultRecordBatch._read_msg  # noqa: SLF001 (no public way: the name is decoded in the middle of it)


def accept_any_header_name() -> None:
    """From now on no record of this process fails for a header's name."""
    DefaultRecordBatch._read_msg = _read_leniently  # noqa: SLF001


def _read_leniently(batch: Any) -> Any:
    """Read the next record; mend its header names first where they cannot be read."""
    try:
        return _read_record(batch)
    except UnicodeDecodeError:
        batch._buffer = bytearray(batch._buffer)  # noqa: SLF001
        _mend(batch._buffer, batch._pos)  # noqa: SLF001
        return _read_record(batch)


def _mend(buffer: bytearray, start: int) -> None:
    """Overwrite the names that are no UTF-8 among the headers of the record at `start`."""
    at = start
    for _ in ("length", "attributes", "timestamp", "offset"):
        _, at = decode_varint(buffer, at)
    for _ in ("key", "value"):
        at = _end_of_bytes(buffer, at)
    count, at = decode_varint(buffer, at)
    for _ in range(count):
        size, at = decode_varint(buffer, at)
        try:
            buffer[at : at + size].decode()
        except UnicodeDecodeError:
            buffer[at : at + size] = b"?" * size
        at = _end_of_bytes(buffer, at + size)


def _end_of_bytes(buffer: bytearray, start: int) -> int:
    """Return where a nullable byte string ends."""
    size, at = decode_varint(buffer, start)
    return int(at + max(size, 0))
