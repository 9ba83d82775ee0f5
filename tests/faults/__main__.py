"""Runs the fault matrix and prints what happened: `python -m tests.faults [--fast] [--only WORDS] [--write]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.faults.building import open_channel
from tests.faults.disks import can_mount
from tests.faults.report import write_page
from tests.faults.runner import Outcome, Runner
from tests.faults.table import CASES, Case, Fault


def main() -> int:
    """Run the chosen cases; the exit code says whether all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="only the fast cases")
    parser.add_argument("--only", default="", help="only cases whose name has one of these words")
    parser.add_argument("--folder", default="", help="keep logs and data there")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    parser.add_argument("--write", action="store_true", help="write docs/faults.md")
    arguments = parser.parse_args()
    words = arguments.only.split(",")
    chosen = [case for case in CASES if any(word in case.name for word in words) and (case.fast or not arguments.fast)]
    results: dict[Case, Outcome | str] = {}
    with tempfile.TemporaryDirectory(prefix="fucai-faults-") as scratch:
        folder = Path(arguments.folder or scratch)
        mounts = can_mount(folder / "mount")
        with open_channel(folder) as channel:
            runner = Runner(channel)
            for case in chosen:
                if case.fault is Fault.DISK_FULL and not mounts:
                    results[case] = "not run: mounting is not allowed here"
                else:
                    results[case] = _run(runner, case, arguments.seed)
                sys.stdout.write(f"{case.name}: {results[case]}\n")
                sys.stdout.flush()
                if arguments.write:
                    write_page(results, arguments.seed)
    return 0 if all(isinstance(result, Outcome) for result in results.values()) else 1


def _run(runner: Runner, case: Case, seed: int) -> Outcome | str:
    try:
        return runner.run(case, seed)
    except AssertionError as error:
        return f"BROKEN: {error}"


if __name__ == "__main__":
    sys.exit(main())
