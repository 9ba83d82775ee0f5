"""The collector between 64 terminals' streams and a real broker, all of it on the same cores; events/s with receipts.

Everything on loopback; ends by itself within about two minutes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fucai.adapters.topics import TopicLayout, ensure_topics
from tests.bench.collector_load import OUTLET, terminal_name
from tests.bench.machine import describe_machine
from tests.support.collecting import running_collector, running_registry
from tests.support.kafka import running_kafka
from tests.support.registry_stub import SnapshotRegistry, terminal, usual_games

STREAMS = 64
PARTITIONS = 8
WARM_UP_SECONDS = 6.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Case:
    """Batches of `events`, on each stream `window` of them without receipt; `needed` events/s are asked for."""

    events: int
    window: int
    needed: int


@dataclass(slots=True)
class Measured:
    """What the runs of one case gave, one entry each."""

    events_per_second: list[float] = field(default_factory=list)
    median_s: list[float] = field(default_factory=list)
    p99_s: list[float] = field(default_factory=list)


CASES = (Case(events=1, window=16, needed=6_000), Case(events=200, window=4, needed=200_000))


def run_load(target: str, case: Case, seconds: float) -> dict[str, float]:
    """Runs the terminals, a process of their own, against the collector.

    Raises:
        subprocess.SubprocessError: a receipt was not what it should be, or none came.
    """
    command = [sys.executable, "-m", "tests.bench.collector_load", "--target", target, "--streams", str(STREAMS)]
    command += ["--events", str(case.events), "--window", str(case.window), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=seconds + PATIENCE_SECONDS)
    return dict(json.loads(done.stdout))


def measure(runs: int, seconds: float, console: Console) -> dict[Case, Measured]:
    """Runs every case in turn, `runs` times, after a warm-up of each: the broker's compiler needs one."""
    terminals = [terminal(terminal_name(number), OUTLET) for number in range(STREAMS)]
    registry = SnapshotRegistry([*usual_games(), *terminals])
    measured = {case: Measured() for case in CASES}
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_kafka(Path(folder) / "kafka") as bootstrap,
        running_registry(registry) as registry_address,
        Progress(console=console, transient=True) as progress,
    ):
        ensure_topics(bootstrap, TopicLayout(PARTITIONS))
        with running_collector(Path(folder), kafka=bootstrap, registry=registry_address) as collector:
            task = progress.add_task("sending", total=len(CASES) * (runs + 1))
            for turn in range(runs + 1):
                for case in CASES:
                    found = run_load(collector.address, case, seconds if turn else WARM_UP_SECONDS)
                    progress.advance(task)
                    if turn:
                        measured[case].events_per_second.append(found["events_per_second"])
                        measured[case].median_s.append(found["median_s"])
                        measured[case].p99_s.append(found["p99_s"])
    return measured


def main(runs: int, seconds: float = 6.0) -> None:
    """Measures, and prints the table."""
    console = Console(width=110)
    machine = describe_machine()
    measured = measure(runs, seconds, console)
    table = Table(
        "batches of", "events/s", "spread", "asked for", "receipt, median", "99 of 100 within",
        title=f"Collector: {STREAMS} streams, terminals and broker on the same cores, median of {runs} runs",
    )  # fmt: skip
    for case, found in measured.items():
        rates = found.events_per_second
        table.add_row(
            str(case.events),
            f"{statistics.median(rates):,.0f}",
            f"{min(rates):,.0f} to {max(rates):,.0f}",
            f"{case.needed:,}",
            f"{statistics.median(found.median_s) * 1000:.0f} ms",
            f"{statistics.median(found.p99_s) * 1000:.0f} ms",
        )
    console.print(machine)
    console.print(table)


if __name__ == "__main__":
    main(runs=3)
