"""The auditor's recount of Kafka, events a second of one process: what bounds how long proving a period takes."""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fucai.adapters.logreader import LogReader
from fucai.auditor.days import DayClock
from fucai.auditor.findings import Findings
from fucai.auditor.fold import Scope
from fucai.auditor.keys import Keys
from fucai.auditor.recount import Window, recount
from fucai.auditor.statements import Book
from fucai.domain import topics
from tests.bench.loader import START_MS, Load, produce
from tests.bench.machine import describe_machine
from tests.support.kafka import running_kafka


def measure(bootstrap: str, load: Load) -> tuple[float, float]:
    """Time one recount of everything, with chain, lines and content of every event: seconds by clock and of CPU."""
    clock, findings = DayClock(ZoneInfo("Asia/Shanghai")), Findings()
    day = clock.day(START_MS)
    scope = Scope(day, day + 400, b"secret", keep_lines=True, findings=findings)
    with closing(LogReader(bootstrap)) as left, closing(LogReader(bootstrap)) as right:
        places = left.places([topics.SALES, topics.QUARANTINE])
        begins = left.beginnings(places)
        window = Window(begins, left.ends(places), begins)
        begin, used = time.monotonic(), time.process_time()
        found = recount(
            (left, right), scope, Book(Keys([]), clock, findings), clock, window, window.ends, lambda _records: None
        )
        seconds = time.monotonic() - begin, time.process_time() - used
    if found.events != load.events or len(findings):
        raise SystemExit(f"recounted {found.events} of {load.events} events with {len(findings)} findings")
    return seconds


def main(runs: int, events: int) -> None:
    """Measure batches of 200 and of 5."""
    console = Console(width=110)
    console.print(describe_machine())
    names = ("events in a batch", "events", "events/s, median", "lowest to highest", "events per second of CPU")
    table = Table(*names, title="recount of Kafka")
    for batch in (200, 5):
        wanted = min(events, 400_000 if batch == 5 else events)
        load = Load(wanted // (200 * batch) * 200 * batch, batch)
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
            running_kafka(Path(folder) / "kafka") as bootstrap,
        ):
            with Progress(console=console, transient=True) as progress:
                produce(bootstrap, load, progress)
            times = [measure(bootstrap, load) for _ in range(runs)]
        rates = [load.events / seconds for seconds, _ in times]
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        cpu = f"{statistics.median(load.events / used for _, used in times):,.0f}"
        table.add_row(str(batch), f"{load.events:,}", f"{statistics.median(rates):,.0f}", spread, cpu)
    console.print(table)
