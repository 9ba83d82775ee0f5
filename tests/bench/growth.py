"""Questions at a hundred million events: alone, with four clients while events are written, and by plain scan.

The channel is made inside the engine; the endpoint and the analytics service are real processes. Ends by itself.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fucai.adapters.clickhouse import connect
from fucai.adapters.migrate import StoreSettings, migrate
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.bench.channel import (
    DAYS,
    OUTLETS,
    ZONE,
    Channel,
    fill_registry,
    fill_sales,
    merge_months,
    prepare_batches,
    write_batch,
)
from tests.bench.growth_questions import Question, plain_service, questions, same
from tests.bench.machine import describe_machine
from tests.support.clickhouse import running_clickhouse
from tests.support.ports import free_ports

DATABASE = "fucai"
CLIENTS = 4
RATE = 20_000
BATCH = 3_000
"""Events of one insert, about: what a loader gathers at this rate while it waits for more."""

ROUNDS = 15
CROWDED_SECONDS = 8.0
SPARE = 1.3
"""Times as many events are kept as the crowd should take: a slow question ends late."""

DAILY = ("trend by day", "headline")
_SMALLEST = 500_000


@dataclass(slots=True)
class Measured:
    """One question: milliseconds alone, in a crowd and by plain scan; what was read, and whether the answers agree.

    A crowd asks all the same (`crowded`), or each client something else (`apart`).
    """

    question: Question
    alone: list[float] = field(default_factory=list)
    crowded: list[float] = field(default_factory=list)
    apart: list[float] = field(default_factory=list)
    scanned: float = 0.0
    rows: int = 0
    scanned_rows: int = 0
    equal: bool = False


def main(events: int, folder: Path | None) -> None:
    """Measure a channel of so many events, and daily questions of less; `folder` keeps the stores."""
    console = Console(width=140)
    console.print(describe_machine())
    sizes = [size for size in (events // 100, events // 10) if size >= _SMALLEST]
    curve = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        for size in [*sizes, events]:
            with _channel((folder or Path(temporary)) / str(size), size, console) as (url, channel, count):
                chosen = [one for one in questions(channel) if size == events or one.name in DAILY]
                with _service(url) as stub:
                    found = [_alone(stub, one) for one in chosen]
                    curve.append((count, [one for one in found if one.question.name in DAILY]))
                    if size == events:
                        _scan(url, stub, found)
                        written = _crowd(url, stub, channel, found)
    console.print(_table(found, count, written))
    console.print(_curve(curve))
    console.print(f"load {os.getloadavg()[0]:.1f} after")


@contextmanager
def _channel(folder: Path, size: int, console: Console) -> Iterator[tuple[str, Channel, int]]:
    """A running endpoint with the channel, made if it is not there: its address, the channel, the number of events."""
    done = folder / "made"
    yesterday = datetime.now(ZONE).date() - timedelta(days=1)
    made = done.read_text(encoding="utf-8").split() if done.exists() else [yesterday.isoformat()]
    channel = Channel(datetime.fromisoformat(made[0]).date(), max(1, round(size / DAYS / OUTLETS / 0.926)))
    with running_clickhouse(folder / "store") as url:
        client = connect(url, timeout_s=600)
        migrate(client, database=DATABASE, store=StoreSettings(str(ZONE), "CNY"))
        if not done.exists():
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task(f"making {size:,} events", total=channel.numbers)
                fill_registry(client, channel)
                fill_sales(client, channel, lambda count: progress.advance(task, count))
                progress.update(task, description="merging, as a store of two years has been")
                merge_months(client)
            done.write_text(channel.last.isoformat(), encoding="utf-8")
        _await_merges(client)
        ((count,),) = client.query("SELECT count() FROM sales").result_rows
        client.close()
        yield url, channel, int(count)


def _await_merges(client: Client, seconds: float = 300.0) -> None:
    """Wait, at most so long, until the engine has nothing to merge: what is measured are questions."""
    ends = time.monotonic() + seconds
    quiet = 0
    while quiet < 3 and time.monotonic() < ends:
        ((merging,),) = client.query("SELECT count() FROM system.merges").result_rows
        quiet = 0 if merging else quiet + 1
        time.sleep(1)


@contextmanager
def _service(url: str) -> Iterator[AnalyticsServiceStub]:
    """The analytics service, a process of its own."""
    (port,) = free_ports(1)
    env = {**os.environ, "FUCAI_CLICKHOUSE": url, "FUCAI_DATABASE": DATABASE, "FUCAI_GRPC": f"127.0.0.1:{port}"}
    process = subprocess.Popen([sys.executable, "-m", "fucai.analytics"], env=env, stderr=subprocess.DEVNULL)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=60)
            yield AnalyticsServiceStub(channel)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _alone(stub: AnalyticsServiceStub, question: Question) -> Measured:
    """One client asks one question again and again."""
    found = Measured(question)
    explained = question.ask(stub, explain=True)
    found.rows = _rows_read(explained)
    for _ in range(ROUNDS):
        found.alone.append(_milliseconds(stub, question))
    return found


def _scan(url: str, stub: AnalyticsServiceStub, found: list[Measured]) -> None:
    """The same questions, answered from every single event."""
    with plain_service(url, DATABASE) as plain:
        for one in found:
            began = time.perf_counter()
            answer = one.question.ask(plain, explain=True)
            one.scanned = (time.perf_counter() - began) * 1_000
            one.scanned_rows = _rows_read(answer)
            one.equal = same(answer, one.question.ask(stub))


def _crowd(url: str, stub: AnalyticsServiceStub, channel: Channel, found: list[Measured]) -> float:
    """Four clients ask one question after another while events are written; returns the events written a second.

    Each question is asked twice over: by all of them the same, and by each another one of its kind.
    """
    client = connect(url, DATABASE)
    sizes = prepare_batches(client, channel, round(RATE * CROWDED_SECONDS * 2 * len(found) * SPARE), BATCH)
    _await_merges(client)
    stop = threading.Event()
    began = time.monotonic()

    def write() -> int:
        written = 0
        for number, size in enumerate(sizes):
            if stop.wait(max(0.0, began + written / RATE - time.monotonic())):
                return written
            write_batch(client, number)
            written += size
        raise RuntimeError("no events are left to write: the questions took longer than was thought")

    def ask(question: Question, times: list[float], ends: float) -> None:
        while time.monotonic() < ends:
            times.append(_milliseconds(stub, question))

    with ThreadPoolExecutor(CLIENTS + 1) as threads:
        writing = threads.submit(write)
        for one in found:
            for times, others in ((one.crowded, [0] * CLIENTS), (one.apart, range(CLIENTS))):
                ends = time.monotonic() + CROWDED_SECONDS
                asked = [one.question.other(number) for number in others]
                for asking in [threads.submit(ask, question, times, ends) for question in asked]:
                    asking.result()
        stop.set()
        written = writing.result()
        seconds = time.monotonic() - began
    client.close()
    return written / seconds


def _milliseconds(stub: AnalyticsServiceStub, question: Question) -> float:
    began = time.perf_counter()
    question.ask(stub)
    return (time.perf_counter() - began) * 1_000


def _rows_read(answer: Any) -> int:
    """Rows that the queries of an explained answer read."""
    about = answer.about if "about" in answer.DESCRIPTOR.fields_by_name else answer
    return sum(query.rows_read for query in about.queries)


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.95) - 1)] if values else float("nan")


def _table(found: list[Measured], events: int, written: float) -> Table:
    title = (
        f"{events:,} events of {OUTLETS:,} outlets in {DAYS} days; crowd: {CLIENTS} clients, {written:,.0f} events/s"
    )
    columns = ("question", "asked", "p50", "p95", "crowd asked", "p50", "p95", "apart p50", "p95", "rows read")
    table = Table(*columns, title=title)
    for name in ("plain scan", "its rows", "equal"):
        table.add_column(name, justify="right")
    for one in found:
        alone, crowded = one.question.asked
        table.add_row(
            one.question.name,
            f"{alone}",
            f"{statistics.median(one.alone):.0f}",
            f"{_p95(one.alone):.0f}",
            f"{crowded:,}",
            f"{statistics.median(one.crowded or [float('nan')]):,.0f}",
            f"{_p95(one.crowded):,.0f}",
            f"{statistics.median(one.apart or [float('nan')]):,.0f}",
            f"{_p95(one.apart):,.0f}",
            f"{one.rows:,}",
            f"{one.scanned:,.0f}",
            f"{one.scanned_rows:,}",
            "yes" if one.equal else "NO",
        )
    table.caption = "milliseconds; apart: each client asks another question of the kind"
    return table


def _curve(curve: list[tuple[int, list[Measured]]]) -> Table:
    table = Table("events", *DAILY, title="Daily questions alone, by size: p50 ms (rows read)")
    for count, found in curve:
        table.add_row(f"{count:,}", *(f"{statistics.median(one.alone):.0f} ({one.rows:,})" for one in found))
    return table
