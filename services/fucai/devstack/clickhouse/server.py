"""Serves requests: which statement is it, run it, answer. What a statement does is the engine's business."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, nullcontext
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import TemporaryFile

from fucai.devstack.clickhouse.answer import Answer
from fucai.devstack.clickhouse.codecs import choose_encoding
from fucai.devstack.clickhouse.connection import Connection
from fucai.devstack.clickhouse.engine import Engine
from fucai.devstack.clickhouse.errors import EngineError
from fucai.devstack.clickhouse.request import PIECE_BYTES, Body, Request
from fucai.devstack.clickhouse.statements import STREAMED_FORMATS, InsertHead, first_word, insert_head, output_format
from fucai.devstack.clickhouse.watch import Watch

_LONGEST_HEAD_BYTES = 1 << 18
_IDLE_SECONDS = 3_600
_WRITING = frozenset(
    {"INSERT", "CREATE", "ALTER", "OPTIMIZE", "RENAME", "EXCHANGE", "ATTACH", "REPLACE", "UPDATE", "DELETE"}
)
_STREAMED_QUERIES = frozenset({"SELECT", "WITH", "FROM"})  # chDB streams no other statement
_STREAMED = frozenset(name.lower() for name in STREAMED_FORMATS)


class Server(ThreadingHTTPServer):
    """The endpoint: one thread a connection, as many statements at a time as the engine lends connections."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, engine: Engine) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.engine = engine
        self.watch = Watch(engine.kill)
        super().__init__((host, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server_version = "ClickHouse"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS
    server: Server

    def do_GET(self) -> None:
        """Answer a statement that may only read, or that all is well."""
        self._serve()

    def do_POST(self) -> None:
        """Answer a statement."""
        self._serve()

    def handle(self) -> None:
        """Serve the connection until it ends; a client that hangs up is nothing special."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Log nothing: stdout is for readiness, and the client is told each error."""

    def _serve(self) -> None:
        body = Body(self.rfile, self.headers)
        answer = Answer(self, query_id="", timezone=self.server.engine.timezone)
        try:
            request = Request.parse(self.path, self.headers)
            if body.is_form:
                request.take(body.form())
            if request.path != "/" or (self.command == "GET" and not request.query):
                body.drain()
                self._plain(*_page(request.path))
                return
            answer = Answer(
                self,
                query_id=request.query_id,
                timezone=request.settings.get("session_timezone") or self.server.engine.timezone,
                encoding=self._encoding(request),
            )
            self._answer(request, body, answer)
        except EngineError as error:
            body.drain()
            answer.error(error)

    def _encoding(self, request: Request) -> str:
        wanted = request.wants("enable_http_compression", otherwise=self.server.engine.compresses_by_default)
        return choose_encoding(self.headers.get("Accept-Encoding", "")) if wanted else ""

    def _answer(self, request: Request, body: Body, answer: Answer) -> None:
        engine = self.server.engine
        session = request.values.get("session_id", "")
        settings = dict(request.settings)
        if self.command == "GET" and not session:
            settings.setdefault("readonly", "2")
        pieces = body.pieces()
        text, head = _statement(request, pieces)
        if first_word(text) in _WRITING:
            engine.require_room()
        with ExitStack() as stack:
            data = stack.enter_context(TemporaryFile(dir=engine.spool)) if head else None
            if head and data:
                data.write(memoryview(text)[head.data_at :])
                for piece in pieces:
                    data.write(piece)
            if session and request.wants("close_session"):
                stack.callback(engine.close_session, session)
            with engine.connection(
                database=request.database,
                settings=settings,
                session=session,
                session_timeout=request.values.get("session_timeout", ""),
            ) as connection:
                if head and data:
                    connection.insert(head, data)
                    answer.empty(connection.statistics)
                elif connection.is_query(text):
                    self._query(connection, request, text, answer)
                else:
                    self._command(connection, request, text, answer)

    def _command(self, connection: Connection, request: Request, text: bytes, answer: Answer) -> None:
        """Run a statement that changes something; a few of them have a result."""
        found = output_format(text) if first_word(text) != "INSERT" else None
        name = found.name if found else request.default_format
        result = connection.run(text, name, request.parameters)
        if result:
            answer.whole([result], name, connection.statistics, self.server.engine.spool)
        else:
            answer.empty(connection.statistics)

    def _query(self, connection: Connection, request: Request, text: bytes, answer: Answer) -> None:
        """Run a query and send its result, in chunks unless the client waits for its end."""
        found = output_format(text)
        name = found.name if found else request.default_format
        hang_up = request.wants("cancel_http_readonly_queries_on_client_close")
        with self.server.watch.over(self.connection, connection.mark) if hang_up else nullcontext():
            if first_word(text) not in _STREAMED_QUERIES:
                result = connection.run(text, name, request.parameters)
                answer.whole([result], name, connection.statistics, self.server.engine.spool)
                return
            if _is_streamed(name, request):
                result_pieces = connection.stream(text, name, request.parameters)
            else:
                result_pieces = self._through_file(connection, request, text, name)
            with closing(result_pieces) as pieces:
                if request.wants("wait_end_of_query") or self.request_version == "HTTP/1.0":
                    answer.whole(pieces, name, connection.statistics, self.server.engine.spool)
                else:
                    answer.chunked(pieces, name)

    def _through_file(self, connection: Connection, request: Request, text: bytes, name: str) -> Generator[bytes]:
        """Yield a result whose format only makes sense whole: the engine writes it to a file first."""
        path = self.server.engine.spool / uuid.uuid4().hex
        try:
            connection.write_to(path, text, name, request.parameters)
            with path.open("rb") as file:
                while piece := file.read(PIECE_BYTES):
                    yield piece
        finally:
            path.unlink(missing_ok=True)

    def _plain(self, status: HTTPStatus, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


def _page(path: str) -> tuple[HTTPStatus, str]:
    """Return the answer to a request without a statement."""
    if path in {"/", "/ping", "/replicas_status"}:
        return HTTPStatus.OK, "Ok.\n"
    return HTTPStatus.NOT_FOUND, f"There is no handle {path}\n"


def _is_streamed(name: str, request: Request) -> bool:
    """Whether blocks of this format may follow one another."""
    return name.lower() in _STREAMED and not request.wants("output_format_json_array_of_rows")


def _statement(request: Request, pieces: Iterator[bytes]) -> tuple[bytes, InsertHead | None]:
    """Return a statement's text: of an insert with data as much as has come with its head, of another all of it."""
    read: list[bytes] = [request.query + b"\n"] if request.query else []
    looking = not request.parameters
    for piece in pieces:
        read.append(piece)
        if looking:
            text = b"".join(read)
            head = insert_head(text)
            if head and head.data_at < len(text):
                return text, head
            looking = len(text) < _LONGEST_HEAD_BYTES
    text = b"".join(read)
    return text, insert_head(text) if looking else None
