"""Named places in the code where a test can make a process die, stop or wait. Off unless FUCAI_FAILPOINTS is set.

FUCAI_FAILPOINTS="loader.before-insert=kill@3 agent.after-commit=stop" makes the process kill itself the third time it
comes to the first place, and stop (SIGSTOP) the first time it comes to the second. `error` raises FailpointError.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Final

VARIABLE = "FUCAI_FAILPOINTS"


class FailpointError(Exception):
    """Raised on purpose, by a failpoint set to `error`."""


def _kill(_name: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop(_name: str) -> None:
    # To this very thread, which then goes no further. Sent to the process, another thread would take the signal, and
    # this one would go on until that had stopped them all.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def _error(name: str) -> None:
    raise FailpointError(f"failpoint {name}")


_ACTIONS: Final = {"kill": _kill, "stop": _stop, "error": _error}


class Failpoints:
    """The places that are set, and how often each was passed."""

    def __init__(self, text: str) -> None:
        """Reads the variable's value.

        Raises:
            ValueError: a part is not of the form name=kill|stop|error[@count].
        """
        self._left: dict[str, tuple[int, str]] = {}
        for part in text.split():
            name, equals, rest = part.partition("=")
            action, _, count = rest.partition("@")
            if not name or not equals or action not in _ACTIONS or not (count or "1").isdigit():
                raise ValueError(f"{VARIABLE}: {part!r} is not of the form name=kill|stop|error[@count]")
            self._left[name] = (int(count or 1), action)

    def passing(self, name: str) -> None:
        """The code comes to the place of that name."""
        if name not in self._left:
            return
        count, action = self._left[name]
        if count > 1:
            self._left[name] = (count - 1, action)
            return
        del self._left[name]
        _ACTIONS[action](name)


def _nothing(_name: str) -> None:
    """Failpoints are off."""


def _from_environment() -> Callable[[str], None]:
    text = os.environ.get(VARIABLE, "")
    return Failpoints(text).passing if text else _nothing


failpoint: Final[Callable[[str], None]] = _from_environment()
"""Call it with the place's name; it does nothing unless the environment of the process says otherwise."""
