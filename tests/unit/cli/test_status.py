"""`fucai status`: every part of a stack, ready or why not, with its rates and lags."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fucai.cli.status_sheet import lag_text
from tests.unit.cli.exports import same_in_every_format
from tests.unit.cli.fake import FakeAnalytics, Ran, run, serving

READY = (
    200,
    (
        b'{"ready": true, "reason": "start: serving; load: offset 4711",'
        b'"probes": {"start": {"ready": true, "reason": "serving"}, "load": {"ready": true, "reason": "offset 4711"}}}'
    ),
)
BLOCKED = (503, b'{"ready": false, "reason": "store: ClickHouse is away", "probes": {}}')
Pages = Mapping[str, Callable[[], tuple[int, bytes]]]


@contextmanager
def pages(found: Pages) -> Iterator[str]:
    """An HTTP server with these pages; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = found[self.path]() if self.path in found else (404, b"")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def counting(step: int) -> Callable[[], tuple[int, bytes]]:
    """A loader's metrics page whose counter rises by `step` with each scrape."""
    scrapes = iter(range(1, 100))

    def page() -> tuple[int, bytes]:
        stored = next(scrapes) * step
        return 200, (
            "# TYPE fucai_loader_events counter\n"
            f'fucai_loader_events_total{{outcome="stored"}} {stored}\n'
            'fucai_loader_events_total{outcome="duplicate"} 1e6\n'
            "# TYPE fucai_loader_lag_records gauge\n"
            'fucai_loader_lag_records{topic="fucai.sales.v1",partition="0"} 0\n'
            'fucai_loader_lag_records{topic="fucai.sales.v1",partition="3"} 12\n'
            "# TYPE fucai_loader_newest_record_timestamp_seconds gauge\n"
            "fucai_loader_newest_record_timestamp_seconds 1741600000.5\n"
        ).encode()

    return page


@contextmanager
def stack(tmp_path: Path, loader_ready: tuple[int, bytes]) -> Iterator[str]:
    """A stack of a ClickHouse and a loader; its directory."""
    with ExitStack() as open_servers:
        engine = open_servers.enter_context(pages({"/ping": lambda: (200, b"Ok.\n")}))
        loader = open_servers.enter_context(pages({"/ready": lambda: loader_ready, "/metrics": counting(100)}))
        parts = [
            {"name": "clickhouse", "address": engine, "pid": 1, "metrics": None},
            {"name": "loader", "address": "127.0.0.1:1", "pid": 2, "metrics": loader},
        ]
        (tmp_path / "endpoints.json").write_text(json.dumps({"parts": parts}), encoding="utf-8")
        yield str(tmp_path)


def test_a_ready_stack_exits_with_0(tmp_path: Path) -> None:
    """Events a second come from two scrapes and count what was stored; lag is told by partition."""
    with stack(tmp_path, READY) as data:
        ran = run("status", "--data", data, "--json", "--seconds", "0.2")
    assert ran.exit_code == 0, ran.err
    found = json.loads(ran.out)
    assert found["facts"]["ready"] is True
    loader = found["rows"][1]
    assert 0 < loader["events_per_second"] <= 500
    lags = found["beside"]["lags"]["rows"]
    assert {row["partition"]: row["lag_records"] for row in lags} == {"sales/0": 0, "sales/3": 12}
    assert (loader["lag_records"], loader["lag"]) == (12, "12 (sales/3:12)")
    assert datetime.fromisoformat(loader["last_event"]).timestamp() == 1741600000.5
    assert loader["reason"] == "load: offset 4711"
    assert found["rows"][0]["events_per_second"] is None


def test_every_export_has_the_rows_of_the_table(tmp_path: Path) -> None:
    """Csv, json, parquet, arrow and xlsx have the same parts, whose rates alone move."""
    with stack(tmp_path, READY) as data:

        def ask(*words: str) -> Ran:
            ran = run(*words, "--data", data, "--seconds", "0.1")
            assert ran.exit_code == 0, ran.err
            return ran

        document = same_in_every_format(ask, tmp_path, "status", moving=["events_per_second"])
    assert [row["part"] for row in document["rows"]] == ["clickhouse", "loader"]


def test_an_unready_part_says_why_and_exits_with_69(tmp_path: Path) -> None:
    """The table has the part's own reason; stderr names it; the exit code is EX_UNAVAILABLE."""
    with stack(tmp_path, BLOCKED) as data:
        ran = run("status", "--data", data, "--seconds", "0.1")
    assert ran.exit_code == 69
    assert "ClickHouse is away" in " ".join(ran.out.split())
    assert "12 (sales/3:12)" in ran.out
    assert "not ready: loader" in ran.err
    assert max(len(line) for line in ran.out.splitlines()) <= 100


def test_parts_that_do_not_answer_are_told(tmp_path: Path) -> None:
    """A dead Kafka, ClickHouse and loader are not ready, and no error is raised."""
    dead = "127.0.0.1:1"
    names = ("kafka", "clickhouse", "loader")
    parts = [{"name": n, "address": dead, "pid": 1, "metrics": dead if n == "loader" else None} for n in names]
    (tmp_path / "endpoints.json").write_text(json.dumps({"parts": parts}), encoding="utf-8")
    ran = run("status", "--data", str(tmp_path), "--json", "--seconds", "0.1")
    assert ran.exit_code == 69
    assert [part["ready"] for part in json.loads(ran.out)["rows"]] == [False, False, False]
    assert all("refused" in part["reason"].lower() for part in json.loads(ran.out)["rows"])


def test_without_a_stack_it_asks_services_by_grpc_health() -> None:
    """A service that the environment names is asked for its health; one without the health service says so."""
    with serving(FakeAnalytics()) as address:
        ran = run("status", "--json", "--seconds", "0.1", FUCAI_ANALYTICS=address)
    (part,) = json.loads(ran.out)["rows"]
    assert part["part"] == "analytics"
    assert "UNIMPLEMENTED" in part["reason"]
    assert run("status").exit_code == 69
    assert run("status", FUCAI_REGISTRY="nowhere").exit_code == 64


@pytest.mark.parametrize(
    ("lag", "text"),
    [
        ({}, ""),
        ({"sales/0": 0, "sales/1": 0}, "0 on 2 partitions"),
        ({"sales/0": 1200, "sales/1": 3}, "1,203 (sales/0:1,200 sales/1:3)"),
        ({f"sales/{n}": n for n in range(9)}, "36 (sales/8:8 sales/7:7 sales/6:6 sales/5:5 sales/4:4 sales/3:3 ...)"),
    ],
)
def test_lag_names_the_partitions_behind(lag: dict[str, int], text: str) -> None:
    """The sum, then the partitions that lag, the worst first."""
    assert lag_text(lag) == text
