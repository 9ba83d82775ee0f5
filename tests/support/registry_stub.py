"""A registry that serves GetSnapshot over real gRPC from records given to it, for tests of its clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from fucai.v1 import registry_pb2
from fucai.v1.registry_pb2 import Game, RegistryRecord, Terminal


class SnapshotRegistry:
    """Counts the questions; `publish` makes a new revision."""

    def __init__(self, records: Iterable[RegistryRecord] = ()) -> None:
        self.records = list(records)
        self.revision = 1
        self.questions = 0

    def publish(self, *records: RegistryRecord) -> None:
        """Adds records under a new revision."""
        self.records += records
        self.revision += 1

    async def GetSnapshot(
        self, request: registry_pb2.GetSnapshotRequest, _context: Any
    ) -> AsyncIterator[registry_pb2.GetSnapshotResponse]:
        """Streams the records one by one, or one empty answer."""
        self.questions += 1
        if request.known_revision == self.revision:
            yield registry_pb2.GetSnapshotResponse(revision=self.revision)
            return
        for record in self.records:
            yield registry_pb2.GetSnapshotResponse(revision=self.revision, records=[record])


@asynccontextmanager
async def serving(registry: SnapshotRegistry, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    """Serves the registry while the block runs; yields its address."""
    server = grpc.aio.server()
    handler = grpc.unary_stream_rpc_method_handler(
        registry.GetSnapshot,
        registry_pb2.GetSnapshotRequest.FromString,
        registry_pb2.GetSnapshotResponse.SerializeToString,
    )
    name = registry_pb2.DESCRIPTOR.services_by_name["RegistryService"].full_name
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"GetSnapshot": handler}),))
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def terminal(terminal_id: str, outlet_id: str, *, kind: str = "till", valid_from: str = "2009-01-01") -> RegistryRecord:
    """A binding."""
    record = Terminal(terminal_id=terminal_id, outlet_id=outlet_id, kind=kind, valid_from=valid_from)
    return RegistryRecord(terminal=record)


def usual_games() -> list[RegistryRecord]:
    """A lotto, an instant game and one known by daily summaries only."""
    since = "2009-01-01"
    return [
        RegistryRecord(
            game=Game(
                game="ssq",
                valid_from=since,
                game_type="lotto",
                unit_price_fen=200,
                has_draws=True,
                max_multiplier=99,
                max_ticket_fen=2_000_000,
            )
        ),
        RegistryRecord(
            game=Game(game="instant", valid_from=since, game_type="instant", face_values_fen=[500, 1000, 2000])
        ),
        RegistryRecord(game=Game(game="on_daily", valid_from=since, game_type="summary")),
    ]
