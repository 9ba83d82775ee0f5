"""`make bench`: each part measured, as ratios against named alternatives in one run where there are any."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench import agent, audit, collector, growth, loader, restore, till_to_query

PARTS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "loader": lambda chosen: loader.main(chosen.runs, chosen.events, chosen.engine_python),
    "collector": lambda chosen: collector.main(chosen.runs),
    "restore": lambda chosen: restore.main(chosen.runs),
    "agent": lambda _chosen: agent.main(),
    "audit": lambda chosen: audit.main(chosen.runs, chosen.events),
    "till-to-query": lambda chosen: till_to_query.main(chosen.seconds, chosen.rate, chosen.terminals, chosen.linger),
    "growth": lambda chosen: growth.main(chosen.growth_events, chosen.folder),
}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each way")
    parser.add_argument("--events", type=int, default=2_000_000, help="events in the loader's topic")
    parser.add_argument("--engine-python", type=Path, default=Path(".venv-bench/bin/python"), help="with an older chDB")
    parser.add_argument("--seconds", type=float, default=60, help="how long terminals record, from till to query")
    parser.add_argument("--rate", type=float, default=5_000, help="events they record a second")
    parser.add_argument("--terminals", type=int, default=2_000, help="how many terminals")
    parser.add_argument("--linger", type=float, default=0.25, help="seconds between two batches of a terminal")
    parser.add_argument("--growth-events", type=int, default=100_000_000, help="events that growth asks about")
    parser.add_argument("--folder", type=Path, help="keeps the stores of growth, for repeats")
    parser.add_argument("--only", choices=list(PARTS), help="just one of them")
    chosen = parser.parse_args()
    for name, measure in PARTS.items():
        if chosen.only in {None, name}:
            measure(chosen)


if __name__ == "__main__":
    main()
