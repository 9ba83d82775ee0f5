"""The sample outlets and `fucai simulate`, as the demo runs them: processes of their own. Shows nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from fucai.cli.errors import CliError

_AGENTS = 3
_STOP_SECONDS = 15.0
_TAIL = 2_000


def register_sample(data: Path) -> None:
    """Registers the sample outlets.

    Raises:
        CliError: it failed, with what was said.
    """
    command = [sys.executable, "-m", "fucai.cli", "import", "registry", "--sample", "--data", str(data)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise CliError(f"the sample outlets could not be registered: {done.stderr[-_TAIL:]}", exit_code=done.returncode)


class Simulated(Protocol):
    """What sends sales while the dashboard is shown."""

    def check(self) -> None:
        """Looks whether it still runs; raises CliError with what it said if not."""

    def wait(self, seconds: float) -> None:
        """Returns after `seconds`, or as soon as it ends."""

    def doing(self) -> str:
        """What it does now, for people."""


class Simulation:
    """`fucai simulate` in a process of its own: first the history, then live sales."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def check(self) -> None:
        """Looks whether it still runs.

        Raises:
            CliError: it ended, with what it said.
        """
        if self._process.poll() is not None:
            raise CliError(
                f"the simulator ended with code {self._process.returncode}: {self._said()[-_TAIL:]}",
                exit_code=os.EX_SOFTWARE,
            )

    def wait(self, seconds: float) -> None:
        """Returns after `seconds`, or as soon as it ends."""
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return

    def doing(self) -> str:
        """The last line that it wrote."""
        lines = [line.strip() for line in self._said().replace("\r", "\n").splitlines() if line.strip()]
        return lines[-1] if lines else "fucai simulate"

    def stop(self) -> None:
        """Lets it end with its last receipts, and ends it the hard way if that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def simulating(data: Path, *, history: int, rate: float) -> Iterator[Simulation]:
    """A simulation on the stack of a folder, stopped at the end of the block."""
    log = data / "logs" / "simulate.log"
    command = [sys.executable, "-m", "fucai.cli", "simulate", "--data", str(data), "--rate", str(rate)]
    command += ["--history", str(history), "--agents", str(_AGENTS)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    running = Simulation(process, log)
    try:
        yield running
    finally:
        running.stop()
