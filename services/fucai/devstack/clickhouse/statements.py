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
    """An insert without its data: its target, its settings, the data's format, where the data begins."""

    target: bytes
    settings: bytes
    format: str
    data_at: int

    def from_file(self, path: str) -> bytes:
        """Return the statement that takes the data from a file. `path` must need no quoting."""
        infile = f"FROM INFILE '{path}' COMPRESSION 'none' ".encode()
        return self.target + b" " + infile + self.settings + b" FORMAT " + self.format.encode()


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
    words = _outer_words(text)
    settings_at: int | None = None
    for word in words:
        if word.text in _NO_DATA:
            return None
        if word.text == b"VALUES":
            return _head(text, settings_at, word.start, "Values", word.end)
        if word.text == b"SETTINGS":
            settings_at = word.start
        if word.text == b"FORMAT":
            name = next(words, None)
            if name is None or name.end == len(text):
                return None  # perhaps only the beginning of the name has come
            gap = _DATA_GAP.match(text, name.end)
            return _head(
                text,
                settings_at,
                word.start,
                text[name.start : name.end].decode("ascii", "replace"),
                gap.end() if gap else name.end,
            )
    return None


def _head(text: bytes, settings_at: int | None, end: int, name: str, data_at: int) -> InsertHead:
    split = end if settings_at is None else settings_at
    return InsertHead(text[:split], text[split:end], name, data_at)


def output_format(text: bytes) -> OutputFormat | None:
    """Return the FORMAT clause at the end of a query, None if it has none."""
    tokens = [None, *_tokens(text), _Token(b"", len(text), len(text), is_word=False)]
    for index in range(len(tokens) - 2, 1, -1):
        keyword, name, after = tokens[index - 1], tokens[index], tokens[index + 1]
        if keyword and name and after and keyword.text == b"FORMAT" and name.is_word and after.text in _AFTER_FORMAT:
            return OutputFormat(text[name.start : name.end].decode("ascii", "replace"), keyword.start)
    return None


def into_file(text: bytes, path: str, default_format: str) -> bytes:
    """Return the query with its result going to a new file: for formats that only make sense whole.

    `path` is a literal of SQL.
    """
    clause = f"\nINTO OUTFILE {path} COMPRESSION 'none'\n".encode()
    found = output_format(text)
    if found:
        return text[: found.at] + clause + text[found.at :]
    end = max((token.end for token in _tokens(text) if token.text != b";"), default=0)
    return text[:end] + clause + b"FORMAT " + default_format.encode()


def _outer_words(text: bytes) -> Iterator[_Token]:
    """Yield the words of an insert that stand in no brackets and are no names."""
    depth = 0
    before = b""
    for token in _tokens(text):
        if token.text in {b"(", b")"}:
            depth += 1 if token.text == b"(" else -1
        elif depth == 0 and token.is_word and before not in _NAME_FOLLOWS:
            yield token
        before = token.text


def _tokens(text: bytes) -> Iterator[_Token]:
    """Yield the significant tokens of a text; everything lexes, also what is no SQL."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "gap":
            continue
        is_word = kind == "word"
        yield _Token(match[0].upper() if is_word else match[0], match.start(), match.end(), is_word)
