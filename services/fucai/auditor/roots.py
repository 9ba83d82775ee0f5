"""One hash for each business day over the digests of all terminals, chained day to day. Reads nothing.

Content of a day: SHA-256 of each leaf in rising order: length of the terminal's name (2 bytes), name, epoch (4), last
number (8), one byte (1: a close's digest, 2: the auditor's own chain over that day's events after the last close) and
digest. Numbers are big-endian. Root of a day: SHA-256 of "fucai.audit.day", a zero byte, the root of the day before
(32 bytes, zeros for the first), the day as text, and the day's content.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from fucai.auditor.fold import Fold

NO_ROOT = bytes(32)
_BY_CLOSE, _BY_EVENTS = 1, 2
_NUMBERS = struct.Struct(">IQB")

Leaf = tuple[bytes, int, int, int, bytes]
"""Terminal, epoch, last number, how it was made, digest."""


@dataclass(frozen=True, slots=True)
class DayRoot:
    """The root of one business day, what it was chained to, and what it is over.

    `through` is the sum of the leaves' last numbers: it rises with each event that arrives later.
    """

    business_day: date
    root: bytes
    previous: bytes
    content: bytes
    through: int
    closes: int
    chains: int


def leaves_by_day(folds: Iterable[Fold]) -> dict[str, list[Leaf]]:
    """The leaves of each business day: of closes by the day they close, of other events by the day of the event."""
    found: defaultdict[str, list[Leaf]] = defaultdict(list)
    for fold in folds:
        for close in fold.closes:
            leaf = (fold.terminal, fold.epoch, close.last_seq, _BY_CLOSE, close.digest)
            found[close.business_day].append(leaf)
        for day, (last_seq, digest) in fold.day_chains.items():
            leaf = (fold.terminal, fold.epoch, last_seq, _BY_EVENTS, digest)
            found[date.fromordinal(day).isoformat()].append(leaf)
    return found


def content_of(leaves: Iterable[Leaf]) -> bytes:
    """The hash over a day's leaves, in whatever order they come."""
    running = sha256()
    for terminal, epoch, last_seq, made, digest in sorted(leaves):
        running.update(struct.pack(">H", len(terminal)) + terminal + _NUMBERS.pack(epoch, last_seq, made) + digest)
    return running.digest()


def root_of(day: str, previous: bytes, content: bytes) -> bytes:
    """The root of a day behind that of the day before."""
    return sha256(b"fucai.audit.day\x00" + previous + day.encode() + content).digest()


def chain_days(first: date, last: date, before: bytes, folds: Iterable[Fold]) -> list[DayRoot]:
    """The roots of a period, both ends included; `before` is the root of the day before it, or NO_ROOT."""
    leaves = leaves_by_day(folds)
    found = []
    previous, day = before, first
    while day <= last:
        mine = leaves.get(day.isoformat(), [])
        content = content_of(mine)
        root = root_of(day.isoformat(), previous, content)
        through = sum(leaf[2] for leaf in mine)
        closes = sum(1 for leaf in mine if leaf[3] == _BY_CLOSE)
        found.append(DayRoot(day, root, previous, content, through, closes, len(mine) - closes))
        previous, day = root, day + timedelta(days=1)
    return found
