"""Readiness by progress: a process is ready when its work moves, not when its port answers.

No I/O; the clock is passed in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a part can do its work now, and why (not), in words for a person."""

    ready: bool
    reason: str


Probe = Callable[[], Readiness]
"""Answers at once, from any thread, and does not raise."""


def combine(probes: Mapping[str, Readiness]) -> Readiness:
    """Ready when every part is; the reason names the parts that are not, or tells what all are doing."""
    unready = {name: answer for name, answer in probes.items() if not answer.ready}
    told = unready or probes
    return Readiness(not unready, "; ".join(f"{name}: {answer.reason}" for name, answer in told.items()) or "serving")


class Progress:
    """What one work loop tells about itself, to be used as a probe: `service.probe("load", progress.readiness)`.

    A loop calls one of these in every turn:
        working(detail)  it has work and has just moved it on ("offset 4711 of fucai.sales.v1/3").
        idle(detail)     it has nothing to do, which is fine.
        blocked(reason)  it cannot work ("ClickHouse 127.0.0.1:19002 refuses connections").
    It is ready while idle, ready while working as long as the last step is younger than `stalled_after_s`, and
    otherwise not. With `silent_after_s` even an idle loop must report that often: for loops that poll.
    """

    def __init__(
        self, *, stalled_after_s: float = 30.0, silent_after_s: float | None = None, clock: Clock = time.monotonic
    ) -> None:
        self._stalled_after_s = stalled_after_s
        self._silent_after_s = silent_after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._state = "blocked"
        self._detail = "starting"
        self._since = clock()

    def working(self, detail: str) -> None:
        """There is work, and a step of it has just been done (or taken up)."""
        self._report("working", detail)

    def idle(self, detail: str = "nothing to do") -> None:
        """All work is done."""
        self._report("idle", detail)

    def blocked(self, reason: str) -> None:
        """Work cannot go on for this reason."""
        self._report("blocked", reason)

    def readiness(self) -> Readiness:
        """Whether the loop makes progress, and what it last told."""
        with self._lock:
            state, detail, age_s = self._state, self._detail, self._clock() - self._since
        if state == "blocked":
            return Readiness(ready=False, reason=detail)
        if state == "working" and age_s > self._stalled_after_s:
            return Readiness(ready=False, reason=f"no progress for {age_s:.0f} s since: {detail}")
        if self._silent_after_s is not None and age_s > self._silent_after_s:
            return Readiness(ready=False, reason=f"not heard of for {age_s:.0f} s since: {detail}")
        return Readiness(ready=True, reason=detail)

    def _report(self, state: str, detail: str) -> None:
        with self._lock:
            self._state, self._detail, self._since = state, detail, self._clock()
