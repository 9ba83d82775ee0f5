"""The fault matrix: real processes under load, one fault, and then every event stands in the figures once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.disks import can_mount
from tests.faults.report import PAGE, first_cells
from tests.faults.runner import Runner
from tests.faults.table import CASES, Case, Fault

SOAK = [pytest.mark.soak, pytest.mark.timeout(300)]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name, marks=[] if case.fast else SOAK) for case in CASES])
def test_each_event_stands_in_the_figures_once(runner: Runner, case: Case, tmp_path: Path) -> None:
    """Whatever the fault: acknowledged is stored once or quarantined once, nothing else is, and the figures agree."""
    if case.fault is Fault.DISK_FULL and not can_mount(tmp_path / "mount"):
        missing = "the full disk was NOT tried: this process may not mount a tmpfs; run it as root"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    outcome = runner.run(case)
    assert outcome.injected, "nothing was done to the channel"
    assert outcome.events > outcome.quarantined > 0


def test_matrix_is_as_large_as_promised() -> None:
    """At least 40 combinations, none twice, a dozen of them fast."""
    assert len(set(CASES)) == len(CASES) >= 40
    assert sum(case.fast for case in CASES) == 12


def test_every_case_stands_in_the_documentation() -> None:
    """docs/faults.md has a line for each case, with a result: run `python -m tests.faults --write` after a change."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    missing = [case.name for case in CASES if not any(line.startswith(first_cells(case)) for line in lines)]
    assert not missing
    assert not [line for line in lines if "BROKEN" in line or "not run |" in line]
