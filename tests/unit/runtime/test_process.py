"""A whole service process: signals, exit codes and its log, seen from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

PROGRAM = """
import asyncio, time
from fucai.runtime.errors import FatalError
from fucai.runtime.service import run
from fucai.runtime.settings import ServiceSettings
from tests.unit.runtime import echo

async def build(service):
    service.add(echo.add_to_server, object())
    {wiring}

run("echo", ServiceSettings, build)
"""


@contextmanager
def process(wiring: str = "", **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A service process on free ports, killed at the end if it still runs."""
    environment = {**os.environ, "FUCAI_INSTANCE": "echo-0", "FUCAI_STOP_SECONDS": "2", **variables}
    program = PROGRAM.format(wiring=wiring or "pass")
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[3],
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def log_until(started: subprocess.Popen[str], event: str) -> list[dict[str, Any]]:
    """The records of the log up to the one with this event."""
    assert started.stderr is not None
    records = []
    for line in started.stderr:
        records.append(json.loads(line))
        if records[-1]["event"] == event:
            return records
    raise AssertionError(f"the process ended without {event!r}; it said {records}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """A signal stops the process with code 0, even while a client holds a stream open."""
    with process() as started:
        [*_, record] = log_until(started, "serving")
        with grpc.insecure_channel(record["grpc"]) as channel:
            call = channel.unary_unary("/test.Echo/Answer", StringValue.SerializeToString, StringValue.FromString)
            assert call(StringValue(value="x"), timeout=5).value == "x"
            chat = channel.stream_stream("/test.Echo/Chat", StringValue.SerializeToString, StringValue.FromString)
            waiting = chat(iter([StringValue(value="hang")]))
            started.send_signal(number)
            assert started.wait(timeout=10) == 0
            with pytest.raises(grpc.RpcError):
                list(waiting)
        log_until(started, "stopped")


def test_log_is_one_json_object_a_line_with_who_and_when() -> None:
    """Each record names service, instance, level and an ISO time in UTC; the library's records too."""
    wiring = 'import logging; logging.getLogger("elsewhere").warning("from %s", "a library")'
    with process(wiring) as started:
        records = log_until(started, "serving")
        started.terminate()
    assert [record["event"] for record in records] == ["from a library", "serving"]
    for record in records:
        assert (record["service"], record["instance"]) == ("echo", "echo-0")
        assert record["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("wiring", "code", "said"),
    [
        ('raise FatalError("no schema; run fucai migrate", exit_code=69)', 69, "no schema; run fucai migrate"),
        ("raise RuntimeError", 70, "ended by an unexpected error"),
        ('service.background("b", asyncio.to_thread(int, "x"))', 70, "ended by an unexpected error"),
    ],
)
def test_failure_ends_it_with_code_and_cause(wiring: str, code: int, said: str) -> None:
    """A failure while wiring or later ends the process with a sysexits code and a logged cause."""
    with process(wiring) as started:
        log_until(started, said)
        assert started.wait(timeout=10) == code


def test_unusable_settings_end_it_before_anything_runs() -> None:
    """Bad settings are told in plain lines without a traceback."""
    with process(FUCAI_KAFKA="broker", FUCAI_PARTITIONS="many") as started:
        _, said = started.communicate(timeout=10)
        assert started.returncode == 78
    assert [line.split(":")[0] for line in said.splitlines()] == ["FUCAI_KAFKA=broker", "FUCAI_PARTITIONS=many"]


def test_stop_while_starting_ends_at_once() -> None:
    """A process that still waits for its surroundings can be stopped."""
    wiring = 'service.log.info("waiting for Kafka"); await asyncio.sleep(3600)'
    with process(wiring) as started:
        log_until(started, "waiting for Kafka")
        started.terminate()
        assert started.wait(timeout=10) == 0


def test_thread_that_does_not_end_is_ended_the_hard_way() -> None:
    """A stuck thread cannot keep a stopped process alive."""
    wiring = 'service.background("stuck", asyncio.to_thread(time.sleep, 3600))'
    with process(wiring, FUCAI_STOP_SECONDS="0.2") as started:
        log_until(started, "serving")
        started.terminate()
        log_until(started, "graceful stop took too long; ending at once")
        assert started.wait(timeout=10) == 70


def test_second_signal_ends_it_at_once() -> None:
    """Whoever presses Ctrl-C twice does not wait for the grace."""
    wiring = 'service.worker("slow", asyncio.sleep(3600))'
    with process(wiring, FUCAI_STOP_SECONDS="60") as started:
        log_until(started, "serving")
        started.terminate()
        log_until(started, "stopping")
        started.terminate()
        assert started.wait(timeout=10) == 128 + signal.SIGTERM
