"""Looks at parts of a stack from outside: whether they are ready, and what their metrics say. Changes nothing."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from fucai.cli.addresses import Part
from fucai.runtime.client import connect_blocking
from fucai.runtime.errors import explain
from fucai.runtime.settings import split_address

ANSWER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Metrics:
    """What one scrape read: value by name and labels."""

    values: Mapping[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)

    def of(self, name: str, **labels: str) -> Iterator[tuple[dict[str, str], float]]:
        """The samples of a name that have at least these labels."""
        for (found, pairs), value in self.values.items():
            if found == name and labels.items() <= set(pairs):
                yield dict(pairs), value

    def total(self, name: str, **labels: str) -> float | None:
        """Their sum; None where there is no such sample."""
        found = [value for _, value in self.of(name, **labels)]
        return sum(found) if found else None


def scrape(part: Part) -> Metrics:
    """What /metrics of a part says now; nothing where it has none or does not answer."""
    if part.metrics is None:
        return Metrics()
    try:
        with urllib.request.urlopen(f"http://{part.metrics}/metrics", timeout=ANSWER_SECONDS) as answer:
            text = answer.read().decode()
    except OSError:
        return Metrics()
    return Metrics(
        {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
    )


def readiness(part: Part) -> tuple[bool, str]:
    """Whether a part is ready, and in its own words what it does or why it is not."""
    if part.metrics is not None:
        return _ready_page(part.metrics)
    if part.name == "clickhouse":
        return _ping(part.address)
    if part.name == "kafka":
        return _port(part.address)
    return _health(part.address)


def _ready_page(metrics: str) -> tuple[bool, str]:
    url = f"http://{metrics}/ready"
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            body = json.load(answer)
    except urllib.error.HTTPError as error:
        try:
            body = json.load(error)
        except ValueError:
            return False, f"{url} answers {error.code}"
    except (OSError, ValueError) as error:
        return False, f"does not answer: {_cause(error)}"
    if not body["ready"]:
        return False, str(body["reason"])
    told = [f"{name}: {probe['reason']}" for name, probe in body["probes"].items() if name != "start"]
    return True, "; ".join(told) or str(body["reason"])


def _ping(address: str) -> tuple[bool, str]:
    try:
        with urllib.request.urlopen(f"http://{address}/ping", timeout=ANSWER_SECONDS):
            return True, "answers /ping"
    except OSError as error:
        return False, f"does not answer: {_cause(error)}"


def _port(address: str) -> tuple[bool, str]:
    try:
        with socket.create_connection(split_address(address), timeout=ANSWER_SECONDS):
            return True, "listening"
    except OSError as error:
        return False, f"does not listen: {_cause(error)}"


def _health(address: str) -> tuple[bool, str]:
    with connect_blocking(address) as channel:
        try:
            check = health_pb2_grpc.HealthStub(channel).Check
            status = check(health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS).status
        except grpc.RpcError as error:
            return False, explain(error)
    name = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
    return name == "SERVING", name.lower().replace("_", " ")


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason)
