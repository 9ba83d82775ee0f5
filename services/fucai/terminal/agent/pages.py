"""Rows in the raw pages of a SQLite file, for one that SQLite itself can no longer read. Pure.

Looks at each page by itself, needs neither header nor tree, and knows nothing of the tables: whoever asks has to tell
by a row's content whether it is one. Rows that reach over into other pages are left out; the outbox writes none.
Format: https://www.sqlite.org/fileformat2.html#b_tree_pages
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_LEAF_OF_TABLE = 0x0D
_FIRST_PAGE_HEADER_BYTES = 100
_LEAF_HEADER_BYTES = 8
_CONTINUES = 0x80
_SEVEN_BITS = 0x7F
_VARINT_BYTES = 9
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)
_ZERO, _ONE, _REAL, _FIRST_BLOB = 8, 9, 7, 12

Values = tuple[Any, ...]


def rows_of_page(page: bytes, *, header_bytes: int = 0) -> Iterator[Values]:
    """The values of each row on a page, its id in place of a NULL in the first column; none on other kinds of page."""
    if len(page) < header_bytes + _LEAF_HEADER_BYTES or page[header_bytes] != _LEAF_OF_TABLE:
        return
    cells = int.from_bytes(page[header_bytes + 3 : header_bytes + 5])
    for index in range(cells):
        pointer = header_bytes + _LEAF_HEADER_BYTES + 2 * index
        row = _row(page, int.from_bytes(page[pointer : pointer + 2]))
        if row is not None:
            yield row


def rows_of_file(content: bytes, page_bytes: int) -> Iterator[Values]:
    """The same for each page of a whole file."""
    for start in range(0, len(content), page_bytes):
        header_bytes = 0 if start else _FIRST_PAGE_HEADER_BYTES
        yield from rows_of_page(content[start : start + page_bytes], header_bytes=header_bytes)


def _row(page: bytes, offset: int) -> Values | None:
    try:
        payload_bytes, offset = _varint(page, offset)
        row_id, offset = _varint(page, offset)
        end = offset + payload_bytes
        if end > len(page):
            return None
        header_bytes, types = _varint(page, offset)
        value, end_of_types = offset + header_bytes, offset + header_bytes
        values: list[Any] = []
        while types < end_of_types:
            kind, types = _varint(page, types)
            found, value = _value(page, kind, value)
            values.append(found)
        if value != end or not values:
            return None
        return (row_id if values[0] is None else values[0], *values[1:])
    except (IndexError, ValueError):
        return None


def _varint(page: bytes, offset: int) -> tuple[int, int]:
    number = 0
    for index in range(_VARINT_BYTES):
        byte = page[offset + index]
        if index == _VARINT_BYTES - 1:
            return number << 8 | byte, offset + _VARINT_BYTES
        number = number << 7 | byte & _SEVEN_BITS
        if not byte & _CONTINUES:
            return number, offset + index + 1
    raise IndexError(offset)


def _value(page: bytes, kind: int, offset: int) -> tuple[Any, int]:
    """A value by its serial type, and where the next begins.

    Raises:
        ValueError: there is no such type here, or the text is no text.
    """
    if kind in {_ZERO, _ONE}:
        return kind - _ZERO, offset
    if kind == 0:
        return None, offset
    if kind < _REAL:
        end = offset + _INTEGER_BYTES[kind]
        return int.from_bytes(page[offset:end], signed=True), end
    if kind < _FIRST_BLOB:
        raise ValueError(kind)
    end = offset + (kind - _FIRST_BLOB) // 2
    content = page[offset:end]
    if len(content) != end - offset:
        raise ValueError(kind)
    return (content.decode() if kind % 2 else content), end
