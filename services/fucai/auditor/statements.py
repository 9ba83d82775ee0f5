"""What terminals stated, checked one by one: signature, key, numbering, joints of closes. Counts no event."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from google.protobuf.message import DecodeError

from fucai.adapters.consumer import FetchedRecord
from fucai.auditor.days import DayClock
from fucai.auditor.findings import Finding, Findings, Kind
from fucai.auditor.keys import Keys
from fucai.runtime.signing import is_signed_by
from fucai.v1 import statement_pb2

_HASH_BYTES = 32
_MOST_SKIPPED = 100_000
WHERE = "statements"


class Verdict(enum.StrEnum):
    """What the auditor makes of one statement."""

    VERIFIED = "verified"
    REPEATED = "repeated"
    REFUSED = "refused"


LineKey = tuple[str, str, int]
"""Business day, game and kind number of a close's line."""
Sums = tuple[int, int, int]
"""Events, bets, fen."""


@dataclass(frozen=True, slots=True)
class Close:
    """A verified day close: the numbers it covers, its totals, and the digest through its last number."""

    terminal_id: str
    outlet_id: str
    epoch: int
    business_day: str
    close_no: int
    first_seq: int
    last_seq: int
    digest: bytes
    lines: Mapping[LineKey, Sums]


@dataclass(slots=True)
class EpochBook:
    """What is known of one epoch from verified statements; `hashes` are those of their contents, by number from 1."""

    opened: bool = False
    told_unopened: bool = False
    hashes: bytearray = field(default_factory=bytearray)
    closes: list[Close] = field(default_factory=list)
    closed_through: int = 0
    last_close_no: int = 0
    ended_at_ms: int = 0
    ended_above: int = 0
    """No higher number may follow; 0 where the terminal could not tell."""

    @property
    def last_number(self) -> int:
        """Number of the newest statement."""
        return len(self.hashes) // _HASH_BYTES

    def hash_of(self, number: int) -> bytes:
        """Hash of a statement's content; empty bytes for one never seen."""
        found = bytes(self.hashes[(number - 1) * _HASH_BYTES : number * _HASH_BYTES])
        return found if any(found) else b""

    def keep(self, number: int, content_hash: bytes) -> None:
        """Remember a statement; numbers skipped stay empty."""
        missing = number * _HASH_BYTES - len(self.hashes)
        if missing > 0:
            self.hashes.extend(bytes(missing))
        self.hashes[(number - 1) * _HASH_BYTES : number * _HASH_BYTES] = content_hash


class Examined(NamedTuple):
    """One statement with what came of it; `statement` is None where it could not be read."""

    signed: statement_pb2.SignedStatement
    statement: statement_pb2.Statement | None
    verdict: Verdict
    detail: str


class Book:
    """All statements read so far. Feed it the topic from its beginning, each partition in order.

    Closes of business days before `keep_from` (YYYY-MM-DD) are checked and forgotten.
    """

    def __init__(self, keys: Keys, clock: DayClock, findings: Findings, keep_from: str = "") -> None:
        self.keys, self._clock, self._findings, self._keep_from = keys, clock, findings, keep_from
        self.epochs: dict[tuple[str, int], EpochBook] = {}
        self._newest: dict[str, tuple[int, bytes]] = {}
        """By terminal: the newest epoch stated, and the hash of the newest statement."""

    def signs(self, terminal: str) -> bool:
        """Whether the terminal made a statement that was verified."""
        return terminal in self._newest

    def lacks_key(self, record: FetchedRecord) -> bool:
        """Whether the statement of a record is signed with a key that is not known yet: `keys` may be renewed first."""
        try:
            signed = statement_pb2.SignedStatement.FromString(record.value)
            statement = statement_pb2.Statement.FromString(signed.content)
        except DecodeError:
            return False
        return signed.public_key not in self.keys.on(statement.terminal_id, self._clock.day(statement.stated_at_ms))

    def take(self, record: FetchedRecord) -> Examined:
        """Examine one record of the topic; what is wrong goes to the findings."""
        signed, statement = statement_pb2.SignedStatement(), statement_pb2.Statement()
        try:
            signed.ParseFromString(record.value)
            statement.ParseFromString(signed.content)
        except DecodeError as error:
            name = record.key.decode("utf-8", "replace")
            detail = f"partition {record.partition} offset {record.offset}: {error}"
            self._findings.add(Finding(Kind.UNREADABLE_STATEMENT, name, 0, 0, 0, WHERE, "", detail))
            return Examined(signed, None, Verdict.REFUSED, detail)
        found = self._fault_of_authority(record, signed, statement)
        if found is None:
            content_hash = sha256(signed.content).digest()
            book = self.epochs.setdefault((statement.terminal_id, statement.epoch), EpochBook())
            if book.hash_of(statement.number) == content_hash:
                return Examined(signed, statement, Verdict.REPEATED, "the same statement again")
            found = self._fault_of_number(statement, book)
            if found is None:
                self._enter(record, statement, book, content_hash)
                return Examined(signed, statement, Verdict.VERIFIED, "")
        kind, detail = found
        self._report(kind, statement, detail)
        return Examined(signed, statement, Verdict.REFUSED, f"{kind}: {detail}")

    def _fault_of_authority(
        self, record: FetchedRecord, signed: statement_pb2.SignedStatement, statement: statement_pb2.Statement
    ) -> tuple[Kind, str] | None:
        """Whether the terminal itself said it."""
        if record.key != statement.terminal_id.encode() or not statement.epoch or not statement.number:
            return Kind.UNREADABLE_STATEMENT, f"the record's key is {record.key!r}; epoch and number count from 1"
        if not is_signed_by(signed):
            return Kind.FORGED_SIGNATURE, "the signature does not fit content and public key"
        day = self._clock.day(statement.stated_at_ms)
        if signed.public_key not in self.keys.on(statement.terminal_id, day):
            return Kind.UNKNOWN_KEY, f"key {signed.public_key.hex()} is not the terminal's on that day; register it"
        return None

    def _fault_of_number(self, statement: statement_pb2.Statement, book: EpochBook) -> tuple[Kind, str] | None:
        """Whether another statement has its number already, or the number is out of all reason."""
        if statement.number > book.last_number + _MOST_SKIPPED:
            return Kind.STATEMENT_GAP, f"statement {statement.number} follows {book.last_number}: not taken"
        if not book.hash_of(statement.number):
            return None
        is_close = statement.WhichOneof("statement") == "close"
        kind = Kind.ALTERED_CLOSE if is_close else Kind.FORK
        return kind, f"statement {statement.number} was made before with other content; the first one counts"

    def _enter(
        self, record: FetchedRecord, statement: statement_pb2.Statement, book: EpochBook, content_hash: bytes
    ) -> None:
        """Take a statement into the book; what does not fit is reported, and it counts all the same."""
        terminal, number = statement.terminal_id, statement.number
        newest_epoch, newest_hash = self._newest.get(terminal, (0, b""))
        if number > book.last_number + 1:
            detail = f"statement {number} follows {book.last_number or 'none'}"
            self._report(Kind.STATEMENT_GAP, statement, detail)
        before = book.hash_of(number - 1) if number > 1 else newest_hash
        if statement.previous and before and statement.previous != before and number <= book.last_number + 1:
            self._report(Kind.FORK, statement, f"statement {number} names another one before it than Kafka has")
        book.keep(number, content_hash)
        if statement.epoch >= newest_epoch:
            self._newest[terminal] = (statement.epoch, content_hash)
        what = statement.WhichOneof("statement")
        if what == "opened":
            self._open(record, statement, book)
        elif not book.opened and not book.told_unopened:
            book.told_unopened = True
            self._report(Kind.EPOCH_NEVER_OPENED, statement, f"its first statement seen is number {number}, {what}")
        if what == "close":
            self._close(statement, book)
        if what == "damage":
            damaged = self.epochs.setdefault((terminal, statement.damage.damaged_epoch), EpochBook(opened=True))
            damaged.ended_above = damaged.ended_above or statement.damage.last_known_seq
            damaged.ended_at_ms = damaged.ended_at_ms or record.timestamp_ms

    def _open(self, record: FetchedRecord, statement: statement_pb2.Statement, book: EpochBook) -> None:
        opened = statement.opened
        book.opened = True
        if opened.previous_epoch >= statement.epoch:
            self._report(Kind.FORK, statement, f"it follows epoch {opened.previous_epoch}, which is not before it")
        for (terminal, epoch), earlier in self.epochs.items():
            if terminal == statement.terminal_id and epoch < statement.epoch and not earlier.ended_at_ms:
                earlier.ended_at_ms = record.timestamp_ms
        if opened.previous_epoch:
            earlier = self.epochs.setdefault((statement.terminal_id, opened.previous_epoch), EpochBook())
            earlier.ended_at_ms = earlier.ended_at_ms or record.timestamp_ms
            earlier.ended_above = opened.previous_last_seq or earlier.ended_above

    def _close(self, statement: statement_pb2.Statement, book: EpochBook) -> None:
        close = statement.close
        expected = book.closed_through + 1
        if close.first_seq != expected or close.close_no != book.last_close_no + 1 or close.last_seq < expected - 1:
            detail = (
                f"close {close.close_no} covers {close.first_seq} to {close.last_seq}; expected first is {expected}"
            )
            self._report(Kind.CLOSES_DO_NOT_JOIN, statement, detail)
        book.closed_through = max(close.last_seq, book.closed_through)
        book.last_close_no = max(close.close_no, book.last_close_no)
        if close.business_day < self._keep_from:
            return
        lines: dict[LineKey, Sums] = {}
        for line in close.lines:
            key = (line.business_day, line.game, int(line.kind))
            events, bets, fen = lines.get(key, (0, 0, 0))
            lines[key] = (events + line.events, bets + line.bets, fen + line.amount_fen)
        book.closes.append(
            Close(
                statement.terminal_id,
                statement.outlet_id,
                statement.epoch,
                close.business_day,
                close.close_no,
                close.first_seq,
                close.last_seq,
                close.digest,
                lines,
            )
        )

    def _report(self, kind: Kind, statement: statement_pb2.Statement, detail: str) -> None:
        close = statement.close if statement.WhichOneof("statement") == "close" else None
        first, last = (close.first_seq, close.last_seq) if close is not None else (0, 0)
        self._findings.add(Finding(kind, statement.terminal_id, statement.epoch, first, last, WHERE, "", detail))
