"""A pool of ClickHouse clients that runs one query per client, each with a deadline. Holds no SQL."""

from __future__ import annotations

import asyncio
import itertools
import math
import re
import threading
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from fucai.adapters.clickhouse import ClickHouseError, OperationalError, connect, error_code

_TIMEOUT_EXCEEDED = 159
_TOO_SLOW = 160
_ABSENT = {
    60: "a table is missing",
    81: "the database is missing",
    36: "the outlet dictionary is missing",
    47: "a column is missing",
}
_NETWORK = {3, 209, 210, 279}

_THREADS = "SELECT getSetting('max_threads')"
_KILL_AGAIN_SECONDS = 0.2
_GRANULE_ROWS = 8_192
_STEP_BYTES = 1 << 20
_READING = re.compile(r"ReadFromMergeTree \((\w+(?:\.\w+)?)\)")

Row = Sequence[Any]
Ask = Callable[[str, Mapping[str, object]], Awaitable[list[Row]]]
"""Runs one query text with its parameters, within the deadline of the question it belongs to."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A query that was run: what it read, in how many seconds, and from which projections (none: the events)."""

    sql: str
    parameters: Mapping[str, object]
    rows_read: int
    bytes_read: int
    seconds: float
    projections: tuple[str, ...]


class StoreAwayError(Exception):
    """ClickHouse cannot be reached, or is not what this version needs; the message says which and what to do."""


class StoreSlowError(Exception):
    """A query did not end within its deadline."""


class Store:
    """Runs queries on threads of its own; a client is made on first use, so a store that is away may come later."""

    def __init__(
        self,
        url: str,
        database: str,
        *,
        threads: int = 4,
        log_comment: str = "analytics",
        settings: Mapping[str, str | int] | None = None,
    ) -> None:
        """Takes the address, the threads, a mark for the server's log, and ClickHouse settings for every query."""
        self._url = url
        self._name = log_comment
        self._mark = uuid.uuid4().hex
        self._numbers = itertools.count()
        self._sharing = threading.Lock()
        self._running = 0
        self._make: Callable[[], Any] = lambda: connect(url, database, log_comment=log_comment, settings=settings)
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="clickhouse")
        self._enders = ThreadPoolExecutor(threads, thread_name_prefix="clickhouse-kill")

    def asking(self, seconds: float, ran: list[Ran] | None = None) -> Ask:
        """A function that runs queries for one question, which all end within `seconds` from now.

        With `ran`, each query is explained there. A caller who is cancelled ends his query at the server, too.

        It raises:
            StoreAwayError: no connection, or no schema.
            StoreSlowError: the deadline passed.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds

        async def ask(text: str, parameters: Mapping[str, object]) -> list[Row]:
            mark = f"{self._mark}-{next(self._numbers)}"
            work = self._pool.submit(lambda: self._rows(text, parameters, ends - loop.time(), mark, ran))
            try:
                return await asyncio.wrap_future(work)
            except asyncio.CancelledError:
                if not work.done():
                    self._enders.submit(self._end, work, mark)
                raise

        return ask

    async def close(self) -> None:
        """Waits for running queries and ends the threads."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        await asyncio.to_thread(self._enders.shutdown)

    def _end(self, work: Future[list[Row]], mark: str) -> None:
        """Ends the query with this mark; again until it is gone, for the server may not know it yet.

        Where the server does not let it, the query ends by its max_execution_time.
        """
        with suppress(ClickHouseError):
            client = self._make()
            while not work.done():
                client.command(f"KILL QUERY WHERE endsWith(Settings['log_comment'], '{mark}') ASYNC")
                wait([work], timeout=_KILL_AGAIN_SECONDS)
            client.close()

    def _rows(
        self, text: str, parameters: Mapping[str, object], seconds: float, mark: str, ran: list[Ran] | None
    ) -> list[Row]:
        if seconds <= 0:
            raise StoreSlowError("the deadline passed while the question waited for its turn")
        settings = {"max_execution_time": max(1, math.ceil(seconds)), "log_comment": f"{self._name} {mark}"}
        try:
            client = getattr(self._local, "client", None)
            if client is None:
                client = self._make()
                self._local.threads = int(client.query(_THREADS).first_row[0])
                self._local.client = client
            began = perf_counter()
            with self._share(self._local.threads) as threads:
                found = client.query(text, parameters=dict(parameters), settings={**settings, **threads})
            if ran is not None:
                took = perf_counter() - began
                plan = client.query(f"EXPLAIN {text}", parameters=dict(parameters), settings=settings).result_rows
                ran.append(_ran(text, parameters, found.summary, took, plan))
        except ClickHouseError as error:
            raise self._explained(error) from error
        return list(found.result_rows)

    @contextmanager
    def _share(self, threads: int) -> Iterator[dict[str, int]]:
        """Counts a query while it runs; the settings by which those that run at once share the server's threads.

        Where they did not, each would start as many as there are, and they would only wait for one another.
        """
        with self._sharing:
            self._running += 1
            running = self._running
        try:
            yield {"max_threads": max(1, threads // running)} if running > 1 else {}
        finally:
            with self._sharing:
                self._running -= 1

    def _explained(self, error: ClickHouseError) -> Exception:
        code = error_code(error)
        if code in (_TIMEOUT_EXCEEDED, _TOO_SLOW):
            return StoreSlowError(f"ClickHouse stopped a query at its deadline (code {code})")
        if code in _ABSENT:
            return StoreAwayError(f"ClickHouse {self._url}: {_ABSENT[code]} (code {code}); run `fucai migrate`")
        if code in _NETWORK or (code == 0 and isinstance(error, OperationalError)):
            return StoreAwayError(f"ClickHouse {self._url} is away: {str(error).splitlines()[0]}")
        return error


def _ran(text: str, parameters: Mapping[str, object], summary: Any, took: float, plan: Sequence[Row]) -> Ran:
    """What ClickHouse tells of a query; a plan names the table or the projection it reads from.

    Rows and bytes are in whole steps: exact ones would count the events of a sealed draw, which are read and left out.
    """
    read = {name for (line,) in plan for name in _READING.findall(line)}
    rows = _whole(int(summary.get("read_rows", 0)), _GRANULE_ROWS)
    size = _whole(int(summary.get("read_bytes", 0)), _STEP_BYTES)
    return Ran(text, dict(parameters), rows, size, took, tuple(sorted(name for name in read if "." not in name)))


def _whole(number: int, step: int) -> int:
    return -(-number // step) * step
