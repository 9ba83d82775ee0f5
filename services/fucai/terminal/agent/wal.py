"""SQLite's write-ahead log as bytes: which pages it holds, and whether commits stand behind a broken place. Pure.

SQLite ends reading at the first frame whose checksum does not fit, without a word: right after a power loss, which can
tear the last commit only, but with damage further up it would forget commits that were answered.
Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

PAGE_BYTES = 4096
"""Size of a page, where nothing says otherwise."""

_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_MAGIC = 0x377F0682
_BIG_ENDIAN_CHECKSUMS = 1
_WORDS_MASK = 0xFFFFFFFF
_MAY_BE_TORN = 1
_HEADER = Struct(">8I")
_FRAME_HEADER = Struct(">6I")
_PAGE_SIZES = frozenset(2**power for power in range(9, 17))


class Frame(NamedTuple):
    """One page in the log; `commits` marks the last of a commit, `is_sound` that all checksums up to here fit."""

    page: bytes
    commits: bool
    is_sound: bool


def frames(log: bytes) -> Iterator[Frame]:
    """The frames of the log's present round, those behind a broken place among them; all where the header is broken."""
    if len(log) < _HEADER_BYTES:
        return
    is_whole = has_sound_header(log)
    magic, _, page_bytes, _, salt1, salt2, *sums = _HEADER.unpack_from(log)
    words = ">" if magic & _BIG_ENDIAN_CHECKSUMS else "<"
    running, is_sound = tuple(sums), is_whole
    page_bytes = page_bytes if is_whole else PAGE_BYTES
    for start in range(
        _HEADER_BYTES, len(log) - _FRAME_HEADER_BYTES - page_bytes + 1, _FRAME_HEADER_BYTES + page_bytes
    ):
        _, pages_after, frame_salt1, frame_salt2, sum1, sum2 = _FRAME_HEADER.unpack_from(log, start)
        page = log[start + _FRAME_HEADER_BYTES : start + _FRAME_HEADER_BYTES + page_bytes]
        is_present = not is_whole or (frame_salt1, frame_salt2) == (salt1, salt2)
        if is_sound:
            running = _checksum(page, _checksum(log[start : start + 8], running, words), words)
            is_sound = is_present and running == (sum1, sum2)
        if is_present:
            yield Frame(page, commits=pages_after > 0, is_sound=is_sound)


def has_sound_header(log: bytes) -> bool:
    """Whether SQLite would read the log at all; it takes an empty one for sound."""
    if len(log) < _HEADER_BYTES:
        return not log
    magic, _, page_bytes, _, _, _, *sums = _HEADER.unpack_from(log)
    words = ">" if magic & _BIG_ENDIAN_CHECKSUMS else "<"
    return (
        magic & ~_BIG_ENDIAN_CHECKSUMS == _MAGIC
        and page_bytes in _PAGE_SIZES
        and _checksum(log[: _HEADER_BYTES - 8], (0, 0), words) == tuple(sums)
    )


def lost_commits(log: bytes) -> int:
    """Commits that SQLite would not see although they were durable: those behind a broken place, but for the last.

    Where the header is broken it cannot be told from one that was being written: 0.
    """
    if not has_sound_header(log):
        return 0
    return max(0, sum(frame.commits and not frame.is_sound for frame in frames(log)) - _MAY_BE_TORN)


def _checksum(content: bytes, start: tuple[int, ...], words: str) -> tuple[int, int]:
    sum1, sum2 = start
    for first, second in Struct(f"{words}II").iter_unpack(content):
        sum1 = (sum1 + first + sum2) & _WORDS_MASK
        sum2 = (sum2 + second + sum1) & _WORDS_MASK
    return sum1, sum2
