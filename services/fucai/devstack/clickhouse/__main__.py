"""Starts the ClickHouse endpoint: `python -m fucai.devstack.clickhouse --data DIR --port N`. Serves loopback only."""

from __future__ import annotations

import argparse
import fcntl
import ipaddress
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO

_WAIT_SECONDS = 3.0


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code."""
    arguments = _arguments()
    if not _is_loopback(arguments.host):
        return _fail(
            os.EX_USAGE,
            f"--host {arguments.host}: this endpoint serves one machine only and listens on loopback; "
            "use a real ClickHouse server across a network: it is configured by its address, FUCAI_CLICKHOUSE",
        )
    arguments.data.mkdir(parents=True, exist_ok=True)
    lock = _lock(arguments.data)
    if lock is None:
        return _fail(os.EX_TEMPFAIL, f"--data {arguments.data}: another endpoint serves this folder; stop it first")
    return _serve(arguments.host, arguments.port, arguments.data)


def _serve(host: str, port: int, data: Path) -> int:
    """Open the store, listen, and stop when told to."""
    from fucai.devstack.clickhouse.engine import Engine  # noqa: PLC0415 (half a second, not for a usage error)
    from fucai.devstack.clickhouse.server import Server  # noqa: PLC0415 (as above)

    stop = threading.Event()
    engine = Engine(data.resolve() / "store")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = Server(host, port, engine)
    except OSError as error:
        engine.close(_WAIT_SECONDS)
        return _fail(os.EX_UNAVAILABLE, f"--port {port}: {error.strerror}; use a free one")
    threading.Thread(target=server.serve_forever, name="listen", daemon=True).start()
    sys.stdout.write(f"ClickHouse {engine.version} on http://{host}:{server.server_port}, data in {data}\n")
    sys.stdout.flush()
    stop.wait()
    server.shutdown()
    server.server_close()
    engine.close(_WAIT_SECONDS)
    os._exit(os.EX_OK)  # not through exit handlers: threads of clients that still idle would hold them up


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m fucai.devstack.clickhouse",
        description="ClickHouse's HTTP interface over its engine in this process, for one machine.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where the store lies; made if missing")
    parser.add_argument("--port", type=int, required=True, metavar="N", help="port to listen on; 0 for any free one")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default: %(default)s)")
    return parser.parse_args()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _lock(data: Path) -> IO[bytes] | None:
    """Return the folder's lock, held until this process ends in whatever way; None if another process holds it."""
    file = (data / "endpoint.lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _fail(exit_code: int, message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
