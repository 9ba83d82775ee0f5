"""The header of a Kafka record: which events its value holds, readable without decoding the value."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER_NAME = "fucai-range"
_LAYOUT = struct.Struct(">BIQQI")
_VERSION = 1
_LAST_SEQ = 2**64 - 2
"""ClickHouse counts one beyond a range's end, in 64 bits."""

YEAR_2100_MS = 4_102_444_800_000
"""The store takes no time from here on: its days end soon after."""


@dataclass(frozen=True, slots=True)
class RecordRange:
    """Events first..last of one epoch, `count` of them; contiguous where count = last - first + 1."""

    epoch: int
    first: int
    last: int
    count: int

    @property
    def contiguous(self) -> bool:
        """True where the range has no hole, starts at 1 or above, and can be stored."""
        return 1 <= self.first <= self.last <= _LAST_SEQ and self.last - self.first + 1 == self.count


def encode_range(span: RecordRange) -> bytes:
    """Return the header's value: version, epoch, first, last, count, big-endian."""
    return _LAYOUT.pack(_VERSION, span.epoch, span.first, span.last, span.count)


def decode_range(value: bytes) -> RecordRange:
    """Read a header's value.

    Raises:
        ValueError: the length or the version is not that of this layout.
    """
    if len(value) != _LAYOUT.size:
        message = f"header {HEADER_NAME} has {len(value)} bytes, expected {_LAYOUT.size}"
        raise ValueError(message)
    version, epoch, first, last, count = _LAYOUT.unpack(value)
    if version != _VERSION:
        message = f"header {HEADER_NAME} has version {version}, expected {_VERSION}"
        raise ValueError(message)
    return RecordRange(epoch, first, last, count)
