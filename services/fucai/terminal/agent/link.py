"""Between the machine and the collector: does what the machine says, and tells it what came of it. Decides nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import quote

import apsw
import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from fucai.runtime.errors import code_of, retry_after_ms
from fucai.runtime.failpoints import failpoint
from fucai.terminal.agent.database import OutboxDamagedError
from fucai.terminal.agent.machine import (
    Acknowledge,
    Action,
    CloseStream,
    Connect,
    Failure,
    Send,
    SendingMachine,
    SetAside,
    SettleStatement,
    Submit,
    WakeAt,
)
from fucai.terminal.agent.outbox import Batch, OutboxFullError, PendingStatement
from fucai.terminal.agent.sqlite_outbox import SqliteOutbox
from fucai.terminal.agent.status import LinkState
from fucai.terminal.agent.writer import Writer
from fucai.v1.collector_pb2 import SubmitStatementRequest, SubmitStatementResponse
from fucai.v1.collector_pb2_grpc import CollectorServiceStub
from fucai.v1.sales_pb2 import Receipt
from fucai.v1.statement_pb2 import SignedStatement

_CONNECT_S = 10.0
_STATEMENT_S = 30.0
_FULL_AGAIN_S = 5.0
_COLLECT = "/fucai.v1.CollectorService/Collect"
_TOLD_BY_THE_READER = (grpc.aio.AioRpcError, grpc.aio.InternalError, asyncio.InvalidStateError)
_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")

Settling = Acknowledge | SetAside | SettleStatement


class Link:
    """Runs the machine over one channel. Everything happens on one event loop, except what `writer` makes durable."""

    def __init__(
        self, machine: SendingMachine, writer: Writer, channel: grpc.aio.Channel, *, terminal_id: str, agent_id: str
    ) -> None:
        self._machine = machine
        self._writer = writer
        self._channel = channel
        self._stub = CollectorServiceStub(channel)
        self._collect: Any = channel.stream_stream(_COLLECT, request_serializer=None, response_deserializer=None)
        self._metadata = (("fucai-agent", agent_id), ("fucai-terminal", quote(terminal_id, safe=_PRINTABLE)))
        self._tasks: asyncio.TaskGroup | None = None
        self._failed: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._streams: dict[int, asyncio.Task[None]] = {}
        self._to_send: dict[int, asyncio.Queue[Batch]] = {}
        self._to_settle: asyncio.Queue[Settling] = asyncio.Queue()

    @property
    def state(self) -> LinkState:
        """How the link does."""
        machine = self._machine
        return LinkState(machine.is_connected, machine.last_error, machine.alarm)

    async def run(self) -> None:
        """Sends for ever.

        Raises:
            OutboxDamagedError: what was to be sent is not what was recorded.
            OutboxBrokenError: the outbox failed.
        """
        self._failed = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._settle())
                self._decide(self._machine.tick)
                await self._failed
        finally:
            self._tasks = None
            if self._timer is not None:
                self._timer.cancel()

    def recorded(self) -> None:
        """Something new is in the outbox."""
        if self._tasks is not None:
            self._decide(self._machine.recorded)

    def _decide(self, happened: Callable[[int], list[Action]]) -> None:
        """Tells the machine, with the time, and does what it says."""
        if self._tasks is None or self._failed is None or self._failed.done():
            return
        try:
            actions = happened(_now_ms())
        except (OutboxDamagedError, apsw.Error) as error:
            self._failed.set_exception(error)
            return
        for action in actions:
            self._do(action, self._tasks)

    def _do(self, action: Action, tasks: asyncio.TaskGroup) -> None:
        match action:
            case Connect(stream):
                self._to_send[stream] = asyncio.Queue()
                self._streams[stream] = tasks.create_task(self._stream(stream))
            case CloseStream(stream):
                if stream in self._streams:
                    self._streams[stream].cancel()
            case Send(stream, batch):
                self._to_send[stream].put_nowait(batch)
            case Submit(statement):
                tasks.create_task(self._submit(statement))
            case WakeAt(at_ms):
                self._wake_at(at_ms)
            case _:
                self._to_settle.put_nowait(action)

    def _wake_at(self, at_ms: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay_s = max(0.0, (at_ms - _now_ms()) / 1000)
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._decide, self._machine.tick)

    async def _stream(self, stream: int) -> None:
        try:
            failure = await self._converse(stream)
            self._decide(partial(self._machine.stream_lost, stream, failure))
        finally:
            del self._streams[stream], self._to_send[stream]

    async def _converse(self, stream: int) -> Failure:
        """Opens a stream, sends what there is to send and hands over receipts; how it ended."""
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._channel.channel_ready()
        except TimeoutError:
            return Failure("UNAVAILABLE", f"no connection within {_CONNECT_S:.0f} s; look at network and --collector")
        call = self._collect(metadata=self._metadata)
        writing = asyncio.create_task(self._write(call, self._to_send[stream]))
        try:
            self._decide(partial(self._machine.connected, stream))
            return await self._read(stream, call)
        except grpc.aio.AioRpcError as error:
            return _failure(error)
        finally:
            call.cancel()
            writing.cancel()
            with suppress(asyncio.CancelledError, *_TOLD_BY_THE_READER):
                await writing

    async def _read(self, stream: int, call: Any) -> Failure:
        while isinstance(raw := await call.read(), bytes):
            failpoint("agent.after-receipt")
            try:
                receipt = Receipt.FromString(raw)
            except DecodeError as error:
                return Failure("INTERNAL", f"what came is no Receipt: {error}")
            self._decide(partial(self._machine.receipt, stream, receipt))
        if (code := await call.code()) is not grpc.StatusCode.OK:
            return Failure(code.name, await call.details() or "")
        return Failure("UNAVAILABLE", "the collector ended the stream")

    async def _write(self, call: Any, batches: asyncio.Queue[Batch]) -> None:
        while True:
            batch = await batches.get()
            await call.write(batch.message)
            failpoint("agent.after-send")

    async def _submit(self, statement: PendingStatement) -> None:
        request = SubmitStatementRequest(statement=SignedStatement.FromString(statement.message))
        try:
            answer: SubmitStatementResponse = await self._stub.SubmitStatement(request, timeout=_STATEMENT_S)
        except grpc.aio.AioRpcError as error:
            self._decide(partial(self._machine.statement_failed, _failure(error)))
        else:
            self._decide(partial(self._machine.statement_taken, answer))

    async def _settle(self) -> None:
        """Makes durable what became of batches and statements, in order; a full disk is waited for."""
        while True:
            action = await self._to_settle.get()
            while True:
                try:
                    await asyncio.wrap_future(self._writer.submit(partial(_make, action)))
                    break
                except OutboxFullError:
                    await asyncio.sleep(_FULL_AGAIN_S)
            self._decide(self._machine.settled)


def _make(action: Settling, outbox: SqliteOutbox) -> None:
    now_ms = time.time_ns() // 1_000_000
    match action:
        case Acknowledge(batch, findings):
            outbox.acknowledge(batch, findings, now_ms)
        case SetAside(batch, reason):
            outbox.set_aside(batch, reason, now_ms)
        case SettleStatement(statement, verdict, detail):
            outbox.settle_statement(statement, verdict, detail, now_ms)


def _failure(error: grpc.aio.AioRpcError) -> Failure:
    return Failure(code_of(error).name, " ".join((error.details() or "").split()), retry_after_ms(error))


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
