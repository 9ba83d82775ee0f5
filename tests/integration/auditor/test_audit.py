"""The auditor between a real broker, the real loader and the real engine: whatever is changed behind it, it names."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from fucai.auditor.report import HEADER, line_values
from fucai.domain import topics
from fucai.v1 import sales_pb2, statement_pb2
from tests.integration.auditor.conftest import World, forged, found, settle, verdicts
from tests.support.batches import rejected_batch
from tests.support.loading import loader_thread
from tests.support.stating import DAY, Till
from tests.support.waiting import eventually


def trading(world: World, terminals: int = 4) -> list[Till]:
    """Tills that open, sell in batches over two days, and close the first day."""
    tills = [world.till(f"T{number}") for number in range(terminals)]
    for till in tills:
        world.state(till.opened())
        for _ in range(6):
            world.send(till.sell(25))
        world.state(till.close())
        world.send(till.sell(10, day=1))
    return tills


def test_finds_nothing_where_nothing_is_wrong_and_names_each_change_of_the_store(world: World) -> None:
    """Clean first; then one amount changed, one row added, one removed, one moved to another outlet: each is named."""
    trading(world)
    world.send(Till("NOCLOSE").sell(7))
    rejected = rejected_batch(8, 2, "NOCLOSE")
    world.send(rejected, topic=topics.QUARANTINE)
    world.load()
    clean = world.audit()
    assert found(clean) == []
    assert clean.is_clean
    assert verdicts(clean) == {"agrees", "no_close"}
    assert (clean.events, clean.unfollowed) == (4 * 160 + 9, 0)
    assert [day.closes for day in clean.roots] == [4]
    assert {line.withheld for line in clean.lines} == {True}
    assert world.audit().roots == clean.roots

    settle(
        world.client,
        [
            "ALTER TABLE sales UPDATE amount_fen = amount_fen + 200 WHERE terminal_id = 'T0' AND seq = 17",
            "ALTER TABLE sales DELETE WHERE terminal_id = 'T1' AND seq = 30",
            "INSERT INTO sales SELECT * REPLACE (9000 AS seq) FROM sales WHERE terminal_id = 'T2' LIMIT 1",
            "INSERT INTO sales SELECT * REPLACE ('O-X' AS outlet_id) FROM sales WHERE terminal_id = 'T3' AND seq = 5",
            "ALTER TABLE sales DELETE WHERE terminal_id = 'T3' AND seq = 5 AND outlet_id = 'O-T3'",
            "ALTER TABLE quarantine UPDATE game = 'ssq' WHERE terminal_id = 'NOCLOSE' AND seq = 8",
        ],
    )
    done = world.audit()
    assert found(done) == [
        ("added", "T2", 9000, "sales"),
        ("changed", "NOCLOSE", 8, "quarantine"),
        ("changed", "T0", 17, "sales"),
        ("changed", "T3", 5, "sales"),
        ("removed", "T1", 30, "sales"),
    ]
    fields = {each.terminal_id: each.field for each in done.findings}
    assert (fields["T0"], fields["T3"], fields["NOCLOSE"]) == ("amount_fen", "outlet_id", "game")
    differing = {line.terminal_id: line.sequences for line in done.lines if line.verdict == "differs"}
    assert {name: differing[name] for name in ("T0", "T1", "T2")} == {"T0": "17", "T1": "30", "T2": "9000"}
    assert "600" not in "".join(each.detail for each in done.findings)
    assert found(world.audit(lines=False)) == found(done)


def test_bad_statements_are_each_named(world: World) -> None:
    """Forged signature, strange key, replayed close, fork, closes that do not join, an epoch never opened."""
    good, lines = world.till("GOOD"), world.till("LINES")
    for till in (good, lines):
        world.state(till.opened())
        world.send(till.sell(20))
    close = good.close()
    world.state(close, close)
    altered = world.till("ALTERED")
    world.state(altered.opened())
    world.send(altered.sell(10))
    first = altered.close()
    replay = Till("ALTERED", key=altered.key)
    replay.opened()
    replay.sell(3)
    world.state(first, replay.close())
    stranger = Till("GOOD")
    stranger.statements = 2
    world.state(stranger.close(), forged(close))
    before = lines.previous
    content = statement_pb2.Statement.FromString(lines.close().content)
    content.close.lines[0].amount_fen += 1
    lines.statements, lines.previous = 1, before
    world.state(lines.state(close=content.close))
    unopened = world.till("UNOPENED")
    world.send(unopened.sell(5))
    world.state(unopened.close())
    fork = world.till("FORK")
    world.state(fork.opened())
    fork.previous = b"x" * 32
    world.send(fork.sell(4))
    world.state(fork.close())
    joint = world.till("JOINT")
    world.state(joint.opened())
    world.send(joint.sell(6))
    joint.closed_through = 2
    world.state(joint.close())
    world.load()
    done = world.audit()
    assert found(done) == sorted(
        [
            ("altered_close", "ALTERED", 1, "statements"),
            ("unknown_key", "GOOD", 1, "statements"),
            ("forged_signature", "GOOD", 1, "statements"),
            ("lines_differ", "LINES", 1, "kafka"),
            ("epoch_never_opened", "UNOPENED", 1, "statements"),
            ("fork", "FORK", 1, "statements"),
            ("closes_do_not_join", "JOINT", 3, "statements"),
        ]
    )
    assert {line.terminal_id for line in done.lines if line.verdict == "differs"} == {"LINES", "JOINT"}


def test_bad_sequences_are_each_named(world: World) -> None:
    """A number used twice, an ended epoch, an epoch nobody stated, a changed record, events that never came."""
    reuse, ended, lost, broken = (world.till(name) for name in ("REUSE", "ENDED", "LOST", "BROKEN"))
    for till in (reuse, ended, lost, broken):
        world.state(till.opened())
    first = reuse.sell(10)
    other = sales_pb2.SalesBatch()
    other.CopyFrom(first)
    del other.events[:6]
    other.events[0].amount_fen += 100
    other.digest = b""
    world.send(first, first, other)
    world.send(ended.sell(5))
    successor = Till("ENDED", epoch=9, key=ended.key, previous=ended.previous)
    world.state(successor.opened(previous_epoch=7, previous_last_seq=5))
    world.send(ended.sell(3), successor.sell(2))
    world.send(Till("ENDED", epoch=11).sell(2))
    lost.sell(4)
    world.send(lost.sell(4))
    world.state(lost.close())
    batch = broken.sell(8)
    batch.events[3].amount_fen += 200
    world.send(batch)
    world.state(broken.close())
    world.load()
    done = world.audit()
    assert found(done) == sorted(
        [
            ("seq_reuse", "REUSE", 7, "kafka"),
            ("epoch_ended", "ENDED", 6, "kafka"),
            ("epoch_never_opened", "ENDED", 1, "kafka"),
            ("missing", "LOST", 1, "kafka"),
            ("digest_mismatch", "BROKEN", 1, "kafka"),
            ("lines_differ", "BROKEN", 1, "kafka"),
        ]
    )
    (reused,) = [each for each in done.findings if each.kind == "seq_reuse"]
    assert reused.field == "amount_fen"
    (line,) = [line for line in done.lines if line.terminal_id == "LOST"]
    assert (line.verdict, line.sequences) == ("differs", "1-4")


def test_waived_numbers_and_events_on_their_way_differ_from_nothing(world: World) -> None:
    """A waiver explains numbers that never came; records above the loader's committed offset are in flight."""
    lost = world.till("LOST")
    world.state(lost.opened())
    lost.sell(4)
    world.send(lost.sell(4))
    world.state(lost.close())
    world.load()
    world.client.insert(
        "waivers",
        [["LOST", 7, 1, 4, "the outlet burnt down", "Li"]],
        column_names=["terminal_id", "epoch", "first_seq", "last_seq", "reason", "waived_by"],
    )
    late = world.till("LATE")
    world.state(late.opened())
    world.send(late.sell(3))
    world.state(late.close())
    done = world.audit()
    assert done.is_clean, found(done)
    assert {line.terminal_id: str(line.verdict) for line in done.lines} == {"LOST": "waived", "LATE": "in_flight"}
    assert done.in_flight == 3


def test_a_period_is_proven_day_by_day(world: World) -> None:
    """Each day has a root, chained to the day before, whatever window it is computed from."""
    trading(world, 2)
    world.load()
    both = world.audit(DAY, DAY + timedelta(days=1), lines=False)
    assert both.is_clean
    first, second = both.roots
    assert second.previous == first.root
    assert (first.closes, second.chains) == (2, 2)
    alone = world.audit(DAY + timedelta(days=1), lines=False)
    assert alone.roots[0].content == second.content


def test_differs_from_nothing_while_sales_flow(world: World) -> None:
    """An audit beside live tills and a live loader finds nothing: what moves meanwhile is in flight, not different."""
    till, stop = world.till("LIVE"), threading.Event()

    def sell() -> None:
        while not stop.wait(0.01):
            world.send(till.sell(5))
            world.writer.flush()

    selling = threading.Thread(target=sell)
    selling.start()
    try:
        with loader_thread(world.broker, world.database.url, world.database.name):
            eventually(lambda: world.client.query("SELECT count() FROM sales").result_rows[0][0] > 50)
            for _ in range(2):
                done = world.audit()
                assert done.is_clean, found(done)
                assert verdicts(done) <= {"no_close", "in_flight"}
    finally:
        stop.set()
        selling.join()


@pytest.mark.parametrize("drawn", [False, True])
def test_amounts_of_sealed_draws_stay_hidden(world: World, *, drawn: bool) -> None:
    """Lines of a draw past its sales close show sums only once it is recorded as drawn.

    So do lines of events that a terminal closed and nobody found: they may be of that draw.
    """
    till, lossy = world.till("T1"), world.till("T2")
    world.state(till.opened())
    world.send(till.sell(5))
    world.state(till.close())
    world.send(till.sell(2))
    lossy.sell(3)
    world.state(lossy.opened(), lossy.close())
    world.client.command("INSERT INTO imports (import_id, source) VALUES (1, 'test')")
    drawn_ms = 1_760_000_900_000 if drawn else 0
    columns = "game, draw_no, sales_close_ms, drawn_ms, import_id"
    values = f"('3d', '2025280', 1760000800000, {drawn_ms}, 1)"
    world.client.command(f"INSERT INTO draw_rows ({columns}) VALUES {values}")
    world.load()
    line, lost = world.audit().lines
    assert (line.withheld, lost.withheld) == (not drawn, not drawn)
    assert lost.stated == (3, 9, 1_800)
    assert line.detail == "events after the last close"
    figures = {name for name, value in zip(HEADER, line_values(lost), strict=True) if name.endswith("fen") and value}
    assert figures == ({"stated_fen"} if drawn else set())
