"""A request to ClickHouse's HTTP interface, read from address, headers and body. Answers nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from io import BufferedIOBase
from urllib.parse import parse_qsl, urlsplit

from fucai.devstack.clickhouse.codecs import broken, decompressor
from fucai.devstack.clickhouse.errors import not_implemented, refusal

FIRST_PIECE_BYTES = 1 << 16
PIECE_BYTES = 1 << 20

_IGNORED = frozenset({"user", "password", "quota_key", "stacktrace", "buffer_size", "client_protocol_version"})
_OURS = frozenset(
    {
        *("query", "database", "query_id", "default_format", "wait_end_of_query"),
        *("session_id", "session_timeout", "session_check", "close_session"),
    }
)
_LEFT_OUT = {
    "compress": "ClickHouse's own block compression is not supported here: use Accept-Encoding",
    "decompress": "ClickHouse's own block compression is not supported here: use Content-Encoding",
    "role": "roles do not exist here: leave the parameter away",
}
_NO = frozenset({"", "0", "false"})


@dataclass(slots=True)
class Request:
    """What a request asks for, but for its body."""

    path: str
    query: bytes = b""
    parameters: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, target: str, headers: Message) -> Request:
        """Read address and headers.

        Raises:
            EngineError: something is asked for that this endpoint leaves out.
        """
        address = urlsplit(target)
        request = cls(address.path)
        for name, header in (("database", "X-ClickHouse-Database"), ("default_format", "X-ClickHouse-Format")):
            if value := headers.get(header):
                request.values[name] = value
        request.take(parse_qsl(address.query, keep_blank_values=True, errors="surrogateescape"))
        return request

    def take(self, pairs: list[tuple[str, str]]) -> None:
        """Add parameters, from the address or a form.

        Raises:
            EngineError: something is asked for that this endpoint leaves out.
        """
        for name, value in pairs:
            if name in _LEFT_OUT:
                if value not in _NO:
                    raise not_implemented(_LEFT_OUT[name])
            elif name == "query":
                self.query += value.encode("utf-8", "surrogateescape")
            elif name in _OURS:
                self.values[name] = value
            elif name.startswith("param_"):
                if not _is_text(value):
                    raise refusal(36, "BAD_ARGUMENTS", f"{name} is no UTF-8: use unhex() for bytes")
                self.parameters[name.removeprefix("param_")] = value
            elif name not in _IGNORED:
                self.settings[name] = value

    @property
    def database(self) -> str:
        """The database to use, empty for the server's default."""
        return self.values.get("database", "")

    @property
    def query_id(self) -> str:
        """The client's name for the statement, or a new one."""
        return self.values.get("query_id") or self.values.setdefault("query_id", str(uuid.uuid4()))

    @property
    def default_format(self) -> str:
        """The format of a result whose query names none."""
        return self.values.get("default_format") or "TabSeparated"

    def wants(self, name: str, *, otherwise: bool = False) -> bool:
        """Whether a switch among the parameters or settings is on."""
        value = self.values.get(name, self.settings.get(name))
        return otherwise if value is None else value.lower() not in _NO


def _is_text(value: str) -> bool:
    """Whether a value was valid UTF-8 in the address."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


class Body:
    """A request's body, freed from framing and compression, piece by piece, never whole."""

    def __init__(self, source: BufferedIOBase, headers: Message) -> None:
        self._source = source
        self._chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        self._left = int(headers.get("Content-Length") or 0)
        self._encoding = headers.get("Content-Encoding", "identity").strip().lower()
        self._content_type = headers.get("Content-Type", "")
        self._pieces = self._framed()

    @property
    def is_form(self) -> bool:
        """Whether the body is a form of many parts."""
        return self._content_type.lower().startswith("multipart/form-data")

    def pieces(self) -> Iterator[bytes]:
        """Yield the content.

        Raises:
            EngineError: it cannot be decompressed.
            ConnectionError: the client hung up in its midst.
        """
        if self._encoding in {"", "identity"}:
            yield from self._pieces
            return
        codec = decompressor(self._encoding)
        ended = True
        for piece in self._pieces:
            rest = piece
            while rest:
                if codec.eof:
                    codec = decompressor(self._encoding)
                try:
                    content = codec.decompress(rest)
                except Exception as error:
                    if broken(error):
                        raise refusal(354, "ZLIB_INFLATE_FAILED", f"broken {self._encoding} body: {error}") from error
                    raise
                rest = codec.unused_data or b"" if codec.eof else b""
                ended = codec.eof
                yield content
        if not ended:
            raise refusal(354, "ZLIB_INFLATE_FAILED", f"the {self._encoding} body ends too early")

    def form(self) -> list[tuple[str, str]]:
        """Return the values of a form.

        Raises:
            EngineError: the form carries files, which would be external tables.
        """
        head = f"Content-Type: {self._content_type}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + b"".join(self.pieces()))
        pairs = []
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            if part.get_filename() is not None:
                raise not_implemented("external tables are not supported here: insert into a temporary table")
            pairs.append((str(name), bytes(part.get_payload(decode=True)).decode("utf-8", "surrogateescape")))
        return pairs

    def drain(self) -> None:
        """Read what is left, so that the answer can reach the client and the connection can go on."""
        for _ in self._pieces:
            pass

    def _framed(self) -> Iterator[bytes]:
        """Yield the body as it came, without the framing of its transfer."""
        size = FIRST_PIECE_BYTES
        while self._chunked:
            self._left = self._chunk_size()
            if not self._left:
                while self._line().strip():
                    pass
                return
            while self._left:
                yield self._take(size)
                size = PIECE_BYTES
            self._line()
        while self._left:
            yield self._take(size)
            size = PIECE_BYTES

    def _take(self, size: int) -> bytes:
        piece = self._source.read(min(size, self._left))
        if not piece:
            raise ConnectionAbortedError("the client hung up in the midst of its request")
        self._left -= len(piece)
        return piece

    def _chunk_size(self) -> int:
        line = self._line()
        try:
            return int(line.split(b";")[0], 16)
        except ValueError as error:
            raise ConnectionAbortedError(f"not the length of a chunk: {line[:40]!r}") from error

    def _line(self) -> bytes:
        line = self._source.readline(PIECE_BYTES)
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError("the client hung up in the midst of its request")
        return line
