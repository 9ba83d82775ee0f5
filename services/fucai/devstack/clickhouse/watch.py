"""Cancels a query whose client has hung up. Looks at sockets only, reads nothing from them."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from fucai.devstack.clickhouse.errors import EngineError

_PAUSE_SECONDS = 0.1


class Watch:
    """Watches the sockets of queries at work, in a thread of its own."""

    def __init__(self, kill: Callable[[str], None]) -> None:
        self._kill = kill
        self._poll = select.epoll()
        self._marks: dict[int, str] = {}
        self._pause = threading.Event()
        threading.Thread(target=self._run, name="hang-ups", daemon=True).start()

    @contextmanager
    def over(self, connection: socket.socket, mark: str) -> Iterator[None]:
        """While inside, cancel the statement with this mark when the peer closes the connection."""
        number = connection.fileno()
        self._marks[number] = mark
        self._poll.register(number, select.EPOLLRDHUP)
        try:
            yield
        finally:
            self._poll.unregister(number)
            del self._marks[number]

    def _run(self) -> None:
        while True:
            gone = [self._marks.get(number) for number, _ in self._poll.poll()]
            for mark in gone:
                if mark:
                    with suppress(EngineError):  # then once more in a moment, as long as the query runs
                        self._kill(mark)
            self._pause.wait(_PAUSE_SECONDS)  # the query may not have begun yet: then look again
