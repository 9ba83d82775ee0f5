"""Processes by a mark in their environment, which their children inherit. Linux only, by /proc."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def marked(variable: str, value: str) -> dict[int, str]:
    """Return the command lines, by process id, of all that were started with that variable in their environment."""
    wanted = f"{variable}={value}".encode()
    found = {int(process.name): _command_line(process, wanted) for process in Path("/proc").glob("[0-9]*")}
    return {number: line for number, line in found.items() if line}


def end_marked(variable: str, value: str) -> list[str]:
    """End all that are marked, the hard way, and return their command lines."""
    ended: list[str] = []
    while found := marked(variable, value):
        for number in found:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        ended += [line for line in found.values() if line not in ended]
    return ended


def _command_line(process: Path, wanted: bytes) -> str:
    """The command line, if the process has that in its environment; empty if not, or if it ended meanwhile."""
    try:
        if wanted not in (process / "environ").read_bytes().split(b"\0"):
            return ""
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
