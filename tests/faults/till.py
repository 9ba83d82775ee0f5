"""A till beside a real agent: records over the local API, asks again under the same id, remembers what was answered."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, cast

import grpc
from grpc import aio

from fucai.v1 import sales_pb2
from fucai.v1.terminal_pb2 import CloseDayRequest, GetStatusRequest, GetStatusResponse, RecordRequest
from fucai.v1.terminal_pb2_grpc import TerminalServiceStub
from tests.faults.light import next_event

_PATIENCE_S = 2.0
_RETRY_S = 0.1
_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100))


class Till:
    """The till of one terminal, over the life of its agent. Use it on one event loop."""

    def __init__(self, terminal_id: str, outlet_id: str, address: str) -> None:
        """Ask nobody yet."""
        self.terminal_id, self.outlet_id, self.address = terminal_id, outlet_id, address
        self.epoch = 0
        self.events: list[sales_pb2.SalesEvent] = []
        self.repeats = self.closes = 0
        self._requests = 0
        self._open: tuple[RecordRequest, list[sales_pb2.SalesEvent]] | None = None

    async def record(self, choose: random.Random) -> None:
        """Record one to three events, however often that has to be asked for.

        Raises:
            AssertionError: the agent numbered them otherwise than without a gap and without a repetition.
        """
        if not self.epoch:
            self.epoch = (await self.status()).epoch
        if self._open is None:
            self._open = self._next_request(choose)
        asked, events = self._open
        answer = await self._ask("Record", asked)
        numbers = (answer.epoch, answer.first_seq, answer.last_seq)
        expected = (self.epoch, events[0].seq, events[-1].seq)
        assert numbers == expected, f"the agent answered epoch, first and last seq {numbers}, expected {expected}"
        self.events += events
        self._open = None

    def _next_request(self, choose: random.Random) -> tuple[RecordRequest, list[sales_pb2.SalesEvent]]:
        """The next events, with the numbers that the agent should give them, and the request to record them."""
        after, now_ms = len(self.events), time.time_ns() // 1_000_000
        events = [
            next_event(self.terminal_id, self.epoch, seq, now_ms)
            for seq in range(after + 1, after + 1 + choose.randint(1, 3))
        ]
        self._requests += 1
        asked = RecordRequest(request_id=f"r{self._requests}")
        for event in events:
            asked.events.add().CopyFrom(event)
            asked.events[-1].seq = 0
        return asked, events

    async def close_day(self) -> None:
        """Close the day, and return once the agent has nothing left to send."""
        await self._ask("CloseDay", CloseDayRequest())
        self.closes += 1
        while (told := await self.status()).waiting_events or told.waiting_statements:
            await asyncio.sleep(0.05)

    async def status(self) -> GetStatusResponse:
        """What the agent tells of itself."""
        told: GetStatusResponse = await self._ask("GetStatus", GetStatusRequest())
        return told

    async def _ask(self, method: str, request: Any) -> Any:
        """Ask until there is an answer, over a new connection each time.

        Raises:
            grpc.RpcError: the agent refuses the request for good.
        """
        while True:
            async with aio.insecure_channel(self.address, options=_OPTIONS) as channel:
                call = getattr(TerminalServiceStub(cast("Any", channel)), method)
                try:
                    return await call(request, timeout=_PATIENCE_S)
                except grpc.RpcError as error:
                    if cast("Any", error).code() == grpc.StatusCode.INVALID_ARGUMENT:
                        raise
                    self.repeats += 1
            await asyncio.sleep(_RETRY_S)
