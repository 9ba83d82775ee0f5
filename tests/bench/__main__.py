"""`make bench`: throughput of loader and collector, as ratios against named alternatives where there are any."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.bench import collector, loader, till_to_query


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each way")
    parser.add_argument("--events", type=int, default=2_000_000, help="events in the loader's topic")
    parser.add_argument("--engine-python", type=Path, default=Path(".venv-bench/bin/python"), help="with an older chDB")
    parser.add_argument("--only", choices=["loader", "collector", "till-to-query"], help="just one of them")
    parser.add_argument("--seconds", type=float, default=60, help="how long terminals record, from till to query")
    parser.add_argument("--rate", type=float, default=5_000, help="events they record a second")
    parser.add_argument("--terminals", type=int, default=2_000, help="how many terminals")
    parser.add_argument("--linger", type=float, default=0.25, help="seconds between two batches of a terminal")
    chosen = parser.parse_args()
    if chosen.only in {None, "loader"}:
        loader.main(chosen.runs, chosen.events, chosen.engine_python)
    if chosen.only in {None, "collector"}:
        collector.main(chosen.runs)
    if chosen.only in {None, "till-to-query"}:
        till_to_query.main(chosen.seconds, chosen.rate, chosen.terminals, chosen.linger)


if __name__ == "__main__":
    main()
