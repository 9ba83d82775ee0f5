"""The outbox on SQLite: numbers, requests, batches, outcomes, statements, closes, and one commit for many."""

from __future__ import annotations

from concurrent.futures import Future, wait
from datetime import timedelta
from pathlib import Path
from threading import Event

import apsw
import pytest

from fucai.domain.chain import content_digest
from fucai.runtime.errors import FatalError
from fucai.terminal.agent import statements
from fucai.terminal.agent.database import read_epochs
from fucai.terminal.agent.outbox import BEFORE_ALL, BatchLimits, OutboxFullError, Position, Recorded
from fucai.terminal.agent.status import LinkState, read_status
from fucai.v1.sales_pb2 import EventKind, Finding, QuarantineReason
from fucai.v1.statement_pb2 import OpeningReason, SignedStatement
from tests.unit.terminal.agent import shop
from tests.unit.terminal.agent.shop import Shop, sale

LINK = LinkState(connected=False, last_error="", alarm="")
DAY = shop.TODAY


def record(at: Shop, count: int = 1, request_id: str = "") -> Recorded:
    """Records sales that differ."""
    return at.record([sale(number + 1) for number in range(count)], request_id)


def acknowledge_all(at: Shop) -> None:
    """The collector has everything."""
    for batch, _ in list(shop.batches(at.outbox)):
        at.acknowledge(batch)


def test_events_are_numbered_and_chained(tmp_path: Path) -> None:
    """From 1 without gaps, over restarts; the digest is the formula of the contract."""
    with shop.opened(tmp_path) as at:
        first = record(at, 3)
    with shop.opened(tmp_path) as at:
        second = record(at, 2)
        events = [event for _, batch in shop.batches(at.outbox) for event in batch.events]
        assert (first.first_seq, first.last_seq, second.first_seq, second.last_seq) == (1, 3, 4, 5)
        assert second.digest == shop.digest_of(second.epoch, events)
        assert [batch.digest for _, batch in shop.batches(at.outbox)] == [second.digest]
        assert first.epoch == shop.NOON_MS // 1000


def test_missing_parts_are_filled_in(tmp_path: Path) -> None:
    """sold_at_ms 0 is now; a reference without terminal and epoch means this terminal, now."""
    with shop.opened(tmp_path) as at:
        event = shop.void(1)
        event.sold_at_ms = 0
        at.make(lambda outbox: outbox.append([event], "", 1_780_000_000_000))
        kept = next(iter(shop.waiting(at.outbox).values()))
        assert kept.sold_at_ms == 1_780_000_000_000
        assert (kept.refers_to.terminal_id, kept.refers_to.epoch) == (shop.TERMINAL, shop.NOON_MS // 1000)


def test_a_request_counts_once(tmp_path: Path) -> None:
    """The same request id again, also after a restart, gives the numbers of then and records nothing."""
    with shop.opened(tmp_path) as at:
        record(at)
        first = record(at, 4, "till-7")
        again = record(at, 4, "till-7")
        assert (again.first_seq, again.last_seq, again.digest) == (first.first_seq, first.last_seq, first.digest)
        assert again.repeated_request
    with shop.opened(tmp_path) as at:
        assert record(at, 4, "till-7").repeated_request
        assert len(shop.waiting(at.outbox)) == 5


def test_batches_keep_their_limits(tmp_path: Path) -> None:
    """At most so many events and so many bytes, but at least one event; together they are everything, in order."""
    with shop.opened(tmp_path) as at:
        record(at, 100)
        for limits in (BatchLimits(7, 10**6), BatchLimits(500, 1_000), BatchLimits(500, 1)):
            found = list(shop.batches(at.outbox, limits))
            assert [event.seq for _, batch in found for event in batch.events] == list(range(1, 101))
            assert all(batch.events <= limits.max_events for batch, _ in found)
            assert all(len(batch.message) <= limits.max_bytes or batch.events == 1 for batch, _ in found)


def test_concurrent_records_share_a_commit(tmp_path: Path) -> None:
    """What is asked for while a commit runs is in the next one, and each caller gets its own numbers or error."""
    with shop.opened(tmp_path) as at:
        gate = Event()
        at.writer.submit(lambda _outbox: gate.wait(10))
        before = at.writer.commits
        asked = [at.writer.submit(lambda outbox: outbox.append([sale()], "", 1)) for _ in range(50)]
        gate.set()
        wait(asked)
        assert [answer.result().first_seq for answer in asked] == list(range(1, 51))
        assert at.writer.commits - before <= 3


def test_an_error_touches_only_its_own_change(tmp_path: Path) -> None:
    """One change in a group fails: the others are made, it is not; a cancelled one is left out."""
    with shop.opened(tmp_path) as at:
        gate = Event()
        at.writer.submit(lambda _outbox: gate.wait(10))
        good = at.writer.submit(lambda outbox: outbox.append([sale()], "", 1))
        bad: Future[float] = at.writer.submit(lambda outbox: outbox.append([sale()], "", 1).first_seq / 0)
        cancelled = at.writer.submit(lambda outbox: outbox.append([sale()], "", 1))
        assert cancelled.cancel()
        after = at.writer.submit(lambda outbox: outbox.append([sale()], "", 1))
        gate.set()
        assert good.result().last_seq == 1
        assert after.result().last_seq == 2
        with pytest.raises(ZeroDivisionError):
            bad.result()


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    """Recording fails, all that was recorded is there, and with room again it goes on, no number left out."""
    with shop.opened(tmp_path) as at:
        record(at, 10)
        pages = at.make(lambda outbox: outbox.connection.pragma("page_count"))
        at.make(lambda outbox: outbox.connection.pragma("max_page_count", pages + 4))
        kept = 10
        full = ""
        while not full:
            try:
                kept = record(at, 10).last_seq
            except OutboxFullError as error:
                full = str(error)
        assert "free space" in full
        assert len(shop.waiting(at.outbox)) == kept
        at.make(lambda outbox: outbox.connection.pragma("max_page_count", 10**6))
        assert record(at).first_seq == kept + 1


def test_what_became_of_events_is_kept(tmp_path: Path) -> None:
    """Accepted, quarantined and refused are counted, the newest findings named, and refused ones stay in the outbox."""
    with shop.opened(tmp_path) as at:
        record(at, 30)
        finding = Finding(
            seq=4, reason=QuarantineReason.QUARANTINE_REASON_UNKNOWN_GAME, field="game", detail="'x' is unknown"
        )
        first, second, _ = (batch for batch, _ in shop.batches(at.outbox, BatchLimits(max_events=10)))
        at.make(lambda outbox: outbox.acknowledge(first, [finding], shop.NOON_MS))
        at.make(lambda outbox: outbox.set_aside(second, "odd", shop.NOON_MS))
        told = read_status(at.outbox, at.folder, LINK, shop.NOON_MS)
        assert (told.accepted_events, told.quarantined_events, list(told.quarantined)) == (9, 1, [finding])
        assert (told.recorded_through, told.acknowledged_through, told.waiting_events) == (30, 10, 10)
        assert told.refused_batches == 1
        assert any("events 11 to 20" in warning and "odd" in warning for warning in told.warnings)
        at.close()
        acknowledge_all(at)
        assert at.make(lambda outbox: outbox.prune(shop.NOON_MS + 1, 100)) == 20


def test_only_what_was_acknowledged_and_closed_is_pruned(tmp_path: Path) -> None:
    """Old events that wait stay; so do acknowledged ones that no close covers; the outbox is sound afterwards."""
    with shop.opened(tmp_path) as at:
        record(at, 5)
        later = shop.NOON_MS + 10 * shop.DAY_MS
        assert at.make(lambda outbox: outbox.prune(later, 100)) == 0
        acknowledge_all(at)
        assert at.make(lambda outbox: outbox.prune(later, 100)) == 0
        at.close()
        record(at, 2)
        assert at.make(lambda outbox: outbox.prune(later, 100)) == 5
    with shop.opened(tmp_path) as at:
        assert not at.folder.damaged()
        assert record(at).first_seq == 8


def test_a_close_covers_everything_since_the_one_before(tmp_path: Path) -> None:
    """Lines by day, game and kind; contiguous numbers; the digest so far; numbered and chained as statements."""
    with shop.opened(tmp_path) as at:
        yesterday = [sale(2, shop.NOON_MS - shop.DAY_MS), sale(3), sale(4), shop.void(1)]
        recorded = at.make(lambda outbox: outbox.append(yesterday, "", shop.NOON_MS))
        first = at.close()
        assert [(line.business_day, line.kind, line.events, line.bets, line.amount_fen) for line in first.lines] == [
            ("2026-05-28", EventKind.EVENT_KIND_SALE, 1, 2, 400),
            ("2026-05-29", EventKind.EVENT_KIND_SALE, 2, 7, 1_400),
            ("2026-05-29", EventKind.EVENT_KIND_VOID, 1, 1, 200),
        ]
        assert (first.close_no, first.first_seq, first.last_seq, first.digest) == (1, 1, 4, recorded.digest)
        record(at)
        second = at.close()
        assert (second.close_no, second.first_seq, second.last_seq) == (2, 5, 5)
        empty = at.close()
        assert (empty.first_seq, empty.last_seq, list(empty.lines)) == (6, 5, [])
        told = shop.stated(at.outbox)
        assert [one.WhichOneof("statement") for one in told] == ["opened", "close", "close", "close"]
        assert [one.number for one in told] == [1, 2, 3, 4]
        contents = [
            SignedStatement.FromString(message).content
            for (message,) in at.outbox.connection.execute("SELECT message FROM statements ORDER BY number")
        ]
        assert [one.previous for one in told] == [b"", *(content_digest(content) for content in contents[:-1])]


def test_statements_wait_for_the_events_they_speak_of(tmp_path: Path) -> None:
    """The opening goes at once, a close when its events are settled, and always in order."""
    with shop.opened(tmp_path) as at:
        record(at, 3)
        at.close()
        opening = at.outbox.due_statement()
        assert opening is not None
        assert opening.number == 1
        at.make(lambda outbox: outbox.settle_statement(opening, 1, "", 1))
        assert at.outbox.due_statement() is None
        record(at)
        batch = at.outbox.unsent(BEFORE_ALL, BatchLimits(max_events=3))
        assert batch is not None
        at.make(lambda outbox: outbox.acknowledge(batch, [], 1))
        due = at.outbox.due_statement()
        assert due is not None
        assert due.number == 2
        assert at.outbox.unsent(Position(due.epoch, 3), BatchLimits()) is not None


def test_missed_days_are_those_without_a_close(tmp_path: Path) -> None:
    """Each day since the last close, or since the epoch began, up to yesterday; a close of the future hides none."""
    with shop.opened(tmp_path) as at:
        connection = at.outbox.connection
        days = [DAY + timedelta(days=n) for n in range(4)]
        assert statements.missed_days(connection, shop.ZONE, DAY) == []
        assert statements.missed_days(connection, shop.ZONE, days[3]) == days[:3]
        at.close(days[1])
        assert statements.missed_days(connection, shop.ZONE, days[3]) == [days[2]]
        at.close(DAY + timedelta(days=400))
        assert statements.missed_days(connection, shop.ZONE, days[3]) == [days[2]]
        assert len(statements.missed_days(connection, shop.ZONE, DAY + timedelta(days=300))) == 62


def test_a_terminal_that_moves_begins_an_epoch(tmp_path: Path) -> None:
    """What was recorded at the old outlet is closed and sent as its own; new events stand under the new outlet."""
    with shop.opened(tmp_path) as at:
        record(at, 2)
    with shop.opened(tmp_path, outlet="GZ-0002") as at:
        record(at, 1)
        assert [(batch.outlet_id, len(batch.events)) for _, batch in shop.batches(at.outbox)] == [
            (shop.OUTLET, 2),
            ("GZ-0002", 1),
        ]
        told = shop.stated(at.outbox)
        assert [one.WhichOneof("statement") for one in told] == ["opened", "close", "opened"]
        assert told[2].opened.reason == OpeningReason.OPENING_REASON_REPLACED
        assert told[2].opened.previous_last_seq == 2
        assert len(read_epochs(at.outbox.connection)) == 2


def test_an_outbox_that_is_gone_is_told(tmp_path: Path) -> None:
    """Somebody removed the file: a new epoch above the old one, with the reason, whatever the clock says."""
    with shop.opened(tmp_path) as at:
        epoch = record(at).epoch
    (tmp_path / "outbox.db").unlink()
    with shop.opened(tmp_path, now_ms=shop.NOON_MS - shop.DAY_MS) as at:
        assert record(at).epoch == epoch + 1
        opened = shop.stated(at.outbox)[0].opened
        assert (opened.reason, opened.previous_epoch) == (OpeningReason.OPENING_REASON_REPLACED, epoch)


def test_a_second_agent_is_refused(tmp_path: Path) -> None:
    """One folder, one agent; and one terminal."""
    with shop.opened(tmp_path), pytest.raises(FatalError, match="another agent") as refused, shop.opened(tmp_path):
        pass
    assert refused.value.exit_code == 75


def test_the_outbox_of_another_terminal_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder given to the wrong terminal is left as it is."""
    with shop.opened(tmp_path):
        pass
    monkeypatch.setattr(shop, "TERMINAL", "T-2")
    with pytest.raises(FatalError, match="outbox of terminal 'T-1'") as refused, shop.opened(tmp_path):
        pass
    assert refused.value.exit_code == 65


def test_a_disk_that_fills_is_warned_of_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less free than 30 busy days take is a warning; so is an event that has waited for a day."""
    with shop.opened(tmp_path) as at:
        record(at)
        assert not read_status(at.outbox, at.folder, LINK, shop.NOON_MS).warnings
        late = read_status(at.outbox, at.folder, LINK, shop.NOON_MS + 25 * 3_600_000)
        assert "25 h" in late.warnings[0]
        monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 59 * 2**20 - 2**20}))
        assert "free space" in read_status(at.outbox, at.folder, LINK, shop.NOON_MS).warnings[0]


def test_thirty_busy_days_take_what_is_warned_of(tmp_path: Path) -> None:
    """An event with all that is kept beside it takes less than the 1 KiB that the warning reckons with."""
    with shop.opened(tmp_path) as at:
        for _ in range(10):
            record(at, 200)
    assert (tmp_path / "outbox.db").stat().st_size / 2_000 < 1_024
    assert apsw.Connection(str(tmp_path / "outbox.db")).execute("SELECT count(*) FROM events").get == 2_000
