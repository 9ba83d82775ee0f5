"""Breaks the protocol on purpose and shows what notices: `python -m tests.faults.mutations [NAME ...]`."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.building import open_channel
from tests.faults.channel import Channel
from tests.faults.invariants import InvariantError
from tests.faults.load import Load
from tests.faults.mutant import VARIABLE
from tests.faults.runner import FIRST_EPOCH, Runner
from tests.faults.scripts import SOME
from tests.faults.table import Case, Fault, Place
from tests.support.proxy import Way
from tests.support.waiting import eventually

POWER_LOSS = "tests/unit/terminal/agent/test_power_loss.py::test_what_was_answered_survives_power_loss"


@dataclass(frozen=True, slots=True)
class Caught:
    """What noticed a mutation, and its words."""

    mutation: str
    by: str
    words: str


Script = Callable[[Channel, Load], None]

MOST_EVENTS = 10_000
"""No light terminal falls silent before a script is through, however slow the machine is."""


def _zombie_drops_a_living_gate(channel: Channel, load: Load) -> None:
    """A loader sleeps before it drops gates, is replaced, wakes, and sleeps again in the midst of dropping.

    The one that replaced it sleeps meanwhile, right before an insert, and wakes when its gate has a table and no views.
    That insert is the only one on its way: one that ran while a view is dropped may fail, which would be noticed.
    """
    load.await_receipts(SOME)
    channel.loader.kill()
    channel.loader.start("loader.before-fence=stop mutation.between-views-and-table=stop")
    channel.loader.await_pause()
    channel.successor.start("loader.before-insert=stop@3")
    channel.successor.await_pause()
    channel.loader.resume()
    if VARIABLE in channel.loader.extra:
        eventually(channel.gates_without_views, what="a gate without its views")
        channel.loader.await_pause()
    else:
        channel.loader.await_death()
    channel.successor.resume()
    channel.await_loaded_from_now()
    channel.loader.resume()
    channel.loader.await_death()
    channel.await_loaded_from_now()


def _predecessor_inserts_late(channel: Channel, load: Load) -> None:
    """An insert is held on its way, its sender killed; it arrives when the successor has not yet dropped the gate.

    The broken successor has restored by then. There is one worker, so what arrives late is of the one that restored.
    """
    link = channel.links.loader_clickhouse
    channel.await_stored(SOME)
    link.hold(Way.UP)
    eventually(lambda: link.held(Way.UP), what="an insert on its way")
    load.await_receipts(2 * SOME)
    channel.loader.kill()
    broken = VARIABLE in channel.successor.extra
    channel.successor.start(f"{'mutation.before-late-fence' if broken else 'loader.before-fence'}=stop")
    channel.successor.await_pause()
    before = channel.stored()
    link.heal()
    eventually(lambda: channel.stored() > before, what="the late insert")
    channel.successor.resume()
    load.await_receipts(SOME)


def _partitions_move(channel: Channel, load: Load) -> None:
    """A second loader takes its share while the first one has read more than it has inserted, and leaves again."""
    for _ in range(2):
        channel.await_stored(SOME)
        channel.second_loader.start()
        eventually(lambda: channel.gates_opened(channel.second_loader) >= 1, what="the second loader's gates")
        load.await_receipts(SOME)
        channel.second_loader.end()


LATE = Case(Fault.LATE, Place.LOADER_ENGINE)
MOMENTS: dict[str, Case | Script] = {
    "no-gate": LATE,
    "gates-not-dropped": LATE,
    "view-before-table": _zombie_drops_a_living_gate,
    "restore-before-drop": _predecessor_inserts_late,
    "commit-before-insert": Case(Fault.KILL, Place.LOADER, "loader.before-insert@3"),
    "commit-unchecked": _partitions_move,
    "ack-before-answer": Case(Fault.DARK_KILL, Place.COLLECTOR_KAFKA),
}
"""What each mutation that needs the channel is caught by."""
SETTINGS = {
    "view-before-table": {"FUCAI_WORKERS": "1", "FUCAI_SESSION_TIMEOUT_MS": "20000"},
    "restore-before-drop": {"FUCAI_WORKERS": "1", "FUCAI_SESSION_TIMEOUT_MS": "20000"},
    "commit-unchecked": {"FUCAI_LINGER_MS": "1000"},
}
"""What makes a mutation's moment certain, or long enough to be hit; the unbroken protocol is tried with the same."""


def attempt(channel: Channel, number: int, mutation: str, moment: str) -> Caught | None:
    """Run the moment that belongs to a mutation, with that mutation or none (""); None where nothing was noticed.

    Attempts that share a channel have different numbers.
    """
    mutated = (channel.collector, channel.loader, channel.second_loader, channel.successor)
    for part in mutated:
        part.extra = SETTINGS.get(moment, {}) | ({VARIABLE: mutation} if mutation else {})
        part.kill()
    channel.renew_agent()
    channel.mend()
    runner = Runner(channel, figures=False, first_epoch=FIRST_EPOCH + number, most_events=MOST_EVENTS)
    what = MOMENTS[moment]
    try:
        if isinstance(what, Case):
            name = what.name
            runner.run(what)
        else:
            name = what.__name__.strip("_").replace("_", " ")
            runner.under_load(lambda load: what(channel, load), random.Random(1))
    except InvariantError as error:
        return Caught(mutation, name, str(error).splitlines()[min(1, str(error).count("\n"))])
    finally:
        for part in mutated:
            part.extra = {}
            part.kill()
        channel.mend()
    return None


def attempt_outbox(mutation: str) -> Caught | None:
    """Run the agent's power losses with the mutation."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.faults.mutant", POWER_LOSS]
    ran = subprocess.run(
        command, env={**os.environ, VARIABLE: mutation}, check=False, capture_output=True, text=True, timeout=300
    )
    failed = [line for line in ran.stdout.splitlines() if line.startswith("FAILED")]
    return Caught(mutation, POWER_LOSS.partition("::")[0], failed[0]) if ran.returncode == 1 and failed else None


def main() -> int:
    """Try all mutations, or those named; the exit code says whether each was noticed, and none where there is none."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutations", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutations; all without one")
    parser.add_argument("--folder", default="", help="keep logs and data there")
    arguments = parser.parse_args()
    wanted = arguments.names or [*MOMENTS, "outbox-without-fsync"]
    missed = []
    with (
        tempfile.TemporaryDirectory(prefix="fucai-mutants-") as scratch,
        open_channel(Path(arguments.folder or scratch), mutable=True) as channel,
    ):
        for number, name in enumerate(wanted):
            try:
                control = attempt(channel, 2 * number, "", name) if name in MOMENTS else None
                caught = attempt(channel, 2 * number + 1, name, name) if name in MOMENTS else attempt_outbox(name)
            except AssertionError as error:  # not an invariant: the moment did not come about
                control, caught = None, None
                sys.stdout.write(f"{name} could not be tried: {error}\n")
            if control is not None or caught is None:
                missed.append(name)
            _tell(name, control, caught)
    return 1 if missed else 0


def _tell(name: str, control: Caught | None, caught: Caught | None) -> None:
    if control is not None:
        sys.stdout.write(f"{name}: the UNBROKEN protocol fails {control.by}: {control.words}\n")
    elif caught is None:
        sys.stdout.write(f"{name}: NOT NOTICED\n")
    else:
        sys.stdout.write(f"{name}: caught by {caught.by}: {caught.words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
