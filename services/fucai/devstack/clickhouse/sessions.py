"""Sessions of the HTTP interface: a name keeps its connection until it is idle too long. Runs no statement."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fucai.devstack.clickhouse.connection import Connection
from fucai.devstack.clickhouse.errors import refusal

DEFAULT_SECONDS = 60
LONGEST_SECONDS = 3_600


@dataclass(slots=True)
class _Session:
    connection: Connection
    ends_at: float
    busy: threading.Lock = field(default_factory=threading.Lock)


class Sessions:
    """All sessions, by name."""

    def __init__(self, open_connection: Callable[[], Connection], clock: Callable[[], float] = time.monotonic) -> None:
        self._open = open_connection
        self._clock = clock
        self._lock = threading.Lock()
        self._by_name: dict[str, _Session] = {}

    @contextmanager
    def lend(self, name: str, timeout: str) -> Iterator[Connection]:
        """Lend the session's connection; the session lives on for `timeout` seconds, 60 if empty.

        Raises:
            EngineError: the timeout is no number up to an hour, or the session is lent already.
        """
        seconds = _seconds(timeout)
        with self._lock:
            self._drop_old()
            session = self._by_name.get(name)
            if session is None:
                session = self._by_name[name] = _Session(self._open(), 0.0)
            if not session.busy.acquire(blocking=False):
                raise refusal(373, "SESSION_IS_LOCKED", f"Session {name} is locked by a concurrent client")
        try:
            yield session.connection
        finally:
            session.ends_at = self._clock() + seconds
            session.busy.release()

    def drop(self, name: str) -> None:
        """End a session, unless it is at work."""
        with self._lock:
            self._drop_if_idle(name)

    def close(self) -> None:
        """End all sessions that are not at work."""
        with self._lock:
            for name in list(self._by_name):
                self._drop_if_idle(name)

    def _drop_old(self) -> None:
        now = self._clock()
        for name, session in list(self._by_name.items()):
            if session.ends_at < now:
                self._drop_if_idle(name)

    def _drop_if_idle(self, name: str) -> None:
        session = self._by_name.get(name)
        if session is not None and session.busy.acquire(blocking=False):
            del self._by_name[name]
            session.connection.close()


def _seconds(timeout: str) -> int:
    if not timeout:
        return DEFAULT_SECONDS
    if not timeout.isascii() or not timeout.isdigit() or int(timeout) > LONGEST_SECONDS:
        raise refusal(
            374, "INVALID_SESSION_TIMEOUT", f"Invalid session timeout: '{timeout}', use 0 to {LONGEST_SECONDS} seconds"
        )
    return int(timeout)
