"""Model of a terminal's outbox: what is written survives the process, what is synced the power, damage spares some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from fucai.domain.chain import chain_next, chain_start, event_bytes
from fucai.terminal.agent.outbox import BEFORE_ALL, Batch, BatchLimits, PendingStatement, Position, Recorded
from fucai.v1.sales_pb2 import Finding, SalesBatch, SalesEvent
from tests.simulation.world import Host


class Kept(NamedTuple):
    """An event in the outbox."""

    position: Position
    event: SalesEvent
    digest: bytes


@dataclass(frozen=True, slots=True)
class State:
    """Everything on the disk; each change makes a new one."""

    epoch: int
    digest: bytes
    kept: tuple[Kept, ...] = ()
    last_seq: int = 0
    settled: Position = BEFORE_ALL
    requests: tuple[tuple[str, Recorded], ...] = ()


class ModelOutbox:
    """An `agent.outbox.Outbox` that can lose its power and its sectors. Holds no statements."""

    def __init__(self, host: Host, terminal_id: str, outlet_id: str, epoch: int) -> None:
        self.terminal_id, self.outlet_id = terminal_id, outlet_id
        self.written = State(epoch, chain_start(terminal_id, epoch))
        self.synced = self.written
        self.on_recorded: Callable[[int, SalesEvent], None]
        self.on_settled: Callable[[Sequence[Kept]], None]
        self._host = host

    def append(self, events: Sequence[SalesEvent], request_id: str, now_ms: int) -> Recorded:
        """Numbers the events and keeps them."""
        del now_ms
        state = self.written
        for known, recorded in state.requests:
            if known == request_id:
                return replace(recorded, repeated_request=True)
        self._host.passing("record")
        kept, seq, digest = list(state.kept), state.last_seq, state.digest
        for event in events:
            seq += 1
            numbered = SalesEvent()
            numbered.CopyFrom(event)
            numbered.seq = seq
            digest = chain_next(digest, event_bytes(numbered))
            kept.append(Kept(Position(state.epoch, seq), numbered, digest))
        recorded = Recorded(state.epoch, state.last_seq + 1, seq, digest)
        self._write(
            replace(
                state,
                kept=tuple(kept),
                last_seq=seq,
                digest=digest,
                requests=(*state.requests, (request_id, recorded)),
            )
        )
        for each in kept[len(kept) - len(events) :]:
            self.on_recorded(state.epoch, each.event)
        self._host.passing("recorded")
        return recorded

    def unsent(self, after: Position, limits: BatchLimits) -> Batch | None:
        """The next events behind `after` that are not settled."""
        start = max(after, self.written.settled)
        found: list[Kept] = []
        for kept in self.written.kept:
            if kept.position <= start:
                continue
            if len(found) == limits.max_events or (found and kept.position.epoch != found[0].position.epoch):
                break
            found.append(kept)
        if not found:
            return None
        epoch = found[0].position.epoch
        message = SalesBatch(
            terminal_id=self.terminal_id,
            outlet_id=self.outlet_id,
            epoch=epoch,
            events=[kept.event for kept in found],
            digest=found[-1].digest,
        ).SerializeToString()
        return Batch(epoch, found[0].position.seq, found[-1].position.seq, len(found), message)

    def acknowledge(self, batch: Batch, findings: Sequence[Finding], now_ms: int) -> None:
        """The collector has the batch, and every one before it."""
        del findings, now_ms
        self._host.passing("acknowledge")
        state = self.written
        self.on_settled([kept for kept in state.kept if state.settled < kept.position <= batch.last])
        if batch.last > state.settled:
            self._write(replace(state, settled=batch.last))
        self._host.passing("acknowledged")

    def set_aside(self, batch: Batch, reason: str, now_ms: int) -> None:
        """Never happens here: no collector refuses what this outbox makes."""
        raise AssertionError(f"the collector refused {batch}: {reason} at {now_ms}")

    def due_statement(self) -> PendingStatement | None:
        """There are none."""
        return None

    def settle_statement(self, statement: PendingStatement, verdict: int, detail: str, now_ms: int) -> None:
        """There are none."""
        raise AssertionError(f"no statement was made: {statement}, {verdict}, {detail} at {now_ms}")

    @property
    def is_empty(self) -> bool:
        """Whether everything is settled."""
        return not self.written.kept or self.written.kept[-1].position <= self.written.settled

    def lose_power(self) -> None:
        """What was not synced is gone."""
        self.written = self.synced

    def damage(self, random: Random, wall_s: int) -> list[Position]:
        """Sectors go bad: what can be read is kept under its old epoch, and a new one begins. Returns the lost."""
        state = self.written
        forgotten = random.random() < 0.5
        settled = BEFORE_ALL if forgotten else state.settled
        readable, lost = [], []
        for kept in state.kept:
            if kept.position > state.settled and random.random() < 0.2:
                lost.append(kept.position)
            elif kept.position > settled:
                readable.append(kept)
        epoch = self.next_epoch(state.epoch, wall_s)
        self.written = State(epoch, chain_start(self.terminal_id, epoch), tuple(readable), settled=settled)
        self._sync()
        return lost

    def next_epoch(self, known: int, wall_s: int) -> int:
        """Unix seconds, above any epoch known."""
        return max(known + 1, wall_s)

    def _write(self, state: State) -> None:
        self.written = state
        self._sync()

    def _sync(self) -> None:
        self.synced = self.written
