"""The whole protocol under faults, simulated: nothing lost, nothing twice, and the simulation itself can be trusted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.simulation.canaries import CANARIES, SLOW, find, seeds_for
from tests.simulation.channel import run
from tests.simulation.scenario import make_scenario
from tests.simulation.shrink import shrink

SEEDS, PER_TEST = 500, 125


@pytest.mark.parametrize("first", range(0, SEEDS, PER_TEST))
def test_every_history_keeps_every_event_once(first: int) -> None:
    """Whatever happens to agents, collectors, loaders, log and store, every event has its one place in the end."""
    strikes: Counter[str] = Counter()
    events = restarts = 0
    for seed in range(first, first + PER_TEST):
        outcome = run(make_scenario(seed))
        strikes.update(outcome.strikes)
        events, restarts = events + outcome.events, restarts + outcome.restarts
        if outcome.violation:
            least = shrink(outcome)
            history = "\n".join(f"{at_ms:8} ms  {who:16} {what}" for at_ms, who, what in least.history)
            counts = f"{events} events, {restarts} restarts, faults {dict(strikes)}"
            pytest.fail(f"seed {seed}: {least.violation}\n{least.scenario}\n{history}\nso far: {counts}")
    assert events > 10 * PER_TEST
    assert sum(strikes.values()) > PER_TEST


def test_a_seed_has_one_history() -> None:
    """The same seed gives the same history, in this process and in another with other hashes of strings."""
    seeds = (3, 8, 21)
    histories = [run(make_scenario(seed)).digest for seed in seeds]
    assert [run(make_scenario(seed)).digest for seed in seeds] == histories
    assert len(set(histories)) == len(seeds)
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", str(seeds[0])],
        env={**os.environ, "PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"history {histories[0]}" in told.stdout


@pytest.mark.parametrize("name", [name for name in CANARIES if name not in SLOW])
def test_a_planted_bug_is_found(name: str) -> None:
    """The simulation notices each known way to break the protocol within few seeds."""
    outcome = find(name, seeds_for(name))
    assert outcome is not None, f"{name}: no seed of {len(seeds_for(name))} shows it"


def test_a_failing_history_is_shortened() -> None:
    """What is left of a failing scenario is no larger, and still fails."""
    name = "a batch lost in part counts as confirmed"
    outcome = find(name, seeds_for(name))
    assert outcome is not None
    with CANARIES[name]():
        least = shrink(outcome)
    assert least.violation
    assert len(least.scenario.faults) <= len(outcome.scenario.faults)
    assert 0 < len(least.scenario.sales) <= len(outcome.scenario.sales)
