"""One thread that changes the outbox: what is asked for at the same time shares one commit. Decides nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import apsw

from fucai.runtime.failpoints import failpoint
from fucai.terminal.agent import database
from fucai.terminal.agent.database import OutboxDamagedError
from fucai.terminal.agent.sqlite_outbox import SqliteOutbox

T = TypeVar("T")
Change = Callable[[SqliteOutbox], Any]

_MOST_AT_ONCE = 256
_FATAL = (apsw.IOError, apsw.CorruptError, apsw.NotADBError, apsw.CantOpenError, apsw.ReadOnlyError, OutboxDamagedError)


class Writer:
    """Runs changes in the order in which they come, each all or nothing, and answers once they are on the disk.

    `failed` gets the error after which the file cannot be relied on: the process has to end and open it anew.
    """

    def __init__(self, outbox: SqliteOutbox) -> None:
        self.failed: Future[None] = Future()
        self.failed.set_running_or_notify_cancel()
        self.commits = 0
        self._outbox = outbox
        self._asked: queue.SimpleQueue[tuple[Change, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def submit(self, change: Callable[[SqliteOutbox], T]) -> Future[T]:
        """Queues a change; its result comes once it is durable, its error if it was not made."""
        answer: Future[T] = Future()
        self._asked.put((change, answer))
        return answer

    def close(self) -> None:
        """Makes what is queued, then ends the thread."""
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            first = self._asked.get()
            group = []
            while first is not None:
                if first[1].set_running_or_notify_cancel():
                    group.append(first)
                if len(group) == _MOST_AT_ONCE or self._asked.empty():
                    break
                first = self._asked.get()
            if group:
                self._make(group)
            if first is None:
                return

    def _make(self, group: list[tuple[Change, Future[Any]]]) -> None:
        if self.failed.done():
            for _, answer in group:
                answer.set_exception(_broken(self.failed.exception()))
            return
        try:
            results = self._commit(group)
        except _FATAL as error:
            self.failed.set_exception(error)
            for _, answer in group:
                answer.set_exception(_broken(error))
        except Exception as error:  # noqa: BLE001 (each change gets its own error, below or here)
            if len(group) == 1:
                group[0][1].set_exception(error)
                return
            for one in group:
                self._make([one])
        else:
            for (_, answer), result in zip(group, results, strict=True):
                answer.set_result(result)

    def _commit(self, group: list[tuple[Change, Future[Any]]]) -> list[Any]:
        with database.transaction(self._outbox.connection):
            results = [change(self._outbox) for change, _ in group]
            failpoint("agent.before-commit")
        self.commits += 1
        failpoint("agent.after-commit")
        return results


class OutboxBrokenError(Exception):
    """The outbox's file failed while the agent ran; whether the change was kept shows when it is opened anew."""


def _broken(cause: BaseException | None) -> OutboxBrokenError:
    return OutboxBrokenError(f"the outbox failed, and is checked at the next start of the agent: {cause}")
