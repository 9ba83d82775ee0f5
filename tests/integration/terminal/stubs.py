"""A collector and a registry over real gRPC for tests of their clients: they keep what they get, and fail on demand."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from fucai.runtime import errors
from fucai.v1 import collector_pb2, collector_pb2_grpc, registry_pb2, registry_pb2_grpc, statement_pb2
from fucai.v1.registry_pb2 import HistoryConflict, RegistryRecord, StoredThrough
from fucai.v1.sales_pb2 import Finding, Receipt, SalesBatch, SalesEvent

BeforeReceipt = Callable[[int, SalesBatch], Any]


class KeepingCollector(collector_pb2_grpc.CollectorServiceServicer):
    """Keeps every batch by terminal. `before_receipt(n, batch)` may return an awaitable that fails the n-th batch."""

    def __init__(self, before_receipt: BeforeReceipt | None = None) -> None:
        self.batches: list[SalesBatch] = []
        self.statements: list[statement_pb2.SignedStatement] = []
        self.refused_games: set[str] = set()
        self.pause_ms = 0
        self.streams = 0
        self.newest_ms = 0
        self._before_receipt = before_receipt

    def events(self, terminal_id: str) -> dict[tuple[int, int], SalesEvent]:
        """A terminal's events by epoch and number; fails on a number that came twice with different content."""
        found: dict[tuple[int, int], SalesEvent] = {}
        for batch in self.batches:
            if batch.terminal_id == terminal_id:
                for event in batch.events:
                    assert found.setdefault((batch.epoch, event.seq), event) == event
        return found

    async def Collect(self, batches: AsyncIterator[SalesBatch], context: Any) -> AsyncIterator[Receipt]:
        """Keeps, and confirms each batch in order."""
        self.streams += 1
        async for batch in batches:
            self.batches.append(batch)
            self.newest_ms = time.time_ns() // 1_000_000
            if self._before_receipt is not None:
                failing = self._before_receipt(len(self.batches), batch)
                if failing is not None:
                    await failing(context)
            findings = [
                Finding(seq=event.seq, field="game", detail="unknown")
                for event in batch.events
                if event.game in self.refused_games
            ]
            yield Receipt(
                terminal_id=batch.terminal_id,
                epoch=batch.epoch,
                through_seq=batch.events[-1].seq,
                accepted=len(batch.events) - len(findings),
                quarantined=findings,
                retry_after_ms=self.pause_ms,
            )

    async def Submit(self, _batch: SalesBatch, context: Any) -> Receipt:
        """Not played."""
        return Receipt(retry_after_ms=await _not_played(context))

    async def SubmitStatement(
        self, request: collector_pb2.SubmitStatementRequest, _context: Any
    ) -> collector_pb2.SubmitStatementResponse:
        """Keeps, and finds nothing wrong."""
        self.statements.append(request.statement)
        return collector_pb2.SubmitStatementResponse(verdict=collector_pb2.STATEMENT_VERDICT_VERIFIED)


class KeepingRegistry(registry_pb2_grpc.RegistryServiceServicer):
    """Keeps records and claims; what is stored of an import is what the collector got without a gap."""

    def __init__(self, records: Iterable[RegistryRecord], collector: KeepingCollector) -> None:
        self.records = list(records)
        self.busy = 0
        self.claimed: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._epochs: dict[str, int] = {}
        self._collector = collector

    async def GetSnapshot(
        self, _request: registry_pb2.GetSnapshotRequest, context: Any
    ) -> AsyncIterator[registry_pb2.GetSnapshotResponse]:
        """All records."""
        if self.busy:
            self.busy -= 1
            await errors.unavailable(context, "not yet", retry_after_ms=10)
        yield registry_pb2.GetSnapshotResponse(revision=1, timezone="America/Toronto", currency="CAD")
        yield registry_pb2.GetSnapshotResponse(revision=1, records=self.records)

    async def UpsertRecords(
        self, request: registry_pb2.UpsertRecordsRequest, _context: Any
    ) -> registry_pb2.UpsertRecordsResponse:
        """Keeps new records."""
        new = [record for record in request.records if record not in self.records]
        self.records += new
        return registry_pb2.UpsertRecordsResponse(summary=registry_pb2.ImportSummary(added=len(new)))

    async def OpenHistory(
        self, requests: AsyncIterator[registry_pb2.OpenHistoryRequest], _context: Any
    ) -> registry_pb2.OpenHistoryResponse:
        """Claims all days or none."""
        claims: dict[tuple[str, str, str], tuple[str, str]] = {}
        outlets = set()
        async for request in requests:
            outlets.add(request.outlet_id)
            for day in request.days:
                claims[request.outlet_id, request.game, day] = (request.content_sha256, request.file)
        conflicts = [
            HistoryConflict(outlet_id=key[0], game=key[1], day=key[2], file=self.claimed[key][1])
            for key, claim in claims.items()
            if self.claimed.get(key, claim)[0] != claim[0]
        ]
        if conflicts:
            return registry_pb2.OpenHistoryResponse(conflicts=conflicts)
        self.claimed |= claims
        sha256 = next(iter(claims.values()))[0]
        epoch = self._epochs.setdefault(sha256, len(self._epochs) + 1)
        stored = [
            StoredThrough(terminal_id=terminal_id, seq=seq)
            for terminal_id in (f"import:{outlet_id}" for outlet_id in sorted(outlets))
            if (seq := self._stored_through(terminal_id, epoch))
        ]
        return registry_pb2.OpenHistoryResponse(epoch=epoch, stored=stored)

    async def ListRecords(self, _request: Any, context: Any) -> registry_pb2.ListRecordsResponse:
        """Not played."""
        return registry_pb2.ListRecordsResponse(next_page_token=await _not_played(context))

    async def GetRecord(self, _request: Any, context: Any) -> registry_pb2.GetRecordResponse:
        """Not played."""
        return registry_pb2.GetRecordResponse(record=await _not_played(context))

    async def ImportFiles(self, _requests: Any, context: Any) -> registry_pb2.ImportFilesResponse:
        """Not played."""
        return registry_pb2.ImportFilesResponse(summary=await _not_played(context))

    def _stored_through(self, terminal_id: str, epoch: int) -> int:
        kept: defaultdict[int, set[int]] = defaultdict(set)
        for of_epoch, seq in self._collector.events(terminal_id):
            kept[of_epoch].add(seq)
        seq = 0
        while seq + 1 in kept[epoch]:
            seq += 1
        return seq


async def _not_played(context: Any) -> Any:
    return await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this stub does not play it")


@asynccontextmanager
async def serving(
    collector: KeepingCollector, registry: KeepingRegistry | None = None, address: str = "127.0.0.1:0"
) -> AsyncIterator[str]:
    """Serves both at one address while the block runs."""
    server = grpc.aio.server()
    collector_pb2_grpc.add_CollectorServiceServicer_to_server(collector, server)
    if registry is not None:
        registry_pb2_grpc.add_RegistryServiceServicer_to_server(registry, server)
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
