"""Agents for tests: one in the process of the test, and `fucai terminal` as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec
from zoneinfo import ZoneInfo

import grpc.aio
import structlog

from fucai.terminal.agent.agent import Agent, AgentOptions, running
from fucai.terminal.agent.machine import Policy
from fucai.v1.sales_pb2 import SalesEvent
from fucai.v1.terminal_pb2 import GetStatusRequest, GetStatusResponse, RecordRequest, RecordResponse
from fucai.v1.terminal_pb2_grpc import TerminalServiceStub

P = ParamSpec("P")
TERMINAL, OUTLET = "T-1", "GZ-0001"
QUICK = Policy(first_wait_ms=20, longest_wait_ms=100, stall_ms=2_000)


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Makes a test of a coroutine."""

    @wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        asyncio.run(test(*arguments, **named))

    return run


@asynccontextmanager
async def agent_at_work(folder: Path, collector: str, close_hour: int | None = None) -> AsyncIterator[Agent]:
    """An agent that sends while the block runs; it waits little."""
    options = AgentOptions(
        folder, TERMINAL, OUTLET, collector, ZoneInfo("Asia/Shanghai"), close_hour=close_hour, policy=QUICK
    )
    async with running(options, structlog.get_logger()) as agent:
        work = asyncio.create_task(agent.work())
        try:
            yield agent
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work


@dataclass(slots=True)
class AgentProcess:
    """A running `fucai terminal run`."""

    folder: Path
    process: asyncio.subprocess.Process
    channel: grpc.aio.Channel

    async def record(self, events: list[SalesEvent], request_id: str = "") -> RecordResponse:
        """Records as a till would."""
        request = RecordRequest(events=events, request_id=request_id)
        response: RecordResponse = await TerminalServiceStub(self.channel).Record(request, timeout=20)
        return response

    async def status(self) -> GetStatusResponse:
        """What it tells of itself."""
        response: GetStatusResponse = await TerminalServiceStub(self.channel).GetStatus(GetStatusRequest(), timeout=20)
        return response

    async def kill(self) -> None:
        """Kill -9."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def ended(self) -> int:
        """Its exit code, once it ended by itself."""
        return await asyncio.wait_for(self.process.wait(), timeout=30)


@asynccontextmanager
async def agent_process(folder: Path, collector: str, failpoints: str = "") -> AsyncIterator[AgentProcess]:
    """Starts the agent, yields it when it answers, kills it at the end if it still runs."""
    command = ("terminal", "run", "--dir", str(folder), "--terminal", TERMINAL, "--outlet", OUTLET)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fucai.cli", *command, "--collector", collector, "--close-hour", "-1"),
        env={**os.environ, "FUCAI_FAILPOINTS": failpoints},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=(folder.parent / f"{folder.name}.log").open("ab"),
    )
    channel = grpc.aio.insecure_channel(
        f"unix:{folder}/till.sock",
        options=[("grpc.max_reconnect_backoff_ms", 100), ("grpc.use_local_subchannel_pool", 1)],
    )
    try:
        yield AgentProcess(folder, process, channel)
    finally:
        await channel.close(None)
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until_serving(agent: AgentProcess) -> None:
    """Returns when the agent answers the till.

    Raises:
        AssertionError: it ended instead.
    """
    ready = asyncio.create_task(agent.channel.channel_ready())
    ended = asyncio.create_task(agent.process.wait())
    await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED, timeout=30)
    try:
        assert ready.done(), f"the agent ended with {agent.process.returncode}"
    finally:
        ready.cancel()
        ended.cancel()
