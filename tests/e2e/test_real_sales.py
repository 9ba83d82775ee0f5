"""Two years of real daily sales through the whole stack, with processes killed on the way, against the file itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc
import polars as pl
import pytest

from fucai.devstack.stack import await_endpoints, stack_process
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.support.ports import free_port_base
from tests.support.real_sales import (
    CODES,
    COLUMNS,
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

TOTALS = "stored: 117,416 rows, 58,599,966 bets, 398,385,079.00 CAD"
KILLED_IN_TURN = (("loader",), ("collector", "clickhouse"))

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True, slots=True)
class Imported:
    """A running stack into which the file was imported, and what the command said."""

    data: Path
    exit_code: int
    output: str
    killed: list[str]


@pytest.fixture(scope="module")
def source() -> Path:
    """The file, if it can be had."""
    return real_sales_file()


@pytest.fixture(scope="module")
def imported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """A stack of its own that got the file while loader, collector and engine were killed with SIGKILL."""
    data = tmp_path_factory.mktemp("real")
    with stack_process(data, free_port_base(), env=SETTINGS) as stack:
        await_endpoints(data, stack)
        log = data / "import.log"
        with log.open("wb") as out:
            command = subprocess.Popen(import_command(source, data), stdout=out, stderr=out)
        killed = []
        try:
            for names in KILLED_IN_TURN:
                seen = events_accepted(data)
                eventually(partial(has_accepted, data, seen + 5_000), 60, what="the next 5,000 events accepted")
                assert command.poll() is None, f"the import ended before {names} could be killed: {log.read_text()}"
                for name in names:
                    os.kill(endpoint(data, name).pid, signal.SIGKILL)
                    killed.append(name)
            command.wait(timeout=120)
        finally:
            command.kill()
            command.wait()
        yield Imported(data, command.returncode, log.read_text(encoding="utf-8"), killed)


def test_every_row_is_stored_once_though_processes_were_killed(imported: Imported) -> None:
    """Rows, tickets and dollars equal the file's, each event is there once, and nothing is in quarantine."""
    assert imported.exit_code == 0, imported.output
    assert TOTALS in imported.output
    assert sorted(imported.killed) == ["clickhouse", "collector", "loader"]
    assert totals(imported.data) == (ROWS, ROWS, TICKETS, DOLLARS * 100, 0)


def test_every_cell_of_the_trend_equals_the_file(imported: Imported, source: Path) -> None:
    """Month by game by area of 2015, with its year-on-year, equals what polars finds in the file."""
    answered = {
        (row.bucket, row.group[0], row.group[1]): (
            row.figures.sales_fen,
            row.figures.bets,
            row.base.sales_fen,
            row.base.bets,
            row.growth.mark,
            row.growth.ratio,
        )
        for row in ask_trend(imported.data).rows
    }
    expected = expected_cells(source)
    assert len(expected) == 12 * 3 * 54
    assert answered == expected


def test_the_same_file_again_changes_nothing(imported: Imported, source: Path) -> None:
    """A second import says that everything was stored before, and the totals stay."""
    again = subprocess.run(
        import_command(source, imported.data), check=False, capture_output=True, text=True, timeout=120
    )
    assert again.returncode == 0, again.stderr
    assert "stored by an earlier run: 117,416 rows" in again.stdout
    assert "accepted: 0 rows, quarantined: 0" in again.stdout
    assert TOTALS in again.stdout
    assert totals(imported.data) == (ROWS, ROWS, TICKETS, DOLLARS * 100, 0)


def import_command(source: Path, data: Path) -> list[str]:
    """The command of the README."""
    command = [sys.executable, "-m", "fucai.cli", "import", "sales", str(source), "--columns", COLUMNS]
    return [*command, "--register", "--data", str(data)]


def expected_cells(source: Path) -> dict[tuple[str, str, str], tuple[int, int, int, int, int, float]]:
    """Month, game and area of 2015 to sales in cents, tickets, those of 2014, mark and growth, from the file alone."""
    monthly = (
        pl.read_csv(source, columns=["day", "area", "game", "tickets", "net_sales"])
        .with_columns(pl.col("day").str.to_date("%Y-%m-%d"))
        .group_by(
            pl.col("day").dt.year().alias("year"),
            pl.col("day").dt.month().alias("month"),
            "game",
            "area",
        )
        .agg(pl.col("net_sales").sum(), pl.col("tickets").sum())
    )
    sides = [
        {
            (row["month"], row["game"], row["area"]): (row["net_sales"], row["tickets"])
            for row in monthly.filter(pl.col("year") == year).to_dicts()
        }
        for year in (2015, 2014)
    ]
    cells: dict[tuple[str, str, str], tuple[int, int, int, int, int, float]] = {}
    for key in sides[0] | sides[1]:
        (dollars, tickets), (base_dollars, base_tickets) = (side.get(key, (0, 0)) for side in sides)
        month, game, area = key
        growth = (pb.GROWTH_MARK_RATIO, (dollars - base_dollars) / base_dollars)
        cells[f"2015-{month:02}-01", CODES[game], area] = (
            dollars * 100,
            tickets,
            base_dollars * 100,
            base_tickets,
            *growth,
        )
    return cells


def ask_trend(data: Path) -> pb.TrendResponse:
    """Month by game by area of 2015 beside 2014, from analytics."""
    question = pb.TrendRequest(
        from_day="2015-01-01",
        to_day="2015-12-31",
        grain=pb.GRAIN_MONTH,
        by=["game", "outlet"],
        compare=pb.COMPARISON_YOY,
    )
    with grpc.insecure_channel(endpoint(data, "analytics").address) as channel:
        answer: pb.TrendResponse = AnalyticsServiceStub(channel).Trend(question, wait_for_ready=True, timeout=60)
    assert answer.currency == "CAD"
    return answer
