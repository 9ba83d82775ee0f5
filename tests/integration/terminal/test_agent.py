"""The agent against a collector over real gRPC: offline, refused, contradicted, and its statements."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc

from fucai.runtime import errors
from fucai.terminal.agent.agent import Agent
from fucai.v1.sales_pb2 import SalesBatch, SalesEvent
from fucai.v1.statement_pb2 import Statement
from fucai.v1.terminal_pb2 import GetStatusResponse
from tests.integration.terminal.agents import TERMINAL, agent_at_work, in_a_loop
from tests.integration.terminal.stubs import KeepingCollector, serving
from tests.unit.terminal.agent.shop import DAY_MS, digest_of, opened, sale


async def status_with(agent: Agent, holds: Callable[[GetStatusResponse], bool]) -> GetStatusResponse:
    """The status, once something holds of it."""
    async with asyncio.timeout(20):
        while True:
            told = agent.status()
            if holds(told):
                return told
            await asyncio.sleep(0.01)


def is_settled(told: GetStatusResponse) -> bool:
    """Nothing waits."""
    return not told.waiting_events and not told.waiting_statements


def sent_by(collector: KeepingCollector) -> list[SalesEvent]:
    """What the collector has, by number."""
    return [event for _, event in sorted(collector.events(TERMINAL).items())]


@in_a_loop
async def test_what_was_recorded_offline_arrives_in_order(tmp_path: Path, unused_port: int) -> None:
    """Recording does not wait for the network; later everything arrives, with digests, and then the close."""
    address = f"127.0.0.1:{unused_port}"
    collector = KeepingCollector()
    async with agent_at_work(tmp_path, address) as agent:
        for number in range(30):
            recorded = await agent.record([sale(number + 1) for _ in range(40)])
        close = await agent.close_day(agent.today())
        offline = agent.status()
        assert (offline.connected, offline.waiting_events, offline.waiting_statements) == (False, 1_200, 2)
        assert offline.oldest_waiting_ms
        async with serving(collector, address=address):
            told = await status_with(agent, is_settled)
    assert (told.acknowledged_through, told.accepted_events, told.last_error) == (1_200, 1_200, "")
    assert [event.seq for event in sent_by(collector)] == list(range(1, 1_201))
    assert collector.batches[-1].digest == digest_of(recorded.epoch, sent_by(collector)) == close.digest
    told_of = [Statement.FromString(signed.content).WhichOneof("statement") for signed in collector.statements]
    assert told_of == ["opened", "close"]


@in_a_loop
async def test_a_bad_network_loses_nothing(tmp_path: Path) -> None:
    """Every third batch fails, before or after it was kept: in the end each event is there, with one content."""

    def before_receipt(number: int, _batch: SalesBatch) -> Callable[[Any], Awaitable[None]] | None:
        if number % 3:
            return None
        return lambda context: errors.unavailable(context, "not yet", retry_after_ms=5)

    collector = KeepingCollector(before_receipt)
    async with serving(collector) as address, agent_at_work(tmp_path, address) as agent:
        for number in range(60):
            await agent.record([sale(number + 1)])
        await status_with(agent, is_settled)
    assert [event.seq for event in sent_by(collector)] == list(range(1, 61))


@in_a_loop
async def test_what_the_collector_makes_of_it_is_shown(tmp_path: Path) -> None:
    """Quarantined events are counted and named; a batch refused for good is set aside, and its successors arrive."""

    def before_receipt(_number: int, batch: SalesBatch) -> Callable[[Any], Awaitable[None]] | None:
        if all(event.game != "poison" for event in batch.events):
            return None
        return lambda context: errors.invalid_argument(context, [errors.Violation("events", "odd")])

    collector = KeepingCollector(before_receipt)
    collector.refused_games.add("unknown")
    async with serving(collector) as address, agent_at_work(tmp_path, address) as agent:
        for game in ("ssq", "unknown", "poison", "ssq", "3d"):
            event = sale()
            event.game = game
            await agent.record([event])
            await status_with(agent, is_settled)
        told = agent.status()
    assert (told.accepted_events, told.quarantined_events, told.refused_batches) == (3, 1, 1)
    assert [finding.seq for finding in told.quarantined] == [2]
    assert told.acknowledged_through == 2
    assert any("events 3 to 3" in warning for warning in told.warnings)


@in_a_loop
async def test_a_second_agent_of_the_identity_is_alarmed(tmp_path: Path) -> None:
    """The collector says ALREADY_EXISTS: a person is told, nothing is lost, and recording goes on."""
    taken = True

    def before_receipt(_number: int, _batch: SalesBatch) -> Callable[[Any], Awaitable[None]] | None:
        if not taken:
            return None
        return lambda context: errors.abort(context, grpc.StatusCode.ALREADY_EXISTS, "another agent is connected")

    collector = KeepingCollector(before_receipt)
    async with serving(collector) as address, agent_at_work(tmp_path, address) as agent:
        await agent.record([sale()])
        told = await status_with(agent, lambda told: any("another agent" in one for one in told.warnings))
        assert told.waiting_events == 1
        await agent.record([sale(2)])
        taken = False
        assert (await status_with(agent, is_settled)).accepted_events == 2


@in_a_loop
async def test_days_are_closed_by_themselves(tmp_path: Path) -> None:
    """An agent that was off for two turns of the day closes both days, the first with all that was recorded before."""
    with opened(tmp_path, now_ms=time.time_ns() // 1_000_000 - 2 * DAY_MS) as at:
        at.record([sale()] * 3)
    collector = KeepingCollector()
    async with serving(collector) as address, agent_at_work(tmp_path, address, close_hour=0) as agent:
        today = agent.today()
        await status_with(agent, lambda told: is_settled(told) and told.last_close.close_no > 1)
    closes = [Statement.FromString(signed.content).close for signed in collector.statements[1:]]
    assert [(close.business_day, close.last_seq) for close in closes] == [
        ((today - timedelta(days=2)).isoformat(), 3),
        ((today - timedelta(days=1)).isoformat(), 3),
    ]
    assert [len(close.lines) for close in closes] == [1, 0]


@in_a_loop
async def test_a_restart_goes_on_where_it_stood(tmp_path: Path) -> None:
    """The same agent id, the same epoch, nothing that was acknowledged is sent again."""
    collector = KeepingCollector()
    async with serving(collector) as address:
        for number in range(3):
            async with agent_at_work(tmp_path, address) as agent:
                await agent.record([sale(number + 1)])
                await status_with(agent, is_settled)
    assert [len(batch.events) for batch in collector.batches] == [1, 1, 1]
    assert len({batch.epoch for batch in collector.batches}) == 1
