"""Decides everything about sending: when to connect, what to send, what a receipt is worth, how long to wait.

Pure: time and randomness are passed in, actions are handed out for others to do. The rules: in order, a bounded window
in flight, all that is unanswered again after a break, and never giving up. After a failure one batch goes alone until
it has its receipt: grpc.aio hides the collector's status behind INTERNAL from whoever writes while it arrives, and with
it the delay that the collector asks for; and a batch that is refused alone is certainly the one that was meant.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from fucai.terminal.agent.outbox import BEFORE_ALL, Batch, BatchLimits, PendingStatement, Position
from fucai.v1.collector_pb2 import SubmitStatementResponse
from fucai.v1.sales_pb2 import Finding, Receipt

INVALID_ARGUMENT = "INVALID_ARGUMENT"
ALREADY_EXISTS = "ALREADY_EXISTS"
ABORTED = "ABORTED"
_ALARMS = {
    ALREADY_EXISTS: "another agent with this terminal's identity is connected; find it and stop one of the two",
    ABORTED: "another agent took over this agent's stream: its outbox was copied; find the copy and stop it",
}


class SendSide(Protocol):
    """The part of an outbox that the machine reads: see `outbox.Outbox`."""

    def unsent(self, after: Position, limits: BatchLimits) -> Batch | None:
        """The next events behind `after` that are not settled."""

    def due_statement(self) -> PendingStatement | None:
        """The first statement that waits, if all that it speaks of is settled."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How the machine behaves.

    Waits grow from `first_wait_ms` up to `longest_wait_ms`, with full jitter; a collector may ask for more, up to
    `longest_asked_ms`. No receipt for `stall_ms` ends a stream. One that holds for `calm_ms` with nothing in flight
    ends an alarm.
    """

    limits: BatchLimits = field(default_factory=BatchLimits)
    window_batches: int = 8
    window_bytes: int = 4 * 1024 * 1024
    first_wait_ms: int = 500
    longest_wait_ms: int = 60_000
    longest_asked_ms: int = 900_000
    stall_ms: int = 120_000
    calm_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class Failure:
    """How a stream or a call ended: the name of the gRPC status, the delay that the server asked for, words."""

    code: str
    detail: str
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Connect:
    """Open stream number `stream`, and tell `connected` or `stream_lost`."""

    stream: int


@dataclass(frozen=True, slots=True)
class CloseStream:
    """Drop stream number `stream`; nothing that still comes from it counts."""

    stream: int


@dataclass(frozen=True, slots=True)
class Send:
    """Write the batch to stream number `stream`, in the order of these actions."""

    stream: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Make durable that the collector has the batch, then tell `settled`."""

    batch: Batch
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class SetAside:
    """Make durable that the collector refused the batch, then tell `settled`."""

    batch: Batch
    reason: str


@dataclass(frozen=True, slots=True)
class Submit:
    """Hand in the statement, and tell `statement_taken` or `statement_failed`."""

    statement: PendingStatement


@dataclass(frozen=True, slots=True)
class SettleStatement:
    """Make durable that the collector has the statement, or refused it for good (verdict 0), then tell `settled`."""

    statement: PendingStatement
    verdict: int
    detail: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Call `tick` then, in ms of the clock passed in; replaces every earlier wish."""

    at_ms: int


Action = Connect | CloseStream | Send | Acknowledge | SetAside | Submit | SettleStatement | WakeAt


class SendingMachine:
    """One agent's side of the conversation with the collector. Begin with `tick`.

    Each method takes the present time in ms of a clock that does not go back, and returns what to do, in order.
    Everything that concerns a stream names its number; what comes from an older stream is ignored.
    `last_error` says what last went wrong, `alarm` what a person has to look at; both are empty once a receipt came, or
    a stream with nothing to send has held for a while.
    """

    def __init__(self, outbox: SendSide, terminal_id: str, random: Random, policy: Policy | None = None) -> None:
        self.last_error = ""
        self.alarm = ""
        self._outbox = outbox
        self._terminal_id = terminal_id
        self._random = random
        self._policy = policy or Policy()
        self._stream = 0
        self._dialling = False
        self._open = False
        self._opened_at_ms = 0
        self._retry_at_ms = 0
        self._resume_at_ms = 0
        self._heard_at_ms = 0
        self._failures = 0
        self._read_through = BEFORE_ALL
        self._in_flight: deque[Batch] = deque()
        self._again: deque[Batch] = deque()
        self._submitted: PendingStatement | None = None
        self._settling: PendingStatement | None = None
        self._statement_failures = 0
        self._statement_at_ms = 0

    @property
    def is_connected(self) -> bool:
        """Whether a stream is open."""
        return self._open

    @property
    def in_flight(self) -> int:
        """Batches sent whose receipt is not in."""
        return len(self._in_flight)

    def tick(self, now_ms: int) -> list[Action]:
        """Time has passed: at the start, and when a `WakeAt` is due. Earlier or later does no harm."""
        actions: list[Action] = []
        if self._open and self._in_flight and now_ms >= self._heard_at_ms + self._policy.stall_ms:
            silent_s = (now_ms - self._heard_at_ms) // 1000
            actions += self._drop(Failure("DEADLINE_EXCEEDED", f"no receipt for {silent_s} s"), now_ms)
        if not self._open and not self._dialling and now_ms >= self._retry_at_ms:
            self._stream += 1
            self._dialling = True
            actions.append(Connect(self._stream))
        return self._go_on(actions, now_ms)

    def connected(self, stream: int, now_ms: int) -> list[Action]:
        """Stream number `stream` is open."""
        if stream != self._stream or not self._dialling:
            return [CloseStream(stream)]
        self._dialling, self._open, self._opened_at_ms = False, True, now_ms
        return self._go_on([], now_ms)

    def stream_lost(self, stream: int, failure: Failure, now_ms: int) -> list[Action]:
        """Stream number `stream` ended, or could not be opened."""
        if stream != self._stream or not (self._open or self._dialling):
            return []
        actions: list[Action] = []
        if failure.code == INVALID_ARGUMENT and len(self._in_flight) == 1:
            actions.append(SetAside(self._in_flight.popleft(), failure.detail))
            self.alarm = f"the collector refused a batch for good: {failure.detail}"
        self._fail(failure, now_ms)
        return self._go_on(actions, now_ms)

    def receipt(self, stream: int, receipt: Receipt, now_ms: int) -> list[Action]:
        """A receipt came. It counts only if it answers the oldest batch in flight, wholly."""
        if stream != self._stream or not self._open:
            return []
        wrong = self._fault_of(receipt)
        if wrong:
            self.alarm = f"{wrong}; install the same version on both sides"
            return self._go_on(self._drop(Failure("PROTOCOL", wrong), now_ms), now_ms)
        batch = self._in_flight.popleft()
        self._failures, self._heard_at_ms = 0, now_ms
        self._resume_at_ms = now_ms + min(receipt.retry_after_ms, self._policy.longest_asked_ms)
        self.last_error = self.alarm = ""
        return self._go_on([Acknowledge(batch, tuple(receipt.quarantined))], now_ms)

    def recorded(self, now_ms: int) -> list[Action]:
        """Something new is in the outbox: events, or a statement."""
        return self._go_on([], now_ms)

    def settled(self, now_ms: int) -> list[Action]:
        """An `Acknowledge`, `SetAside` or `SettleStatement` is durable."""
        return self._go_on([], now_ms)

    def statement_taken(self, answer: SubmitStatementResponse, now_ms: int) -> list[Action]:
        """The collector has the statement that was submitted."""
        return self._settle_statement(answer.verdict, answer.detail, now_ms)

    def statement_failed(self, failure: Failure, now_ms: int) -> list[Action]:
        """The statement that was submitted could not be handed in."""
        if failure.code == INVALID_ARGUMENT:
            self.alarm = f"the collector refused a statement for good: {failure.detail}"
            return self._settle_statement(0, failure.detail, now_ms)
        self._submitted = None
        self._statement_failures += 1
        self._statement_at_ms = now_ms + self._wait_ms(failure, self._statement_failures)
        return self._go_on([], now_ms)

    def _go_on(self, actions: list[Action], now_ms: int) -> list[Action]:
        if self._open and not self._in_flight and now_ms >= self._opened_at_ms + self._policy.calm_ms:
            self.last_error = self.alarm = ""
        actions.extend(Send(self._stream, batch) for batch in self._sendable(now_ms))
        if self._submitted is None and self._open and now_ms >= self._statement_at_ms:
            statement = self._outbox.due_statement()
            if statement is not None and statement != self._settling:
                self._submitted = statement
                actions.append(Submit(statement))
        wishes = list(self._wishes(now_ms))
        if wishes:
            actions.append(WakeAt(min(wishes)))
        return actions

    def _sendable(self, now_ms: int) -> Iterator[Batch]:
        while self._open and now_ms >= self._resume_at_ms and self._has_room():
            batch = self._again.popleft() if self._again else self._read()
            if batch is None:
                return
            if not self._in_flight:
                self._heard_at_ms = now_ms
            self._in_flight.append(batch)
            yield batch

    def _read(self) -> Batch | None:
        batch = self._outbox.unsent(self._read_through, self._policy.limits)
        if batch is not None:
            self._read_through = batch.last
        return batch

    def _has_room(self) -> bool:
        if not self._in_flight:
            return True
        bytes_in_flight = sum(len(batch.message) for batch in self._in_flight)
        return (
            self._failures == 0
            and len(self._in_flight) < self._policy.window_batches
            and bytes_in_flight + self._policy.limits.max_bytes <= self._policy.window_bytes
        )

    def _wishes(self, now_ms: int) -> Iterator[int]:
        if not self._open and not self._dialling:
            yield self._retry_at_ms
        if self._open and self._in_flight:
            yield self._heard_at_ms + self._policy.stall_ms
        if self._open and self._resume_at_ms > now_ms:
            yield self._resume_at_ms
        if self._open and self.last_error and self._opened_at_ms + self._policy.calm_ms > now_ms:
            yield self._opened_at_ms + self._policy.calm_ms
        if self._open and self._submitted is None and self._statement_at_ms > now_ms:
            yield self._statement_at_ms

    def _drop(self, failure: Failure, now_ms: int) -> list[Action]:
        stream = self._stream
        self._fail(failure, now_ms)
        return [CloseStream(stream)]

    def _fail(self, failure: Failure, now_ms: int) -> None:
        """The stream is over: all that is unanswered waits, byte for byte as it was, for the next one."""
        if self._open and now_ms - self._opened_at_ms > self._policy.longest_wait_ms and not self._in_flight:
            self._failures = 0
        self._dialling = self._open = False
        self._again.extendleft(reversed(self._in_flight))
        self._in_flight.clear()
        self._failures += 1
        self._resume_at_ms = 0
        self._retry_at_ms = now_ms + self._wait_ms(failure, self._failures)
        self.last_error = f"{failure.code}: {failure.detail}"
        self.alarm = _ALARMS.get(failure.code, self.alarm)

    def _wait_ms(self, failure: Failure, failures: int) -> int:
        longest_ms = self._policy.longest_wait_ms
        if failure.retry_after_ms is not None:
            asked_ms = min(failure.retry_after_ms, self._policy.longest_asked_ms)
            return round(asked_ms * self._random.uniform(1.0, 1.25))
        if failure.code in _ALARMS:
            return round(longest_ms * self._random.uniform(0.5, 1.0))
        ceiling_ms = min(longest_ms, self._policy.first_wait_ms * 2 ** min(failures - 1, 20))
        return round(self._random.uniform(0, ceiling_ms))

    def _fault_of(self, receipt: Receipt) -> str:
        """What is wrong with a receipt; empty for the one that is due."""
        told = f"a receipt for {receipt.terminal_id} epoch {receipt.epoch} through {receipt.through_seq} came"
        if not self._in_flight:
            return f"{told}, and nothing was asked"
        due = self._in_flight[0]
        if (receipt.terminal_id, receipt.epoch, receipt.through_seq) != (self._terminal_id, due.epoch, due.last_seq):
            return f"{told}, and {self._terminal_id} epoch {due.epoch} through {due.last_seq} was due"
        seqs = {finding.seq for finding in receipt.quarantined}
        if len(seqs) != len(receipt.quarantined) or any(not due.first_seq <= seq <= due.last_seq for seq in seqs):
            return f"{told}, with findings about events that were not in the batch"
        if receipt.accepted + len(seqs) != due.events:
            return f"{told} about {receipt.accepted} + {len(seqs)} events, and the batch had {due.events}"
        return ""

    def _settle_statement(self, verdict: int, detail: str, now_ms: int) -> list[Action]:
        statement, self._submitted = self._submitted, None
        if statement is None:
            return self._go_on([], now_ms)
        self._settling = statement
        self._statement_failures = 0
        return self._go_on([SettleStatement(statement, verdict, detail)], now_ms)
