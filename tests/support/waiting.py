"""Waiting for something to become true in another process. Never longer than it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], within_seconds: float = 30.0, *, what: str = "the condition") -> T:
    """Return the first true answer of `look`; fail with the last one when there is none in time."""
    deadline = time.monotonic() + within_seconds
    while True:
        answer = look()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what} did not come true within {within_seconds:.0f} s: {answer!r}"
        threading.Event().wait(0.03)
