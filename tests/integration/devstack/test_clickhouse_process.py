"""The local endpoint as a process: it stops, refuses, and its clients hang up. Not that it is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fucai.adapters.clickhouse import connect
from tests.support.http import post
from tests.support.waiting import eventually

MEBI = 1 << 20
SLOW = "SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1"


@contextmanager
def endpoint(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run an endpoint and yield it with its address once it says that it is ready."""
    command = [sys.executable, "-m", "fucai.devstack.clickhouse", "--data", str(data), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        yield process, ready.partition(" on ")[2].partition(",")[0]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]  # opened above


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An endpoint that the tests which do not stop it have for themselves."""
    with endpoint(tmp_path_factory.mktemp("endpoint")) as running:
        yield running


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_to_even_at_work(tmp_path: Path, number: signal.Signals) -> None:
    """A signal ends it with code 0 within seconds, while a query runs and a client idles; the query is cancelled."""
    answers: list[int] = []
    with endpoint(tmp_path) as (process, url), connect(url) as idle:
        thread = threading.Thread(target=lambda: answers.append(post(url, SLOW.encode()).status), daemon=True)
        thread.start()
        eventually(lambda: idle.command("SELECT count() FROM system.processes WHERE query LIKE '%numbers(60)%'") == 2)
        process.send_signal(number)
        assert process.wait(10) == 0


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    """Another host than loopback is refused with the way out, and a wrong port with its value."""
    for arguments, code, words in (
        (("--host", "0.0.0.0", "--port", "0"), os.EX_USAGE, "one machine only"),  # noqa: S104 (is refused)
        (("--host", "example.com", "--port", "0"), os.EX_USAGE, "FUCAI_CLICKHOUSE"),
    ):
        command = [sys.executable, "-m", "fucai.devstack.clickhouse", "--data", str(tmp_path / "none"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (code, "")
        assert words in done.stderr


def test_one_folder_has_one_endpoint(shared: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    """A second endpoint on the same folder, or on the same port, ends at once and says why."""
    process, url = shared
    folder = str(process.args[4])  # type: ignore[index]  # a list
    command = [sys.executable, "-m", "fucai.devstack.clickhouse"]
    for data, port, code, words in (
        (folder, "0", os.EX_TEMPFAIL, folder),
        (str(tmp_path), str(urlsplit(url).port), os.EX_UNAVAILABLE, str(urlsplit(url).port)),
    ):
        done = subprocess.run(
            [*command, "--data", data, "--port", port], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == code
        assert words in done.stderr
    assert post(url, b"SELECT 1").body == b"1\n"


def test_a_client_that_hangs_up_stops_its_query(shared: tuple[subprocess.Popen[str], str]) -> None:
    """With ClickHouse's setting for it, a query ends when its client closes the connection."""
    _, url = shared
    body = SLOW.encode()
    head = "POST /?cancel_http_readonly_queries_on_client_close=1 HTTP/1.1\r\nHost: x\r\n"
    running = b"SELECT count() FROM system.processes WHERE query LIKE '%numbers(60)%' AND query NOT LIKE '%processes%'"
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as client:
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        eventually(lambda: post(url, running).body == b"1\n", what="the query at work")
    eventually(lambda: post(url, running).body == b"0\n", what="the end of the query")


def test_clients_that_hang_up_in_the_midst_of_a_result_leak_nothing(shared: tuple[subprocess.Popen[str], str]) -> None:
    """Many clients that read a little of a huge result and go away leave no query and no connection behind."""
    process, url = shared
    body = b"SELECT * FROM numbers(10000000000) FORMAT RowBinary"
    post(url, b"SELECT 1")
    eventually(lambda: _sockets(process.pid) <= 2, what="the closing of earlier connections")
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as client:
            client.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            assert client.recv(100_000).startswith(b"HTTP/1.1 200")
    eventually(lambda: post(url, b"SELECT count() FROM system.processes").body == b"1\n", what="the end of the queries")
    eventually(lambda: _sockets(process.pid) <= 2, what="the closing of the connections")


def test_a_broken_off_insert_leaves_nothing(shared: tuple[subprocess.Popen[str], str]) -> None:
    """A client that hangs up in the midst of an insert has inserted nothing."""
    _, url = shared
    post(url, b"CREATE TABLE half (a UInt64) ENGINE = MergeTree ORDER BY a")
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nINSERT INTO half FORMAT TSV\n")
        client.sendall(b"1\n" * MEBI)
    assert post(url, b"SELECT count() FROM half").body == b"0\n"
    assert post(url, b"INSERT INTO half FORMAT TSV\n1\n").status == 200
    assert post(url, b"SELECT count() FROM half").body == b"1\n"


@pytest.mark.parametrize("address", ["", "?wait_end_of_query=1"], ids=["streamed", "spooled"])
def test_a_big_result_never_lies_in_memory(shared: tuple[subprocess.Popen[str], str], address: str) -> None:
    """A result of 400 MB passes through a process that grows by far less."""
    process, url = shared
    body = b"SELECT number, number FROM numbers(25000000) FORMAT RowBinary"
    post(url, b"SELECT number, number FROM numbers(1000000) FORMAT RowBinary")
    before = _peak_mebi(process.pid)
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as client:
        head = f"POST /{address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        total = 0
        while piece := client.recv(MEBI):
            total += len(piece)
    assert total >= 400_000_000
    assert _peak_mebi(process.pid) - before < 200


def _sockets(pid: int) -> int:
    """Return how many sockets a process has open: the one that listens, and its connections."""
    count = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed while we looked
            count += str(entry.readlink()).startswith("socket:")
    return count


def _peak_mebi(pid: int) -> int:
    """Return the most memory the process has had so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
