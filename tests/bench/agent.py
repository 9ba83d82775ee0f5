"""How long a till waits until the agent has its sale on the disk, beside what the disk alone takes; no network.

A real agent process on a Unix socket; ends by itself within about a minute. The plain file grows with each page,
and the outbox's log is written over, so one sync of the outbox may cost less than one of the file.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
from rich.console import Console
from rich.table import Table

from fucai.v1.sales_pb2 import EventKind, SalesEvent
from fucai.v1.terminal_pb2 import RecordRequest
from fucai.v1.terminal_pb2_grpc import TerminalServiceStub
from tests.bench.machine import describe_machine

TILLS = 8
_PAGE = bytes(4096)


@contextmanager
def running_agent(folder: Path) -> Iterator[TerminalServiceStub]:
    """A real agent, with a collector that is never there."""
    command = [sys.executable, "-m", "fucai.cli", "terminal", "run", "--dir", str(folder), "--terminal", "bench"]
    command += ["--outlet", "bench", "--collector", "127.0.0.1:1"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        with grpc.insecure_channel(f"unix:{folder}/till.sock", [("grpc.max_reconnect_backoff_ms", 200)]) as channel:
            grpc.channel_ready_future(channel).result(timeout=60)
            yield TerminalServiceStub(channel)
    finally:
        process.terminate()
        process.wait()


def timed(count: int, step: Callable[[int], object]) -> list[float]:
    """Seconds that each of `count` steps took."""
    found = []
    for number in range(count):
        began = time.perf_counter()
        step(number)
        found.append(time.perf_counter() - began)
    return found


def fsync_alone(folder: Path, count: int) -> list[float]:
    """Seconds to append a page to a file and sync it."""
    with (folder / "page").open("ab", buffering=0) as file:

        def step(_number: int) -> None:
            file.write(_PAGE)
            os.fsync(file.fileno())

        return timed(count, step)


def record(till: TerminalServiceStub, name: str, count: int) -> list[float]:
    """Seconds from the call to the answer, one sale after the other."""

    def step(number: int) -> None:
        sale = SalesEvent(
            kind=EventKind.EVENT_KIND_SALE,
            game="ssq",
            draw_no="2026058",
            amount_fen=200,
            bets=1,
            ticket_serial=f"{name}-{number:012}",
        )
        till.Record(RecordRequest(events=[sale], request_id=f"{name}-{number}"), timeout=30)

    return timed(count, step)


def main(count: int = 3_000) -> None:
    """Measures, and prints the table."""
    console = Console(width=110)
    machine = describe_machine()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        rows = {"fsync of 4 KiB, alone": (fsync_alone(folder, count), 1)}
        with running_agent(folder / "agent") as till, ThreadPoolExecutor(TILLS) as tills:
            record(till, "warm", 100)
            rows["Record, one till"] = (record(till, "one", count), 1)
            shares = tills.map(lambda number: record(till, f"till{number}", count // TILLS), range(TILLS))
            rows[f"Record, {TILLS} tills at once"] = ([seconds for share in shares for seconds in share], TILLS)
    table = Table("", "median", "99 of 100 within", "a second", title=f"Agent: until a sale is on disk, {count:,} each")
    for what, (found, at_once) in rows.items():
        cuts = statistics.quantiles(found, n=100)
        rate = at_once / statistics.fmean(found)
        table.add_row(what, f"{cuts[49] * 1000:.2f} ms", f"{cuts[98] * 1000:.2f} ms", f"{rate:,.0f}")
    console.print(machine)
    console.print(table)


if __name__ == "__main__":
    main()
