"""A real collector process for tests, beside a registry in a thread of the test's own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_ports
from tests.support.registry_stub import SnapshotRegistry, serving
from tests.support.waiting import eventually


@dataclass(frozen=True, slots=True)
class RunningCollector:
    """Where it listens, and its process."""

    address: str
    metrics: str
    process: subprocess.Popen[bytes]
    log: Path

    def ready(self) -> bool:
        """What /ready says now."""
        try:
            with urllib.request.urlopen(f"http://{self.metrics}/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def metrics_text(self) -> str:
        """What /metrics says now."""
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=5) as answer:
            return str(answer.read().decode())


@contextmanager
def running_registry(registry: SnapshotRegistry, address: str = "127.0.0.1:0") -> Iterator[str]:
    """Serves a registry from a thread and yields its address."""
    started: list[str] = []
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        async with serving(registry, address) as served_at:
            loops.append(asyncio.get_running_loop())
            started.append(served_at)
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    yield eventually(lambda: started and started[0], what="the registry's start") or ""
    loops[0].call_soon_threadsafe(stop.set)
    thread.join(10)


@contextmanager
def running_collector(
    folder: Path, *, kafka: str, registry: str, await_ready: bool = True, **settings: str
) -> Iterator[RunningCollector]:
    """Starts a collector and yields it once it is ready; `settings` are FUCAI_* variables in small letters."""
    port, metrics_port = free_ports(2)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FUCAI_")},
        "FUCAI_KAFKA": kafka,
        "FUCAI_REGISTRY": registry,
        "FUCAI_GRPC": f"127.0.0.1:{port}",
        "FUCAI_METRICS": f"127.0.0.1:{metrics_port}",
        "FUCAI_INSTANCE": "collector-0",
        **{f"FUCAI_{name.upper()}": value for name, value in settings.items()},
    }
    log = folder / f"collector-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "fucai.collector"], env=environment, stderr=out)
    collector = RunningCollector(f"127.0.0.1:{port}", f"127.0.0.1:{metrics_port}", process, log)
    try:
        if await_ready:
            eventually(collector.ready, 30, what=f"readiness; its log is {log}")
        yield collector
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
