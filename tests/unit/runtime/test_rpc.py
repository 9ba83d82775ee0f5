"""What happens to an RPC on its way through a real server: counts, refusals with details, hidden exceptions."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from structlog.testing import capture_logs

from fucai.runtime import errors
from fucai.runtime.errors import Violation
from fucai.runtime.service import Service
from fucai.runtime.settings import ServiceSettings
from tests.unit.runtime.echo import SECRET, Client, serving

TESTED = Service[ServiceSettings]
KINDS = [
    ("unary_unary", "Answer"),
    ("stream_stream", "Chat"),
    ("stream_stream", "ChatByHand"),
    ("unary_stream", "Spread"),
    ("stream_unary", "Gather"),
]


def handled(service: TESTED, method: str, code: str) -> float | None:
    """How many RPCs of this method ended with this code."""
    labels = {"method": f"/test.Echo/{method}", "code": code}
    return service.metrics.get_sample_value("fucai_grpc_server_handled_total", labels)


async def counted(service: TESTED, method: str, code: str) -> None:
    """Returns when one RPC of this method was counted under this code: that happens after its client was answered."""
    async with asyncio.timeout(5):
        while handled(service, method, code) != 1:
            await asyncio.sleep(0.01)


async def send(client: Client, kind: str, method: str, request: Any) -> list[str]:
    """Sends one request, by whatever kind of method, and returns the texts of the answers."""
    raw = isinstance(request, bytes)
    call = client.call(kind, method, raw=raw)(iter([request]) if kind.startswith("stream") else request)
    if kind.endswith("unary"):
        return [(await call).value]
    return [answer.value async for answer in call]


async def refused(client: Client, kind: str, method: str, request: Any) -> grpc.aio.AioRpcError:
    """The error that answers one request."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(client, kind, method, request)
    return caught.value


@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_every_kind_of_method_passes_and_is_counted(kind: str, method: str) -> None:
    """A call goes through the observer unchanged and is counted once."""

    async def test(service: TESTED, client: Client) -> None:
        assert set(await send(client, kind, method, StringValue(value="福彩"))) == {"福彩"}
        await counted(service, method, "OK")

    serving(test)


def test_answers_of_a_stream_keep_their_order() -> None:
    """Many messages on one stream come back complete and in order."""

    async def test(_: TESTED, client: Client) -> None:
        texts = [str(number) for number in range(500)]
        call = client.call("stream_stream", "Chat")(iter([StringValue(value=text) for text in texts]))
        assert [answer.value async for answer in call] == texts

    serving(test)


def test_only_calls_without_streams_are_timed() -> None:
    """The life of a stream says nothing about latency, so it is not in the histogram."""

    async def test(service: TESTED, client: Client) -> None:
        for kind, method in KINDS:
            await send(client, kind, method, StringValue(value="x"))
        samples = [sample for family in service.metrics.collect() for sample in family.samples]
        timed = {s.labels["method"] for s in samples if s.name == "fucai_grpc_server_handling_seconds_count"}
        assert timed == {"/test.Echo/Answer"}

    serving(test)


@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_unexpected_exception_becomes_a_correlation_id(kind: str, method: str) -> None:
    """The client gets INTERNAL and an id, not the cause; the log has the cause under the same id."""

    async def test(service: TESTED, client: Client) -> None:
        with capture_logs() as records:
            error = await refused(client, kind, method, StringValue(value="raise"))
        assert error.code() is grpc.StatusCode.INTERNAL
        told = re.search(r"[0-9a-f]{12}", str(error.details()))
        assert told is not None
        assert [record["error_id"] for record in records if record["event"] == "rpc failed"] == [told.group()]
        assert SECRET not in repr(error)
        await counted(service, method, "INTERNAL")

    serving(test)


@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_bytes_that_are_no_message_are_an_invalid_argument(kind: str, method: str) -> None:
    """What does not parse is refused as the client's fault, in single calls and in streams."""

    async def test(service: TESTED, client: Client) -> None:
        error = await refused(client, kind, method, b"\xff\xff\xff\xff garbage")
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "does not parse" in str(error.details())
        await counted(service, method, "INVALID_ARGUMENT")

    serving(test)


@pytest.mark.parametrize(("kind", "method"), KINDS)
def test_refusal_keeps_its_own_status(kind: str, method: str) -> None:
    """A servicer's own abort passes the observer untouched, and is counted under its code."""

    async def test(service: TESTED, client: Client) -> None:
        error = await refused(client, kind, method, StringValue(value="busy"))
        assert errors.code_of(error) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert errors.retry_after_ms(error) == 1500
        await counted(service, method, "RESOURCE_EXHAUSTED")

    serving(test)


def test_too_large_a_message_is_refused_and_the_server_goes_on() -> None:
    """A message above the limit ends with RESOURCE_EXHAUSTED; the next one is served."""

    async def test(service: TESTED, client: Client) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.answer("x" * (service.settings.max_message_bytes + 1))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await client.answer("still here") == "still here"

    serving(test)


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        ("refuse", "INVALID_ARGUMENT: events[3].amount_fen: is 0, must be above 0"),
        ("busy", "RESOURCE_EXHAUSTED: the broker cannot keep up; retry in 1500 ms"),
        ("missing", "NOT_FOUND: no outlet 'GZ-0001'"),
        ("away", "UNAVAILABLE: ClickHouse is away"),
        ("early", "FAILED_PRECONDITION: the draw is not sealed"),
    ],
)
def test_refusal_explains_itself_in_one_line(text: str, explained: str) -> None:
    """What a servicer says with a helper reaches the person at the other end."""

    async def test(_: TESTED, client: Client) -> None:
        assert errors.explain(await refused(client, "unary_unary", "Answer", StringValue(value=text))) == explained

    serving(test)


def test_violations_arrive_as_values() -> None:
    """A client can read the fields that were wrong, not only print them; other details leave none."""

    async def test(_: TESTED, client: Client) -> None:
        error = await refused(client, "unary_unary", "Answer", StringValue(value="refuse"))
        assert errors.violations_of(error) == [Violation("events[3].amount_fen", "is 0, must be above 0")]
        assert errors.retry_after_ms(error) is None
        other = await refused(client, "unary_unary", "Answer", StringValue(value="busy"))
        assert errors.violations_of(other) == []

    serving(test)


def test_nobody_listening_is_explained_too() -> None:
    """A connection error has no details, and still makes one line."""

    async def test() -> None:
        async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
            error = await refused(Client(channel), "unary_unary", "Answer", StringValue(value="x"))
        assert errors.explain(error).startswith("UNAVAILABLE: ")
        assert "\n" not in errors.explain(error)

    asyncio.run(test())


def test_cancelled_call_is_counted_as_cancelled() -> None:
    """A client that hangs up leaves no running RPC behind."""

    async def test(service: TESTED, client: Client) -> None:
        call = client.call("unary_unary", "Answer")(StringValue(value="hang"))
        running = ("fucai_grpc_server_running", {"method": "/test.Echo/Answer"})
        async with asyncio.timeout(5):
            while service.metrics.get_sample_value(*running) != 1:
                await asyncio.sleep(0.01)
            call.cancel()
            while handled(service, "Answer", "CANCELLED") != 1:
                await asyncio.sleep(0.01)
        assert service.metrics.get_sample_value(*running) == 0

    serving(test)


def test_unknown_method_stays_unimplemented() -> None:
    """A method that does not exist is told so, and makes no new metric: names from outside are unbounded."""

    async def test(service: TESTED, client: Client) -> None:
        error = await refused(client, "unary_unary", "Bogus", StringValue(value="x"))
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert handled(service, "Bogus", "UNIMPLEMENTED") is None

    serving(test)
