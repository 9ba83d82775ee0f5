"""The sender against a collector over real gRPC: order, receipts, failures, refusals, silence."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest

from fucai.runtime import errors
from fucai.runtime.errors import FatalError
from fucai.terminal.fleet import open_fleet
from fucai.terminal.sender import SendPolicy
from fucai.v1.sales_pb2 import Receipt, SalesBatch, SalesEvent
from tests.integration.terminal.stubs import KeepingCollector, serving

PATIENT = SendPolicy(window=8, patience_seconds=20, stall_seconds=1)
IMPATIENT = SendPolicy(window=8, patience_seconds=0.5, stall_seconds=0.4)
Fail = Callable[[Any], Awaitable[None]]


def batch(terminal_id: str, number: int) -> SalesBatch:
    """The number-th batch of three events of a terminal."""
    events = [SalesEvent(seq=number * 3 + index) for index in (1, 2, 3)]
    return SalesBatch(terminal_id=terminal_id, outlet_id="1", epoch=9, events=events)


async def send(address: str, batches: int, policy: SendPolicy, *, streams: int = 2) -> list[tuple[SalesBatch, Receipt]]:
    """Sends that many batches of three terminals; returns each with its receipt."""
    receipts: list[tuple[SalesBatch, Receipt]] = []
    async with open_fleet(address, streams, lambda *both: receipts.append(both), policy) as fleet:
        for number in range(batches):
            for terminal_id in ("a", "b", "c"):
                await fleet.put(batch(terminal_id, number))
    return receipts


def numbers(receipts: list[tuple[SalesBatch, Receipt]], terminal_id: str) -> list[int]:
    """A terminal's confirmed numbers, in order of the receipts."""
    return [receipt.through_seq for _, receipt in receipts if receipt.terminal_id == terminal_id]


def test_every_batch_gets_its_receipt_in_order() -> None:
    """Over several streams each terminal's batches arrive in order, once, and are confirmed in order."""

    async def run() -> None:
        collector = KeepingCollector()
        async with serving(collector) as address:
            receipts = await send(address, 40, PATIENT)
        for terminal_id in ("a", "b", "c"):
            assert numbers(receipts, terminal_id) == list(range(3, 121, 3))
            arrived = [
                event.seq for each in collector.batches for event in each.events if each.terminal_id == terminal_id
            ]
            assert arrived == list(range(1, 121))

    asyncio.run(run())


async def _unavailable(context: Any) -> None:
    await errors.unavailable(context, "restarting")


async def _exhausted(context: Any) -> None:
    await errors.resource_exhausted(context, "busy", retry_after_ms=300)


async def _internal(context: Any) -> None:
    await context.abort(grpc.StatusCode.INTERNAL, "oops")


async def _silence(_context: Any) -> None:
    await asyncio.sleep(30)


@pytest.mark.parametrize("failure", [_unavailable, _exhausted, _internal, _silence])
def test_what_has_no_receipt_is_sent_again(failure: Fail) -> None:
    """After a failure, or silence, every batch is confirmed once; the collector may see some twice."""

    async def run() -> None:
        collector = KeepingCollector(lambda n, _batch: failure if n in {5, 30} else None)
        async with serving(collector) as address:
            receipts = await send(address, 20, PATIENT)
        for terminal_id in ("a", "b", "c"):
            assert numbers(receipts, terminal_id) == list(range(3, 61, 3))
            assert len(collector.events(terminal_id)) == 60
        assert collector.streams > 2

    asyncio.run(run())


def test_waits_as_long_as_the_collector_asks() -> None:
    """RetryInfo of a refusal is honoured: nothing is sent before its delay is over."""
    refused_at = answered_at = 0.0

    async def refuse(context: Any) -> None:
        nonlocal refused_at
        refused_at = time.monotonic()
        await _exhausted(context)

    def note(n: int, _batch: SalesBatch) -> Fail | None:
        nonlocal answered_at
        if n == 2:
            answered_at = time.monotonic()
        return refuse if n == 1 else None

    async def run() -> None:
        async with serving(KeepingCollector(note)) as address:
            await send(address, 1, SendPolicy(window=1), streams=1)

    asyncio.run(run())
    assert answered_at - refused_at >= 0.3


def test_a_receipt_may_slow_the_sender_down() -> None:
    """retry_after_ms of a receipt spaces the batches."""

    async def run() -> None:
        collector = KeepingCollector()
        collector.pause_ms = 100
        async with serving(collector) as address:
            began = time.monotonic()
            await send(address, 2, SendPolicy(window=1), streams=1)
            assert time.monotonic() - began >= 0.5

    asyncio.run(run())


def test_a_collector_that_comes_back_is_found_again(unused_port: int) -> None:
    """Batches wait for a collector that starts late, and again while it is away in between."""

    async def run() -> None:
        address = f"127.0.0.1:{unused_port}"
        collector = KeepingCollector()
        sending = asyncio.create_task(send(address, 200, PATIENT))
        async with serving(collector, address=address):
            while len(collector.batches) < 20:
                await asyncio.sleep(0.01)
        async with serving(collector, address=address):
            receipts = await sending
        for terminal_id in ("a", "b", "c"):
            assert numbers(receipts, terminal_id) == list(range(3, 601, 3))
            assert len(collector.events(terminal_id)) == 600

    asyncio.run(run())


def test_patience_ends_with_address_and_remedy(unused_port: int) -> None:
    """A collector that stays away ends the command with 69."""
    with pytest.raises(FatalError, match=f"127.0.0.1:{unused_port} has been away.*fucai up") as ended:
        asyncio.run(send(f"127.0.0.1:{unused_port}", 50, IMPATIENT))
    assert ended.value.exit_code == os.EX_UNAVAILABLE


def test_a_refused_batch_is_not_sent_again() -> None:
    """INVALID_ARGUMENT ends the command with 76 and the violation."""

    async def refuse(context: Any) -> None:
        await errors.invalid_argument(context, [errors.Violation("epoch", "is 0")])

    async def run() -> None:
        async with serving(KeepingCollector(lambda _n, _batch: refuse)) as address:
            await send(address, 50, PATIENT)

    with pytest.raises(FatalError, match="refuses a batch: INVALID_ARGUMENT: epoch: is 0") as ended:
        asyncio.run(run())
    assert ended.value.exit_code == os.EX_PROTOCOL
