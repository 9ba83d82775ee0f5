"""Compression of HTTP bodies, in the encodings ClickHouse's clients use. Knows nothing of HTTP's framing."""

from __future__ import annotations

import importlib
import sys
import zlib
from typing import Any, Protocol

from fucai.devstack.clickhouse.errors import not_implemented

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_lz4: Any = importlib.import_module("lz4.frame")  # has no types
_GZIP_WINDOW = 31  # zlib's way to say: with gzip's header


class Compressor(Protocol):
    """Compresses a body piece by piece."""

    def compress(self, piece: bytes) -> bytes:
        """Return what is ready after one more piece; may be empty."""

    def flush(self) -> bytes:
        """Return the end of the compressed body."""


class Decompressor(Protocol):
    """Decompresses a body piece by piece."""

    def decompress(self, piece: bytes) -> bytes:
        """Return what one more piece yields; may be empty."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed body was seen."""

    @property
    def unused_data(self) -> bytes | None:
        """What came after the end."""


class _Lz4Compressor:
    """LZ4 frames; the frame's header goes out with the first piece."""

    def __init__(self) -> None:
        self._frame = _lz4.LZ4FrameCompressor()
        self._begun = False

    def compress(self, piece: bytes) -> bytes:
        head = b"" if self._begun else self._frame.begin()
        self._begun = True
        return bytes(head + self._frame.compress(piece))

    def flush(self) -> bytes:
        head = b"" if self._begun else self._frame.begin()
        self._begun = True
        return bytes(head + self._frame.flush())


ENCODINGS = ("lz4", "zstd", "gzip", "deflate")


def choose_encoding(accepted: str) -> str:
    """Return the first encoding of an Accept-Encoding header that is known here, empty for none."""
    for offer in accepted.split(","):
        name, _, weight = offer.strip().lower().partition(";")
        if name.strip() in ENCODINGS and weight.replace(" ", "") not in {"q=0", "q=0.0"}:
            return name.strip()
    return ""


def compressor(encoding: str) -> Compressor:
    """Return a compressor for one of ENCODINGS."""
    if encoding == "lz4":
        return _Lz4Compressor()
    if encoding == "zstd":
        return zstd.ZstdCompressor(level=1)
    return zlib.compressobj(level=3, wbits=_GZIP_WINDOW if encoding == "gzip" else zlib.MAX_WBITS)


def decompressor(encoding: str) -> Decompressor:
    """Return a decompressor for a Content-Encoding.

    Raises:
        EngineError: the encoding is none of ENCODINGS.
    """
    if encoding == "lz4":
        codec: Decompressor = _lz4.LZ4FrameDecompressor()
        return codec
    if encoding == "zstd":
        return zstd.ZstdDecompressor()
    if encoding in {"gzip", "deflate"}:
        return zlib.decompressobj(_GZIP_WINDOW if encoding == "gzip" else zlib.MAX_WBITS)
    raise not_implemented(f"Content-Encoding {encoding!r} is not supported here: use one of {', '.join(ENCODINGS)}")


def broken(error: Exception) -> bool:
    """Whether an error says that a compressed body is damaged."""
    return isinstance(error, (zlib.error, zstd.ZstdError, EOFError, RuntimeError))
