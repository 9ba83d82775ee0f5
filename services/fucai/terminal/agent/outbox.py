"""What an outbox is to the rest of the agent: durable events in order, and what became of them. Pure: no I/O here.

Recorded: durable on this machine. Settled: acknowledged by the collector, or set aside after it refused it for good.
Events are ordered by position: those of an older epoch, read from a damaged outbox, stand before those of the present.
`terminal/agent/sqlite_outbox.py` is the real one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from fucai.v1.sales_pb2 import Finding, SalesEvent


class Position(NamedTuple):
    """A place in the order of a terminal's events; (epoch, 0) stands before the first of an epoch."""

    epoch: int
    seq: int


BEFORE_ALL = Position(0, 0)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The largest batch to send."""

    max_events: int = 500
    max_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one epoch on their way; `message` is the serialised SalesBatch. Salvaged ones may have holes."""

    epoch: int
    first_seq: int
    last_seq: int
    events: int
    message: bytes

    @property
    def last(self) -> Position:
        """Where its last event stands."""
        return Position(self.epoch, self.last_seq)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Events that are durable: their epoch, first and last number, and the digest chained through the last."""

    epoch: int
    first_seq: int
    last_seq: int
    digest: bytes
    repeated_request: bool = False


@dataclass(frozen=True, slots=True)
class PendingStatement:
    """A signed statement that waits for the collector; `message` is the serialised SignedStatement."""

    epoch: int
    number: int
    message: bytes


class OutboxFullError(Exception):
    """The disk is full: nothing of this call was kept, everything kept before is still there."""


class Outbox(Protocol):
    """Every method that changes something returns once the change is durable, and is all or nothing."""

    def append(self, events: Sequence[SalesEvent], request_id: str, now_ms: int) -> Recorded:
        """Numbers the events and keeps them. A `request_id` known already (not empty) keeps nothing again.

        Raises:
            OutboxFullError: the disk is full.
        """

    def unsent(self, after: Position, limits: BatchLimits) -> Batch | None:
        """The next events behind `after` that are not settled, as one batch of one or more; None if there are none."""

    def acknowledge(self, batch: Batch, findings: Sequence[Finding], now_ms: int) -> None:
        """The collector has the batch, and every one before it; `findings` tell which of its events it quarantined."""

    def set_aside(self, batch: Batch, reason: str, now_ms: int) -> None:
        """The collector refused the batch for good: it is kept, but counts as settled."""

    def due_statement(self) -> PendingStatement | None:
        """The first statement that waits, if all events that it speaks of are settled."""

    def settle_statement(self, statement: PendingStatement, verdict: int, detail: str, now_ms: int) -> None:
        """The collector has the statement and found `verdict` (StatementVerdict), or refused it for good (0)."""
