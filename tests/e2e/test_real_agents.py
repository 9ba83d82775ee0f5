"""Two years of real daily sales through real agents, while everything behind them is killed, and then audited."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from fucai.adapters.clickhouse import connect
from fucai.devstack.stack import await_endpoints, stack_process
from tests.support.ports import free_port_base
from tests.support.real_sales import (
    DOLLARS,
    ROWS,
    SETTINGS,
    TICKETS,
    endpoint,
    events_accepted,
    has_accepted,
    real_sales_file,
    totals,
)
from tests.support.waiting import eventually

KILLED = ("loader", "collector", "clickhouse", "kafka")
SEED = 20_151_231
PERIOD = ("--from", "2014-01-01", "--to", "2015-12-31")

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]


@dataclass(frozen=True, slots=True)
class Brought:
    """A stack into which the agents brought everything, and what they said."""

    data: Path
    said: str
    killed: list[str]


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brought]:
    """A stack of its own; each part behind the agents was killed with SIGKILL, in an order that the seed chose."""
    source = real_sales_file()
    data = tmp_path_factory.mktemp("agents")
    order = random.Random(SEED).sample(KILLED, len(KILLED))
    with stack_process(data, free_port_base(), env=SETTINGS) as stack:
        await_endpoints(data, stack)
        log = data / "agents.log"
        command = [sys.executable, "-m", "tests.support.agent_host", str(source), "--root", str(data / "agents")]
        command += ["--collector", endpoint(data, "collector").address]
        command += ["--registry", endpoint(data, "registry").address, "--timezone", SETTINGS["FUCAI_TIMEZONE"]]
        with log.open("wb") as out:
            agents = subprocess.Popen(command, stdout=out, stderr=out)
        killed = []
        try:
            for name in order:
                seen = events_accepted(data)
                eventually(partial(has_accepted, data, seen + 2_000), 90, what="the next 2,000 events accepted")
                assert agents.poll() is None, f"the agents ended before {name} could be killed: {log.read_text()}"
                os.kill(endpoint(data, name).pid, signal.SIGKILL)
                killed.append(name)
            assert agents.wait(timeout=180) == 0, log.read_text()[-3_000:]
        finally:
            agents.kill()
            agents.wait()
        eventually(lambda: totals(data)[0] >= ROWS, 60, what="the last event stored")
        yield Brought(data, log.read_text(encoding="utf-8"), killed)


def test_every_row_is_stored_once(brought: Brought) -> None:
    """Rows, tickets and dollars equal the file's, each event is there once, and nothing is in quarantine."""
    assert sorted(brought.killed) == sorted(KILLED)
    assert totals(brought.data) == (ROWS, ROWS, TICKETS, DOLLARS * 100, 0)


def test_auditor_proves_the_period_and_then_names_a_changed_row(brought: Brought) -> None:
    """`fucai verify` finds nothing; after one amount was changed in ClickHouse it names terminal and number."""
    clean = verify(brought.data)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    client = connect(f"http://{endpoint(brought.data, 'clickhouse').address}", "fucai")
    terminal, epoch, seq = client.query(
        "SELECT terminal_id, epoch, seq FROM sales WHERE business_day = '2015-02-14' ORDER BY amount_fen DESC LIMIT 1"
    ).result_rows[0]
    client.command(
        "ALTER TABLE sales UPDATE amount_fen = amount_fen + 100 "
        "WHERE terminal_id = {terminal:String} AND epoch = {epoch:UInt32} AND seq = {seq:UInt64}",
        {"terminal": terminal, "epoch": epoch, "seq": seq},
        settings={"mutations_sync": 2},
    )
    found = verify(brought.data)
    assert found.returncode == 1, found.stdout + found.stderr
    assert terminal in found.stderr
    assert str(seq) in found.stderr
    assert "amount" in found.stderr


def verify(data: Path) -> subprocess.CompletedProcess[str]:
    """Runs the auditor's command over the whole period."""
    command = [sys.executable, "-m", "fucai.cli", "verify", *PERIOD, "--data", str(data), "--no-keep"]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=180, env=os.environ | SETTINGS)
