"""What the local stack is made of: one process a part, in the order in which they need each other. Starts nothing."""

from __future__ import annotations

import json
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PORT_BASE = 19_000
_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack.

    `ready` returns an empty string once the part can do its work, else why not. A part that runs `once` is ready when
    it has ended with code 0. `needs` names the parts that must be ready before it starts. `internal` is where it
    listens for itself only.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    address: str = ""
    metrics: str = ""
    internal: str = ""
    once: bool = False
    ready: Callable[[], str] = lambda: ""
    stop_seconds: float = 12.0


def stack_parts(data: Path, port_base: int = DEFAULT_PORT_BASE, extra_env: dict[str, str] | None = None) -> list[Part]:
    """Return the parts of the local stack; ports count from `port_base`, `extra_env` goes to every service."""

    def address(offset: int) -> str:
        return f"127.0.0.1:{port_base + offset}"

    kafka, clickhouse = address(0), address(2)
    shared = {
        "FUCAI_KAFKA": kafka,
        "FUCAI_CLICKHOUSE": f"http://{clickhouse}",
        "FUCAI_COLLECTOR": address(10),
        "FUCAI_REGISTRY": address(20),
        "FUCAI_ANALYTICS": address(40),
        "FUCAI_LEDGER": address(60),
        "FUCAI_DATA": str(data),
        **(extra_env or {}),
    }
    python = (sys.executable, "-m")

    def service(name: str, offset: int, **more: str) -> Part:
        own = {"FUCAI_INSTANCE": f"{name}-0", "FUCAI_GRPC": address(offset), "FUCAI_METRICS": address(offset + 1)}
        return Part(
            name=name,
            command=(*python, f"fucai.{name}"),
            needs=("migrate",),
            env={**shared, **own, **more},
            address=address(offset),
            metrics=address(offset + 1),
            ready=lambda: service_state(address(offset + 1)),
        )

    return [
        Part(
            name="kafka",
            command=(
                *(*python, "fucai.devstack.kafka", "run", "--data", str(data / "kafka")),
                *("--port", str(port_base), "--controller-port", str(port_base + 1)),
            ),
            address=kafka,
            internal=address(1),
            ready=lambda: port_state(kafka),
            stop_seconds=20.0,
        ),
        Part(
            name="clickhouse",
            command=(
                *(*python, "fucai.devstack.clickhouse", "--data", str(data / "clickhouse")),
                *("--port", str(port_base + 2)),
            ),
            address=clickhouse,
            ready=lambda: ping_state(f"http://{clickhouse}/ping"),
            stop_seconds=20.0,
        ),
        Part("migrate", (*python, "fucai.cli", "migrate"), ("kafka", "clickhouse"), dict(shared), once=True),
        service("registry", 20),
        service("collector", 10, FUCAI_SNAPSHOT=str(data / "collector-snapshot")),
        service("loader", 30),
        service("analytics", 40),
        service("exporter", 50),
        service("ledger", 60),
        service("auditor", 70),
    ]


def port_state(address: str) -> str:
    """Return why nothing listens there, empty if something does."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_PROBE_SECONDS):
            return ""
    except OSError as error:
        return f"{address}: {error.strerror or error}"


def ping_state(url: str) -> str:
    """Return why a page does not answer with 200, empty if it does."""
    try:
        with urllib.request.urlopen(url, timeout=_PROBE_SECONDS):  # noqa: S310 (an address of our own, on loopback)
            return ""
    except OSError as error:
        return f"{url}: {getattr(error, 'reason', error)}"


def service_state(metrics: str) -> str:
    """Return why a service is not ready, in its own words; empty if it is."""
    url = f"http://{metrics}/ready"
    try:
        with urllib.request.urlopen(url, timeout=_PROBE_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        try:
            return str(json.load(error)["reason"])
        except (ValueError, KeyError):
            return f"{url}: {error}"
    except OSError as error:
        return f"{url}: {getattr(error, 'reason', error)}"
