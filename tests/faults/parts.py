"""One process of the channel under test: started, killed, paused and started again. Knows nothing of the others."""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.waiting import eventually

START_SECONDS = 60.0


class Part:
    """A process under a name. `ready` says whether it can do its work; its output is kept in a file.

    `extra` is added to the environment of the next starts.
    """

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path, ready: Callable[[], bool]
    ) -> None:
        """Start nothing yet."""
        self.name, self.log, self.ready = name, log, ready
        self.starts = 0
        self.extra: dict[str, str] = {}
        self._command = list(command)
        self._env = {key: value for key, value in os.environ.items() if not key.startswith("FUCAI_")} | dict(env)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    @property
    def paused(self) -> bool:
        """Whether it is stopped by SIGSTOP."""
        if not self.alive:
            return False
        stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[0] == "T"

    def start(self, failpoints: str = "") -> None:
        """Start it; `failpoints` hold for this start only."""
        assert not self.alive, f"{self.name} runs already"
        env = self._env | self.extra | ({"FUCAI_FAILPOINTS": failpoints} if failpoints else {})
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(self._command, env=env, stdout=out, stderr=out)
        self.starts += 1

    def await_ready(self) -> None:
        """Return once it can do its work.

        Raises:
            AssertionError: it ended, or is not ready in time; with the end of its output.
        """

        def look() -> bool:
            assert self.alive, f"{self.name} ended with {self.exit_code}:\n{self.tail()}"
            return self.ready()

        eventually(look, START_SECONDS, what=f"readiness of {self.name} (see {self.log})")

    def kill(self) -> None:
        """End it the hard way, paused or not."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Let it do nothing, with all connections open."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        if self.alive:
            os.kill(self.pid, signal.SIGCONT)

    def end(self, seconds: float = 20.0) -> None:
        """Ask it to stop, and wait; kill it where it does not."""
        if self._process is None:
            return
        self._process.terminate()
        self.resume()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def await_death(self, seconds: float = 30.0) -> None:
        """Return once it ended by itself."""
        eventually(lambda: not self.alive, seconds, what=f"the end of {self.name} (see {self.log})")

    def await_pause(self, seconds: float = 30.0) -> None:
        """Return once it stopped itself."""
        eventually(lambda: self.paused, seconds, what=f"the stop of {self.name} (see {self.log})")

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it runs."""
        return None if self._process is None else self._process.poll()

    def tail(self) -> str:
        """The end of its output."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2_000:]


def answers(url: str) -> bool:
    """Whether a page answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (an address of our own)
            return bool(answer.status == 200)
    except OSError:
        return False


def metric(address: str, name: str) -> float:
    """The sum of a metric's samples; 0 while the process does not answer."""
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=2) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return 0.0
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))
