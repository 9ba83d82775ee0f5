"""Thousands of light terminals on one collector, as a process of its own: numbered, chained, resent until receipted.

Records `rate` events a second over all terminals; each hands over what it has every `linger` seconds. Prints one JSON
line: events recorded and receipted, the delay from record to receipt, and how far it fell behind its rate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from array import array
from dataclasses import dataclass, field

import uvloop

from fucai.domain.chain import chain_next, chain_start, event_bytes
from fucai.terminal.fleet import Fleet, open_fleet
from fucai.terminal.sender import SendPolicy
from fucai.v1 import sales_pb2

PROBE = "PROBE"
PROBES_PER_SECOND = 20.0
_TURN_S = 0.02


def terminal_name(number: int) -> str:
    """The terminal of that number; its outlet is called O and the same number."""
    return f"T{number:05d}"


@dataclass(slots=True)
class LightTerminal:
    """A terminal with its outbox in memory."""

    terminal_id: str
    outlet_id: str
    epoch: int
    due_at: float
    digest: bytes = b""
    seq: int = 0
    events: list[sales_pb2.SalesEvent] = field(default_factory=list)

    def record(self, dice: random.Random, now_ms: int) -> None:
        """Sells some instant tickets."""
        self.seq += 1
        face, bets = dice.choice((500, 1000, 2000)), dice.randint(1, 5)
        event = sales_pb2.SalesEvent(
            seq=self.seq,
            kind=sales_pb2.EVENT_KIND_SALE,
            game="instant",
            amount_fen=face * bets,
            bets=bets,
            face_value_fen=face,
            ticket_serial=f"{self.terminal_id}-{self.seq}",
            sold_at_ms=now_ms,
        )
        self.digest = chain_next(self.digest, event_bytes(event))
        self.events.append(event)

    def batch(self) -> sales_pb2.SalesBatch:
        """Takes out what was recorded since the last batch."""
        events, self.events = self.events, []
        return sales_pb2.SalesBatch(
            terminal_id=self.terminal_id,
            outlet_id=self.outlet_id,
            epoch=self.epoch,
            events=events,
            digest=self.digest,
        )


class Till:
    """All terminals, and what became of their events."""

    def __init__(self, terminals: int, linger_s: float, seed: int) -> None:
        self._dice = random.Random(seed)
        epoch = int(time.time())
        now = time.monotonic()
        names = [(terminal_name(number), f"O{number:05d}") for number in range(terminals)]
        self._terminals = [
            LightTerminal(name, outlet, epoch, now + self._dice.uniform(0, linger_s), chain_start(name, epoch))
            for name, outlet in [*names, (PROBE, "O-PROBE")]
        ]
        self._linger_s = linger_s
        self.recorded = self.accepted = self.quarantined = 0
        self.delays_ms = array("d")
        self.behind_s = 0.0

    def receipted(self, batch: sales_pb2.SalesBatch, receipt: sales_pb2.Receipt) -> None:
        """Counts a receipt."""
        self.accepted += receipt.accepted
        self.quarantined += len(receipt.quarantined)
        self.delays_ms.append(time.time() * 1000 - batch.events[0].sold_at_ms)

    async def run(self, fleet: Fleet, rate: float, seconds: float) -> None:
        """Records at the rate for so long, and hands over what is due."""
        *tills, probe = self._terminals
        began = time.monotonic()
        probes = 0
        while (now := time.monotonic()) < began + seconds:
            due = int((now - began) * rate) - self.recorded + probes
            now_ms = time.time_ns() // 1_000_000
            for _ in range(due):
                self._dice.choice(tills).record(self._dice, now_ms)
            self.recorded += due
            if (now - began) * PROBES_PER_SECOND > probes:
                probe.record(self._dice, now_ms)
                self.recorded, probes = self.recorded + 1, probes + 1
            await self._hand_over(fleet, now)
            self.behind_s = max(self.behind_s, time.monotonic() - now - _TURN_S)
            await asyncio.sleep(max(0.0, now + _TURN_S - time.monotonic()))
        await self._hand_over(fleet, float("inf"))

    async def _hand_over(self, fleet: Fleet, now: float) -> None:
        for terminal in self._terminals:
            if terminal.events and terminal.due_at <= now:
                terminal.due_at = now + self._linger_s
                await fleet.put(terminal.batch())


async def load(target: str, terminals: int, rate: float, seconds: float, linger_s: float, streams: int) -> Till:
    """Runs the terminals; returns when every event has its receipt."""
    till = Till(terminals, linger_s, seed=1)
    policy = SendPolicy(window=64, patience_seconds=60, stall_seconds=30)
    async with open_fleet(target, streams, till.receipted, policy) as fleet:
        await till.run(fleet, rate, seconds)
    return till


def main() -> None:
    """Reads the arguments, runs, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--terminals", type=int, default=2_000)
    parser.add_argument("--rate", type=float, required=True, help="events a second over all terminals")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--linger", type=float, default=0.25, help="seconds between two batches of a terminal")
    parser.add_argument("--streams", type=int, default=32)
    given = parser.parse_args()
    began = time.monotonic()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        till = runner.run(load(given.target, given.terminals, given.rate, given.seconds, given.linger, given.streams))
    took_s = time.monotonic() - began
    delays = sorted(till.delays_ms) or [0.0]
    result = {
        "recorded": till.recorded,
        "accepted": till.accepted,
        "quarantined": till.quarantined,
        "events_per_second": till.accepted / took_s,
        "receipt_p50_ms": delays[len(delays) // 2],
        "receipt_p99_ms": delays[len(delays) * 99 // 100],
        "batches": len(delays),
        "behind_s": till.behind_s,
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
