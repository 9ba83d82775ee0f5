"""One stream of batches to the collector: keeps each batch until its receipt, and resends after a failure.

Makes no batches and keeps nothing on disk.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from fucai.runtime.errors import FatalError, code_of, explain, retry_after_ms
from fucai.v1.collector_pb2_grpc import CollectorServiceStub
from fucai.v1.sales_pb2 import Receipt, SalesBatch

PASSING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)
_TOLD_BY_THE_READER = (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError)
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 5.0


class StreamBrokenError(Exception):
    """The stream ended or stalled before all receipts were in; what is unanswered is sent again."""


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """How a sender behaves: batches without receipt that it holds, and how long it bears failure or silence."""

    window: int = 32
    patience_seconds: float = 60.0
    stall_seconds: float = 20.0


class Sender:
    """Sends batches in the order of `put`; run `run` beside the producer, in one TaskGroup.

    At most `policy.window` batches are held. `on_receipt` is called once for each batch, in order. After a failure one
    batch goes alone until it has its receipt: grpc.aio hides the collector's status behind INTERNAL from whoever writes
    while it arrives, and with it the delay that the collector asks for.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        address: str,
        on_receipt: Callable[[SalesBatch, Receipt], None],
        policy: SendPolicy,
    ) -> None:
        self.resent = 0
        self._stub = CollectorServiceStub(channel)
        self._address = address
        self._on_receipt = on_receipt
        self._policy = policy
        self._waiting: deque[SalesBatch] = deque()
        self._in_flight: deque[SalesBatch] = deque()
        self._changed = asyncio.Condition()
        self._closed = False
        self._failing_since: float | None = None
        self._failures = 0
        self._resume_at = 0.0
        self._heard_at = 0.0

    async def put(self, batch: SalesBatch) -> None:
        """Hands over a batch; waits while the window is full."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._waiting) + len(self._in_flight) < self._policy.window)
            self._waiting.append(batch)
            self._changed.notify_all()

    async def close(self) -> None:
        """Says that no further batch comes; `run` returns once every receipt is in."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def run(self) -> None:
        """Sends until closed and answered.

        Raises:
            FatalError: 69 if the collector stays away for `patience_seconds`; 76 if it refuses a batch or answers
                what was not asked.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception(_passes), wait=self._wait, stop=self._out_of_patience, reraise=True
        )
        try:
            async for attempt in retrying:
                with attempt:
                    await self._session()
        except (grpc.aio.AioRpcError, StreamBrokenError) as error:
            raise self._given_up(error) from error

    async def _session(self) -> None:
        call = self._stub.Collect(None)
        self._heard_at = time.monotonic()
        writer = asyncio.create_task(self._write(call))
        try:
            await self._read(call, writer)
        finally:
            call.cancel()
            writer.cancel()
            self.resent += len(self._in_flight)
            self._waiting.extendleft(reversed(self._in_flight))
            self._in_flight.clear()
            await asyncio.wait({writer})

    async def _write(self, call: Any) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._may_send() or self._is_done())
                if self._is_done():
                    break
                if not self._in_flight:
                    self._heard_at = time.monotonic()
                batch = self._waiting.popleft()
                self._in_flight.append(batch)
            await asyncio.sleep(max(0.0, self._resume_at - time.monotonic()))
            await call.write(batch)
        await call.done_writing()

    def _may_send(self) -> bool:
        return bool(self._waiting) and not (self._failures and self._in_flight)

    def _is_done(self) -> bool:
        return self._closed and not self._waiting and not self._in_flight

    async def _read(self, call: Any, writer: asyncio.Task[None]) -> None:
        while True:
            reader = asyncio.ensure_future(call.read())
            try:
                while not reader.done():
                    await asyncio.wait({reader}, timeout=self._policy.stall_seconds / 4)
                    self._check_alive(writer, answered=reader.done())
            finally:
                reader.cancel()
            receipt = reader.result()
            if not isinstance(receipt, Receipt):  # grpc.aio.EOF
                if not self._is_done():
                    raise StreamBrokenError("the collector ended the stream before its last receipt")
                return
            await self._settle(receipt)

    def _check_alive(self, writer: asyncio.Task[None], *, answered: bool) -> None:
        failure = writer.exception() if writer.done() and not writer.cancelled() else None
        if failure is not None and not isinstance(failure, _TOLD_BY_THE_READER):
            raise failure
        silent_s = time.monotonic() - max(self._heard_at, self._resume_at)
        if not answered and self._in_flight and silent_s > self._policy.stall_seconds:
            raise StreamBrokenError(f"no receipt for {silent_s:.0f} s")

    async def _settle(self, receipt: Receipt) -> None:
        expected = self._in_flight[0] if self._in_flight else None
        if expected is None or not _answers(receipt, expected):
            asked = f"{expected.terminal_id} through {expected.events[-1].seq}" if expected else "nothing"
            raise FatalError(
                f"the collector at {self._address} sent a receipt for {receipt.terminal_id} through "
                f"{receipt.through_seq}, expected was {asked}; install the same version on both sides",
                exit_code=os.EX_PROTOCOL,
            )
        now = time.monotonic()
        self._failing_since, self._failures, self._heard_at = None, 0, now
        self._resume_at = now + receipt.retry_after_ms / 1000
        async with self._changed:
            self._in_flight.popleft()
            self._changed.notify_all()
        self._on_receipt(expected, receipt)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        self._failures += 1
        asked_ms = retry_after_ms(error) if isinstance(error, grpc.RpcError) else None
        if asked_ms is not None:
            return asked_ms / 1000 * random.uniform(1.0, 1.25)
        return random.uniform(0.5, 1.0) * min(_LONGEST_WAIT_S, _FIRST_WAIT_S * float(2 ** min(self._failures, 10)))

    def _out_of_patience(self, _state: RetryCallState) -> bool:
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        return now - self._failing_since >= self._policy.patience_seconds

    def _given_up(self, error: grpc.aio.AioRpcError | StreamBrokenError) -> FatalError:
        if isinstance(error, grpc.aio.AioRpcError) and code_of(error) not in PASSING:
            return FatalError(
                f"the collector at {self._address} refuses a batch: {explain(error)}", exit_code=os.EX_PROTOCOL
            )
        return away("collector", self._address, self._policy.patience_seconds, error)


def away(service: str, address: str, patience_seconds: float, error: Exception) -> FatalError:
    """The end of patience with a service: exit code 69, its address and the remedy."""
    cause = explain(error) if isinstance(error, grpc.RpcError) else str(error)
    return FatalError(
        f"the {service} at {address} has been away for {patience_seconds:.0f} s ({cause}); "
        f"`fucai status` tells why, `fucai up --data DIR` starts a stack here, "
        f"FUCAI_{service.upper()}=host:port or --data DIR names another",
        exit_code=os.EX_UNAVAILABLE,
    )


def _passes(error: BaseException) -> bool:
    if isinstance(error, grpc.RpcError):
        return code_of(error) in PASSING
    return isinstance(error, StreamBrokenError)


def _answers(receipt: Receipt, batch: SalesBatch) -> bool:
    return (
        receipt.terminal_id == batch.terminal_id
        and receipt.epoch == batch.epoch
        and receipt.through_seq == batch.events[-1].seq
    )
