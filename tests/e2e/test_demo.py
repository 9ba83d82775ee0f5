"""The demo as a newcomer runs it, looked at from outside by standard clients while it runs. Proves no figure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from prometheus_client.parser import text_string_to_metric_families

from fucai.devstack.stack import ENDPOINTS, Endpoint, read_endpoints
from fucai.runtime.errors import code_of, retry_after_ms
from tests.support.ports import free_port_base
from tests.support.processes import marked
from tests.support.waiting import eventually

SERVICES = {
    "collector": "fucai.v1.CollectorService",
    "registry": "fucai.v1.RegistryService",
    "analytics": "fucai.v1.AnalyticsService",
    "loader": "grpc.health.v1.Health",
    "exporter": "grpc.health.v1.Health",
    "ledger": "fucai.v1.LedgerService",
    "auditor": "grpc.health.v1.Health",
}
MARK = "FUCAI_TEST_RUN"

pytestmark = pytest.mark.timeout(150)


@dataclass(frozen=True, slots=True)
class Seen:
    """What clients saw while the demo ran, and how it ended."""

    processes: int
    serving: dict[str, bool]
    reflected: dict[str, bool]
    answered: dict[str, grpc.StatusCode]
    metrics: dict[str, set[str]]
    exit_code: int
    output: str
    left: list[str]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """One run of twenty seconds."""
    data = tmp_path_factory.mktemp("demo")
    mark = uuid.uuid4().hex
    command = [sys.executable, "-m", "fucai.cli", "demo", "--seconds", "20", "--lang", "en"]
    command += ["--data", str(data), "--port-base", str(free_port_base())]
    with (data / "demo.out").open("wb") as out:
        demo = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, MARK: mark})
    try:
        eventually(lambda: (data / ENDPOINTS).exists() or demo.poll() is not None, 60, what="the stack ready")
        assert demo.poll() is None, (data / "demo.out").read_text(encoding="utf-8")
        parts = [part for part in read_endpoints(data).values() if part.name in SERVICES]
        processes = len(marked(MARK, mark))
        serving = {part.name: eventually(partial(is_serving, part), 10, what=f"{part.name} SERVING") for part in parts}
        reflected = {part.name: is_reflected(part) for part in parts}
        answered = answers(next(part for part in parts if part.name == "analytics"))
        metrics = {part.name: metric_names(part) for part in parts}
        demo.wait(timeout=90)
    finally:
        demo.terminate()
        demo.wait(timeout=60)
    output = (data / "demo.out").read_text(encoding="utf-8")
    left = list(marked(MARK, mark).values())
    return Seen(processes, serving, reflected, answered, metrics, demo.returncode, output, left)


def test_it_ends_by_itself_with_scale_and_growth(seen: Seen) -> None:
    """Exit code 0; the last summary has active outlets and sales of the whole channel, both with growth."""
    assert seen.exit_code == 0, seen.output
    growth = r"[▲▼=] [+−]?\d+\.\d%"
    summary = seen.output[seen.output.index("the stack in") :]
    assert re.search(rf"whole channel +\d+ +\d+ +{growth} +[\d,.]+ +[\d,.]+ +{growth}", summary), summary
    assert "Channel scale (active outlets)" in summary
    assert "benchmark national welfare lottery sales" in summary
    assert re.search(r"first figure after \d+ s; ran \d+ s", summary)
    assert "Traceback" not in summary


def test_it_leaves_no_process_behind(seen: Seen) -> None:
    """Broker, engine, five services and the demo ran; none of them or of their children is there afterwards."""
    assert seen.processes >= 2 + len(SERVICES) + 1
    assert seen.left == []


def test_standard_clients_are_answered_while_it_runs(seen: Seen) -> None:
    """Every service is SERVING for a health client, describes itself by reflection, and has a page for Prometheus."""
    assert seen.serving == dict.fromkeys(SERVICES, True)
    assert seen.reflected == dict.fromkeys(SERVICES, True)
    for name, names in seen.metrics.items():
        assert any(metric.startswith(("fucai_", "process_")) for metric in names), (name, names)
    assert "fucai_loader_lag_records" in seen.metrics["loader"]
    assert "fucai_collector_events_accepted" in seen.metrics["collector"]


def test_every_question_is_answered_through_reflection_alone(seen: Seen) -> None:
    """A client that knows only what reflection tells can ask each question: an answer, or a refusal that says why."""
    told = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
    assert {"Growth", "Decompose", "Rank", "Scale", "Outlet", "StreamTrend"} <= seen.answered.keys()
    assert {name: code for name, code in seen.answered.items() if code not in told} == {}
    assert seen.answered["Freshness"] is seen.answered["Headline"] is grpc.StatusCode.OK


def is_serving(part: Endpoint) -> bool:
    """Whether the standard health client finds the whole server SERVING."""
    with grpc.insecure_channel(part.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=10)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def is_reflected(part: Endpoint) -> bool:
    """Whether the standard reflection client lists the part's service, and learns its methods and their messages."""
    with grpc.insecure_channel(part.address) as channel:
        database: Any = ProtoReflectionDescriptorDatabase(channel)
        listed = SERVICES[part.name] in database.get_services()
        service = DescriptorPool(database).FindServiceByName(SERVICES[part.name])
        return listed and all(method.input_type.fields is not None for method in service.methods)


def answers(part: Endpoint) -> dict[str, grpc.StatusCode]:
    """The status of each method, asked with an empty request made of reflected descriptors."""
    with grpc.insecure_channel(part.address) as channel:
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        service = pool.FindServiceByName(SERVICES[part.name])
        found = {}
        for method in service.methods:
            ask = partial(status, channel, service.full_name, method)
            found[method.name] = eventually(ask, 10, what=f"{method.name} answered") or grpc.StatusCode.UNAVAILABLE
        return found


def status(channel: grpc.Channel, service: str, method: Any) -> grpc.StatusCode | None:
    """The status of one method that answers once or in parts; None where it says to ask again, as imports make it."""
    kind = channel.unary_stream if method.server_streaming else channel.unary_unary
    request, answer = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    write, read = request.SerializeToString, answer.FromString
    ask: Any = kind(f"/{service}/{method.name}", request_serializer=write, response_deserializer=read)
    try:
        answered = ask(request(), timeout=20)
        if method.server_streaming:
            list(answered)
    except grpc.RpcError as error:
        return None if retry_after_ms(error) is not None else code_of(error)
    return grpc.StatusCode.OK


def metric_names(part: Endpoint) -> set[str]:
    """Families of the metrics page, as Prometheus' own parser reads them."""
    with urlopen(f"http://{part.metrics}/metrics", timeout=10) as answer:
        return {family.name for family in text_string_to_metric_families(answer.read().decode())}
