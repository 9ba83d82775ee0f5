"""Makes a failing scenario as small as it gets while it still fails. Runs it again and again; decides nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.simulation.channel import Outcome, run
from tests.simulation.scenario import Scenario


def shrink(outcome: Outcome) -> Outcome:
    """The smallest failing outcome found from a failing one: with fewer faults, sales and processes."""
    best = outcome
    while True:
        for smaller in _smaller(best.scenario):
            tried = run(smaller)
            if tried.violation:
                best = tried
                break
        else:
            return best


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Scenarios that lack a part, large parts first."""
    for size in (4, 2, 1):
        for start in range(0, len(scenario.faults), size):
            yield replace(scenario, faults=scenario.faults[:start] + scenario.faults[start + size :])
        for start in range(0, len(scenario.sales), size):
            yield replace(scenario, sales=scenario.sales[:start] + scenario.sales[start + size :])
    for index, sale in enumerate(scenario.sales):
        if sale.count > 1:
            yield replace(
                scenario,
                sales=(
                    *scenario.sales[:index],
                    replace(sale, count=sale.count - 1, bad=()),
                    *scenario.sales[index + 1 :],
                ),
            )
    if any(scenario.bound_ms):
        yield replace(scenario, bound_ms=(0,) * len(scenario.bound_ms))
