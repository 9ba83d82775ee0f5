"""The frame of a service process, run inside the test: health, reflection, metrics, readiness, failure, stop."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.client import HTTPConnection

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families
from structlog import get_logger

from fucai.runtime.client import connect, connect_blocking
from fucai.runtime.errors import FatalError
from fucai.runtime.service import Service
from fucai.runtime.settings import ServiceSettings
from tests.unit.runtime import echo

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
TESTED = Service[ServiceSettings]


def service_of(**settings: object) -> TESTED:
    """A service on free ports that stops within two seconds."""
    return Service("echo", ServiceSettings.model_validate({"stop_seconds": 2, **settings}), get_logger())


async def build_echo(service: TESTED) -> None:
    """Serves the echo servicer, nothing else."""
    service.add(echo.add_to_server, object())


async def get(address: str, path: str) -> tuple[int, str]:
    """Status and body of an HTTP GET."""

    def fetch() -> tuple[int, str]:
        connection = HTTPConnection(address, timeout=5)
        connection.request("GET", path)
        response = connection.getresponse()
        with response:
            return response.status, response.read().decode()

    return await asyncio.to_thread(fetch)


def test_health_follows_progress() -> None:
    """A watcher of the process, or of one of its services, hears when its work is blocked and when it moves again."""

    async def run() -> None:
        service = service_of()
        async with service.running(build_echo), connect(service.grpc_address) as channel, asyncio.timeout(10):
            work = service.progress("load")
            stub = health_pb2_grpc.HealthStub(channel)
            watch = stub.Watch(health_pb2.HealthCheckRequest(service="test.Echo"))
            reports: list[tuple[Callable[[str], None], int]] = [
                (work.blocked, NOT_SERVING),
                (work.idle, SERVING),
                (work.blocked, NOT_SERVING),
            ]
            for report, expected in reports:
                report("as told")
                while (await watch.read()).status != expected:
                    pass
            assert (await stub.Check(health_pb2.HealthCheckRequest())).status == NOT_SERVING
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.Check(health_pb2.HealthCheckRequest(service="test.Bogus"))
            assert caught.value.code() is grpc.StatusCode.NOT_FOUND

    asyncio.run(run())


def test_reflection_lists_and_describes_the_services() -> None:
    """A standard reflection client finds the services and can read the schema of one."""

    async def run() -> None:
        service = service_of()
        async with service.running(build_echo):

            def look() -> tuple[set[str], str]:
                with connect_blocking(service.grpc_address) as channel:
                    database = ProtoReflectionDescriptorDatabase(channel)
                    schema = database.FindFileContainingSymbol("grpc.health.v1.Health")
                    return set(database.get_services()), schema.package

            names, package = await asyncio.to_thread(look)
        assert names == {"test.Echo", "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
        assert package == "grpc.health.v1"

    asyncio.run(run())


def test_metrics_are_prometheus_text() -> None:
    """/metrics parses as Prometheus text and has the process's, the RPCs' and the service's own metrics."""

    async def build(service: TESTED) -> None:
        await build_echo(service)
        Counter("fucai_test_batches", "Batches.", registry=service.metrics).inc(3)

    async def run() -> None:
        service = service_of(instance="echo-7")
        async with service.running(build), connect(service.grpc_address) as channel:
            await echo.Client(channel).answer("x")
            status, text = await get(service.metrics_address, "/metrics")
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        values = {sample.name: sample.value for sample in samples}
        assert status == 200
        assert values["fucai_test_batches_total"] == 3
        assert values["fucai_grpc_server_handled_total"] == 1
        assert values["process_resident_memory_bytes"] > 1e6
        [build_info] = [sample.labels for sample in samples if sample.name == "fucai_build_info"]
        assert (build_info["service"], build_info["instance"]) == ("echo", "echo-7")

    asyncio.run(run())


def test_ready_says_what_is_wrong() -> None:
    """/ready is 200 while all parts are ready, else 503, with the reason of each part; other paths are 404."""

    async def run() -> None:
        service = service_of()
        async with service.running(build_echo):
            work = service.progress("load")
            status, body = await get(service.metrics_address, "/ready")
            assert (status, json.loads(body)["reason"]) == (503, "load: starting")
            work.blocked("ClickHouse 127.0.0.1:19002 refuses connections")
            status, body = await get(service.metrics_address, "/ready")
            assert status == 503
            assert json.loads(body) == {
                "ready": False,
                "reason": "load: ClickHouse 127.0.0.1:19002 refuses connections",
                "probes": {
                    "start": {"ready": True, "reason": "serving"},
                    "load": {"ready": False, "reason": "ClickHouse 127.0.0.1:19002 refuses connections"},
                },
            }
            assert service.metrics.get_sample_value("fucai_ready", {"probe": "load"}) == 0
            work.idle()
            status, body = await get(service.metrics_address, "/ready")
            assert (status, json.loads(body)["ready"]) == (200, True)
            assert (await get(service.metrics_address, "/"))[0] == 404

    asyncio.run(run())


def test_parts_are_closed_after_the_server_in_reverse_order() -> None:
    """Resources outlive the tasks and RPCs that use them; workers finish by themselves, background is cancelled."""
    order: list[str] = []

    @asynccontextmanager
    async def resource(name: str) -> AsyncIterator[str]:
        yield name
        order.append(f"{name} left")

    async def close_last() -> None:
        order.append("closed")

    async def build(service: TESTED) -> None:
        async def flush() -> None:
            await service.stopping.wait()
            order.append("worker flushed")

        async def refresh() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                order.append("background cancelled")

        service.closing(close_last)
        assert await service.enter(resource("producer")) == "producer"
        await service.enter(resource("snapshot"))
        service.worker("flush", flush())
        service.background("refresh", refresh())

    async def run() -> None:
        service = service_of()
        async with service.running(build):
            await asyncio.sleep(0)

    asyncio.run(run())
    assert set(order[:2]) == {"background cancelled", "worker flushed"}
    assert order[2:] == ["snapshot left", "producer left", "closed"]


@pytest.mark.parametrize("kind", ["background", "worker"])
def test_failure_of_a_task_ends_the_service_with_its_cause(kind: str) -> None:
    """`wait` raises what the task raised, so the process ends with it."""

    async def build(service: TESTED) -> None:
        async def fail() -> None:
            raise ConnectionError("broker gone")

        getattr(service, kind)("load", fail())

    async def run() -> None:
        service = service_of()
        async with service.running(build):
            await service.wait()

    with pytest.raises(ConnectionError, match="broker gone"):
        asyncio.run(run())


def test_worker_that_returns_too_early_is_a_failure() -> None:
    """A worker has no reason to end before the stop; a background task may be done."""

    async def build(service: TESTED) -> None:
        service.background("warm up", asyncio.sleep(0))
        service.worker("load", asyncio.sleep(0.05))

    async def run() -> None:
        service = service_of()
        async with service.running(build):
            await service.wait()

    with pytest.raises(FatalError, match="worker 'load' returned although nobody stopped it"):
        asyncio.run(run())


def test_worker_that_does_not_stop_is_cancelled() -> None:
    """A stop waits for a worker half of stop_seconds, not for ever."""

    async def build(service: TESTED) -> None:
        service.worker("stuck", asyncio.sleep(3600))

    async def run() -> float:
        service = service_of(stop_seconds=0.4)
        loop = asyncio.get_running_loop()
        async with service.running(build):
            began = loop.time()
        return loop.time() - began

    assert 0.1 < asyncio.run(run()) < 2


def test_open_stream_does_not_hold_up_the_stop() -> None:
    """A terminal that stays connected is disconnected when the grace is over."""

    async def run() -> None:
        service = service_of(stop_seconds=0.4)
        async with asyncio.timeout(5), service.running(build_echo):
            channel = connect(service.grpc_address)
            chat = echo.Client(channel).call("stream_stream", "Chat")()
            await chat.write(StringValue(value="hello"))
            assert (await chat.read()).value == "hello"
        with pytest.raises(grpc.aio.AioRpcError):
            await chat.read()
        await channel.close(None)

    asyncio.run(run())


@pytest.mark.parametrize("listener", ["grpc", "metrics"])
def test_address_in_use_is_told_with_its_variable(listener: str) -> None:
    """A second process on the same address ends with the name of the setting to change."""

    async def run() -> None:
        first = service_of()
        async with first.running(build_echo):
            taken = first.grpc_address if listener == "grpc" else first.metrics_address
            second = service_of(**{listener: taken})
            with pytest.raises(FatalError, match=f"FUCAI_{listener.upper()}={taken}") as caught:
                async with second.running(build_echo):
                    pass
            assert caught.value.exit_code == os.EX_UNAVAILABLE

    asyncio.run(run())


def test_address_with_ipv6_loopback_serves() -> None:
    """Addresses in brackets work for both listeners."""

    async def run() -> None:
        service = service_of(grpc="[::1]:0", metrics="[::1]:0")
        async with service.running(build_echo), connect(service.grpc_address) as channel:
            assert await echo.Client(channel).answer("x") == "x"
            assert (await get(service.metrics_address, "/ready"))[0] == 200

    asyncio.run(run())
