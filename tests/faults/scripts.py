"""How each fault of the table is brought about, under load. Judges nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.channel import SESSION_MS, Channel
from tests.faults.disks import small_disk
from tests.faults.load import Load
from tests.faults.parts import Part
from tests.faults.table import Case, Fault, Place
from tests.support.proxy import Proxy, Way
from tests.support.waiting import eventually

SOME = 30
"""Events that make sure that work is under way."""

LONG_S = 90.0
"""What a part may need to work again after it was ended."""

LANES = 2
"""A loader's workers: each opens a gate."""


@dataclass(slots=True)
class Scene:
    """A case on its channel under load. `injected` counts what was done."""

    channel: Channel
    case: Case
    load: Load
    choose: random.Random
    injected: int = 0

    @property
    def part(self) -> Part:
        """The part of the case's place."""
        parts = {
            Place.AGENT: self.channel.agent,
            Place.COLLECTOR: self.channel.collector,
            Place.KAFKA: self.channel.broker,
            Place.LOADER: self.channel.loader,
            Place.ENGINE: self.channel.engine,
            Place.REGISTRY: self.channel.parts["registry"],
            Place.AUDITOR: self.channel.auditor,
        }
        return parts[self.case.place]

    @property
    def link(self) -> Proxy:
        """The link of the case's place."""
        links = {
            Place.TILL_AGENT: self.channel.links.till_agent,
            Place.TERMINAL_COLLECTOR: self.channel.links.terminal_collector,
            Place.COLLECTOR_KAFKA: self.channel.links.collector_kafka,
            Place.COLLECTOR_REGISTRY: self.channel.links.collector_registry,
            Place.LOADER_KAFKA: self.channel.links.loader_kafka,
            Place.LOADER_ENGINE: self.channel.links.loader_clickhouse,
        }
        return links[self.case.place]

    def some_time(self, most_s: float) -> None:
        """Let a random time pass: the moment is what is varied."""
        threading.Event().wait(self.choose.uniform(0, most_s))


Script = Callable[[Scene], None]


def play(scene: Scene) -> None:
    """Bring the case's fault about; healing is the caller's."""
    scene.load.await_receipts(SOME)
    if scene.case.place is Place.AUDITOR:
        scene.part.start()
        scene.part.await_ready()
    _SCRIPTS[scene.case.fault](scene)
    if scene.case.place is Place.AUDITOR:
        till = scene.load.till
        wanted = list(range(1, till.closes + 2))  # the first one opened the epoch
        eventually(lambda: scene.channel.statements(till.terminal_id, till.epoch) == wanted, 60, what="all statements")


def _kill(scene: Scene) -> None:
    """Kill a part, at its failpoint where the case names one, and start it again after a while."""
    if scene.case.failpoint:
        _restart_towards(scene, "kill")
        scene.part.await_death()
    else:
        scene.some_time(0.2)
        scene.part.kill()
        scene.load.await_records(SOME)
    scene.injected += 1
    scene.part.start()


def _restart_towards(scene: Scene, action: str) -> None:
    """Start the part anew, so that it comes to the case's failpoint."""
    count = scene.case.moment.partition("@")[2] or "1"
    scene.part.kill()
    scene.part.start(failpoints=f"{scene.case.failpoint}={action}@{count}")


def _many_kills(scene: Scene) -> None:
    for _ in range(8):
        scene.part.await_ready()
        scene.some_time(0.6)
        scene.part.kill()
        scene.injected += 1
        scene.part.start()


def _restart(scene: Scene) -> None:
    scene.part.end()
    scene.injected += 1
    scene.load.await_records(SOME)
    scene.part.start()


def _pause(scene: Scene) -> None:
    """Stop a part for longer than a loader's session lasts."""
    if scene.case.failpoint:
        _restart_towards(scene, "stop")
        scene.part.await_pause()
    else:
        scene.part.pause()
    scene.injected += 1
    threading.Event().wait(SESSION_MS / 1000 + 0.5)
    scene.part.resume()


def _zombie(scene: Scene) -> None:
    """Stop the loader; when another of the group has taken over and stored, let it go on."""
    _replaced_while_stopped(scene, scene.channel.second_loader)


def _usurped(scene: Scene) -> None:
    """The same, but the other one has its name: Kafka lets it in at once and fences the first."""
    _replaced_while_stopped(scene, scene.channel.successor)


def _replaced_while_stopped(scene: Scene, other: Part) -> None:
    channel = scene.channel
    if scene.case.failpoint:
        _restart_towards(scene, "stop")
        scene.part.await_pause()
    else:
        scene.some_time(0.2)
        scene.part.pause()
    scene.injected += 1
    other.start()
    eventually(lambda: channel.gates_opened(other) >= LANES, what=f"the gates of {other.name}")
    channel.await_stored(SOME)
    scene.part.resume()
    channel.await_stored(SOME)


def _late(scene: Scene) -> None:
    """Hold an insert back on its way, kill and replace its sender, and let it arrive after all."""
    channel = scene.channel
    channel.await_stored(SOME)
    scene.link.hold(Way.UP)
    eventually(lambda: scene.link.held(Way.UP), what="an insert on its way")
    scene.load.await_receipts(2 * SOME)
    channel.loader.kill()
    channel.successor.start()
    eventually(lambda: channel.gates_opened(channel.successor) >= LANES, what="the successor's gates")
    channel.await_stored(SOME)
    before = scene.link.passed.bytes[Way.UP]
    scene.link.heal()
    eventually(lambda: scene.link.passed.bytes[Way.UP] > before, what="the late arrival of an insert")
    scene.injected += 1
    channel.await_stored(SOME)


def _cut(scene: Scene) -> None:
    for _ in range(3):
        scene.some_time(0.1)
        scene.link.cut()
        scene.injected += 1
        scene.load.await_records(SOME)


def _refuse(scene: Scene) -> None:
    scene.link.refuse()
    scene.injected += 1
    scene.load.await_records(3 * SOME)
    scene.link.heal()


def _half_open(way: Way) -> Script:
    """Swallow one direction for a while, then reset the connections: what was swallowed is gone."""

    def script(scene: Scene) -> None:
        scene.link.hold(way)
        scene.injected += 1
        scene.load.await_records(3 * SOME)
        scene.link.heal_and_cut()
        scene.load.await_receipts(SOME)

    return script


def _dark_kill(scene: Scene) -> None:
    """Swallow what the sender says, and kill it before it can say it again."""
    sender = {
        Place.TERMINAL_COLLECTOR: scene.channel.agent,
        Place.COLLECTOR_KAFKA: scene.channel.collector,
        Place.LOADER_ENGINE: scene.channel.loader,
    }[scene.case.place]
    scene.link.hold(Way.UP)
    scene.load.await_records(2 * SOME)
    sender.kill()
    scene.link.heal_and_cut()
    scene.injected += 1
    sender.start()


def _delay(scene: Scene) -> None:
    scene.link.delay(0.2)
    scene.injected += 1
    scene.load.await_receipts(2 * SOME)


def _slow_reader(scene: Scene) -> None:
    scene.link.throttle(4096, Way.DOWN)
    scene.injected += 1
    scene.load.await_receipts(2 * SOME)


def _corrupt(way: Way) -> Script:
    def script(scene: Scene) -> None:
        for _ in range(3):
            before = scene.link.passed.corrupted
            scene.link.corrupt(way)
            eventually(lambda before=before: scene.link.passed.corrupted > before, what="something to corrupt")  # type: ignore[misc]
            scene.injected += 1
            scene.load.await_records(SOME)

    return script


def _disk_full(scene: Scene) -> None:
    """Move the part's data to a small disk and fill that up: real ENOSPC. Afterwards there is room again."""
    names = {Place.KAFKA: "kafka", Place.ENGINE: "clickhouse", Place.AGENT: "agent"}
    scene.part.end()
    with small_disk(scene.channel.folder / names[scene.case.place], spare_mb=400) as fill:
        try:
            scene.channel.await_working(scene.part)
            scene.load.await_receipts(SOME, LONG_S)
            with fill():
                scene.injected += 1
                scene.load.await_records(4 * SOME)
            scene.channel.await_working(scene.part)  # Kafka ends where it cannot write
            scene.load.await_receipts(SOME, LONG_S)
        finally:
            scene.part.end()
    scene.part.start()


def _join_and_leave(scene: Scene) -> None:
    channel = scene.channel
    for leave in (channel.second_loader.end, channel.second_loader.kill):
        channel.second_loader.start()
        eventually(lambda: channel.gates_opened(channel.second_loader) >= 1, what="the second loader's gates")
        channel.await_stored(SOME)
        leave()
        scene.injected += 1


_SCRIPTS: dict[Fault, Script] = {
    Fault.KILL: _kill,
    Fault.MANY_KILLS: _many_kills,
    Fault.RESTART: _restart,
    Fault.PAUSE: _pause,
    Fault.ZOMBIE: _zombie,
    Fault.USURPED: _usurped,
    Fault.LATE: _late,
    Fault.CUT: _cut,
    Fault.REFUSE: _refuse,
    Fault.HALF_OPEN_UP: _half_open(Way.UP),
    Fault.HALF_OPEN_DOWN: _half_open(Way.DOWN),
    Fault.DARK_KILL: _dark_kill,
    Fault.DELAY: _delay,
    Fault.SLOW_READER: _slow_reader,
    Fault.CORRUPT_UP: _corrupt(Way.UP),
    Fault.CORRUPT_DOWN: _corrupt(Way.DOWN),
    Fault.DISK_FULL: _disk_full,
    Fault.JOIN_AND_LEAVE: _join_and_leave,
}
