"""Writes docs/faults.md from the table and its last results. Runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.runner import Outcome
from tests.faults.table import CASES, ELSEWHERE, Case

HELD = "| each once |"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
_HEAD = """# The fault matrix

Made by `python -m tests.faults --write` from tests/faults/table.py; do not edit. Last run: {day}, seed {seed}.

Each case runs the real broker, engine, registry, collector, loader and terminal agent as processes, with a proxy
between any two that talk, under the load of three light terminals and a till (sales, voids, payouts, and a few events
of an unknown game). After healing, tests/faults/invariants.py checks that every event acknowledged to a till or
receipted to a terminal is stored once or quarantined once with the content that was sent, that nothing else is stored,
and that the figures by outlet, day, game and kind equal what was sent; the ledger must know no gap, and the auditor
find nothing between the day closes, Kafka and the store.

"Disk full" is a tmpfs that is filled up (ENOSPC; needs the right to mount). "A byte flipped" hits the first bytes of a
packet, where frames have their heads; of a byte flipped in the midst of a payload only the digest chain tells.
The fast cases (*) run in `make test`, all of them in `make soak`.

| fault | place | moment | events | faults | restarts | resent | outcome | seconds |
|---|---|---|--:|--:|--:|--:|---|--:|
"""
_ELSEWHERE = """
Brought about elsewhere, because they need a disk or a clock of our own:

| fault | place | moment | tests |
|---|---|---|---|
"""


def write_page(results: Mapping[Case, Outcome | str], seed: int) -> None:
    """Write the page; a result is an outcome, or what went wrong. Cases that were not run keep the line they have."""
    before = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    lines = [_line(case, results[case]) if case in results else _kept(case, before) for case in CASES]
    held = [line.split("|") for line in lines if HELD in line]
    events, faults, restarts = (sum(int(cells[place]) for cells in held) for place in (4, 5, 6))
    minutes = sum(float(cells[9]) for cells in held) / 60
    total = (
        f"\n{len(held)} of {len(CASES)} cases held: {events:,} events, {faults} faults, {restarts} restarts, "
        f"{minutes:.0f} minutes.\n"
    )
    elsewhere = [f"| {' | '.join(row)} |\n" for row in ELSEWHERE]
    head = _HEAD.format(day=datetime.now(UTC).date().isoformat(), seed=seed)
    PAGE.write_text(head + "".join(lines) + total + _ELSEWHERE + "".join(elsewhere), encoding="utf-8")


def first_cells(case: Case) -> str:
    """How the line of a case begins."""
    return f"| {case.fault.value}{' *' if case.fast else ''} | {case.place.value} | {case.when} |"


def _kept(case: Case, lines: Sequence[str]) -> str:
    """The line that a case has on the page."""
    found = [line for line in lines if line.startswith(first_cells(case))]
    return f"{found[0]}\n" if found else f"{first_cells(case)} | | | | not run | |\n"


def _line(case: Case, result: Outcome | str) -> str:
    if isinstance(result, str):
        return f"{first_cells(case)} | | | | {result.splitlines()[0]} | |\n"
    numbers = (result.events, result.injected, result.restarts, result.repeats)
    cells = " | ".join(str(number) for number in numbers)
    return f"{first_cells(case)} {cells} {HELD} {result.seconds:.1f} |\n"
