"""Starts processes in the order of their needs, restarts what dies, stops all and leaves none behind.

Small and ours: the supervisors on offer either start everything at once or do not die with their parent.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fucai.devstack.parts import Part

_LOOK_SECONDS = 0.1
_FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS, _HEALTHY_SECONDS = 0.2, 5.0, 10.0
_DIE_WITH_PARENT = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(1, 9)\n"  # PR_SET_PDEATHSIG, SIGKILL
    "os.getppid() == int(sys.argv[1]) or os._exit(1)\n"
    "os.execvp(sys.argv[2], sys.argv[2:])\n"
)


class StartError(Exception):
    """A part did not become ready; the message names it, says why, and shows the end of its log."""


class Listener(Protocol):
    """Is told what happens, for people to see."""

    def __call__(self, part: str, state: str, detail: str = "") -> None:
        """`state` is one of starting, waiting, ready, died, restarting, stopping, killed, stopped."""


@dataclass(slots=True)
class _Running:
    """A part and its process."""

    part: Part
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    alive: bool = False
    ready: bool = False
    done: bool = False
    restart_at: float = 0.0
    backoff: float = _FIRST_BACKOFF_SECONDS
    reason: str = "not started"
    exits: int = field(default=0)


class Supervisor:
    """Runs parts until stopped. Use it from one thread that lives as long: children die with it."""

    def __init__(self, parts: Sequence[Part], logs: Path, tell: Listener) -> None:
        """Start nothing yet; each part's output goes to `logs`/NAME.log."""
        self._running = {part.name: _Running(part) for part in parts}
        self._logs = logs
        self._tell = tell
        self._ended: queue.Queue[tuple[str, int]] = queue.Queue()
        self.stopping = threading.Event()
        self.changed: Callable[[], None] = lambda: None
        """Called whenever a process was started after all were ready once."""

    def pids(self) -> dict[str, int]:
        """Return the process ids of the parts that run, by name."""
        return {
            name: each.process.pid
            for name, each in self._running.items()
            if each.process is not None and each.process.poll() is None
        }

    def start(self, within_seconds: float = 120.0) -> None:
        """Start all parts and return when every one is ready, or `stopping` is set.

        Raises:
            StartError: a part is not ready within the time, or a part that runs once failed.
        """
        deadline = time.monotonic() + within_seconds
        while not self.stopping.is_set() and not all(each.ready for each in self._running.values()):
            self._turn()
            for each in self._running.values():
                self._look(each)
            if time.monotonic() > deadline:
                raise StartError(self._blame())

    def watch(self) -> None:
        """Restart what dies until `stopping` is set."""
        while not self.stopping.is_set():
            if self._turn():
                self.changed()
            for each in self._running.values():
                self._look(each)

    def stop(self) -> None:
        """Stop the parts, the newest needs first, each within its time; kill what does not end."""
        self.stopping.set()
        for layer in self._layers():
            alive = [each for each in layer if each.process is not None and each.process.poll() is None]
            for each in alive:
                self._tell(each.part.name, "stopping")
                _signal(each.process, signal.SIGTERM)
            deadline = time.monotonic() + max((each.part.stop_seconds for each in alive), default=0.0)
            for each in alive:
                self._end(each, deadline)

    def _end(self, each: _Running, deadline: float) -> None:
        """Wait for a process to end, then make it."""
        process = each.process
        if process is None:
            return
        try:
            process.wait(max(deadline - time.monotonic(), 0.01))
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
            self._tell(each.part.name, "killed", f"did not stop within {each.part.stop_seconds:.0f} s")
        else:
            _signal(process, signal.SIGKILL)
            self._tell(each.part.name, "stopped")

    def _turn(self) -> bool:
        """Take note of what ended, start what is due; return whether something was started."""
        self._note_ends()
        started = False
        now = time.monotonic()
        for each in self._running.values():
            if each.alive or each.done or now < each.restart_at:
                continue
            waits_for = [name for name in each.part.needs if not self._running[name].ready]
            if each.process is None and waits_for:
                each.reason = f"waits for {', '.join(waits_for)}"
                continue
            self._spawn(each)
            started = True
        return started

    def _note_ends(self) -> None:
        """Wait a moment for a process to end, and take note of all that have."""
        try:
            self._note_end(*self._ended.get(timeout=_LOOK_SECONDS))
            while True:
                self._note_end(*self._ended.get_nowait())
        except queue.Empty:
            return

    def _note_end(self, name: str, code: int) -> None:
        """A part that runs once is done when it has ended; any other is started again later."""
        each = self._running[name]
        each.alive = False
        if self.stopping.is_set():
            return
        each.ready = each.part.once and code == 0
        each.done = each.ready
        if each.ready:
            self._tell(name, "ready")
            return
        if each.part.once:
            raise StartError(f"{name} ended with code {code}:\n{self._log_tail(name)}")
        each.exits += 1
        if time.monotonic() - each.started > _HEALTHY_SECONDS:
            each.backoff = _FIRST_BACKOFF_SECONDS
        each.restart_at = time.monotonic() + each.backoff
        each.backoff = min(each.backoff * 2, _LONGEST_BACKOFF_SECONDS)
        each.reason = f"ended with code {code}"
        self._tell(name, "died", each.reason)

    def _spawn(self, each: _Running) -> None:
        """Start a part's process, in a group of its own, bound to die with this process."""
        self._tell(each.part.name, "restarting" if each.exits else "starting")
        command = [sys.executable, "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *each.part.command]
        with (self._logs / f"{each.part.name}.log").open("ab") as log:
            each.process = subprocess.Popen(
                command,
                env={**os.environ, **each.part.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        each.started, each.alive = time.monotonic(), True
        threading.Thread(target=self._await_end, args=(each.part.name, each.process), daemon=True).start()

    def _await_end(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Report the end of one process, after ending what it has left behind in its group."""
        code = process.wait()
        _signal(process, signal.SIGKILL)
        self._ended.put((name, code))

    def _look(self, each: _Running) -> None:
        """Ask a started part whether it is ready."""
        if each.ready or each.part.once or not each.alive:
            return
        reason = each.part.ready()
        if not reason:
            each.ready = True
            self._tell(each.part.name, "ready")
        elif reason != each.reason:
            each.reason = reason
            self._tell(each.part.name, "waiting", reason)

    def _blame(self) -> str:
        """Say which parts are not ready and why."""
        late = [each for each in self._running.values() if not each.ready]
        lines = [f"{each.part.name} is not ready: {each.reason}" for each in late]
        return "\n".join([*lines, self._log_tail(late[0].part.name)])

    def _log_tail(self, name: str) -> str:
        """Return the end of a part's log, with its place."""
        path = self._logs / f"{name}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-15:] if path.exists() else []
        return "\n".join([f"the end of {path}:", *lines])

    def _layers(self) -> list[list[_Running]]:
        """Return the parts in the order of stopping: none in a layer is needed by one in a later layer."""
        left, layers = dict(self._running), []
        while left:
            needed = {name for each in left.values() for name in each.part.needs}
            layer = [each for name, each in left.items() if name not in needed]
            layers.append(layer)
            for each in layer:
                del left[each.part.name]
        return layers


def _signal(process: subprocess.Popen[bytes] | None, number: signal.Signals) -> None:
    """Signal a part's whole process group, if it is still there."""
    if process is not None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
