"""An outbox in memory, a collector behind a bad network, and the machine between them, on a clock that is moved."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from fucai.terminal.agent.machine import (
    Acknowledge,
    Action,
    CloseStream,
    Connect,
    Failure,
    Policy,
    Send,
    SendingMachine,
    SetAside,
    SettleStatement,
    Submit,
    WakeAt,
)
from fucai.terminal.agent.outbox import Batch, BatchLimits, PendingStatement, Position
from fucai.v1.collector_pb2 import StatementVerdict, SubmitStatementResponse
from fucai.v1.sales_pb2 import Finding, Receipt, SalesBatch, SalesEvent

TERMINAL = "T-1"
EPOCH = 100


class ModelOutbox:
    """Numbers events and remembers what became of them; statements cover all events recorded before them."""

    def __init__(self) -> None:
        self.recorded = 0
        self.settled = 0
        self.acknowledged: list[int] = []
        self.refused: list[int] = []
        self.statements: list[int] = []
        self.stated = 0

    def unsent(self, after: Position, limits: BatchLimits) -> Batch | None:
        """See `outbox.Outbox`."""
        first = max(self.settled, after.seq) + 1
        last = min(self.recorded, first + limits.max_events - 1)
        if first > last:
            return None
        events = [SalesEvent(seq=seq) for seq in range(first, last + 1)]
        message = SalesBatch(terminal_id=TERMINAL, epoch=EPOCH, events=events).SerializeToString()
        return Batch(EPOCH, first, last, len(events), message)

    def due_statement(self) -> PendingStatement | None:
        """See `outbox.Outbox`."""
        if self.stated == len(self.statements) or self.statements[self.stated] > self.settled:
            return None
        return PendingStatement(EPOCH, self.stated + 1, b"")

    def settle(self, batch: Batch, found: list[int]) -> None:
        """Acknowledges or sets aside; never twice, never out of order."""
        assert batch.first_seq == self.settled + 1
        self.settled = batch.last_seq
        found += range(batch.first_seq, batch.last_seq + 1)


class World:
    """Time, network and collector. `trouble` is how likely each thing goes wrong, from 0 to 1."""

    def __init__(self, random: Random, policy: Policy, trouble: float, poison: Sequence[int] = ()) -> None:
        self.random = random
        self.trouble = trouble
        self.poison = frozenset(poison)
        self.outbox = ModelOutbox()
        self.machine = SendingMachine(self.outbox, TERMINAL, random, policy)
        self.policy = policy
        self.now_ms = 0
        self.durable: list[int] = []
        self.taken: list[tuple[int, int]] = []
        self.connects: list[int] = []
        self.sent: list[Batch] = []
        self._later: list[tuple[int, int, Callable[[], list[Action]]]] = []
        self._order = 0
        self._wake_ms: int | None = None
        self._streams: set[int] = set()
        self._broken: set[int] = set()
        self._arrives_ms: dict[int, int] = {}
        self._last_sent: dict[int, int] = {}

    def record(self, events: int) -> None:
        """The till records."""
        self.outbox.recorded += events
        self.do(self.machine.recorded(self.now_ms))

    def close(self) -> None:
        """The day is closed."""
        self.outbox.statements.append(self.outbox.recorded)
        self.do(self.machine.recorded(self.now_ms))

    def pass_time(self, milliseconds: int) -> None:
        """Everything due until then happens, in the order of time."""
        until_ms = self.now_ms + milliseconds
        while True:
            due_ms = min([self._later[0][0]] if self._later else [until_ms + 1])
            wake_ms = until_ms + 1 if self._wake_ms is None else self._wake_ms
            if min(due_ms, wake_ms) > until_ms:
                break
            if due_ms <= wake_ms:
                self.now_ms, _, happens = heapq.heappop(self._later)
                self.do(happens())
            else:
                self.now_ms, self._wake_ms = max(self.now_ms, wake_ms), None
                self.do(self.machine.tick(self.now_ms))
        self.now_ms = until_ms

    def do(self, actions: list[Action]) -> None:  # noqa: C901 (one case an action)
        """What the driver would do, against the model."""
        for action in actions:
            match action:
                case Connect(stream):
                    self.connects.append(self.now_ms)
                    self._streams.add(stream)
                    if self._goes_wrong():
                        self._lose(stream, Failure("UNAVAILABLE", "no network"))
                    else:
                        self._soon(partial(self._connected, stream))
                case CloseStream(stream):
                    self._streams.discard(stream)
                case Send(stream, batch):
                    self._send(stream, batch)
                case Acknowledge(batch, _):
                    assert set(range(batch.first_seq, batch.last_seq + 1)) <= set(self.durable)
                    self.outbox.settle(batch, self.outbox.acknowledged)
                    self._soon(lambda: self.machine.settled(self.now_ms))
                case SetAside(batch, _):
                    assert self.poison & set(range(batch.first_seq, batch.last_seq + 1))
                    self.outbox.settle(batch, self.outbox.refused)
                    self._soon(lambda: self.machine.settled(self.now_ms))
                case Submit(statement):
                    self._submit(statement)
                case SettleStatement(statement, _, _):
                    assert statement.number == self.outbox.stated + 1
                    self.outbox.stated += 1
                    self._soon(lambda: self.machine.settled(self.now_ms))
                case WakeAt(at_ms):
                    self._wake_ms = at_ms

    def _connected(self, stream: int) -> list[Action]:
        return self.machine.connected(stream, self.now_ms)

    def _send(self, stream: int, batch: Batch) -> None:
        assert stream in self._streams
        assert self.machine.in_flight <= self.policy.window_batches
        assert batch.first_seq == self._last_sent.get(stream, self.outbox.settled) + 1
        self._last_sent[stream] = batch.last_seq
        self.sent.append(batch)
        if self._goes_wrong():
            if self.random.random() < 0.5:
                self._lose(stream, Failure("UNAVAILABLE", "cut"))
            self._broken.add(stream)
            return
        self._soon(lambda: self._arrive(stream, batch), self._queued(stream))

    def _arrive(self, stream: int, batch: Batch) -> list[Action]:
        if stream not in self._streams or stream in self._broken:
            return []
        seqs = range(batch.first_seq, batch.last_seq + 1)
        if self.poison & set(seqs):
            self._broken.add(stream)
            return self.machine.stream_lost(stream, Failure("INVALID_ARGUMENT", "refused"), self.now_ms)
        self.durable += seqs
        if self._goes_wrong():
            self._lose(stream, Failure("UNAVAILABLE", "the receipt is lost"))
            self._broken.add(stream)
            return []
        receipt = Receipt(terminal_id=TERMINAL, epoch=EPOCH, through_seq=batch.last_seq, accepted=batch.events)
        if self._goes_wrong():
            receipt = self._lie(receipt, batch)
            self._broken.add(stream)
        self._soon(lambda: self.machine.receipt(stream, receipt, self.now_ms), self._queued(stream))
        return []

    def _lie(self, receipt: Receipt, batch: Batch) -> Receipt:
        lies = [
            Receipt(terminal_id="T-2", epoch=EPOCH, through_seq=batch.last_seq, accepted=batch.events),
            Receipt(terminal_id=TERMINAL, epoch=EPOCH + 1, through_seq=batch.last_seq, accepted=batch.events),
            Receipt(terminal_id=TERMINAL, epoch=EPOCH, through_seq=batch.last_seq + 1, accepted=batch.events),
            Receipt(terminal_id=TERMINAL, epoch=EPOCH, through_seq=batch.last_seq, accepted=batch.events + 1),
            Receipt(
                terminal_id=TERMINAL,
                epoch=EPOCH,
                through_seq=receipt.through_seq,
                accepted=batch.events - 1,
                quarantined=[Finding(seq=batch.last_seq + 1)],
            ),
        ]
        return self.random.choice(lies)

    def _submit(self, statement: PendingStatement) -> None:
        covered = self.outbox.statements[statement.number - 1]
        assert self.outbox.settled >= covered
        self.taken.append((statement.number, covered))
        failure = Failure("UNAVAILABLE", "no network")
        answer = SubmitStatementResponse(verdict=StatementVerdict.STATEMENT_VERDICT_VERIFIED)
        if self._goes_wrong():
            self._soon(lambda: self.machine.statement_failed(failure, self.now_ms))
        else:
            self._soon(lambda: self.machine.statement_taken(answer, self.now_ms))

    def _goes_wrong(self) -> bool:
        return self.random.random() < self.trouble

    def _lose(self, stream: int, failure: Failure) -> None:
        self._soon(lambda: self.machine.stream_lost(stream, failure, self.now_ms), self._queued(stream))

    def _queued(self, stream: int) -> int:
        """When the next thing on a stream happens: things on one stream keep their order."""
        at_ms = max(self._arrives_ms.get(stream, 0), self.now_ms + self.random.randint(1, 200))
        self._arrives_ms[stream] = at_ms
        return at_ms

    def _soon(self, happens: Callable[[], list[Action]], at_ms: int | None = None) -> None:
        self._order += 1
        at_ms = self.now_ms + self.random.randint(0, 50) if at_ms is None else at_ms
        heapq.heappush(self._later, (at_ms, self._order, happens))
