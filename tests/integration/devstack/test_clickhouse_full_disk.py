"""The local endpoint on a disk that is nearly full: it refuses to write, in ClickHouse's words, and goes on reading."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fucai.adapters.clickhouse import ClickHouseError, connect, error_code
from fucai.devstack.parts import ping_state
from tests.support.clickhouse import running_clickhouse
from tests.support.ports import free_ports
from tests.support.waiting import eventually

NOT_ENOUGH_SPACE = 243
LARGER_THAN_ANY_DISK = """
from fucai.devstack.clickhouse import __main__, engine
engine.RESERVE_BYTES = 1 << 62
__main__.main()
"""


def test_nothing_is_written_when_the_reserve_is_used_up(tmp_path: Path) -> None:
    """The engine takes no notice of a write that fails: an insert would be acknowledged and lost, so it is refused."""
    with running_clickhouse(tmp_path / "engine") as url:
        client = connect(url)
        client.command("CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n")
        client.command("INSERT INTO kept SELECT number FROM numbers(10)")
        client.close()
    (port,) = free_ports(1)
    command = [sys.executable, "-c", LARGER_THAN_ANY_DISK, "--data", str(tmp_path / "engine"), "--port", str(port)]
    with subprocess.Popen(command) as process:
        try:
            eventually(lambda: not ping_state(f"http://127.0.0.1:{port}/ping"), what="an answer of the endpoint")
            client = connect(f"http://127.0.0.1:{port}")
            for statement in ("INSERT INTO kept SELECT 1", "CREATE TABLE new (n UInt64) ENGINE = Memory"):
                with pytest.raises(ClickHouseError, match=r"are free, .* are kept in reserve; make room") as raised:
                    client.command(statement)
                assert error_code(raised.value) == NOT_ENOUGH_SPACE
            assert client.query("SELECT count() FROM kept").result_rows == [(10,)]
            client.command("DROP TABLE kept SYNC")
            client.close()
        finally:
            process.kill()
