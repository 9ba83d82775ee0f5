"""The recount of one terminal: whatever the order, the gaps and the repetitions, it says what is in the log."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from fucai.auditor import wire
from fucai.auditor.days import DayClock
from fucai.auditor.findings import Findings, Kind
from fucai.auditor.fold import Fold, Piece, Scope, without
from fucai.auditor.statements import Close
from fucai.domain.chain import event_bytes
from fucai.v1 import sales_pb2, statement_pb2
from tests.support.stating import DAY, ZONE, Till

CLOCK = DayClock(ZONE)
SECRET = b"secret"


def scope(findings: Findings) -> Scope:
    """The first day and the two after it, line by line."""
    return Scope(DAY.toordinal(), DAY.toordinal() + 2, SECRET, keep_lines=True, findings=findings)


def pieces(batch: sales_pb2.SalesBatch, offset: int = 0, topic: int = 0) -> list[Piece]:
    """A batch's events as the recount offers them."""
    found = []
    for event in batch.events:
        raw = event_bytes(event)
        stated = batch.digest if event is batch.events[-1] else b""
        day = CLOCK.day(event.sold_at_ms)
        found.append(Piece(raw, wire.read_event(raw), day, batch.outlet_id.encode(), topic, offset, stated))
    return found


def as_close(signed: statement_pb2.SignedStatement) -> Close:
    """A signed close as the book keeps it."""
    statement = statement_pb2.Statement.FromString(signed.content)
    close = statement.close
    lines = {(line.business_day, line.game, int(line.kind)): (line.events, line.bets, line.amount_fen)
             for line in close.lines}  # fmt: skip
    return Close(statement.terminal_id, statement.outlet_id, statement.epoch, close.business_day, close.close_no,
                 close.first_seq, close.last_seq, close.digest, lines)  # fmt: skip


def folded(offered: list[Piece], closes: list[Close], *, from_start: bool = True) -> tuple[Fold, Findings]:
    """Offer pieces and finish."""
    findings = Findings()
    fold = Fold(b"T1", 7, 0, scope(findings), closes, from_start=from_start)
    for piece in offered:
        fold.offer(piece)
    fold.finish()
    return fold, findings


def totals(fold: Fold) -> tuple[int, int, int]:
    """All lines of a fold together."""
    sums = [*fold.covered.values(), *fold.open_lines.values()]
    return sum(each[0] for each in sums), sum(each[1] for each in sums), sum(each[2] for each in sums)


def sold(sizes: list[int], close_after: int) -> tuple[Till, list[list[Piece]], list[Close]]:
    """A till's batches of these sizes, with a close after one of them."""
    till, made, closes = Till("T1"), [], []
    for number, size in enumerate(sizes):
        made.append(pieces(till.sell(size, day=number % 3), offset=number))
        if number == close_after:
            closes.append(as_close(till.close()))
    return till, made, closes


SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=12)


@given(SIZES, st.integers(0, 12), st.randoms(use_true_random=False))
def test_order_and_repetition_leave_no_trace(sizes: list[int], close_after: int, choose: random.Random) -> None:
    """Batches in any order, some of them twice, give the same chain, totals and blocks, and nothing is found."""
    till, made, closes = sold(sizes, close_after)
    in_order, _ = folded([piece for batch in made for piece in batch], closes)
    shuffled = [*made, *choose.choices(made, k=3)]
    choose.shuffle(shuffled)
    fold, findings = folded([piece for batch in shuffled for piece in batch], closes)
    assert not list(findings)
    assert totals(fold) == totals(in_order)
    sent = till.events
    assert totals(fold) == (len(sent), sum(e.bets for e in sent), sum(e.amount_fen for e in sent))
    assert fold.day_chains == in_order.day_chains
    assert {n: (b.count, b.total) for n, b in fold.blocks.items()} == {
        n: (b.count, b.total) for n, b in in_order.blocks.items()
    }
    assert any(block.repeated for block in fold.blocks.values())


@given(SIZES, st.integers(0, 11), st.data())
def test_any_changed_event_is_found(sizes: list[int], close_after: int, data: st.DataObject) -> None:
    """One event with another amount: its batch's digest no longer fits, and the range named holds it."""
    till, made, closes = sold(sizes, close_after)
    flat = [piece for batch in made for piece in batch]
    victim = data.draw(st.integers(0, len(flat) - 1))
    event = sales_pb2.SalesEvent.FromString(flat[victim].raw)
    event.amount_fen += 200
    raw = event_bytes(event)
    flat[victim] = flat[victim]._replace(raw=raw, event=wire.read_event(raw))
    _, findings = folded(flat, closes)
    mismatches = [found for found in findings if found.kind is Kind.DIGEST_MISMATCH]
    assert len(mismatches) == 1
    assert mismatches[0].first_seq <= victim + 1 <= mismatches[0].last_seq
    assert any(found.kind is Kind.LINES_DIFFER for found in findings) == (victim < till.closed_through)


@given(SIZES, st.data())
def test_missing_events_under_a_close_are_named(sizes: list[int], data: st.DataObject) -> None:
    """A batch that never came leaves exactly its numbers missing, and the chain goes on from the next digest."""
    _, made, closes = sold(sizes, len(sizes) - 1)
    lost = data.draw(st.integers(0, len(made) - 1))
    kept = [piece for number, batch in enumerate(made) if number != lost for piece in batch]
    fold, findings = folded(kept, closes)
    (found,) = [each for each in findings if each.kind is Kind.MISSING]
    assert (found.first_seq, found.last_seq) == (made[lost][0].event[1], made[lost][-1].event[1])
    assert [each.kind for each in findings] == [Kind.MISSING]
    assert fold.missing() == [(found.first_seq, found.last_seq)]


@given(SIZES, st.integers(0, 11))
def test_starts_in_the_middle_of_an_epoch(sizes: list[int], skipped: int) -> None:
    """A recount whose window begins within an epoch finds nothing wrong with what came before."""
    till, made, closes = sold(sizes, len(sizes) // 2)
    rest = [piece for batch in made[skipped:] for piece in batch]
    fold, findings = folded(rest, closes, from_start=False)
    assert not list(findings)
    assert totals(fold)[0] == len(rest)
    assert len(till.events) >= len(rest)


RANGES = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair))), max_size=4)


@given(RANGES, RANGES)
def test_without_takes_away_numbers(ranges: list[tuple[int, int]], taken: list[tuple[int, int]]) -> None:
    """What is left is the difference of the sets of numbers."""

    def numbers(given_ranges: list[tuple[int, int]]) -> set[int]:
        return {number for first, last in given_ranges for number in range(first, last + 1)}

    assert numbers(without(ranges, taken)) == numbers(ranges) - numbers(taken)
