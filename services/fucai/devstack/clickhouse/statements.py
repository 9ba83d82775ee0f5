"""What the endpoint must know of a statement's text: where an insert's data begins, and which format is asked for.

Reads tokens only; what a statement means is the engine's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""
      (?P<gap>\s+|--[^\n]*|\#[\ !][^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<quoted>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    | (?P<word>\w+)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DATA_GAP = re.compile(rb"[ \t\f]*(?:\r?\n)?")
_NAME_FOLLOWS = frozenset({b"INTO", b"TABLE", b"."})
_NO_DATA = frozenset({b"SELECT", b"WITH", b"FROM", b"WATCH"})
_AFTER_FORMAT = frozenset({b"", b";", b"SETTINGS", b"INTO"})

STREAMED_FORMATS = frozenset(
    {
        *("TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "Raw", "CSV", "TSKV", "LineAsString", "RawBLOB", "Null"),
        *("JSONEachRow", "JSONLines", "NDJSON", "JSONCompactEachRow", "JSONStringsEachRow"),
        *("Native", "RowBinary", "MsgPack"),
    }
)
"""Formats without head or foot, whose blocks may be written one after the other."""


@dataclass(frozen=True, slots=True)
class InsertHead:
    """An insert without its data: the statement up to FORMAT or VALUES, the data's format, where the data begins."""

    statement: bytes
    format: str
    data_at: int


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """The FORMAT clause of a query: its name and where the clause begins."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class _Token:
    """One significant token: its text, in upper case if it is a word, and its place."""

    text: bytes
    start: int
    end: int
    is_word: bool


def first_word(text: bytes) -> str:
    """Return the first word of a statement in upper case, brackets and comments left out."""
    for token in _tokens(text):
        if token.is_word:
            return token.text.decode("ascii", "replace")
        if token.text != b"(":
            break
    return ""


def insert_head(text: bytes) -> InsertHead | None:
    """Return the head of an insert that carries data; None for any other statement, or where the head is cut off."""
    if first_word(text) != "INSERT":
        return None
    depth = 0
    before = b""
    format_at: int | None = None
    for token in _tokens(text):
        if format_at is not None:
            if not token.is_word:
                return None
            name = text[token.start : token.end].decode("ascii", "replace")
            gap = _DATA_GAP.match(text, token.end)
            return InsertHead(text[:format_at], name, gap.end() if gap else token.end)
        if token.text in {b"(", b")"}:
            depth += 1 if token.text == b"(" else -1
        elif depth == 0 and token.is_word and before not in _NAME_FOLLOWS:
            if token.text in _NO_DATA:
                return None
            if token.text == b"VALUES":
                return InsertHead(text[: token.start], "Values", token.end)
            if token.text == b"FORMAT":
                format_at = token.start
        before = token.text
    return None


def output_format(text: bytes) -> OutputFormat | None:
    """Return the FORMAT clause at the end of a query, None if it has none."""
    tokens = [None, *_tokens(text), _Token(b"", len(text), len(text), is_word=False)]
    for index in range(len(tokens) - 2, 1, -1):
        keyword, name, after = tokens[index - 1], tokens[index], tokens[index + 1]
        if keyword and name and after and keyword.text == b"FORMAT" and name.is_word and after.text in _AFTER_FORMAT:
            return OutputFormat(text[name.start : name.end].decode("ascii", "replace"), keyword.start)
    return None


def into_file(text: bytes, path: str, default_format: str) -> bytes:
    """Return the query with its result going to a file that exists: for formats that only make sense whole.

    `path` must need no quoting.
    """
    clause = f"\nINTO OUTFILE '{path}' TRUNCATE COMPRESSION 'none'\n".encode()
    found = output_format(text)
    if found:
        return text[: found.at] + clause + text[found.at :]
    end = max((token.end for token in _tokens(text) if token.text != b";"), default=0)
    return text[:end] + clause + b"FORMAT " + default_format.encode()


def _tokens(text: bytes) -> Iterator[_Token]:
    """Yield the significant tokens of a text; everything lexes, also what is no SQL."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "gap":
            continue
        is_word = kind == "word"
        yield _Token(match[0].upper() if is_word else match[0], match.start(), match.end(), is_word)
