"""Listing, getting and following the registry over gRPC."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from fucai.registry.service import SNAPSHOT_PART
from fucai.runtime.client import connect_blocking
from fucai.runtime.errors import violations_of
from fucai.v1 import registry_pb2 as pb
from tests.integration.registry.serving import Running, serving
from tests.support.clickhouse import Database
from tests.unit.registry.records import KINDS, good, kind_of

OUTLETS = pb.REGISTRY_TABLE_OUTLETS


def record(message: Any) -> pb.RegistryRecord:
    """The message as a record of any table."""
    return pb.RegistryRecord(**{kind_of(message): message})


def upsert(registry: Running, *messages: Any) -> pb.ImportSummary:
    """Store records."""
    request = pb.UpsertRecordsRequest(records=[record(message) for message in messages], source="test")
    return registry.stub.UpsertRecords(request).summary


def test_every_kind_of_record_comes_back_as_it_went_in(registry: Running) -> None:
    """Each table keeps every field, by get and by list."""
    messages = {kind: good(kind) for kind in KINDS}
    upsert(registry, *messages.values())
    ids = {
        "zone": "Z1",
        "outlet": "001",
        "terminal": "T001",
        "game": "ssq",
        "draw": "ssq/2024001",
        "closure": "draw_games/2024-02-08",
        "benchmark": "own/2024-02",
    }
    for number, kind in enumerate(KINDS, 1):
        table = pb.RegistryTable.ValueType(number)
        found = registry.stub.GetRecord(pb.GetRecordRequest(table=table, id=ids[kind])).record
        assert found == record(messages[kind])
        assert list(registry.stub.ListRecords(pb.ListRecordsRequest(table=table)).records) == [found]


def test_record_is_got_as_of_a_day(registry: Running) -> None:
    """A day picks the version that held then; no version then is NOT_FOUND; no day is the newest."""
    first, second = good("outlet"), good("outlet", valid_from="2024-07-01", name="moved")
    upsert(registry, good("zone"), first, second)

    def name_on(day: str) -> str:
        request = pb.GetRecordRequest(table=OUTLETS, id="001", day=day)
        return str(registry.stub.GetRecord(request).record.outlet.name)

    assert [name_on(day) for day in ("2020-01-01", "2024-06-30", "2024-07-01", "")] == [
        first.name,
        first.name,
        "moved",
        "moved",
    ]
    for request in (
        pb.GetRecordRequest(table=OUTLETS, id="001", day="2019-12-31"),
        pb.GetRecordRequest(table=OUTLETS, id="009"),
        pb.GetRecordRequest(table=pb.REGISTRY_TABLE_DRAWS, id="ssq"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            registry.stub.GetRecord(request)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_list_comes_in_pages(registry: Running) -> None:
    """Pages hold every record once, in order; the newest versions only, or all of them."""
    outlets = [good("outlet", outlet_id=f"{n:03}", valid_from=day) for n in range(7) for day in _DAYS]
    upsert(registry, good("zone"), *outlets)

    def walk(*, history: bool) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        token = ""
        while True:
            request = pb.ListRecordsRequest(table=OUTLETS, history=history, page_size=3, page_token=token)
            answer = registry.stub.ListRecords(request)
            found += [(each.outlet.outlet_id, each.outlet.valid_from) for each in answer.records]
            token = answer.next_page_token
            if not token:
                return found

    assert walk(history=True) == [(outlet.outlet_id, outlet.valid_from) for outlet in outlets]
    assert walk(history=False) == [(f"{n:03}", "2024-01-01") for n in range(7)]


_DAYS = ("2020-01-01", "2024-01-01")


def test_bad_questions_name_the_field(quiet_registry: Running) -> None:
    """Unknown tables, pages that are too large, foreign tokens and days that are none are INVALID_ARGUMENT."""
    stub = quiet_registry.stub
    foreign = "mine"
    attempts: list[tuple[str, Any]] = [
        ("table", lambda: stub.ListRecords(pb.ListRecordsRequest())),
        ("table", lambda: stub.GetRecord(pb.GetRecordRequest(id="x"))),
        ("page_size", lambda: stub.ListRecords(pb.ListRecordsRequest(table=OUTLETS, page_size=1_001))),
        ("page_token", lambda: stub.ListRecords(pb.ListRecordsRequest(table=OUTLETS, page_token=foreign))),
        ("day", lambda: stub.GetRecord(pb.GetRecordRequest(table=OUTLETS, id="001", day="yesterday"))),
    ]
    for field, attempt in attempts:
        with pytest.raises(grpc.RpcError) as caught:
            attempt()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert [violation.field for violation in violations_of(caught.value)] == [field]


def test_snapshot_comes_in_parts_and_once(registry: Running, clickhouse_database: Database) -> None:
    """A snapshot holds everything; who knows its revision gets one empty answer; a change by others is noticed."""
    terminals = [good("terminal", terminal_id=f"T{n:05}", outlet_id="") for n in range(SNAPSHOT_PART + 1)]
    upsert(registry, good("zone"), good("outlet"), *terminals)
    parts = registry.snapshot()
    assert [len(part.records) for part in parts] == [SNAPSHOT_PART, 3]
    assert {part.revision for part in parts} == {1}
    assert (parts[0].timezone, parts[0].currency) == ("Asia/Shanghai", "CNY")
    (empty,) = registry.snapshot(known_revision=1)
    assert (empty.revision, len(empty.records)) == (1, 0)
    with serving(clickhouse_database.url, clickhouse_database.name) as other:
        upsert(other, good("zone", name="银街"))
    assert sum(len(part.records) for part in registry.snapshot(known_revision=1)) == SNAPSHOT_PART + 3
    assert registry.snapshot()[0].records[0].zone.name == "银街"


def test_standard_clients_find_it(quiet_registry: Running) -> None:
    """Health says SERVING and reflection describes the service."""
    with connect_blocking(quiet_registry.address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=20)
        assert any(answer.status == health_pb2.HealthCheckResponse.SERVING for answer in watch)
        database = ProtoReflectionDescriptorDatabase(channel)
        assert "fucai.v1.RegistryService" in database.get_services()
