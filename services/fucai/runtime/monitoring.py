"""The HTTP side door of a process: /metrics for Prometheus, /ready for people, `fucai status` and orchestrators."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from fucai.runtime.progress import Probe, combine
from fucai.runtime.settings import split_address

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class MonitoringServer:
    """Serves until `close`, on threads of its own, so that it answers even while the event loop is busy."""

    def __init__(self, address: str, *, registry: CollectorRegistry, probes: Mapping[str, Probe]) -> None:
        """Listens at once.

        Raises:
            OSError: the address cannot be had.
        """
        host, port = split_address(address)
        family = _Server6 if ":" in host else _Server
        self._server = make_server(host, port, _application(registry, probes), family, handler_class=_QuietHandler)
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="monitoring", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening; blocks for at most the poll interval of 0.1 s."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _application(
    registry: CollectorRegistry, probes: Mapping[str, Probe]
) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    metrics: Callable[[dict[str, Any], StartResponse], Iterable[bytes]] = make_wsgi_app(registry)

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return metrics(environ, start_response)
        if path == "/ready":
            return _ready(probes, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Try /metrics or /ready.\n"]

    return application


def _ready(probes: Mapping[str, Probe], start_response: StartResponse) -> Iterable[bytes]:
    answers = {name: probe() for name, probe in list(probes.items())}
    overall = combine(answers)
    start_response(
        "200 OK" if overall.ready else "503 Service Unavailable",
        [("Content-Type", "application/json; charset=utf-8"), ("Cache-Control", "no-store")],
    )
    body = {
        "ready": overall.ready,
        "reason": overall.reason,
        "probes": {name: {"ready": answer.ready, "reason": answer.reason} for name, answer in answers.items()},
    }
    return [json.dumps(body, ensure_ascii=False).encode() + b"\n"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Scrapes are not logged."""
