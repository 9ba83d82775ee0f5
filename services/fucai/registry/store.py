"""The registry's one connection to ClickHouse: one piece of work at a time, on a thread of its own. Holds no SQL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fucai.adapters.clickhouse import ClickHouseError, OperationalError, connect, error_code
from fucai.adapters.migrate import SchemaError
from fucai.adapters.registry_store import WRITE_SETTINGS

T = TypeVar("T")

_ABSENT = frozenset({36, 47, 60, 81})  # no such dictionary, column, table, database
_PASSING = frozenset({3, 159, 160, 202, 209, 210, 241, 242, 243, 252, 279, 319, 999})
_TIMEOUT_SECONDS = 30.0
_REASON = re.compile(r"\[Errno \d+\] ([^'\")]+)")  # deep inside what the HTTP client says
_SHOWN_CHARACTERS = 200


class StoreAwayError(Exception):
    """ClickHouse cannot be reached, cannot work now, or has not our schema; the message says which and what to do."""


class Store:
    """Runs functions that take a ClickHouse client; the client is made on first use and after a failure."""

    def __init__(self, url: str, database: str, *, log_comment: str = "fucai registry") -> None:
        self._url = url
        self._make: Callable[[], Any] = lambda: connect(
            url, database, log_comment=log_comment, settings=WRITE_SETTINGS, timeout_s=_TIMEOUT_SECONDS
        )
        self._client: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clickhouse")

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """What `work(client, *arguments)` returns. A caller that is cancelled does not stop the work.

        Raises:
            StoreAwayError: ClickHouse is away or not migrated; the work may be done or not.
            ClickHouseError: it refuses the work for good.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work, arguments)

    async def close(self) -> None:
        """Waits for the work under way and ends the thread."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _run(self, work: Callable[..., T], arguments: tuple[object, ...]) -> T:
        try:
            if self._client is None:
                self._client = self._make()
            return work(self._client, *arguments)
        except SchemaError as error:
            raise StoreAwayError(str(error)) from error
        except ClickHouseError as error:
            self._client = None
            raise self._explained(error) from error

    def _explained(self, error: ClickHouseError) -> Exception:
        code = error_code(error)
        reason = _REASON.search(str(error))
        if code in _ABSENT:
            return StoreAwayError(f"ClickHouse {self._url} has not our schema (code {code}): run `fucai migrate`")
        if code in _PASSING or (code == 0 and isinstance(error, OperationalError)):
            why = reason[1] if reason else str(error)[:_SHOWN_CHARACTERS] or type(error).__name__
            return StoreAwayError(f"ClickHouse {self._url} is away: {' '.join(why.split())}")
        return error
