"""Calls to the registry, patient while it is away. Interprets nothing of what it gets."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar

import grpc
import grpc.aio
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay

from fucai.runtime.errors import FatalError, code_of, retry_after_ms
from fucai.terminal.sender import away
from fucai.v1.registry_pb2 import (
    GetSnapshotRequest,
    GetSnapshotResponse,
    OpenHistoryRequest,
    OpenHistoryResponse,
    RegistryRecord,
    UpsertRecordsRequest,
)
from fucai.v1.registry_pb2_grpc import RegistryServiceStub

T = TypeVar("T")
RECORDS_A_CALL = 1_000
_PASSING = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)
_LONGEST_WAIT_S = 3.0


class RegistryClient:
    """The registry at an address. Every call is idempotent, so each is repeated until `patience_seconds` are over.

    Every method raises FatalError (69) when they are, and grpc.RpcError where the registry refuses.
    """

    def __init__(self, channel: grpc.aio.Channel, address: str, patience_seconds: float = 60.0) -> None:
        self._stub = RegistryServiceStub(channel)
        self._address = address
        self._patience_seconds = patience_seconds

    async def snapshot(self) -> list[GetSnapshotResponse]:
        """The whole registry, in parts."""

        async def call() -> list[GetSnapshotResponse]:
            return [part async for part in self._stub.GetSnapshot(GetSnapshotRequest())]

        return await self._patiently(call)

    async def upsert(self, records: Iterable[RegistryRecord], source: str) -> int:
        """Stores records in calls of at most 1,000, in order; returns how many were new or corrected."""
        changed = 0
        pending = iter(records)
        while chunk := list(islice(pending, RECORDS_A_CALL)):
            request = UpsertRecordsRequest(records=chunk, source=source)
            response = await self._patiently(partial(self._stub.UpsertRecords, request))
            changed += response.summary.added + response.summary.corrected
        return changed

    async def open_history(self, claims: Callable[[], Iterable[OpenHistoryRequest]]) -> OpenHistoryResponse:
        """Claims the days of an import; `claims` is asked anew for each attempt."""

        async def requests() -> AsyncIterator[OpenHistoryRequest]:
            for claim in claims():
                yield claim

        async def call() -> OpenHistoryResponse:
            response: OpenHistoryResponse = await self._stub.OpenHistory(requests())
            return response

        return await self._patiently(call)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        retrying = AsyncRetrying(
            retry=retry_if_exception(_passes), wait=_wait, stop=stop_after_delay(self._patience_seconds), reraise=True
        )
        try:
            async for attempt in retrying:
                with attempt:
                    return await call()
        except grpc.aio.AioRpcError as error:
            if code_of(error) in _PASSING:
                raise away("registry", self._address, self._patience_seconds, error) from error
            raise
        raise FatalError("a retry loop ended without an outcome")


def first(parts: Sequence[GetSnapshotResponse], name: str) -> str:
    """The first non-empty value of a text field over the parts of a snapshot; empty if none has one."""
    return next((value for part in parts if (value := getattr(part, name))), "")


def _passes(error: BaseException) -> bool:
    return isinstance(error, grpc.RpcError) and code_of(error) in _PASSING


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked_ms = retry_after_ms(error) if isinstance(error, grpc.RpcError) else None
    if asked_ms is not None:
        return float(asked_ms) / 1000 * random.uniform(1.0, 1.25)
    return random.uniform(0.5, 1.0) * min(_LONGEST_WAIT_S, 0.1 * float(2 ** min(state.attempt_number, 10)))
