"""The registry while ClickHouse is away: it says so, starts in any order, and loses nothing."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import cast

import grpc

from fucai.adapters.clickhouse import connect
from fucai.adapters.migrate import StoreSettings, migrate
from fucai.runtime.errors import retry_after_ms
from fucai.v1 import registry_pb2 as pb
from tests.integration.registry.serving import Running, serving
from tests.support.clickhouse import running_clickhouse
from tests.support.ports import free_ports
from tests.support.waiting import eventually
from tests.unit.registry.records import good


def refusal(registry: Running) -> str:
    """What the registry says when it cannot answer, with when to try again; empty when it can."""
    call = registry.stub.GetSnapshot(pb.GetSnapshotRequest())
    with suppress(grpc.RpcError):
        list(call)
    refused = call.code() is grpc.StatusCode.UNAVAILABLE and retry_after_ms(cast("grpc.RpcError", call))
    return str(call.details()) if refused else ""


def test_store_may_come_late_go_and_come_back(tmp_path: Path) -> None:
    """Without ClickHouse, or without its schema, calls are UNAVAILABLE and readiness says why; then all is there."""
    (port,) = free_ports(1)
    with serving(f"http://127.0.0.1:{port}", "fucai") as registry:
        assert "is away" in refusal(registry)
        eventually(lambda: "is away" in registry.readiness().reason, what="readiness that names the store")

        with running_clickhouse(tmp_path / "store", port) as url:
            assert "fucai migrate" in eventually(lambda: refusal(registry), what="a refusal")
            eventually(lambda: "fucai migrate" in registry.readiness().reason, what="readiness that names the schema")
            client = connect(url)
            migrate(client, database="fucai", store=StoreSettings("America/Toronto", "CAD"))
            client.close()
            eventually(lambda: registry.readiness().ready, what="readiness")
            zone = pb.RegistryRecord(zone=good("zone"))
            assert registry.stub.UpsertRecords(pb.UpsertRecordsRequest(records=[zone])).summary.revision == 1

        assert "is away" in refusal(registry)
        eventually(lambda: not registry.readiness().ready, what="unreadiness")

        with running_clickhouse(tmp_path / "store", port):
            eventually(lambda: registry.readiness().ready, what="readiness")
            (part,) = registry.snapshot()
            assert (part.revision, part.timezone, part.currency) == (1, "America/Toronto", "CAD")
            assert list(part.records) == [zone]
