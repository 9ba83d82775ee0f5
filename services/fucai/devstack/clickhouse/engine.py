"""The one engine of this process: connections lent one to a request, sessions, kills. Knows nothing of HTTP.

A chDB connection runs one statement at a time and costs a quarter of a millisecond to open, so that each request gets
a fresh one: no setting, temporary table or USE of a request is seen by another.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fucai.devstack.clickhouse.connection import MARK, Connection, quoted
from fucai.devstack.clickhouse.errors import refusal
from fucai.devstack.clickhouse.sessions import Sessions

CONNECTIONS = 8
"""How many statements run at a time; further ones wait for their turn."""

RESERVE_BYTES = 256 * 1024 * 1024
"""Free bytes below which nothing is written: more than the inserts of all connections take."""


class Engine:
    """ClickHouse's engine on a folder. One process can have one."""

    def __init__(self, path: Path, connections: int = CONNECTIONS) -> None:
        self._path = str(path)
        self._own = Connection.open(self._path)
        self._own_lock = threading.Lock()
        self._connections = connections
        self._closing = False
        self._free = threading.Semaphore(connections)
        self._marks = itertools.count(1)
        self._sessions = Sessions(self._open)
        self.spool = path.parent / "spool"
        self.spool.mkdir(parents=True, exist_ok=True)
        for left_over in self.spool.iterdir():
            left_over.unlink()
        self.version, self.timezone, compression = (
            self._ask(
                "SELECT version(), timezone(), (SELECT value FROM system.settings "
                "WHERE name = 'enable_http_compression')"
            )
            .strip()
            .split("\t")
        )
        self.compresses_by_default = compression == "1"

    @contextmanager
    def connection(
        self,
        *,
        database: str = "",
        settings: Mapping[str, str] | None = None,
        session: str = "",
        session_timeout: str = "",
    ) -> Iterator[Connection]:
        """Lend a connection that has this database and these settings; waits while all are lent.

        With a session's name the session's own connection, which afterwards is as it was, but for what the statement
        itself changed.

        Raises:
            EngineError: unknown database or setting, or the session is at work for another request.
        """
        with self._free:
            if self._closing:
                raise refusal(236, "ABORTED", "the endpoint is stopping")
            lent = self._sessions.lend(session, session_timeout) if session else self._fresh()
            with lent as connection:
                mark = str(next(self._marks))
                connection.prepare(database, {**(settings or {}), MARK: mark}, mark=mark, restore=bool(session))
                try:
                    yield connection
                finally:
                    if session:
                        connection.restore()

    def require_room(self) -> None:
        """Refuse a statement that writes while the disk is nearly full.

        chDB 4.4 takes no notice of a write that fails: with the disk full it says an insert is stored that is not, and
        leaves metadata behind with which no store opens again (a server does neither).

        Raises:
            EngineError: less than RESERVE_BYTES are free.
        """
        disk = os.statvfs(self.spool)
        free = disk.f_bavail * disk.f_frsize
        if free < RESERVE_BYTES:
            text = f"{self._path}: {free >> 20} MiB are free, {RESERVE_BYTES >> 20} MiB are kept in reserve; make room"
            raise refusal(243, "NOT_ENOUGH_SPACE", text)

    def kill(self, mark: str) -> None:
        """Cancel the statement that runs on the connection with this mark, if one does."""
        self._ask(f"KILL QUERY WHERE Settings['{MARK}'] = {quoted(mark)} ASYNC")

    def close_session(self, name: str) -> None:
        """End a session now."""
        self._sessions.drop(name)

    def close(self, wait_seconds: float) -> None:
        """Cancel what runs, wait for it to end, at most so long, and close the store."""
        deadline = time.monotonic() + wait_seconds
        self._closing = True
        self._ask("KILL QUERY WHERE 1 ASYNC")
        if all(self._free.acquire(timeout=max(0.0, deadline - time.monotonic())) for _ in range(self._connections)):
            self._sessions.close()
            self._own.close()

    def _open(self) -> Connection:
        return Connection.open(self._path, self.version)

    @contextmanager
    def _fresh(self) -> Iterator[Connection]:
        connection = self._open()
        try:
            yield connection
        finally:
            connection.close()

    def _ask(self, statement: str) -> str:
        with self._own_lock:
            return self._own.run(statement.encode(), "TabSeparated", {}).decode()
