"""Random faults for a given time: `python -m tests.faults.random_faults --seconds 120 [--seed N]`.

The seed, which is printed, decides which cases come in which order and what is random in each; the same seed makes the
same choices again. How far it gets in its time depends on the machine.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.building import open_channel
from tests.faults.disks import can_mount
from tests.faults.runner import Runner
from tests.faults.table import CASES, Case, Fault


def choices(seed: int, *, mounts: bool) -> Iterator[tuple[Case, int]]:
    """The endless sequence of cases of a seed, each with a seed of its own."""
    choose = random.Random(seed)
    possible = [case for case in CASES if mounts or case.fault is not Fault.DISK_FULL]
    while True:
        yield choose.choice(possible), choose.getrandbits(32)


def main() -> int:
    """Run until the time is over or an invariant breaks; the exit code says which."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.random_faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long")
    parser.add_argument("--seed", type=int, default=None, help="replay this seed")
    arguments = parser.parse_args()
    seed = random.SystemRandom().getrandbits(32) if arguments.seed is None else arguments.seed
    sys.stdout.write(f"seed {seed}\n")
    with tempfile.TemporaryDirectory(prefix="fucai-random-") as folder:
        sequence = choices(seed, mounts=can_mount(Path(folder) / "mount"))
        with open_channel(Path(folder)) as channel:
            runner = Runner(channel)
            ends = time.monotonic() + arguments.seconds
            number = events = faults = 0
            while time.monotonic() < ends:
                case, own_seed = next(sequence)
                number += 1
                try:
                    outcome = runner.run(case, own_seed)
                except AssertionError as error:
                    sys.stdout.write(f"seed {seed}, choice {number}: {case.name} BROKEN: {error}\n")
                    return 1
                events, faults = events + outcome.events, faults + outcome.injected
                sys.stdout.write(f"{number} {case.name}: {outcome.events} events, each once\n")
                sys.stdout.flush()
            sys.stdout.write(f"seed {seed}: {number} cases, {events} events, {faults} faults, all held\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
