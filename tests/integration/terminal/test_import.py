"""The import of a sales file over real gRPC: what arrives, what is rejected, and what a second run does."""

from __future__ import annotations

import asyncio
import csv
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from fucai.runtime.errors import FatalError
from fucai.terminal.enrol import OutletTraits
from fucai.terminal.history import ConflictError, Route, conflict_lines
from fucai.terminal.importer import ImportOptions, ImportReport, import_file
from fucai.terminal.sender import SendPolicy
from fucai.v1.registry_pb2 import RegistryRecord
from tests.integration.terminal.stubs import KeepingCollector, KeepingRegistry, serving

COLUMNS = "day=day,outlet=area,game=game,bets=tickets,amount=net_sales"
HEADER = "day,area,game,tickets,net_sales,jackpot"
DAYS = [date(2014, 1, 1) + timedelta(days=number) for number in range(700)]
OUTLETS = ("M1B", "007", "L4C")


class Silent:
    """Tells nobody anything."""

    def stage(self, _what: str, _total: int) -> Callable[[int], None]:
        """A stage that nobody watches."""
        return lambda _steps: None


class World:
    """A collector and a registry that outlive single runs of the import."""

    def __init__(self, records: list[RegistryRecord] | None = None) -> None:
        self.fail: Callable[[int], Any] = lambda _n: None
        self.collector = KeepingCollector(lambda n, _batch: self.fail(n))
        self.registry = KeepingRegistry(records or [], self.collector)

    def run(self, path: Path, *, seconds: float = 60.0, **changes: Any) -> ImportReport:
        """One run of the import, ended after `seconds`."""
        options = replace(
            ImportOptions(
                path=path,
                mapping=COLUMNS,
                amount_unit=100,
                register=True,
                traits=OutletTraits(),
                timezone="Asia/Shanghai",
                currency="CNY",
                expected_currency="",
                wait_seconds=10.0,
            ),
            **changes,
        )

        async def run() -> ImportReport:
            async with serving(self.collector, self.registry) as address, asyncio.timeout(seconds):
                route = Route(address, policy=SendPolicy(window=2, patience_seconds=5))
                return await import_file(options, address, route, Silent())

        return asyncio.run(run())

    def stored(self) -> tuple[int, int, int]:
        """Distinct events, bets and amount that the collector has."""
        events = [event for outlet_id in OUTLETS for event in self.collector.events(f"import:{outlet_id}").values()]
        return len(events), sum(event.bets for event in events), sum(event.amount_fen for event in events)


def write(path: Path, *lines: str, header: str = HEADER) -> Path:
    """A file of those lines."""
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


@pytest.fixture
def two_years(tmp_path: Path) -> Path:
    """700 days of three outlets and one game: 2,100 rows."""
    lines = [
        f"{day},{outlet},Lotto 649,{index + 1},{index + 2},9" for index, day in enumerate(DAYS) for outlet in OUTLETS
    ]
    return write(tmp_path / "sales.csv", *lines)


ALL = (2_100, 3 * sum(range(1, 701)), 3 * 100 * sum(range(2, 702)))


def test_brings_every_row_and_creates_what_it_needs(two_years: Path) -> None:
    """Totals equal the file's; outlets, import terminals and the game are registered; the store's currency is told."""
    world = World()
    report = world.run(two_years)
    assert world.stored() == ALL == (report.rows, report.bets, report.amount_fen)
    assert (report.registered, report.rejected, report.stored, report.currency) == (7, 0, True, "CAD")
    assert (report.delivery.accepted, report.delivery.stored_before, report.delivery.quarantined) == (2_100, 0, [])
    assert not list(two_years.parent.glob("*.rejected.csv"))


def test_a_second_run_sends_nothing_and_says_so(two_years: Path) -> None:
    """All rows were stored before."""
    world = World()
    world.run(two_years)
    sent = len(world.collector.batches)
    report = world.run(two_years)
    assert (report.delivery.stored_before, report.delivery.accepted, report.registered) == (2_100, 0, 0)
    assert len(world.collector.batches) == sent
    assert world.stored() == ALL


def test_a_run_killed_half_way_goes_on_where_it_stopped(two_years: Path) -> None:
    """What the first run brought is not counted twice, and the rest comes."""
    world = World()

    async def hang(_context: Any) -> None:
        await asyncio.sleep(60)

    world.fail = lambda n: hang if n == 4 else None
    with pytest.raises(TimeoutError):
        world.run(two_years, seconds=1.0)
    assert 0 < world.stored()[0] < 2_100
    world.fail = lambda _n: None
    report = world.run(two_years)
    assert report.delivery.stored_before > 0
    assert report.delivery.stored_before + report.delivery.accepted == 2_100
    assert world.stored() == ALL


def test_bad_lines_are_kept_apart_and_can_be_mended(tmp_path: Path) -> None:
    """The rest is sent; the mended file of rejects brings what was missing."""
    good = [f"{day},M1B,Lotto Max,1,5,9" for day in DAYS[:3]]
    bad = [
        f"{DAYS[0]},M1B,Lotto Max,7,7,9",
        f"{DAYS[3]},M1B,Lotto Max,zero,5,9",
        f"{DAYS[4]},M1B,Lotto Max,1,5,9,extra",
        "2999-01-01,M1B,Lotto Max,1,5,9",
    ]
    path = write(tmp_path / "sales.csv", good[0], *bad, *good[1:])
    world = World()
    report = world.run(path)
    assert (report.rows, report.rejected, report.rejected_file) == (3, 4, tmp_path / "sales.rejected.csv")
    assert report.rejected_file is not None
    with report.rejected_file.open(encoding="utf-8") as text:
        rejected = list(csv.DictReader(text))
    assert [row["line"] for row in rejected] == ["3", "4", "5", "6"]
    told = ["stand in an earlier line", "bets: 'zero' is no whole number", "too many fields", "not over yet"]
    assert all(part in row["reason"] for part, row in zip(told, rejected, strict=True))
    mended = write(
        tmp_path / "mended.csv",
        *(",".join([row["day"], row["area"], row["game"], "1", "5", "9", "", ""]) for row in rejected[1:3]),
        header=f"{HEADER},line,reason",
    )
    assert world.run(mended).rejected == 0
    assert world.stored() == (5, 5, 2_500)


def test_days_that_another_file_brought_are_refused_with_the_list(two_years: Path, tmp_path: Path) -> None:
    """Nothing of the second file is sent, not even its new days."""
    world = World()
    world.run(two_years)
    other = write(tmp_path / "other.csv", *(f"{day},M1B,Lotto 649,1,2,9" for day in [*DAYS[-2:], date(2016, 1, 1)]))
    with pytest.raises(ConflictError) as refused:
        world.run(other)
    assert refused.value.exit_code == os.EX_DATAERR
    assert conflict_lines(refused.value.conflicts, 5) == [
        f"outlet M1B, game lotto_649, {DAYS[-2]} to {DAYS[-1]}: brought in by sales.csv"
    ]
    assert world.stored() == ALL


def test_what_the_collector_quarantines_is_told(two_years: Path) -> None:
    """Findings come back with their terminal, and the wait does not hang on them."""
    world = World()
    world.collector.refused_games = {"lotto_649"}
    report = world.run(two_years)
    assert (report.delivery.accepted, len(report.delivery.quarantined)) == (0, 2_100)
    assert {terminal_id for terminal_id, _ in report.delivery.quarantined} == {f"import:{one}" for one in OUTLETS}


def test_nothing_is_registered_or_sent_without_a_good_row(tmp_path: Path) -> None:
    """Unknown outlets and games without --register reject every line."""
    world = World()
    report = world.run(write(tmp_path / "sales.csv", f"{DAYS[0]},M1B,Lotto Max,1,5,9"), register=False)
    assert (report.rows, report.rejected, report.stored) == (0, 1, None)
    assert "give --register" in report.rejected_first[0]
    assert world.registry.records == []
    assert world.collector.batches == []


@pytest.mark.parametrize(
    ("changes", "complaint", "exit_code"),
    [
        ({"mapping": "day=day"}, "outlet, game, bets, amount missing", os.EX_USAGE),
        ({"mapping": COLUMNS.replace("tickets", "slips")}, "has no column 'slips'", os.EX_DATAERR),
        ({"expected_currency": "CNY"}, "this store keeps CAD", os.EX_DATAERR),
    ],
)
def test_refusals_name_what_is_wrong(two_years: Path, changes: dict[str, Any], complaint: str, exit_code: int) -> None:
    """Mapping, header and currency each end the import before anything is sent."""
    world = World()
    with pytest.raises(FatalError, match=complaint) as refused:
        world.run(two_years, **changes)
    assert refused.value.exit_code == exit_code
    assert world.collector.batches == []


def test_waits_for_a_registry_that_is_busy(two_years: Path) -> None:
    """UNAVAILABLE with a delay is borne."""
    world = World()
    world.registry.busy = 3
    assert world.run(two_years).rows == 2_100
