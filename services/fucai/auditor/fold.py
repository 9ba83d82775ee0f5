"""One terminal and epoch, recounted event by event in the order of its numbers: chain, totals, content of blocks.

Bounded: a digest, the next number, events that came too early, and a sum for each 1,024 numbers. Reads no topic.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b, sha256
from typing import NamedTuple

from fucai.auditor.days import day_text
from fucai.auditor.findings import Finding, Findings, Kind
from fucai.auditor.statements import Close, Sums
from fucai.auditor.wire import AMOUNT, BETS, DRAW, GAME, KIND, SEQ, Event

BLOCK_BITS = 10
"""A block is 1,024 numbers: what is compared as a whole first, and event by event where it differs."""
MOST_EARLY = 4_096
"""Events that may wait for the ones before them; then the gap is given up."""

WHERE = "kafka"
_NOWHERE = 1 << 62

LineKey = tuple[bytes, int, bytes, int, bytes]
"""Outlet, business day, game, kind, draw."""


class Piece(NamedTuple):
    """An event with where it stands; `stated` is the batch's digest where it is the batch's last event."""

    raw: bytes
    event: Event
    day: int
    outlet: bytes
    topic: int
    offset: int
    stated: bytes


class Block:
    """1,024 numbers of a terminal: how many events, the sum of their keyed hashes, and where in Kafka they stand."""

    __slots__ = ("count", "offsets", "partition", "repeated", "total")

    def __init__(self, partition: int) -> None:
        """Start empty."""
        self.count = 0
        self.total = 0
        self.partition = partition
        self.repeated = False
        self.offsets = [_NOWHERE, -1, _NOWHERE, -1]

    def stands_at(self, topic: int, offset: int) -> None:
        """Note a record of the block."""
        at = 2 * topic
        if offset < self.offsets[at]:  # noqa: PLR1730 (once for every event: a comparison is half of min and max)
            self.offsets[at] = offset
        if offset > self.offsets[at + 1]:  # noqa: PLR1730 (as above)
            self.offsets[at + 1] = offset


@dataclass(frozen=True, slots=True)
class Scope:
    """What a recount looks at: days as ordinals, both included; the secret key of this run's block hashes.

    `keep_lines` keeps totals by line, for a single day or few.
    """

    first_day: int
    last_day: int
    secret: bytes
    keep_lines: bool
    waived: Mapping[tuple[str, int], Sequence[tuple[int, int]]] = field(default_factory=dict)
    """Numbers, by terminal and epoch, of which somebody declared that they will not come."""
    findings: Findings = field(default_factory=Findings)


def content_hash(raw: bytes, outlet: bytes, secret: bytes) -> int:
    """What an event adds to its block: without the run's secret nobody can choose contents that add up to the same."""
    return int.from_bytes(blake2b(raw + b"\x00" + outlet, digest_size=16, key=secret).digest())


def chain_start(terminal: bytes, epoch: int) -> bytes:
    """D(0) of the contract, written a second time (SalesBatch.digest in sales.proto)."""
    return sha256(b"fucai.v1.chain\x00%b\x00%d" % (terminal, epoch)).digest()


def day_chain_start(terminal: bytes, epoch: int, day: int) -> bytes:
    """Where the auditor's own chain over one day's unclosed events begins."""
    return sha256(b"fucai.audit.events\x00%b\x00%d\x00%d" % (terminal, epoch, day)).digest()


def without(ranges: Iterable[tuple[int, int]], taken: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of ranges of numbers where others are taken away; both ends included."""
    left = list(ranges)
    for start, stop in taken:
        parts = [part for first, last in left for part in ((first, min(last, start - 1)), (max(first, stop + 1), last))]
        left = [(first, last) for first, last in parts if first <= last]
    return left


class Fold:
    """Recounts one terminal and epoch. Offer it every event once for each time it stands in Kafka."""

    __slots__ = (
        "_before", "_boundaries", "_closed_through", "_digest", "_early", "_findings", "_followed_from", "_holes",
        "_next_boundary", "_scope", "_segment", "_segment_first", "_segment_whole", "blocks", "closes", "covered",
        "day_chains", "epoch", "highest", "next", "open_lines", "partition", "terminal", "unfollowed",
    )  # fmt: skip

    def __init__(
        self,
        terminal: bytes,
        epoch: int,
        partition: int,
        scope: Scope,
        closes: Iterable[Close] = (),
        *,
        from_start: bool,
    ) -> None:
        """`from_start`: the recount reads everything Kafka ever had, so number 1 must come."""
        self.terminal, self.epoch, self.partition = terminal, epoch, partition
        self._scope, self._findings = scope, scope.findings
        self.closes = sorted(closes, key=lambda close: (close.last_seq, close.close_no))
        self._boundaries: Sequence[int] = sorted({close.last_seq for close in self.closes})
        self._closed_through = self._boundaries[-1] if self._boundaries else 0
        self.highest = 0
        self.unfollowed = 0
        """Digests stated that could not be checked, because events before them are missing."""
        self.blocks: dict[int, Block] = {}
        self.covered: dict[LineKey, list[int]] = {}
        """Totals of the events that closes cover."""
        self.open_lines: dict[LineKey, list[int]] = {}
        """Totals of the events after the last close."""
        self.day_chains: dict[int, tuple[int, bytes]] = {}
        """By day: last number and digest of the auditor's own chain over the events that no close covers."""
        self._early: dict[int, Piece] = {}
        self._holes: list[tuple[int, int]] = []
        self._segment: dict[LineKey, list[int]] = {}
        self.next = 0
        self._before = 0
        if from_start:
            self._begin(1)

    def offer(self, piece: Piece) -> None:
        """Take an event as it stands in Kafka."""
        seq = piece.event[SEQ]
        number = seq >> BLOCK_BITS
        block = self.blocks.get(number)
        if block is None:
            block = self.blocks[number] = Block(self.partition)
        block.stands_at(piece.topic, piece.offset)
        if not self.next:
            self._begin(seq)
        if seq == self.next:
            self._take(piece, block)
            if self._early:
                self._take_early()
        elif seq < self.next:
            self._take_late(piece, block)
        elif seq in self._early:
            block.repeated = True
        else:
            self._early[seq] = piece
            if len(self._early) > MOST_EARLY:
                self._give_up_gap()

    def finish(self) -> None:
        """After the last event: take what still waits, and report what closes state that is nowhere."""
        while self._early:
            self._give_up_gap()
        if not self.next:
            self._begin(self._closed_through + 1)
        self._flush(self.covered if self._closed_through >= self.next else self.open_lines)
        waived = self._scope.waived.get((self.terminal.decode("utf-8", "replace"), self.epoch), ())
        for first, last in without(self.missing(), waived):
            detail = f"the terminal closed through {self._closed_through}"
            self._report(Kind.MISSING, first, last, detail)

    def missing(self) -> list[tuple[int, int]]:
        """Ranges of numbers that a close covers and Kafka lacks, in order."""
        gaps = [*self._holes, (self.next, self._closed_through)]
        return [(first, min(last, self._closed_through)) for first, last in sorted(gaps)
                if first <= min(last, self._closed_through)]  # fmt: skip

    def asked_day(self, day: str) -> int:
        """The ordinal of a day written as text; 0 where it is not one that the recount looks at, or no day."""
        try:
            ordinal = date.fromisoformat(day).toordinal()
        except ValueError:
            return 0
        return ordinal if self._scope.first_day <= ordinal <= self._scope.last_day else 0

    def gaps(self) -> list[tuple[int, int]]:
        """Ranges of numbers below the highest that Kafka lacks, closed or not."""
        return sorted(self._holes)

    def _begin(self, seq: int) -> None:
        """Start at a number: from the digest of a close, where one ends right before."""
        self.next = self._followed_from = self._segment_first = seq
        self._before = seq - 1
        self._digest = self._digest_through(seq - 1)
        self._segment_whole = seq == 1 or seq - 1 in self._boundaries
        self._next_boundary = self._boundary_from(seq)
        if seq == 1 and self._boundaries and self._boundaries[0] == 0:
            self._cross_boundary(0)

    def _digest_through(self, seq: int) -> bytes:
        """The digest through a number, as far as it is known from closes alone."""
        if not seq:
            return chain_start(self.terminal, self.epoch)
        return next((close.digest for close in self.closes if close.last_seq == seq), b"")

    def _take(self, piece: Piece, block: Block) -> None:
        """The next event in order."""
        seq = self.next
        if self._digest:
            self._digest = sha256(self._digest + piece.raw).digest()
        self._count(piece, block, self._segment)
        if piece.stated:
            self._check_digest(piece.stated, seq, "the batch")
        self.next = seq + 1
        if seq > self._closed_through:
            day = piece.day
            if self._scope.first_day <= day <= self._scope.last_day:
                known = self.day_chains.get(day)
                before = known[1] if known else day_chain_start(self.terminal, self.epoch, day)
                self.day_chains[day] = (seq, sha256(before + piece.raw).digest())
        elif seq == self._next_boundary:
            self._cross_boundary(seq)

    def _count(self, piece: Piece, block: Block, lines: dict[LineKey, list[int]]) -> None:
        """Add an event to its block and to its line."""
        event, day, scope = piece.event, piece.day, self._scope
        if event[SEQ] > self.highest:  # noqa: PLR1730 (as above)
            self.highest = event[SEQ]
        if scope.first_day <= day <= scope.last_day:
            block.count += 1
            block.total += content_hash(piece.raw, piece.outlet, scope.secret)
        if self.closes or scope.keep_lines:
            key = (piece.outlet, day, event[GAME], event[KIND], event[DRAW])
            sums = lines.get(key)
            if sums is None:
                lines[key] = [1, event[BETS], event[AMOUNT]]
            else:
                sums[0] += 1
                sums[1] += event[BETS]
                sums[2] += event[AMOUNT]

    def _check_digest(self, stated: bytes, seq: int, who: str) -> None:
        """Compare with a digest that somebody stated, and go on from that one."""
        if not self._digest:
            self.unfollowed += 1
        elif stated != self._digest:
            detail = f"{who} states {stated.hex()[:16]}, these events give {self._digest.hex()[:16]}"
            self._report(Kind.DIGEST_MISMATCH, self._followed_from, seq, detail)
        self._digest, self._followed_from = stated, seq + 1

    def _cross_boundary(self, seq: int) -> None:
        """Compare the closes that end here with what was counted."""
        counted: dict[tuple[str, str, int], Sums] = {}
        for (_, day, game, kind, _), (events, bets, fen) in self._segment.items():
            name = (day_text(day), game.decode("utf-8", "replace"), kind)
            before = counted.get(name, (0, 0, 0))
            counted[name] = (before[0] + events, before[1] + bets, before[2] + fen)
        for close in self.closes:
            if close.last_seq == seq:
                if close.digest:
                    self._check_digest(close.digest, seq, f"close {close.close_no}")
                if close.first_seq > seq:
                    self._check_lines(close, {})
                elif self._segment_whole and close.first_seq == self._segment_first:
                    self._check_lines(close, counted)
        self._flush(self.covered)
        self._segment_first, self._segment_whole = seq + 1, True
        self._next_boundary = self._boundary_from(seq + 1)

    def _check_lines(self, close: Close, counted: Mapping[tuple[str, str, int], Sums]) -> None:
        """Whether a close's lines add up to the events it covers."""
        stated = {key: sums for key, sums in close.lines.items() if sums != (0, 0, 0)}
        for key in sorted(counted.keys() | stated.keys()):
            if counted.get(key) != stated.get(key):
                detail = f"close {close.close_no}, line {key[0]} {key[1]} kind {key[2]}: not the sum of these events"
                self._report(Kind.LINES_DIFFER, close.first_seq, close.last_seq, detail)

    def _flush(self, into: dict[LineKey, list[int]]) -> None:
        """Move the segment's lines to the totals."""
        if self._scope.keep_lines:
            for key, sums in self._segment.items():
                if self._scope.first_day <= key[1] <= self._scope.last_day:
                    total = into.setdefault(key, [0, 0, 0])
                    for place in range(3):
                        total[place] += sums[place]
        self._segment = {}

    def _take_early(self) -> None:
        """Take events that waited for the one before them."""
        while (piece := self._early.pop(self.next, None)) is not None:
            self._take(piece, self.blocks[piece.event[SEQ] >> BLOCK_BITS])

    def _give_up_gap(self) -> None:
        """Go on behind a gap: the chain cannot be followed until the next digest stated."""
        lowest = min(self._early)
        self._holes.append((self.next, lowest - 1))
        passed = [boundary for boundary in self._boundaries if self.next <= boundary < lowest]
        if passed:
            self._flush(self.covered)
        self.next = self._followed_from = self._segment_first = lowest
        self._digest = self._digest_through(lowest - 1)
        self._segment_whole = bool(passed) and passed[-1] == lowest - 1
        self._next_boundary = self._boundary_from(lowest)
        self._take_early()

    def _take_late(self, piece: Piece, block: Block) -> None:
        """An event behind the chain: it fills a gap that was given up, or stands in Kafka a second time."""
        seq = piece.event[SEQ]
        for place, (first, last) in enumerate(self._holes):
            if first <= seq <= last:
                rest = [(first, seq - 1), (seq + 1, last)]
                self._holes[place : place + 1] = [part for part in rest if part[0] <= part[1]]
                is_asked = self._scope.first_day <= piece.day <= self._scope.last_day
                lines = self.covered if seq <= self._closed_through else self.open_lines
                self._count(piece, block, lines if is_asked else {})
                return
        block.repeated = True

    def _boundary_from(self, seq: int) -> int:
        """The next number at which a close ends; 0 behind the last."""
        place = bisect_left(self._boundaries, seq)
        return self._boundaries[place] if place < len(self._boundaries) else 0

    def _report(self, kind: Kind, first: int, last: int, detail: str) -> None:
        name = self.terminal.decode("utf-8", "replace")
        self._findings.add(Finding(kind, name, self.epoch, first, last, WHERE, "", detail))
