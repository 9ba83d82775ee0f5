"""One connection to the engine: runs a statement, streams a result, takes an insert. Not for two threads at once."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from fucai.devstack.clickhouse.errors import EngineError, refusal
from fucai.devstack.clickhouse.statements import InsertHead, into_file

MARK = "http_headers_progress_interval_ms"
"""A setting that the engine itself never reads: here it tells one running statement from another."""

_chdb: Any = importlib.import_module("chdb._chdb")  # the compiled module, which has no types

_ENGINE_ERRORS = (RuntimeError, UnicodeDecodeError)  # the second where the error quotes bytes that are no text
_SETTING = re.compile(r"\w+")
_MERGES_GIVE_WAY = "os_threads_nice_value_merge_mutate=10"  # to questions and inserts, where cores are few
_SERVER_DEFAULTS = b"SET implicit_select = 0"  # chDB reads `1 + 1` as a query; a server does not


@dataclass(slots=True)
class Statistics:
    """What a statement read and wrote."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    elapsed_s: float = 0.0

    def add(self, result: Any) -> None:
        """Count in one of the engine's results."""
        self.read_rows += result.storage_rows_read()
        self.read_bytes += result.storage_bytes_read()
        self.result_rows += result.rows_read()
        self.elapsed_s += result.elapsed()


@dataclass(slots=True)
class Connection:
    """A connection of the engine."""

    _raw: Any
    _version: str
    mark: str = ""
    statistics: Statistics = field(default_factory=Statistics)
    _undo: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, path: str, version: str = "") -> Connection:
        """Open a connection to the store at `path`; the first one starts the engine.

        Raises:
            EngineError: the store cannot be opened.
        """
        _chdb.set_signal_handlers_enabled(0)
        try:
            connection = cls(_chdb.connect(f"{path}?{_MERGES_GIVE_WAY}"), version)
        except _ENGINE_ERRORS as error:
            raise EngineError(_text_of(error), version) from error
        connection.run(_SERVER_DEFAULTS, "Null", {})
        return connection

    def prepare(self, database: str, settings: Mapping[str, str], *, mark: str, restore: bool) -> None:
        """Make the database current and apply the settings; with `restore` note how to take them back.

        Raises:
            EngineError: one of them does not exist, or the value is not of its type.
        """
        self.mark = mark
        self.statistics = Statistics()
        for name in settings:
            if not _SETTING.fullmatch(name):
                raise refusal(115, "UNKNOWN_SETTING", f"Unknown setting '{name}'.")
        self._undo = self._how_to_undo(settings, keep_database=not database) if restore else []
        if database:
            self._run(f"USE {_identifier(database)}")
        if settings:
            self._run("SET " + ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items()))

    def restore(self) -> None:
        """Take back what `prepare` applied."""
        for statement in self._undo:
            with suppress(EngineError):  # a database that was dropped meanwhile, a setting that became read-only
                self._run(statement)

    def is_query(self, text: bytes) -> bool:
        """Whether the statement only reads.

        Raises:
            EngineError: there is more than one statement.
        """
        found = self._raw.classify_query(text)
        if found["statement_count"] > 1:
            raise refusal(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")
        return bool(found["query_class"] == _chdb.query_class.READ_ONLY)

    def stream(self, text: bytes, output_format: str, parameters: Mapping[str, str]) -> Generator[bytes]:
        """Yield a query's result piece by piece; a caller that stops early cancels it.

        Raises:
            EngineError: the query fails, at its start or in its course.
        """
        try:
            result = self._raw.send_query(text, output_format, params=dict(parameters))
        except _ENGINE_ERRORS as error:
            raise EngineError(_text_of(error), self._version) from error
        running = True
        try:
            while running:
                try:
                    piece = self._raw.streaming_fetch_result(result)
                except _ENGINE_ERRORS as error:
                    running = False
                    raise EngineError(_text_of(error), self._version) from error
                running = piece.rows_read() > 0
                self.statistics.add(piece)
                if content := piece.bytes():
                    yield content
        finally:
            if running:
                self._raw.streaming_cancel_query(result)

    def write_to(self, path: Path, text: bytes, output_format: str, parameters: Mapping[str, str]) -> None:
        """Write a query's whole result to a file.

        Raises:
            EngineError: the query fails.
        """
        self.run(into_file(text, quoted(str(path)), output_format), output_format, parameters)

    def run(self, text: bytes, output_format: str, parameters: Mapping[str, str]) -> bytes:
        """Run any statement and return its result, empty if it has none.

        Raises:
            EngineError: the statement fails.
        """
        try:
            result = self._raw.query(text, output_format, params=dict(parameters))
        except _ENGINE_ERRORS as error:
            raise EngineError(_text_of(error), self._version) from error
        self.statistics.add(result)
        self.statistics.written_rows += result.rows_written()
        self.statistics.written_bytes += result.bytes_written()
        return bytes(result.bytes())

    def insert(self, head: InsertHead, data: IO[bytes]) -> None:
        """Insert the data in an open file; returns when the engine has it.

        From a file, because chDB's streaming insert loses errors of its last block, such as a view's.

        Raises:
            EngineError: the insert fails. As with a server, blocks inserted before the failure stay.
        """
        data.flush()
        self.run(head.from_file(f"/proc/self/fd/{data.fileno()}"), "Null", {})

    def close(self) -> None:
        """Close the connection; a statement still running on it is cancelled."""
        self._raw.close()

    def _run(self, statement: str) -> bytes:
        return self.run(statement.encode("utf-8", "surrogateescape"), "JSONEachRow", {})

    def _how_to_undo(self, settings: Mapping[str, str], *, keep_database: bool) -> list[str]:
        """Return the statements that bring these settings, and the database, back to what they are now."""
        names = ", ".join(quoted(name) for name in settings)
        found = self._run(f"SELECT name, value FROM system.settings WHERE changed AND name IN ({names})")  # noqa: S608 (quoted)
        values = {str(row["name"]): str(row["value"]) for row in map(json.loads, found.splitlines())}
        undo = [f"SET {name} = {quoted(values[name]) if name in values else 'DEFAULT'}" for name in settings]
        if not keep_database:
            current = json.loads(self._run("SELECT currentDatabase() AS name"))["name"]
            undo.append(f"USE {_identifier(str(current))}")
        return undo


def _text_of(error: RuntimeError | UnicodeDecodeError) -> str:
    """Return what the engine said, byte for byte."""
    if isinstance(error, UnicodeDecodeError):
        return error.object.decode("utf-8", "surrogateescape")
    return str(error)


def quoted(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _identifier(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
