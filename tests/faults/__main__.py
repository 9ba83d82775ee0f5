"""Runs the fault matrix and prints what happened: `python -m tests.faults [--fast] [--only WORDS]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.channel import open_channel
from tests.faults.runner import Runner
from tests.faults.table import CASES


def main() -> int:
    """Run the chosen cases; the exit code says whether all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="only the fast cases")
    parser.add_argument("--only", default="", help="only cases whose name has these words")
    parser.add_argument("--folder", default="", help="keep logs and data there")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    arguments = parser.parse_args()
    chosen = [case for case in CASES if arguments.only in case.name and (case.fast or not arguments.fast)]
    broken = 0
    with tempfile.TemporaryDirectory(prefix="fucai-faults-") as folder:
        started = time.monotonic()
        with open_channel(Path(arguments.folder or folder)) as channel:
            sys.stdout.write(f"channel up in {time.monotonic() - started:.1f} s\n")
            runner = Runner(channel)
            for case in chosen:
                try:
                    outcome = runner.run(case, arguments.seed)
                    sys.stdout.write(f"{case.name}: {outcome}\n")
                except AssertionError as error:
                    broken += 1
                    sys.stdout.write(f"{case.name}: BROKEN: {error}\n")
                sys.stdout.flush()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
