"""One thread for the inserts of one worker. It holds up nobody's end: an insert that hangs dies with the process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class DaemonThread(Executor):
    """Runs what is submitted, one after the other. Python waits for the standard library's pools before it exits."""

    def __init__(self, name: str) -> None:
        """Start the thread."""
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` after what was submitted before."""
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 (whoever asks the future gets it)
                future.set_exception(error)

        self._work.put(work)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 (Executor's)
        """End the thread after what it has; whoever does not `wait` leaves it behind."""
        del cancel_futures
        self._work.put(None)
        if wait:
            self._thread.join()

    def _run(self) -> None:
        """Work until told to end."""
        while (work := self._work.get()) is not None:
            work()
