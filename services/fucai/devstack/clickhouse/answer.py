"""Writes an answer of ClickHouse's HTTP interface, whole or in chunks as it comes. Runs no statement."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from tempfile import SpooledTemporaryFile

from fucai.devstack.clickhouse.codecs import compressor
from fucai.devstack.clickhouse.connection import Statistics
from fucai.devstack.clickhouse.errors import EngineError

IN_MEMORY_BYTES = 1 << 22
"""A whole answer that is longer goes through a file."""

_CONTENT_TYPES = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "json": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
}


class Answer:
    """The answer to one request."""

    def __init__(self, handler: BaseHTTPRequestHandler, *, query_id: str, timezone: str, encoding: str = "") -> None:
        self._handler = handler
        self._encoding = encoding
        self._headers = {
            "X-ClickHouse-Server-Display-Name": socket.gethostname(),
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Timezone": timezone,
        }

    def empty(self, statistics: Statistics) -> None:
        """Tell that a statement without a result is done."""
        self._send(HTTPStatus.OK, b"", {"X-ClickHouse-Summary": _summary(statistics)})

    def error(self, error: EngineError) -> None:
        """Tell that a statement failed."""
        self._send(
            error.status,
            f"{error.text}\n".encode("utf-8", "surrogateescape"),
            {"X-ClickHouse-Exception-Code": str(error.code), "X-ClickHouse-Summary": _summary(Statistics())},
        )

    def whole(self, pieces: Iterable[bytes], output_format: str, statistics: Statistics, spool: Path) -> None:
        """Send a result once all of it is there; one that does not fit into memory waits in a file in `spool`.

        Raises:
            EngineError: the statement fails; nothing is sent then.
        """
        codec = compressor(self._encoding) if self._encoding else None
        with SpooledTemporaryFile(IN_MEMORY_BYTES, dir=str(spool)) as file:
            for piece in pieces:
                file.write(codec.compress(piece) if codec else piece)
            if codec:
                file.write(codec.flush())
            length = file.tell()
            file.seek(0)
            self._begin(output_format, {"Content-Length": str(length), "X-ClickHouse-Summary": _summary(statistics)})
            shutil.copyfileobj(file, self._handler.wfile, 1 << 20)

    def chunked(self, pieces: Iterable[bytes], output_format: str) -> None:
        """Send a result as it comes. If the statement fails on the way, the error closes the text and the connection.

        Raises:
            EngineError: the statement fails before it has yielded anything; nothing is sent then.
        """
        coming = iter(pieces)
        piece = next(coming, b"")
        tag = secrets.token_urlsafe(12)
        codec = compressor(self._encoding) if self._encoding else None
        pack: Callable[[bytes], bytes] = codec.compress if codec else bytes
        headers = {"Transfer-Encoding": "chunked", "X-ClickHouse-Exception-Tag": tag}
        self._begin(output_format, {**headers, "X-ClickHouse-Summary": _summary(Statistics())})
        try:
            while piece:
                self._chunk(pack(piece))
                piece = next(coming, b"")
        except EngineError as error:
            text = error.text.encode("utf-8", "surrogateescape")
            mark = tag.encode()
            self._chunk(
                pack(b"\r\n__exception__\r\n%b\r\n%b\n%d %b\r\n__exception__\r\n" % (mark, text, len(text) + 1, mark))
            )
            if codec:
                self._chunk(codec.flush())
            self._handler.close_connection = True
            return
        if codec:
            self._chunk(codec.flush())
        self._handler.wfile.write(b"0\r\n\r\n")

    def _chunk(self, content: bytes) -> None:
        if content:
            self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))

    def _begin(self, output_format: str, headers: dict[str, str]) -> None:
        content_type = _CONTENT_TYPES.get(output_format.lower(), "application/octet-stream")
        encoding = {"Content-Encoding": self._encoding} if self._encoding else {}
        self._head(
            HTTPStatus.OK, {"Content-Type": content_type, "X-ClickHouse-Format": output_format, **encoding, **headers}
        )

    def _send(self, status: HTTPStatus, content: bytes, headers: dict[str, str]) -> None:
        self._head(
            status, {"Content-Type": "text/plain; charset=UTF-8", "Content-Length": str(len(content)), **headers}
        )
        self._handler.wfile.write(content)

    def _head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self._handler.send_response(status)
        for name, value in {**self._headers, **headers}.items():
            self._handler.send_header(name, value)
        if self._handler.close_connection:
            self._handler.send_header("Connection", "close")
        self._handler.end_headers()


def _summary(statistics: Statistics) -> str:
    """Return the statistics as the summary header has them."""
    return json.dumps(
        {
            "read_rows": str(statistics.read_rows),
            "read_bytes": str(statistics.read_bytes),
            "written_rows": str(statistics.written_rows),
            "written_bytes": str(statistics.written_bytes),
            "total_rows_to_read": "0",
            "result_rows": str(statistics.result_rows or statistics.written_rows),
            "result_bytes": "0",
            "elapsed_ns": str(round(statistics.elapsed_s * 1e9)),
        }
    )
