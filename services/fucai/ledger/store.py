"""The ledger's connections to ClickHouse: a few threads, each with a client of its own. Holds no SQL."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from fucai.adapters.clickhouse import ClickHouseError, OperationalError, connect, error_code
from fucai.adapters.registry_store import WRITE_SETTINGS

T = TypeVar("T")

QUERY_SECONDS = 60
_ABSENT = frozenset({36, 47, 60, 81})  # no such dictionary, column, table, database
_PASSING = frozenset({3, 159, 160, 202, 209, 210, 241, 242, 243, 252, 279, 319, 999})
_SHOWN_CHARACTERS = 200


class StoreAwayError(Exception):
    """ClickHouse cannot be reached, cannot work now, or has not our schema; the message says which and what to do."""


class Store:
    """Runs functions that take a ClickHouse client; a client is made on first use and after a failure."""

    def __init__(self, url: str, database: str, *, threads: int = 4, log_comment: str = "fucai ledger") -> None:
        self._url = url
        settings = {**WRITE_SETTINGS, "max_execution_time": QUERY_SECONDS}
        self._make: Callable[[], Any] = lambda: connect(url, database, log_comment=log_comment, settings=settings)
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="clickhouse")

    async def run(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """What `work(client, *arguments, **named)` returns. A caller that is cancelled does not stop the work.

        Raises:
            StoreAwayError: ClickHouse is away or not migrated; what was to be written may be there or not.
            ClickHouseError: it refuses the work for good.
        """
        bound: Callable[[Any], T] = lambda client: work(client, *arguments, **named)  # noqa: E731 (bound to this call)
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(self._run, bound))

    async def close(self) -> None:
        """Waits for the work under way and ends the threads."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    def _run(self, work: Callable[[Any], T]) -> T:
        try:
            client = getattr(self._local, "client", None)
            if client is None:
                client = self._local.client = self._make()
            return work(client)
        except ClickHouseError as error:
            self._local.client = None
            raise self._explained(error) from error

    def _explained(self, error: ClickHouseError) -> Exception:
        code = error_code(error)
        if code in _ABSENT:
            return StoreAwayError(f"ClickHouse {self._url} has not our schema (code {code}): run `fucai migrate`")
        if code in _PASSING or (code == 0 and isinstance(error, OperationalError)):
            why = " ".join(str(error).split())[:_SHOWN_CHARACTERS]
            return StoreAwayError(f"ClickHouse {self._url} is away: {why or type(error).__name__}")
        return error
