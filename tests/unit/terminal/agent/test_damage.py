"""Bytes of an outbox are overwritten: it is set aside, and what can be read goes on under its old numbers."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest

from fucai.domain.chain import content_digest
from fucai.terminal.agent.database import read_epochs
from fucai.terminal.agent.outbox import BatchLimits
from fucai.v1.sales_pb2 import SalesEvent
from fucai.v1.statement_pb2 import OpeningReason, SignedStatement
from tests.unit.terminal.agent import shop

EVENTS = 400
ACKNOWLEDGED = 100


def fill(folder: Path, *, checkpointed: bool) -> tuple[int, dict[int, SalesEvent]]:
    """An outbox of 400 sales, 100 acknowledged, the first 50 closed; its epoch, and the events by number.

    Left as a power cut leaves it: not checkpointed, all of it stands in the write-ahead log.
    """
    recorded: dict[int, SalesEvent] = {}
    with shop.opened(folder) as at:
        for start in range(1, EVENTS, 10):
            events = [shop.sale(number) for number in range(start, start + 10)]
            at.record(events, f"r{start}")
            recorded |= {event.seq: event for event in events}
            if start == 41:
                at.close()
        for batch, _ in list(shop.batches(at.outbox, BatchLimits(max_events=ACKNOWLEDGED)))[:1]:
            at.acknowledge(batch)
        epoch = read_epochs(at.outbox.connection)[-1].epoch
        if not checkpointed:
            for connection in (at.outbox.connection, at.make(lambda outbox: outbox.connection)):
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    return epoch, recorded


def overwrite(path: Path, random: Random, places: int, length: int, first: int = 0) -> None:
    """Random bytes at random places."""
    content = bytearray(path.read_bytes())
    for _ in range(places):
        start = random.randrange(first, max(first + 1, len(content) - length))
        content[start : start + length] = random.randbytes(length)
    path.write_bytes(content)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("checkpointed", [True, False])
def test_what_can_be_read_is_sent_under_its_old_numbers(tmp_path: Path, seed: int, checkpointed: bool) -> None:  # noqa: FBT001
    """Whatever was overwritten: each event to send is one that was recorded, most are there, and the damage is told."""
    epoch, recorded = fill(tmp_path, checkpointed=checkpointed)
    random = Random(seed)
    path = tmp_path / ("outbox.db" if checkpointed else "outbox.db-wal")
    overwrite(path, random, places=1 + seed % 4, length=random.choice((1, 16, 700)))
    with shop.opened(tmp_path, now_ms=shop.NOON_MS + 60_000) as at:
        waiting = shop.waiting(at.outbox)
        assert all(event == recorded[seq] for (of_epoch, seq), event in waiting.items() if of_epoch == epoch)
        assert {of_epoch for of_epoch, _ in waiting} <= {epoch}
        if not at.folder.damaged():
            # What was hit held nothing: all is as it was.
            assert sorted(seq for _, seq in waiting) == list(range(ACKNOWLEDGED + 1, EVENTS + 1))
            return
        due = set(range(ACKNOWLEDGED + 1, EVENTS + 1))
        assert len(due & {seq for _, seq in waiting}) > len(due) - 200
        told = shop.stated(at.outbox)
        opened, damage = told[-2], told[-1]
        assert opened.opened.reason == OpeningReason.OPENING_REASON_DAMAGE
        assert (opened.epoch, opened.number, opened.opened.previous_epoch) == (damage.epoch, 1, epoch)
        assert damage.damage.damaged_epoch == epoch
        assert damage.damage.salvaged_events == len(waiting)
        assert damage.previous == content_digest(
            SignedStatement.FromString(
                at.outbox.connection.execute(
                    "SELECT message FROM statements WHERE epoch = ? AND number = 1", (opened.epoch,)
                ).get
            ).content
        )
        if lost := due - {seq for _, seq in waiting}:
            assert damage.damage.first_lost_seq <= min(lost)
        at.record([shop.sale()])
        assert (opened.epoch, 1) in shop.waiting(at.outbox)
    assert (at.folder.damaged()[0] / "outbox.db").exists()
    with shop.opened(tmp_path) as again:
        assert len(again.folder.damaged()) == 1


def test_the_digest_is_sent_only_where_the_chain_is_whole(tmp_path: Path) -> None:
    """Behind a hole the digest could not be checked, so none is sent; before it, it is the one of the contract."""
    epoch, recorded = fill(tmp_path, checkpointed=True)
    path = tmp_path / "outbox.db"
    content = bytearray(path.read_bytes())
    at_ = content.index(recorded[250].ticket_serial.encode())
    content[at_ : at_ + 1] = b"x"
    path.write_bytes(content)
    with shop.opened(tmp_path) as at:
        batches = list(shop.batches(at.outbox, BatchLimits(max_events=149)))
        assert [event.seq for _, batch in batches for event in batch.events] == [
            *range(101, 250),
            *range(251, EVENTS + 1),
        ]
        assert batches[0][1].digest == shop.digest_of(epoch, [recorded[seq] for seq in range(1, 250)])
        assert [batch.digest for _, batch in batches[1:]] == [b"", b""]
        assert shop.stated(at.outbox)[-1].damage.first_lost_seq == 250


def test_a_header_that_is_gone_loses_nothing_else(tmp_path: Path) -> None:
    """SQLite takes such a file for no database; every event that does not stand on the first page is salvaged."""
    epoch, recorded = fill(tmp_path, checkpointed=True)
    path = tmp_path / "outbox.db"
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    with shop.opened(tmp_path) as at:
        assert shop.waiting(at.outbox) == {(epoch, seq): recorded[seq] for seq in range(101, EVENTS + 1)}


def test_a_broken_log_is_not_taken_for_a_torn_one(tmp_path: Path) -> None:
    """SQLite would forget every commit behind a bad frame without a word; here it is damage, and they are salvaged."""
    epoch, recorded = fill(tmp_path, checkpointed=False)
    log = tmp_path / "outbox.db-wal"
    content = bytearray(log.read_bytes())
    content[32 + 24 + 5 * 4120 + 9] ^= 0xFF
    log.write_bytes(content)
    with shop.opened(tmp_path) as at:
        assert len(at.folder.damaged()) == 1
        assert shop.waiting(at.outbox) == {(epoch, seq): recorded[seq] for seq in range(101, EVENTS + 1)}


def test_a_log_without_its_header_is_damage_too(tmp_path: Path) -> None:
    """All of the outbox stands in the log, and SQLite would see an empty file: nothing is lost all the same."""
    epoch, recorded = fill(tmp_path, checkpointed=False)
    log = tmp_path / "outbox.db-wal"
    log.write_bytes(bytes(32) + log.read_bytes()[32:])
    with shop.opened(tmp_path) as at:
        assert shop.waiting(at.outbox) == {(epoch, seq): recorded[seq] for seq in range(101, EVENTS + 1)}


def test_a_request_is_known_after_damage(tmp_path: Path) -> None:
    """A till that asks again because the answer was lost in the accident does not record twice."""
    epoch, _ = fill(tmp_path, checkpointed=True)
    path = tmp_path / "outbox.db"
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    with shop.opened(tmp_path) as at:
        known = at.record([shop.sale()], "r391")
        assert (known.epoch, known.first_seq, known.last_seq, known.repeated_request) == (epoch, 391, 400, True)


def test_an_interrupted_salvage_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies in the salvage, twice: the third start has everything, under one new epoch."""
    epoch, recorded = fill(tmp_path, checkpointed=True)
    path = tmp_path / "outbox.db"
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    dying = "fucai.terminal.agent.folder.Folder.install_draft"
    for _ in range(2):
        with monkeypatch.context() as patched:
            patched.setattr(dying, _die)
            with pytest.raises(KeyboardInterrupt), shop.opened(tmp_path):
                pass
    with shop.opened(tmp_path) as at:
        assert shop.waiting(at.outbox) == {(epoch, seq): recorded[seq] for seq in range(101, EVENTS + 1)}
        assert [row.epoch for row in read_epochs(at.outbox.connection)] == [epoch, epoch + 1]
        assert shop.stated(at.outbox)[-2].opened.previous_epoch == epoch


def _die(_folder: object) -> None:
    raise KeyboardInterrupt
