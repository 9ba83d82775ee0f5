"""The local stack as a whole: one per folder, with its addresses in DIR/endpoints.json. Knows no part by name."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from fucai.devstack.parts import Part
from fucai.devstack.supervisor import Listener, Supervisor

ENDPOINTS = "endpoints.json"


class StackError(Exception):
    """The stack cannot start here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one part of a running stack is. `metrics` is None where it has none."""

    name: str
    address: str
    pid: int
    metrics: str | None


def read_endpoints(data: Path) -> dict[str, Endpoint]:
    """Return the parts of the stack that runs on `data`, by name.

    Raises:
        StackError: none runs there.
    """
    path = data / ENDPOINTS
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StackError(f"no stack runs on {data}: start one with `fucai up --data {data}`") from error
    return {part["name"]: Endpoint(**part) for part in content["parts"]}


def run_stack(data: Path, parts: Sequence[Part], tell: Listener, *, start_seconds: float = 120.0) -> None:
    """Run the parts until SIGTERM or SIGINT; endpoints.json is there exactly while all have been ready.

    Call it from the main thread.

    Raises:
        StackError: another stack runs on this folder, or a port is taken.
        StartError: a part does not become ready.
    """
    data.mkdir(parents=True, exist_ok=True)
    logs = data / "logs"
    logs.mkdir(exist_ok=True)
    with _locked(data):
        (data / ENDPOINTS).unlink(missing_ok=True)
        _refuse_taken_ports(parts)
        supervisor = Supervisor(parts, logs, tell)
        before = {
            number: signal.signal(number, lambda *_: supervisor.stopping.set())
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            supervisor.start(start_seconds)
            if not supervisor.stopping.is_set():
                supervisor.changed = lambda: write_endpoints(data, parts, supervisor.pids())
                supervisor.changed()
                tell("stack", "ready")
                supervisor.watch()
        finally:
            (data / ENDPOINTS).unlink(missing_ok=True)
            supervisor.stop()
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def stack_process(
    data: Path, port_base: int, *, env: Mapping[str, str] | None = None, start_seconds: float = 150.0
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `fucai up` in a process of its own; yield it at once, and stop it in the end."""
    data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fucai.cli", "up", "--data", str(data), "--port-base", str(port_base)]
    with (data / "up.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(env or {})})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=start_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_endpoints(data: Path, process: subprocess.Popen[bytes], within_seconds: float = 150.0) -> dict[str, Endpoint]:
    """Return the endpoints once the stack is ready.

    Raises:
        StackError: it ended, or is not ready in time; with what it said.
    """
    deadline = time.monotonic() + within_seconds
    while _writer(data) != process.pid:
        if process.poll() is not None or time.monotonic() > deadline:
            said = (data / "up.log").read_text(encoding="utf-8", errors="replace")[-3_000:]
            raise StackError(f"the stack on {data} did not start:\n{said}")
        try:
            process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
    return read_endpoints(data)


def _writer(data: Path) -> int:
    """Return who wrote the endpoints, 0 if nobody did: those of a stack that was killed are still there."""
    try:
        return int(json.loads((data / ENDPOINTS).read_text(encoding="utf-8"))["pid"])
    except FileNotFoundError:
        return 0


def write_endpoints(data: Path, parts: Sequence[Part], pids: Mapping[str, int]) -> None:
    """Write where every running part is, and this process's own id, in one step."""
    found = [
        asdict(Endpoint(part.name, part.address, pids[part.name], part.metrics or None))
        for part in parts
        if part.name in pids and not part.once
    ]
    scratch = data / f".{ENDPOINTS}"
    scratch.write_text(json.dumps({"pid": os.getpid(), "parts": found}, indent=2) + "\n", encoding="utf-8")
    scratch.replace(data / ENDPOINTS)


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Hold the folder for this process; the lock goes with it."""
    with (data / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StackError(
                f"a stack runs on {data} already: stop it, or choose another folder with --data"
            ) from error
        yield


def _refuse_taken_ports(parts: Sequence[Part]) -> None:
    """Look before starting anything whether every port is free."""
    for part in parts:
        for address in (part.address, part.metrics, part.internal):
            if not address:
                continue
            host, _, port = address.rpartition(":")
            with socket.socket() as attempt:
                attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    attempt.bind((host, int(port)))
                except OSError as error:
                    raise StackError(
                        f"port {port}, for {part.name}, is taken: stop what uses it, or choose others with --port-base"
                    ) from error
