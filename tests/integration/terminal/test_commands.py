"""The commands as a user runs them, against a collector and a registry over real gRPC: words and exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fucai.v1 import statement_pb2
from fucai.v1.registry_pb2 import RegistryRecord
from fucai.v1.sales_pb2 import EventKind
from tests.integration.terminal.stubs import KeepingCollector, KeepingRegistry, serving
from tests.unit.terminal import town

TORONTO = ZoneInfo("America/Toronto")  # the stub registry's
SALES = "day,outlet,game,bets,amount\n2020-05-01,0001,ssq,5,10\n2020-05-02,0001,ssq,5,10.00\n"


class Store:
    """A town's registry and a collector, over several commands."""

    def __init__(self, records: list[RegistryRecord] | None = None) -> None:
        self.collector = KeepingCollector()
        self.registry = KeepingRegistry(town.records(6) if records is None else records, self.collector)

    async def fucai(self, *arguments: str, stop_after: int = 0) -> tuple[int, str, str]:
        """Runs a command; ends it with SIGTERM after that many batches if asked. Exit code, stdout, stderr."""
        async with serving(self.collector, self.registry) as address:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "fucai.cli", *arguments),
                env={**os.environ, "FUCAI_COLLECTOR": address, "FUCAI_REGISTRY": address},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            if stop_after:
                while len(self.collector.batches) < stop_after:
                    await asyncio.sleep(0.01)
                process.send_signal(signal.SIGTERM)
            out, err = await asyncio.wait_for(process.communicate(), timeout=60)
        return process.returncode or 0, out.decode(), " ".join(err.decode().split())

    def counts(self) -> dict[tuple[str, bool], int]:
        """Events by kind, and whether they are daily summaries."""
        found: dict[tuple[str, bool], int] = {}
        for terminal_id in {batch.terminal_id for batch in self.collector.batches}:
            for event in self.collector.events(terminal_id).values():
                key = (EventKind.Name(event.kind), event.daily_summary)
                found[key] = found.get(key, 0) + 1
        return found


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Two days of an outlet."""
    path = tmp_path / "sales.csv"
    path.write_text(SALES, encoding="utf-8")
    return path


def test_import_says_what_it_did_and_what_a_second_run_found(sales: Path) -> None:
    """Totals on stdout, exit code 0; the second run names what was stored before."""
    store = Store()
    assert asyncio.run(store.fucai("import", "sales", str(sales))) == (
        0,
        "accepted: 2 rows, quarantined: 0\nstored: 2 rows, 10 bets, 20.00 CAD\n",
        "",
    )
    code, out, _ = asyncio.run(store.fucai("import", "sales", str(sales)))
    assert (code, out.splitlines()[0]) == (0, "stored by an earlier run: 2 rows")
    code, out, err = asyncio.run(store.fucai("import", "sales", str(sales), "--json"))
    told = json.loads(out)
    assert (code, told["rows"], told["amount_fen"], told["stored_before"], told["accepted"]) == (0, 2, 2_000, 2, 0)
    assert (told["stored"], told["quarantined"], "stored by an earlier run: 2 rows" in err) == (True, [], True)


def test_rejected_lines_end_with_65_and_are_told(sales: Path) -> None:
    """The good lines are stored all the same."""
    with sales.open("a", encoding="utf-8") as file:
        file.write("2020-05-03,0001,ssq,x,10\n")
    code, out, err = asyncio.run(Store().fucai("import", "sales", str(sales)))
    assert code == os.EX_DATAERR
    assert "stored: 2 rows" in out
    assert "line 4: bets: 'x' is no whole number" in err
    assert "sales.rejected.csv" in err


def test_conflicts_end_with_65_and_the_list(sales: Path, tmp_path: Path) -> None:
    """The runs of days and the other file's name stand on stderr."""
    store = Store()
    asyncio.run(store.fucai("import", "sales", str(sales)))
    other = tmp_path / "other.csv"
    other.write_text(SALES.replace(",5,", ",6,"), encoding="utf-8")
    code, out, err = asyncio.run(store.fucai("import", "sales", str(other)))
    assert (code, out) == (os.EX_DATAERR, "")
    assert "outlet 0001, game ssq, 2020-05-01 to 2020-05-02: brought in by sales.csv" in err


def test_quarantine_ends_with_65_and_the_list(sales: Path) -> None:
    """What the collector put aside is told with terminal, number, field and reason."""
    store = Store()
    store.collector.refused_games = {"ssq"}
    code, out, err = asyncio.run(store.fucai("import", "sales", str(sales)))
    assert code == os.EX_DATAERR
    assert "accepted: 0 rows, quarantined: 2" in out
    assert "quarantined: import:0001 seq 1: game: unknown" in err


@pytest.mark.parametrize("command", [("import", "sales", "{sales}"), ("simulate", "--seconds", "1")])
def test_services_that_are_away_end_with_69(sales: Path, unused_port: int, command: tuple[str, ...]) -> None:
    """The message names address and remedy."""

    async def run() -> tuple[int | None, str]:
        address = f"127.0.0.1:{unused_port}"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "fucai.cli", *(part.format(sales=sales) for part in command), "--patience", "0.2"),
            env={**os.environ, "FUCAI_COLLECTOR": address, "FUCAI_REGISTRY": address},
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await asyncio.wait_for(process.communicate(), timeout=30)
        return process.returncode, err.decode()

    code, err = asyncio.run(run())
    assert code == os.EX_UNAVAILABLE
    assert f"the registry at 127.0.0.1:{unused_port} has been away" in err
    assert "fucai up --data DIR" in err


def test_a_simulation_writes_the_past_and_then_the_present() -> None:
    """A year of six outlets as summaries, and live events at the rate asked for; no till sends a summary."""
    store = Store()
    code, out, err = asyncio.run(store.fucai("simulate", "--history", "366", "--rate", "500", "--seconds", "3"))
    assert code == 0
    assert err.startswith("history: ")
    counts = store.counts()
    past = counts.pop(("EVENT_KIND_SALE", True))
    assert 366 * 6 * 3 < past <= 366 * 6 * 5
    assert f"history: {past:,} rows accepted, 0 stored by an earlier run" in out
    live = sum(counts.values())
    assert live == pytest.approx(1_500, rel=0.1)
    assert re.search(rf"live: {live:,} events in 3\.\d s from 6 outlets: .* {live:,} accepted", out)


def test_history_ends_yesterday_and_is_written_once() -> None:
    """A second run adds only the days that are not there; another seed adds nothing to them."""
    store = Store()
    asyncio.run(store.fucai("simulate", "--history", "20", "--seconds", "0"))
    days = {day for _, _, day in store.registry.claimed}
    yesterday = datetime.now(TORONTO).date() - timedelta(days=1)
    assert max(days) in {yesterday.isoformat(), (yesterday - timedelta(days=1)).isoformat()}  # midnight may have passed
    before = store.counts()["EVENT_KIND_SALE", True]
    code, out, _ = asyncio.run(store.fucai("simulate", "--history", "20", "--seconds", "0", "--seed", "2"))
    assert (code, out) == (0, "history: every day is there already\n")
    code, out, err = asyncio.run(store.fucai("simulate", "--history", "30", "--seconds", "0", "--json"))
    added = store.counts()["EVENT_KIND_SALE", True] - before
    assert added > 0
    told = json.loads(out)
    assert (told["history"]["accepted"], told["history"]["stored_before"], told["live"]) == (added, 0, None)
    assert f"history: {added:,} rows accepted, 0 stored by an earlier run" in err
    assert len({day for _, _, day in store.registry.claimed}) == 30


def test_a_stopped_simulation_waits_for_its_receipts() -> None:
    """SIGTERM ends an endless run with code 0 and a summary that counts everything sent."""
    store = Store()
    code, out, _ = asyncio.run(store.fucai("simulate", "--rate", "200", stop_after=20))
    assert code == 0
    events = sum(store.counts().values())
    assert f"{events:,} accepted" in out


def test_simulated_tills_behind_real_agents_close_their_day(tmp_path: Path) -> None:
    """Agents record what tills sell, register their keys and sign closes; a second run goes on where they stopped."""
    store = Store()
    command = ("simulate", "--rate", "100", "--seconds", "2", "--agents", "2", "--agents-dir", str(tmp_path))
    for turn in (1, 2):
        code, out, err = asyncio.run(store.fucai(*command))
        assert code == 0, err
        assert "agents: 2 closed their day; nothing waits" in out
        stated = [statement_pb2.Statement.FromString(signed.content) for signed in store.collector.statements]
        closes = [statement for statement in stated if statement.HasField("close")]
        assert len(closes) == 2 * turn
        for name in {statement.terminal_id for statement in closes}:
            own = [statement.close for statement in closes if statement.terminal_id == name]
            sent = store.collector.events(name)
            assert sorted(seq for _, seq in sent) == list(range(1, own[-1].last_seq + 1))
            assert sum(line.events for close in own for line in close.lines) == len(sent)
    keys = {record.terminal.public_key for record in store.registry.records if record.terminal.public_key}
    assert keys == {signed.public_key.hex() for signed in store.collector.statements}


def test_at_a_speed_the_day_so_far_is_played() -> None:
    """Simulated time lies in today and never after now: nothing is in the collector's future."""
    store = Store()
    code, _, _ = asyncio.run(store.fucai("simulate", "--speed", "86400", "--seconds", "2"))
    assert code == 0
    midnight = datetime.now(TORONTO).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(minutes=1)
    events = [event for batch in store.collector.batches for event in batch.events]
    assert all(midnight.timestamp() * 1000 <= event.sold_at_ms <= store.collector.newest_ms for event in events)


def test_an_empty_registry_is_told() -> None:
    """Without outlets there is nobody to play."""
    code, _, err = asyncio.run(Store([]).fucai("simulate", "--seconds", "1"))
    assert code == os.EX_DATAERR
    assert "fucai import registry --sample" in err


def test_speed_and_rate_exclude_each_other() -> None:
    """Both end with 64."""
    code, _, err = asyncio.run(Store().fucai("simulate", "--speed", "2", "--rate", "2"))
    assert code == os.EX_USAGE
    assert "not both" in err
