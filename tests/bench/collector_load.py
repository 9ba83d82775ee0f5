"""A load of terminals on one collector, as a process of its own: pre-serialised batches over gRPC streams.

Prints one JSON line: events whose receipts came within the measured seconds, and the receipts' delays.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from typing import Any, cast

import grpc
import grpc.aio
import uvloop

from fucai.v1 import sales_pb2

COLLECT = "/fucai.v1.CollectorService/Collect"
OUTLET = "BENCH-OUTLET"
DISTINCT_BATCHES = 32
WARM_UP_SECONDS = 2.0
CONNECT_SECONDS = 10.0


def terminal_name(number: int) -> str:
    """The bench's terminal of that number."""
    return f"BENCH-{number:05d}"


def batches(number: int, events: int) -> list[bytes]:
    """Distinct batches of one terminal, as it would send them one after the other."""
    dice = random.Random(number)
    now_ms = time.time_ns() // 1_000_000
    made = []
    for index in range(DISTINCT_BATCHES):
        first = index * events + 1
        batch = sales_pb2.SalesBatch(
            terminal_id=terminal_name(number),
            outlet_id=OUTLET,
            epoch=1_700_000_000,
            events=[_event(dice, seq, now_ms) for seq in range(first, first + events)],
            digest=dice.randbytes(32),
        )
        made.append(batch.SerializeToString())
    return made


def _event(dice: random.Random, seq: int, now_ms: int) -> sales_pb2.SalesEvent:
    event = sales_pb2.SalesEvent(
        seq=seq,
        kind=sales_pb2.EVENT_KIND_SALE,
        sold_at_ms=now_ms - dice.randrange(3_600_000),
        ticket_serial=f"{dice.randrange(10**12):012d}",
        companion_fen=dice.choice((0, 0, 0, 1_500, 2_800)),
    )
    if dice.random() < 0.7:
        event.game, event.face_value_fen, event.bets = "instant", dice.choice((500, 1000, 2000)), dice.randint(1, 5)
        event.amount_fen = event.face_value_fen * event.bets
    else:
        event.game, event.draw_no = "ssq", "2025123"
        event.bets, event.multiplier = dice.randint(1, 10), dice.randint(1, 5)
        event.amount_fen = 200 * event.bets * event.multiplier
    return event


class Load:
    """The streams of one process."""

    def __init__(self, *, events: int, window: int) -> None:
        self._events = events
        self._window = window
        self.acknowledged = 0
        self.delays_s: list[float] = []
        self.measuring = False

    async def stream(self, channel: grpc.aio.Channel, made: Sequence[bytes], until: float) -> None:
        """Sends one terminal's batches round and round, up to `window` of them without receipt, until that time."""
        call: Any = cast("Any", channel.stream_stream)(COLLECT)()
        room = asyncio.Semaphore(self._window)
        sent_at: list[float] = []
        reading = asyncio.create_task(self._read(call, room, sent_at))
        turn = 0
        while time.monotonic() < until:
            await room.acquire()
            sent_at.append(time.perf_counter())
            await call.write(made[turn % DISTINCT_BATCHES])
            turn += 1
        await call.done_writing()
        await reading

    async def _read(self, call: Any, room: asyncio.Semaphore, sent_at: list[float]) -> None:
        answered = 0
        async for raw in call:
            room.release()
            if self.measuring:
                self.acknowledged += self._events
                self.delays_s.append(time.perf_counter() - sent_at[answered])
            answered += 1
            if answered % DISTINCT_BATCHES == 1:
                receipt = sales_pb2.Receipt.FromString(raw)
                if receipt.accepted != self._events:
                    sys.exit(f"not all events were accepted: {receipt}")


async def run(target: str, first: int, streams: int, events: int, window: int, seconds: float) -> dict[str, float]:
    """Runs the streams and measures for `seconds` after a warm-up."""
    load = Load(events=events, window=window)
    made = [batches(first + number, events) for number in range(streams)]
    async with grpc.aio.insecure_channel(target) as channel:
        await asyncio.wait_for(channel.channel_ready(), CONNECT_SECONDS)
        until = time.monotonic() + WARM_UP_SECONDS + seconds
        tasks = [asyncio.create_task(load.stream(channel, each, until)) for each in made]
        await asyncio.sleep(WARM_UP_SECONDS)
        began = time.perf_counter()
        load.measuring = True
        await asyncio.sleep(seconds)
        load.measuring = False
        took_s = time.perf_counter() - began
        await asyncio.gather(*tasks)
    delays = sorted(load.delays_s) or [0.0]
    return {
        "events_per_second": load.acknowledged / took_s,
        "median_s": delays[len(delays) // 2],
        "p99_s": delays[len(delays) * 99 // 100],
    }


def main() -> None:
    """Reads the arguments, runs, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--first", type=int, default=0, help="number of the first terminal")
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--events", type=int, required=True, help="events in a batch")
    parser.add_argument("--window", type=int, required=True, help="batches without receipt, for each stream")
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(run(given.target, given.first, given.streams, given.events, given.window, given.seconds))
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
