"""Light terminals: real gRPC, an outbox in memory, every event kept until its receipt.

They resend after every doubt, with other batch boundaries than before, as a terminal may.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
from grpc import aio

from fucai.domain.chain import chain_next, chain_start, event_bytes
from fucai.v1 import sales_pb2
from fucai.v1.collector_pb2_grpc import CollectorServiceStub

UNKNOWN_GAME = "nosuch"
_PATIENCE_S = 1.5
_RETRY_S = 0.1
_IN_FLIGHT = 4
_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100))


def next_event(terminal_id: str, epoch: int, seq: int, now_ms: int) -> sales_pb2.SalesEvent:
    """The event of that number: sales, some voided, some paid out, and a few of a game that nobody knows."""
    bets = seq % 9 + 1
    event = sales_pb2.SalesEvent(
        seq=seq,
        kind=sales_pb2.EVENT_KIND_SALE,
        game="ssq",
        draw_no="2025117",
        amount_fen=200 * bets,
        bets=bets,
        multiplier=1,
        ticket_serial=f"{epoch}-{seq:06d}",
        sold_at_ms=now_ms,
        companion_fen=seq % 4 * 150,
    )
    if seq % 10 == 7:
        event.kind = sales_pb2.EVENT_KIND_VOID
        event.bets, event.amount_fen, event.companion_fen = (seq - 2) % 9 + 1, 200 * ((seq - 2) % 9 + 1), 0
        event.refers_to.CopyFrom(sales_pb2.EventReference(terminal_id=terminal_id, epoch=epoch, seq=seq - 2))
    elif seq % 10 == 9:
        event.kind = sales_pb2.EVENT_KIND_PAYOUT
        event.amount_fen, event.companion_fen = 500 * bets, 0
        event.refers_to.CopyFrom(sales_pb2.EventReference(terminal_id=terminal_id, epoch=epoch, seq=seq - 6))
    elif seq % 23 in {5, 6}:
        event.game = UNKNOWN_GAME
    return event


@dataclass(slots=True)
class LightTerminal:
    """One terminal. Use it on one event loop."""

    terminal_id: str
    outlet_id: str
    epoch: int
    address: str
    choose: random.Random
    events: list[sales_pb2.SalesEvent] = field(default_factory=list)
    receipted: int = 0
    quarantined: dict[int, str] = field(default_factory=dict)
    repeats: int = 0
    closed: bool = False
    _digests: list[bytes] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def record(self, count: int) -> None:
        """Record the next events."""
        if not self._digests:
            self._digests.append(chain_start(self.terminal_id, self.epoch))
        for _ in range(count):
            event = next_event(self.terminal_id, self.epoch, len(self.events) + 1, time.time_ns() // 1_000_000)
            self.events.append(event)
            self._digests.append(chain_next(self._digests[-1], event_bytes(event)))
        self._news.set()

    def close(self) -> None:
        """Record nothing more; `run` returns when everything is receipted."""
        self.closed = True
        self._news.set()

    async def run(self) -> None:
        """Send until closed and receipted, over as many connections as it takes."""
        while not (self.closed and self.receipted == len(self.events)):
            async with aio.insecure_channel(self.address, options=_OPTIONS) as channel:
                call: Any = CollectorServiceStub(cast("Any", channel)).Collect()
                try:
                    await self._send(call)
                except (grpc.RpcError, TimeoutError, asyncio.InvalidStateError):
                    self.repeats += 1
                    call.cancel()
                    await asyncio.sleep(_RETRY_S)

    async def _send(self, call: Any) -> None:
        """Send over one stream, a few batches ahead of the receipts."""
        sent, in_flight = self.receipted, 0
        while True:
            self._news.clear()
            while in_flight < _IN_FLIGHT and sent < len(self.events):
                through = min(len(self.events), sent + self.choose.randint(1, 12))
                await asyncio.wait_for(call.write(self._batch(sent, through)), _PATIENCE_S)
                sent, in_flight = through, in_flight + 1
            if in_flight:
                receipt = await asyncio.wait_for(call.read(), _PATIENCE_S)
                if receipt is aio.EOF:  # type: ignore[attr-defined]  # missing from the stubs
                    raise TimeoutError
                self._take(receipt)
                in_flight -= 1
            elif self.closed:
                await call.done_writing()
                return
            else:
                await self._news.wait()

    def _batch(self, after: int, through: int) -> sales_pb2.SalesBatch:
        return sales_pb2.SalesBatch(
            terminal_id=self.terminal_id,
            outlet_id=self.outlet_id,
            epoch=self.epoch,
            events=self.events[after:through],
            digest=self._digests[through],
        )

    def _take(self, receipt: sales_pb2.Receipt) -> None:
        assert (receipt.terminal_id, receipt.epoch) == (self.terminal_id, self.epoch), "a receipt for someone else"
        assert self.receipted < receipt.through_seq <= len(self.events), "a receipt for what was not sent"
        self.receipted = receipt.through_seq
        for finding in receipt.quarantined:
            reason = sales_pb2.QuarantineReason.Name(finding.reason)
            self.quarantined[finding.seq] = reason.removeprefix("QUARANTINE_REASON_")
