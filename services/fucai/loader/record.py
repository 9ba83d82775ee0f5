"""A Kafka record as the loader sees it, with the range its header names. Knows no Kafka client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fucai.domain.record import RecordRange

SALES_TOPIC = 0
QUARANTINE_TOPIC = 1


@dataclass(frozen=True, slots=True)
class Record:
    """One record: where it stands (topic 0 sales or 1 quarantine, partition, offset), its key, header and bytes.

    `span` is None where the header is missing or unreadable; `problem` then says why.
    """

    topic: int
    partition: int
    offset: int
    key: bytes
    value: bytes
    timestamp_ms: int
    span: RecordRange | None
    problem: str = ""

    @property
    def place(self) -> tuple[int, int, int]:
        """Topic, partition and offset."""
        return self.topic, self.partition, self.offset
