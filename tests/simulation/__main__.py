"""`python -m tests.simulation`: thousands of seeded histories, one seed with its history, or the planted bugs."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from rich.console import Console
from rich.progress import Progress

from tests.simulation.canaries import CANARIES, find, seeds_for
from tests.simulation.channel import Outcome, run
from tests.simulation.scenario import make_scenario
from tests.simulation.shrink import shrink

_HOUR_MS = 3_600_000


def main(arguments: list[str]) -> int:
    """Runs what the command line asks for; 0 if nothing is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many histories to run")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="run one seed and print its history")
    parser.add_argument("--canaries", action="store_true", help="plant each known bug, and show which seed finds it")
    chosen = parser.parse_args(arguments)
    console = Console()
    if chosen.canaries:
        return _run_canaries(console)
    if chosen.seed is not None:
        outcome = run(make_scenario(chosen.seed))
        _tell(console, outcome)
        return int(bool(outcome.violation))
    return _run_seeds(console, range(chosen.first, chosen.first + chosen.seeds))


def _run_seeds(console: Console, seeds: range) -> int:
    """Runs many seeds, and shows the shortest history of each that fails."""
    began = time.monotonic()
    strikes: Counter[str] = Counter()
    ms = restarts = events = records = 0
    failed: list[Outcome] = []
    with Progress(console=console, transient=True) as progress:
        for seed in progress.track(seeds, description="histories"):
            outcome = run(make_scenario(seed))
            strikes.update(outcome.strikes)
            ms, restarts = ms + outcome.ms, restarts + outcome.restarts
            events, records = events + outcome.events, records + outcome.records
            if outcome.violation:
                failed.append(outcome)
    for outcome in failed:
        _tell(console, shrink(outcome))
    took_s = time.monotonic() - began
    console.print(
        f"{len(seeds)} seeds ({seeds.start}-{seeds.stop - 1}) in {took_s:.0f} s: {ms / _HOUR_MS:.1f} hours simulated,"
        f" {events} events, {records} records, {restarts} restarts, {sum(strikes.values())} faults"
    )
    for kind, count in sorted(strikes.items()):
        console.print(f"  {count:8} {kind}", highlight=False)
    console.print(
        f"{len(failed)} seeds failed: {[outcome.scenario.seed for outcome in failed]}" if failed else "all hold"
    )
    return int(bool(failed))


def _run_canaries(console: Console) -> int:
    """Plants every bug."""
    missed = 0
    for name in CANARIES:
        seeds = seeds_for(name)
        outcome = find(name, seeds)
        missed += outcome is None
        found = f"seed {outcome.scenario.seed}: {outcome.violation}" if outcome else f"NOT FOUND in {len(seeds)} seeds"
        console.print(f"{name:56} {found}", highlight=False, soft_wrap=True)
    console.print(f"{len(CANARIES)} planted bugs, {missed} not found")
    return int(bool(missed))


def _tell(console: Console, outcome: Outcome) -> None:
    """Prints a history."""
    for at_ms, who, what in outcome.history:
        console.print(f"{at_ms:8} ms  {who:16} {what}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"{outcome.scenario}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"history {outcome.digest}", highlight=False)
    console.print(outcome.violation or "all invariants hold", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
