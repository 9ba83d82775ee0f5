"""TerminalService over gRPC: what the till asks of the agent. Translates; never waits for the network."""

from __future__ import annotations

from typing import Any, NoReturn

from grpc import aio

from fucai.domain.calendar import parse_day
from fucai.runtime import errors
from fucai.terminal.agent.agent import Agent
from fucai.terminal.agent.outbox import OutboxFullError
from fucai.terminal.agent.till import faults_of
from fucai.terminal.agent.writer import OutboxBrokenError
from fucai.v1 import terminal_pb2, terminal_pb2_grpc

Context = aio.ServicerContext[Any, Any]

_FULL_DELAY_MS = 10_000


class TerminalService(terminal_pb2_grpc.TerminalServiceServicer):
    """The servicer."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def Record(self, request: terminal_pb2.RecordRequest, context: Context) -> terminal_pb2.RecordResponse:
        """Records, and answers once it is on the disk."""
        if faults := faults_of(request):
            await errors.invalid_argument(context, [errors.Violation(one.field, one.description) for one in faults])
        try:
            recorded = await self._agent.record(request.events, request.request_id)
        except (OutboxFullError, OutboxBrokenError) as error:
            await _refuse(context, error)
        return terminal_pb2.RecordResponse(
            epoch=recorded.epoch,
            first_seq=recorded.first_seq,
            last_seq=recorded.last_seq,
            repeated_request=recorded.repeated_request,
        )

    async def CloseDay(self, request: terminal_pb2.CloseDayRequest, context: Context) -> terminal_pb2.CloseDayResponse:
        """Closes a day that has begun."""
        today = self._agent.today()
        try:
            day = parse_day(request.business_day) if request.business_day else today
        except ValueError as error:
            detail = f"{request.business_day!r} {error}"
            await errors.invalid_argument(context, [errors.Violation("business_day", detail)])
        if day > today:
            detail = f"{day} has not begun; today is {today}"
            await errors.invalid_argument(context, [errors.Violation("business_day", detail)])
        try:
            return terminal_pb2.CloseDayResponse(close=await self._agent.close_day(day))
        except (OutboxFullError, OutboxBrokenError) as error:
            await _refuse(context, error)

    async def GetStatus(
        self, _request: terminal_pb2.GetStatusRequest, _context: Context
    ) -> terminal_pb2.GetStatusResponse:
        """The status now."""
        return self._agent.status()


async def _refuse(context: Context, error: OutboxFullError | OutboxBrokenError) -> NoReturn:
    if isinstance(error, OutboxFullError):
        await errors.resource_exhausted(context, str(error), retry_after_ms=_FULL_DELAY_MS)
    await errors.unavailable(context, str(error))
