"""The real engine for tests: one process, a folder of its own, a free port, and databases that come and go."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client

from fucai.adapters.clickhouse import connect
from fucai.adapters.migrate import StoreSettings, migrate
from tests.support.ports import free_ports
from tests.support.waiting import eventually


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database on a running engine."""

    url: str
    name: str

    def client(self) -> Client:
        """Return a client of its own; close it."""
        return connect(self.url, self.name)


@contextmanager
def running_clickhouse(data: Path, port: int = 0) -> Iterator[str]:
    """Run the local ClickHouse endpoint on `data` and yield its URL once it answers."""
    port = port or free_ports(1)[0]
    data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fucai.devstack.clickhouse", "--data", str(data), "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    log = data.parent / f"{data.name}.out"
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)

    def answers() -> bool:
        assert process.poll() is None, f"the endpoint ended:\n{log.read_text(errors='replace')[-2_000:]}"
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=1):  # noqa: S310 (an address of our own)
                return True
        except OSError:
            return False

    try:
        eventually(answers, 60, what="an answer of the ClickHouse endpoint")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def fresh_database(url: str, store: StoreSettings | None = None) -> Iterator[Database]:
    """Yield a new migrated database, and drop it in the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = connect(url)
    migrate(admin, database=name, store=store or StoreSettings("Asia/Shanghai", "CNY"))
    admin.close()
    try:
        yield Database(url, name)
    finally:
        admin = connect(url)
        admin.command(f"DROP DATABASE {name} SYNC")
        admin.close()
