"""A terminal in the simulation: till, agent, stream. The real SendingMachine over models of outbox and network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fucai.terminal.agent.machine import (
    Acknowledge,
    Action,
    CloseStream,
    Connect,
    Failure,
    Policy,
    Send,
    SendingMachine,
    WakeAt,
)
from fucai.terminal.agent.outbox import BatchLimits
from fucai.v1.sales_pb2 import Receipt, SalesEvent
from tests.simulation.collectors import Collector, Stream
from tests.simulation.outbox import ModelOutbox
from tests.simulation.world import Host

RESTART_MS, ASK_AGAIN_MS = 700, 900


class Connection:
    """A stream between one agent and one collector: messages arrive in order, until it breaks."""

    def __init__(self, agent: Agent, collector: Collector, number: int) -> None:
        self.agent, self.collector, self.number = agent, collector, number
        self.is_broken = False
        self.trouble = ""
        """What befalls the next receipt: nothing, lost, twice."""
        self._incarnation = collector.host.incarnation
        self._stream = Stream(collector, self._answer, self._end)
        self._slowness = agent.host.random.choice((10, 200, 800))
        self._there_ms = self._back_ms = 0

    def carry(self, message: bytes) -> None:
        """A batch on its way to the collector."""
        self._there_ms = self._arrival(self._there_ms)
        self._at_collector(self._there_ms, self._put, message)

    def break_off(self, *, told_after_ms: int | None) -> None:
        """The agent gets no answer any more; what it sent may arrive. It learns of it later, or by the silence."""
        if self.is_broken:
            return
        self.is_broken = True
        if self.agent.host.random.random() < 0.5:
            self._stream.cut()
        if told_after_ms is not None:
            self.agent.host.at(told_after_ms, self._lost, Failure("UNAVAILABLE", "connection reset"))

    def _put(self, message: bytes) -> None:
        self._stream.put(message)

    def _answer(self, receipt: bytes) -> None:
        trouble, self.trouble = self.trouble, ""
        if trouble == "lost":
            return
        for _ in range(1 + (trouble == "twice")):
            self._back_ms = self._arrival(self._back_ms)
            self._at_agent(self._answered, receipt)

    def _end(self, failure: Failure) -> None:
        self._back_ms = self._arrival(self._back_ms)
        self._at_agent(self._lost, failure)

    def _at_agent(self, job: Callable[..., None], told: object) -> None:
        host = self.agent.host
        host.at(self._back_ms - host.world.now, job, told)

    def _answered(self, receipt: bytes) -> None:
        if not self.is_broken and self.agent.connection is self:
            self.agent.answered(self.number, receipt)

    def _lost(self, failure: Failure) -> None:
        if self.agent.connection is self:
            self.agent.lost(self.number, failure)

    def _at_collector(self, at_ms: int, job: Callable[..., None], message: bytes) -> None:
        host = self.collector.host
        if host.incarnation == self._incarnation:
            host.at(at_ms - host.world.now, job, message)

    def _arrival(self, last_ms: int) -> int:
        """When a message sent now arrives: never before one that was sent earlier."""
        host = self.agent.host
        return max(last_ms, host.world.now + host.random.randint(1, self._slowness))


class Agent:
    """One terminal's agent, process after process, with the till that asks it to record."""

    def __init__(self, host: Host, outbox: ModelOutbox, collectors: Sequence[Collector], *, wall_ms: int) -> None:
        self.host, self.outbox = host, outbox
        self.connection: Connection | None = None
        self.unanswered: dict[str, list[SalesEvent]] = {}
        """What the till waits for an answer to."""
        self.on_answered: Callable[[int, int, int], None]
        self._collectors = collectors
        self._wall_ms = wall_ms
        self._machine: SendingMachine | None = None
        self._wake = 0
        host.on_crash = self._died

    def start(self) -> None:
        """A new process on the old outbox."""
        if self.host.is_alive:
            return
        host = self.host
        host.begin()
        policy = Policy(
            limits=BatchLimits(max_events=host.random.randint(1, 8)),
            window_batches=host.random.randint(1, 4),
            first_wait_ms=200,
            longest_wait_ms=3_000,
            longest_asked_ms=3_000,
            stall_ms=6_000,
            calm_ms=1_000,
        )
        self._machine = SendingMachine(self.outbox, self.outbox.terminal_id, host.random, policy)
        host.at(1, self._tick, self._next_wake())

    def ask(self, request_id: str, events: list[SalesEvent]) -> None:
        """The till asks to record events, again and again until it gets an answer."""
        if request_id not in self.unanswered:
            self.unanswered[request_id] = events
        if self.host.is_running:
            self.host.at(1, self._record, request_id)
        self.host.world.at(ASK_AGAIN_MS, self._ask_again, request_id)

    def damage(self) -> list[tuple[int, int]]:
        """The outbox can no longer be read in full; returns epoch and seq of what is lost."""
        self.host.crash("damage")
        wall_s = (self._wall_ms + self.host.world.now + self.host.clock_ms) // 1000
        lost = self.outbox.damage(self.host.random, wall_s)
        self.host.world.note(
            self.host.name, f"begins epoch {self.outbox.written.epoch}; lost {[tuple(p) for p in lost]}"
        )
        return [(position.epoch, position.seq) for position in lost]

    def answered(self, stream: int, receipt: bytes) -> None:
        """A receipt arrives."""
        if self._machine is not None:
            self._do(self._machine.receipt(stream, Receipt.FromString(receipt), self.host.world.now))

    def lost(self, stream: int, failure: Failure) -> None:
        """A stream ended."""
        if self._machine is not None:
            self._do(self._machine.stream_lost(stream, failure, self.host.world.now))

    def _ask_again(self, request_id: str) -> None:
        if request_id in self.unanswered:
            self.ask(request_id, self.unanswered[request_id])

    def _record(self, request_id: str) -> None:
        events = self.unanswered.get(request_id)
        if events is None or self._machine is None:
            return
        recorded = self.outbox.append(events, request_id, self.host.world.now)
        del self.unanswered[request_id]
        self.host.world.note(self.host.name, f"records {recorded.epoch}: {recorded.first_seq}-{recorded.last_seq}")
        self.on_answered(recorded.epoch, recorded.first_seq, recorded.last_seq)
        self._do(self._machine.recorded(self.host.world.now))

    def _do(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Connect):
                self.host.at(self.host.random.randint(1, 20), self._connect, action.stream)
            elif isinstance(action, CloseStream):
                if self.connection is not None and self.connection.number == action.stream:
                    self.connection.break_off(told_after_ms=None)
            elif isinstance(action, Send):
                self._send(action)
            elif isinstance(action, Acknowledge):
                self.host.at(1, self._acknowledge, action)
            elif isinstance(action, WakeAt):
                delay_ms = max(action.at_ms - self.host.world.now, 1)
                self.host.at(delay_ms, self._tick, self._next_wake())
            else:
                raise TypeError(f"{self.host.name} wants {action}")

    def _next_wake(self) -> int:
        self._wake += 1
        return self._wake

    def _tick(self, wake: int) -> None:
        if wake == self._wake and self._machine is not None:
            self._do(self._machine.tick(self.host.world.now))

    def _connect(self, number: int) -> None:
        if self._machine is None:
            return
        if self.connection is not None:
            self.connection.break_off(told_after_ms=None)
        collector = self.host.random.choice(self._collectors)
        if not collector.host.is_alive:
            self.lost(number, Failure("UNAVAILABLE", "connection refused"))
            return
        self.connection = Connection(self, collector, number)
        self._do(self._machine.connected(number, self.host.world.now))

    def _send(self, action: Send) -> None:
        batch = action.batch
        self.host.world.note(self.host.name, f"sends {batch.epoch}: {batch.first_seq}-{batch.last_seq}")
        self.host.passing("write")
        if self.connection is not None and self.connection.number == action.stream:
            self.connection.carry(batch.message)

    def _acknowledge(self, action: Acknowledge) -> None:
        batch = action.batch
        self.host.world.note(self.host.name, f"settles {batch.epoch}: {batch.first_seq}-{batch.last_seq}")
        self.outbox.acknowledge(batch, action.findings, self.host.world.now)
        if self._machine is not None:
            self._do(self._machine.settled(self.host.world.now))

    def _died(self, how: str) -> None:
        self._machine = None
        if self.connection is not None:
            self.connection.break_off(told_after_ms=None)
        self.connection = None
        if how == "power":
            self.outbox.lose_power()
        self.host.world.at(RESTART_MS, self.start)
