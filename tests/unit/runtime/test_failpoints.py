"""Failpoints in a process with many threads: the one that comes to the place goes no further."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fucai.runtime.failpoints import Failpoints
from tests.support.waiting import eventually

BUSY = """
import os, threading
from fucai.runtime.failpoints import failpoint
def work():
    failpoint("here")
    os.write(1, b"went on")
for target in (*[lambda: [None for _ in iter(int, 1)]] * 3, work):
    threading.Thread(target=target).start()
"""


def test_stop_is_exact() -> None:
    """A thread that stops its process does nothing more until SIGCONT, however busy other threads are."""
    for _ in range(5):
        env = {**os.environ, "FUCAI_FAILPOINTS": "here=stop"}
        process = subprocess.Popen([sys.executable, "-c", BUSY], env=env, stdout=subprocess.PIPE)
        stat = Path(f"/proc/{process.pid}/stat")
        try:
            eventually(lambda stat=stat: stat.read_text().rpartition(")")[2].split()[0] == "T", what="the stop")  # type: ignore[misc]
            assert process.stdout is not None
            os.set_blocking(process.stdout.fileno(), False)
            assert process.stdout.read() is None
        finally:
            process.kill()
            process.communicate()


def test_what_cannot_be_read_is_refused() -> None:
    """A value of another form names itself and the form."""
    with pytest.raises(ValueError, match=r"'here=sleep' is not of the form name=kill\|stop\|error"):
        Failpoints("here=sleep")
