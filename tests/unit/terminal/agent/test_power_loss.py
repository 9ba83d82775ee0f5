"""The power goes at any write or sync: what the till was answered is there, whole, and no number is used twice."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from pathlib import Path
from random import Random

import apsw
import pytest

from fucai.domain.calendar import business_day
from fucai.runtime.errors import FatalError
from fucai.terminal.agent import database, statements
from fucai.terminal.agent.outbox import Batch, Position, Recorded
from fucai.terminal.agent.sqlite_outbox import SqliteOutbox
from fucai.terminal.agent.writer import OutboxBrokenError
from fucai.v1.sales_pb2 import SalesEvent
from tests.support.power import PowerDisk
from tests.unit.terminal.agent import shop
from tests.unit.terminal.agent.shop import Shop

SEEDS = range(30)


class Till:
    """Records at random, and remembers what was answered and what could be seen for sending."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.answered: dict[tuple[int, int], bytes] = {}
        self.seen: dict[tuple[int, int], bytes] = {}
        self.epochs: set[int] = set()
        self._number = 0

    def work(self, at: Shop, turns: int) -> None:
        """Records, acknowledges and closes until the turns are over or the outbox fails."""
        for _ in range(turns):
            asked: list[tuple[list[SalesEvent], Future[Recorded]]] = []
            for _ in range(self.random.randint(1, 3)):
                events = [self._sale() for _ in range(self.random.choice((1, 1, 2, 60)))]
                asked.append((events, at.writer.submit(partial(_append, events))))
            for events, answer in asked:
                recorded = answer.result()
                for seq, event in enumerate(events, recorded.first_seq):
                    event.seq = seq
                    self.answered[recorded.epoch, seq] = event.SerializeToString(deterministic=True)
            self.look(at)
            self._settle(at)

    def look(self, at: Shop) -> None:
        """Sees what could be sent: no number has two contents, whenever it is looked at."""
        self.epochs |= {row.epoch for row in database.read_epochs(at.outbox.connection)}
        for key, event in shop.waiting(at.outbox).items():
            content = event.SerializeToString(deterministic=True)
            assert self.seen.setdefault(key, content) == content

    def _sale(self) -> SalesEvent:
        self._number += 1
        return shop.sale(self._number)

    def _settle(self, at: Shop) -> None:
        if self.random.random() < 0.3:
            for batch, _ in list(shop.batches(at.outbox))[:1]:
                at.writer.submit(partial(_acknowledge, batch)).result()
        if self.random.random() < 0.1:
            day = business_day(shop.NOON_MS, shop.ZONE)
            at.writer.submit(lambda outbox: statements.close_day(outbox.connection, at.who, day, shop.NOON_MS)).result()
        if self.random.random() < 0.1:
            at.writer.submit(lambda outbox: outbox.prune(0, 10)).result()


def _append(events: list[SalesEvent], outbox: SqliteOutbox) -> Recorded:
    return outbox.append(events, "", 1)


def _acknowledge(batch: Batch, outbox: SqliteOutbox) -> None:
    outbox.acknowledge(batch, [], 1)


def live_and_die(folder: Path, disk: PowerDisk, till: Till, lives: int = 3) -> None:
    """Opens, works and loses power a few times, then checks what is there."""
    for _ in range(lives):
        disk.operations, disk.dies_at = 0, till.random.randint(1, 250)
        try:
            with shop.opened(folder, vfs=disk.name) as at:
                till.look(at)
                till.work(at, turns=40)
        except (OutboxBrokenError, FatalError, apsw.Error):
            assert disk.dead
        disk.lose_power(till.random)
    with shop.opened(folder, vfs=disk.name) as at:
        till.look(at)
        assert not at.folder.damaged()
        assert len(till.epochs) <= 1
        rows = {database.position_of(row.place): row.event for row in database.read_events(at.outbox.connection, -1)}
        for key, content in till.answered.items():
            assert rows[Position(*key)] == content
        assert all(rows[Position(*key)] == content for key, content in till.seen.items())


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_answered_survives_power_loss(tmp_path: Path, seed: int) -> None:
    """Three lives that end at a random write, torn at sectors: nothing answered or seen is lost or changed."""
    live_and_die(tmp_path, PowerDisk(f"power-{seed}"), Till(Random(seed)))


def test_without_sync_it_would_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lives with synchronous=OFF break the promise: the test above can fail."""
    opening = database.open_database

    def careless(path: Path, vfs: str = "") -> apsw.Connection:
        connection = opening(path, vfs)
        connection.pragma("synchronous", "off")
        return connection

    monkeypatch.setattr(database, "open_database", careless)
    broken = 0
    for seed in SEEDS:
        try:
            live_and_die(tmp_path / str(seed), PowerDisk(f"careless-{seed}"), Till(Random(seed)))
        except (AssertionError, KeyError, FatalError, apsw.Error):
            broken += 1
        if broken:
            return
    pytest.fail("no seed showed that nothing was synced")
