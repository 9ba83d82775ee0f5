"""`make bench`: throughput of loader and collector, as ratios against named alternatives; the agent's delay."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.bench import agent, collector, loader


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each way")
    parser.add_argument("--events", type=int, default=2_000_000, help="events in the loader's topic")
    parser.add_argument("--engine-python", type=Path, default=Path(".venv-bench/bin/python"), help="with an older chDB")
    parser.add_argument("--only", choices=["loader", "collector", "agent"], help="just one of them")
    chosen = parser.parse_args()
    if chosen.only in {None, "loader"}:
        loader.main(chosen.runs, chosen.events, chosen.engine_python)
    if chosen.only in {None, "collector"}:
        collector.main(chosen.runs)
    if chosen.only in {None, "agent"}:
        agent.main()


if __name__ == "__main__":
    main()
