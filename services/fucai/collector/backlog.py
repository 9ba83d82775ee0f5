"""Counts the bytes that Kafka has not confirmed yet, and says when to slow down and when to refuse."""

from __future__ import annotations

from dataclasses import dataclass

RECORD_OVERHEAD_BYTES = 1024
"""What a waiting record costs beside its value: headers, futures, buffers."""


@dataclass(frozen=True, slots=True)
class BacklogBounds:
    """From `soft_bytes` on terminals are asked to slow down; at `hard_bytes` batches are refused."""

    soft_bytes: int
    hard_bytes: int
    longest_delay_ms: int = 1_000


class Backlog:
    """The waiting bytes. Not thread-safe: one event loop owns it."""

    def __init__(self, bounds: BacklogBounds) -> None:
        self.waiting_bytes = 0
        self._bounds = bounds

    def add(self, size: int) -> None:
        """So many bytes wait from now on."""
        self.waiting_bytes += size

    def remove(self, size: int) -> None:
        """So many bytes are confirmed, or lost."""
        self.waiting_bytes -= size

    @property
    def full(self) -> bool:
        """Whether no further batch may be taken. One batch may lead past the bound, never two."""
        return self.waiting_bytes >= self._bounds.hard_bytes

    @property
    def retry_after_ms(self) -> int:
        """How long a terminal shall wait before its next batch: 0 up to the soft bound, then rising evenly."""
        bounds = self._bounds
        over = self.waiting_bytes - bounds.soft_bytes
        if over <= 0:
            return 0
        share = over / max(bounds.hard_bytes - bounds.soft_bytes, 1)
        return max(1, round(bounds.longest_delay_ms * min(share, 1.0)))
