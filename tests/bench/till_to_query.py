"""From the till to a query's answer, with the whole stack on: events/s, delay until visible, memory, nothing lost.

Everything on loopback; ends by itself soon after `seconds`.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fucai.adapters.clickhouse import Client, connect
from fucai.devstack.stack import Endpoint, await_endpoints, read_endpoints, stack_process
from tests.bench.machine import describe_machine
from tests.bench.till_load import PROBE, terminal_name
from tests.support.ports import free_port_base
from tests.support.waiting import eventually

_LOOK_S = 0.02
_TURN_S = 2.0
_TICKS = os.sysconf("SC_CLK_TCK")
_KIB = 1024
_DRAIN_SECONDS = 120.0
_GAME: Mapping[str, str] = {
    "game": "instant",
    "valid_from": "2010-01-01",
    "name": "instant",
    "game_type": "instant",
    "unit_price_fen": "0",
    "has_draws": "false",
    "max_multiplier": "0",
    "max_ticket_fen": "0",
    "face_values_fen": "500 1000 2000",
    "prize_bp": "6500",
    "issuing_fee_bp": "1500",
    "welfare_fund_bp": "2000",
    "commission_bp": "800",
    "draw_weekdays": "",
    "draw_time": "",
    "basis": "bench",
}


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` events a second of `terminals` for `seconds`, each terminal handing over every `linger` seconds."""

    terminals: int
    rate: float
    seconds: float
    linger: float


@dataclass(slots=True)
class Seen:
    """Delays in ms from a probe's record until a query showed it; memory in MiB and cores used, by part and time."""

    delays_ms: list[float] = field(default_factory=list)
    memory_mib: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cores: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def write_registry(folder: Path, terminals: int) -> None:
    """Writes the CSV files that register the outlets and terminals of the load."""
    places = [(f"O{number:05d}", terminal_name(number)) for number in range(terminals)] + [("O-PROBE", PROBE)]
    folder.mkdir()
    _write(folder / "games.csv", list(_GAME), [list(_GAME.values())])
    zone = {"zone_id": "Z1", "name": "bench", "zone_type": "complex", "district_code": "120101", "district": "bench"}
    _write(folder / "zones.csv", [*zone, "basis"], [[*zone.values(), "bench"]])
    names = "outlet_id valid_from name agent_id zone_id district_code mgmt_area format channel_class opened closed"
    outlets = [[outlet, "2020-01-01", outlet, "", "Z1", "", "", "", "", "2020-01-01", ""] for outlet, _ in places]
    _write(folder / "outlets.csv", names.split(), outlets)
    tills = [[terminal, "2020-01-01", outlet, "till"] for outlet, terminal in places]
    _write(folder / "terminals.csv", ["terminal_id", "valid_from", "outlet_id", "kind"], tills)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def watch_probes(client: Client, seen: Seen, stop: threading.Event) -> None:
    """Asks for the probe's newest events over and over, and notes how old each was when it was first seen."""
    last = 0
    while not stop.wait(_LOOK_S):
        rows = client.query(
            "SELECT seq, toUnixTimestamp64Milli(sold_at) FROM sales "
            "WHERE outlet_id = 'O-PROBE' AND business_day >= today() - 1 AND seq > {last:UInt64} ORDER BY seq",
            {"last": last},
        ).result_rows
        now_ms = time.time() * 1000
        for seq, sold_at_ms in rows:
            seen.delays_ms.append(now_ms - sold_at_ms)
            last = int(seq)


def watch_processes(parts: Callable[[], Mapping[str, Endpoint]], seen: Seen, stop: threading.Event) -> None:
    """Notes the resident memory of each part and of its children, and the cores they used, every two seconds."""
    before: dict[str, float] = {}
    looked_at = time.monotonic()
    while not stop.wait(_TURN_S):
        now = time.monotonic()
        for name, part in parts().items():
            family = _family(part.pid)
            seen.memory_mib[name].append(sum(map(_resident_mib, family)))
            cpu_s = sum(map(_cpu_seconds, family))
            if name in before:
                seen.cores[name].append((cpu_s - before[name]) / (now - looked_at))
            before[name] = cpu_s
        looked_at = now


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [pid, *map(int, children.read_text(encoding="utf-8").split())]
    except FileNotFoundError:
        return []


def _resident_mib(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / _KIB for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


def _cpu_seconds(pid: int) -> float:
    try:
        counted = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(counted[11]) + int(counted[12])) / _TICKS  # user and system time


def measure(load: Load, console: Console) -> tuple[Mapping[str, float], Seen, int]:
    """Runs the load on a stack of its own; returns what the terminals say, what was seen, and the events stored."""
    seen = Seen()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "stack"
        write_registry(Path(folder) / "registry", load.terminals)
        with stack_process(data, free_port_base()) as stack:
            await_endpoints(data, stack)
            command = [sys.executable, "-m", "fucai.cli", "import", "registry", str(Path(folder) / "registry")]
            subprocess.run([*command, "--data", str(data)], check=True, capture_output=True)
            parts = read_endpoints(data)
            client = connect(f"http://{parts['clickhouse'].address}", "fucai")
            looker = connect(f"http://{parts['clickhouse'].address}", "fucai")
            stop = threading.Event()
            threads = [
                threading.Thread(target=watch_probes, args=(looker, seen, stop)),
                threading.Thread(target=watch_processes, args=(lambda: read_endpoints(data), seen, stop)),
            ]
            for thread in threads:
                thread.start()
            try:
                said = _run_tills(parts["collector"].address, load, console)

                def stored() -> int:
                    return int(client.query("SELECT count() FROM sales").result_rows[0][0])

                eventually(lambda: stored() >= said["accepted"], _DRAIN_SECONDS, what="the last event stored")
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            once = client.query("SELECT uniqExact(terminal_id, epoch, seq) FROM sales").result_rows[0][0]
            if stored() != once:
                raise SystemExit(f"{stored()} rows stored of {once} events: something is stored twice")
            return said, seen, stored()


def _run_tills(target: str, load: Load, console: Console) -> Mapping[str, float]:
    command = [sys.executable, "-m", "tests.bench.till_load", "--target", target, "--terminals", str(load.terminals)]
    command += ["--rate", str(load.rate), "--seconds", str(load.seconds), "--linger", str(load.linger)]
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"{load.terminals:,} terminals, {load.rate:,.0f} events/s", total=load.seconds)
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        began = time.monotonic()
        while True:
            try:
                out, _ = process.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                progress.update(task, completed=time.monotonic() - began)
    if process.returncode:
        raise SystemExit(f"the terminals ended with code {process.returncode}")
    said: Mapping[str, float] = json.loads(out)
    return said


def report(load: Load, console: Console) -> None:
    """Measures one load and prints its tables."""
    said, seen, stored = measure(load, console)
    delays = sorted(seen.delays_ms)
    lost = said["recorded"] - said["quarantined"] - stored
    table = Table("what", "figure", title=f"{load.terminals:,} terminals, {load.seconds:.0f} s, the whole stack on")
    table.add_row("events recorded", f"{said['recorded']:,.0f}, {said['recorded'] / load.seconds:,.0f} a second")
    table.add_row("batches", f"{said['batches']:,.0f}, of {said['recorded'] / said['batches']:.1f} events")
    table.add_row("lost / stored twice", f"{lost:,.0f} / 0")
    table.add_row("till to receipt", f"median {said['receipt_p50_ms']:,.0f} ms, p99 {said['receipt_p99_ms']:,.0f} ms")
    table.add_row(
        "till to query",
        f"median {statistics.median(delays):,.0f} ms, p99 {delays[len(delays) * 99 // 100]:,.0f} ms, "
        f"longest {delays[-1]:,.0f} ms ({len(delays):,} probes)",
    )
    console.print(table)
    heads = ("part", "after a tenth", "half", "at the end", "highest", "cores used, median")
    memory = Table(*heads, title="resident memory in MiB, and processor")
    for name, samples in sorted(seen.memory_mib.items()):
        marks = (samples[len(samples) // 10], samples[len(samples) // 2], samples[-1], max(samples))
        memory.add_row(name, *(f"{mark:,.0f}" for mark in marks), f"{statistics.median(seen.cores[name]):.2f}")
    console.print(memory)


def main(seconds: float, rate: float, terminals: int, linger: float) -> None:
    """Measures and prints."""
    console = Console(width=110)
    console.print(describe_machine())
    report(Load(terminals, rate, seconds, linger), console)


if __name__ == "__main__":
    main(60, 5_000, 2_000, 0.25)
