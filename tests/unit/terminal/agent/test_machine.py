"""The machine under random losses, and rule by rule: what it sends, believes, waits for and gives up (nothing)."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fucai.terminal.agent.machine import (
    Acknowledge,
    CloseStream,
    Connect,
    Failure,
    Policy,
    Send,
    SendingMachine,
    SetAside,
    WakeAt,
)
from fucai.terminal.agent.outbox import BatchLimits
from fucai.v1.sales_pb2 import Receipt
from tests.unit.terminal.agent.model import EPOCH, TERMINAL, ModelOutbox, World

SMALL = Policy(limits=BatchLimits(max_events=5, max_bytes=1024), window_batches=3)


def opened(events: int, policy: Policy = SMALL) -> tuple[SendingMachine, ModelOutbox, list[Send]]:
    """A machine with an open stream 1, that many events recorded, and what it sends at once."""
    outbox = ModelOutbox()
    outbox.recorded = events
    machine = SendingMachine(outbox, TERMINAL, Random(1), policy)
    assert Connect(1) in machine.tick(0)
    return machine, outbox, [one for one in machine.connected(1, 0) if isinstance(one, Send)]


def receipt(send: Send, retry_after_ms: int = 0) -> Receipt:
    """The receipt that a batch is due."""
    batch = send.batch
    return Receipt(
        terminal_id=TERMINAL,
        epoch=EPOCH,
        through_seq=batch.last_seq,
        accepted=batch.events,
        retry_after_ms=retry_after_ms,
    )


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32),
    trouble=st.sampled_from([0.0, 0.05, 0.3, 0.7]),
    poison=st.lists(st.integers(1, 60), max_size=3),
)
def test_everything_arrives_in_order_once_the_network_is_good(seed: int, trouble: float, poison: list[int]) -> None:
    """Whatever was lost: only what was received is acknowledged, in order, and in the end nothing is missing."""
    random = Random(seed)
    world = World(random, SMALL, trouble, poison)
    world.do(world.machine.tick(0))
    for _ in range(40):
        if random.random() < 0.5:
            world.record(random.randint(1, 12))
        if random.random() < 0.1:
            world.close()
        world.pass_time(random.choice([10, 300, 20_000]))
    world.trouble = 0.0
    world.pass_time(3_600_000)
    outbox = world.outbox
    assert sorted(outbox.acknowledged + outbox.refused) == list(range(1, outbox.recorded + 1))
    assert set(outbox.acknowledged) <= set(world.durable)
    assert outbox.stated == len(outbox.statements)
    assert not world.machine.last_error


@given(seed=st.integers(0, 2**32))
def test_waits_grow_with_full_jitter_up_to_a_minute(seed: int) -> None:
    """However long the collector is away, the next attempt comes within 60 s, and attempts thin out."""
    world = World(Random(seed), SMALL, 1.0)
    world.do(world.machine.tick(0))
    world.pass_time(3_600_000)
    waits_ms = [later - earlier for earlier, later in zip(world.connects, world.connects[1:], strict=False)]
    assert max(waits_ms) <= 60_300
    assert 60 <= len(waits_ms) <= 600


def test_a_window_is_filled_and_after_a_failure_one_batch_goes_alone() -> None:
    """Three batches at once; after a break the first of them alone, byte for byte; with its receipt the rest."""
    machine, _, sent = opened(100)
    assert [one.batch.first_seq for one in sent] == [1, 6, 11]
    machine.stream_lost(1, Failure("UNAVAILABLE", "cut"), 10)
    machine.tick(100_000)
    again = [one for one in machine.connected(2, 100_000) if isinstance(one, Send)]
    assert [one.batch for one in again] == [sent[0].batch]
    actions = machine.receipt(2, receipt(again[0]), 100_001)
    assert actions[0] == Acknowledge(sent[0].batch, ())
    assert [one.batch for one in actions if isinstance(one, Send)][:2] == [sent[1].batch, sent[2].batch]


def test_it_obeys_the_delays_that_the_collector_asks_for() -> None:
    """A delay in a receipt holds the next batch back; one in a refusal holds the next attempt back."""
    machine, _, sent = opened(15)
    for one in sent[:2]:
        machine.receipt(1, receipt(one), 10)
    actions = machine.receipt(1, receipt(sent[2], retry_after_ms=700), 10)
    assert not [one for one in actions if isinstance(one, Send)]
    outbox_grew = machine.recorded(20)
    assert not [one for one in outbox_grew if isinstance(one, Send)]
    failing = machine.stream_lost(1, Failure("RESOURCE_EXHAUSTED", "busy", 5_000), 1_000)
    wake = next(one for one in failing if isinstance(one, WakeAt))
    assert 6_000 <= wake.at_ms <= 7_250


def test_a_delay_in_a_receipt_holds_back_what_is_recorded_meanwhile() -> None:
    """Nothing goes before the delay is over, everything after it."""
    machine, outbox, sent = opened(5)
    machine.receipt(1, receipt(sent[0], retry_after_ms=700), 10)
    outbox.recorded += 1
    waiting = machine.recorded(100)
    assert waiting == [WakeAt(710)]
    assert [one.batch.first_seq for one in machine.tick(710) if isinstance(one, Send)] == [6]


def test_a_refused_batch_is_set_aside_only_when_it_was_alone() -> None:
    """With several in flight it is not certain which was meant: the first goes alone, and only then is it set aside."""
    machine, _, sent = opened(15)
    refused = Failure("INVALID_ARGUMENT", "events[0] is odd")
    assert not [one for one in machine.stream_lost(1, refused, 10) if isinstance(one, SetAside)]
    machine.tick(100_000)
    machine.connected(2, 100_000)
    actions = machine.stream_lost(2, refused, 100_010)
    assert actions[0] == SetAside(sent[0].batch, "events[0] is odd")
    machine.tick(200_000)
    assert [one.batch for one in machine.connected(3, 200_000) if isinstance(one, Send)] == [sent[1].batch]


@pytest.mark.parametrize("code", ["ALREADY_EXISTS", "ABORTED"])
def test_a_second_agent_of_the_identity_is_an_alarm_and_a_slow_retry(code: str) -> None:
    """It waits at least half a minute, says what a person has to do, and forgets the alarm once a stream holds."""
    machine, _, _ = opened(0)
    wake = machine.stream_lost(1, Failure(code, "taken"), 1_000)[-1]
    assert isinstance(wake, WakeAt)
    assert 31_000 <= wake.at_ms <= 61_000
    assert "find" in machine.alarm
    machine.tick(wake.at_ms)
    machine.connected(2, wake.at_ms)
    machine.tick(wake.at_ms + 4_999)
    assert machine.alarm
    machine.tick(wake.at_ms + 5_000)
    assert not machine.alarm


def test_a_receipt_for_what_was_not_asked_is_alarmed_not_believed() -> None:
    """One batch skipped, or nothing in flight: the stream is closed, nothing acknowledged."""
    machine, _, sent = opened(15)
    actions = machine.receipt(1, receipt(sent[1]), 10)
    assert CloseStream(1) in actions
    assert not [one for one in actions if isinstance(one, Acknowledge)]
    assert "same version" in machine.alarm
    idle, _, _ = opened(0)
    assert CloseStream(1) in idle.receipt(1, receipt(sent[0]), 10)


def test_silence_ends_a_stream() -> None:
    """A collector that takes batches and answers none is left after two minutes; what was sent is sent again."""
    machine, _, sent = opened(5)
    assert not [one for one in machine.tick(119_999) if isinstance(one, CloseStream)]
    assert CloseStream(1) in machine.tick(120_000)
    machine.tick(300_000)
    assert [one.batch for one in machine.connected(2, 300_000) if isinstance(one, Send)] == [sent[0].batch]


def test_what_comes_from_an_older_stream_is_ignored() -> None:
    """A late receipt or a late end of stream 1 does not touch stream 2."""
    machine, _, sent = opened(5)
    machine.stream_lost(1, Failure("UNAVAILABLE", "cut"), 10)
    machine.tick(100_000)
    machine.connected(2, 100_000)
    assert machine.receipt(1, receipt(sent[0]), 100_001) == []
    assert machine.stream_lost(1, Failure("UNAVAILABLE", "late"), 100_001) == []
    assert machine.is_connected
