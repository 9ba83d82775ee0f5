"""What each kind of fault does to a channel. When they happen is the scenario's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, RecordRange, encode_range
from fucai.v1 import sales_pb2
from tests.simulation.agents import Agent
from tests.simulation.collectors import Collector
from tests.simulation.loaders import Loader
from tests.simulation.log import Outgoing
from tests.simulation.scenario import Fault
from tests.simulation.store import Fate

if TYPE_CHECKING:
    from tests.simulation.channel import Channel


def strike(channel: Channel, fault: Fault) -> None:
    """Lets a fault happen."""
    who, _, what = fault.kind.partition(" ")
    kinds: dict[str, Sequence[Agent | Collector | Loader]] = {
        "agent": channel.agents,
        "collector": channel.collectors,
        "loader": channel.loaders,
    }
    if fault.kind == "agent damage":
        agent = channel.agents[fault.number]
        if agent.host.is_alive:
            channel.truth.lost.update((agent.outbox.terminal_id, *position) for position in agent.damage())
    elif what in {"crash", "power"}:
        kinds[who][fault.number].host.crash(what)
    elif what in {"pause", "zombie"}:
        kinds[who][fault.number].host.pause(fault.ms)
    elif what == "crash loop":
        for at_ms in range(0, fault.ms, 1_100):
            channel.world.at(at_ms + channel.random.randint(0, 600), kinds[who][fault.number].host.crash)
    else:
        channel.world.strikes[fault.kind] += 1
        channel.world.note("world", f"{fault.kind} {fault.number} {fault.ms}")
        _STRIKES[fault.kind](channel, fault)


def _clock(channel: Channel, fault: Fault) -> None:
    hours = 3_600_000 * (1 + fault.ms % 30)
    if fault.kind == "collector clock":
        channel.collectors[fault.number].host.clock_ms = hours * (1 if fault.ms % 2 else -1)
    else:
        channel.agents[fault.number].host.clock_ms = hours if fault.kind == "agent clock" else -hours


def _break_stream(channel: Channel, fault: Fault) -> None:
    connection = channel.agents[fault.number].connection
    if connection is not None:
        silent = fault.kind == "half-open stream"
        connection.break_off(told_after_ms=None if silent else channel.random.randint(1, 400))


def _receipt_trouble(channel: Channel, fault: Fault) -> None:
    connection = channel.agents[fault.number].connection
    if connection is not None:
        connection.trouble = "lost" if fault.kind == "receipt lost" else "twice"


def _registry_away(channel: Channel, fault: Fault) -> None:
    channel.collectors[fault.number].registry_away_until = channel.world.now + fault.ms


def _broker_away(channel: Channel, fault: Fault) -> None:
    channel.log.is_up = False
    channel.world.at(fault.ms, setattr, channel.log, "is_up", True)  # noqa: FBT003 (an argument of setattr)


def _produce_trouble(channel: Channel, fault: Fault) -> None:
    letters = {
        "lost answer": "a" * fault.ms,
        "lost request": "l" * fault.ms,
        "stuck request": "s",
        "lost delivery": ("s" if fault.ms % 2 else "a") + "l" * 10,
    }[fault.kind]
    channel.collectors[fault.number].trouble.letters.extend(letters)


def _foreign_record(channel: Channel, fault: Fault) -> None:
    """Someone writes past the collectors: a record that lies about its numbers, or no record at all."""
    key = f"liar{channel.random.randrange(4)}".encode()
    event = sales_pb2.SalesEvent(
        seq=9, kind=sales_pb2.EVENT_KIND_SALE, game="3d", amount_fen=1, sold_at_ms=channel.wall_ms
    )
    lie = sales_pb2.SalesBatch(
        terminal_id=key.decode(),
        outlet_id="O",
        epoch=7,
        events=[event],
        received_at_ms=channel.wall_ms,
        collector_id="nobody",
    )
    value = lie.SerializeToString() if fault.ms % 2 else b"\xff" * 20
    topic = topics.SALES if fault.ms < 3 else topics.QUARANTINE
    outgoing = Outgoing(topic, key, value, [(HEADER_NAME, encode_range(RecordRange(7, 1, 1, 1)))])
    channel.log.append(channel.log.partition_of(topic, key), channel.log.new_producer(), 0, [outgoing])


def _store_away(channel: Channel, fault: Fault) -> None:
    channel.engine.is_up = False
    channel.world.at(fault.ms, setattr, channel.engine, "is_up", True)  # noqa: FBT003 (an argument of setattr)
    if fault.kind == "store killed":
        channel.engine.restart()


def _insert_trouble(channel: Channel, fault: Fault) -> None:
    share = channel.random.random()
    fate = {
        "insert in part": Fate(share, fault.ms // 8, is_answered=bool(fault.number % 2), patience_ms=fault.ms // 4),
        "lost insert answer": Fate(1.0, fault.ms, is_answered=False, patience_ms=fault.ms * fault.number // 3),
        "slow insert": Fate(1.0, fault.ms),
    }[fault.kind]
    channel.engine.fates.append(fate)


def _flaky_store(channel: Channel, fault: Fault) -> None:
    channel.engine.flaky_until = channel.world.now + 2 * fault.ms


def _flaky_network(channel: Channel, fault: Fault) -> None:
    """The streams of a terminal break, again and again."""
    for at_ms in range(0, fault.ms, 300):
        channel.world.at(at_ms + channel.random.randint(0, 299), _break_stream, channel, fault)


def _stuck_insert(channel: Channel, fault: Fault) -> None:
    """The next insert hangs, and its loaders die over it again and again."""
    channel.engine.fates.append(Fate(1.0, fault.ms + 6_000, is_answered=False, patience_ms=500))
    for loader in channel.loaders:
        for at_ms in range(1_200, fault.ms + 5_000, 1_300):
            channel.world.at(at_ms + channel.random.randint(0, 400), loader.host.crash)


def _cut(channel: Channel, fault: Fault) -> None:
    consumer = channel.loaders[fault.number].consumer
    if consumer is not None:
        consumer.cut_until = channel.world.now + fault.ms + 3_000


def _replace(channel: Channel, fault: Fault) -> None:
    """An orchestrator starts a second process under the same name while the first hangs."""
    loader = channel.loaders[fault.number]
    loader.is_wanted = False
    loader.host.pause(fault.ms)
    other = channel.add_loader(f"{loader.instance}-again-{len(channel.loaders)}", loader.instance)
    other.start()


def _leave(channel: Channel, fault: Fault) -> None:
    loader = channel.loaders[fault.number]
    loader.stop()
    channel.world.at(fault.ms, _return, channel, loader)


def _return(channel: Channel, loader: Loader) -> None:
    if any(each.is_wanted for each in channel.loaders if each.instance == loader.instance):
        return
    loader.is_wanted = True
    loader.start()


def _join(channel: Channel, fault: Fault) -> None:
    """One more loader for a while."""
    name = f"loader-{len(channel.loaders)}"
    loader = channel.add_loader(name, name)
    loader.start()
    channel.world.at(fault.ms, loader.stop)


_STRIKES: dict[str, Callable[[Channel, Fault], None]] = {
    "agent clock": _clock,
    "agent clock back": _clock,
    "collector clock": _clock,
    "stream break": _break_stream,
    "half-open stream": _break_stream,
    "receipt lost": _receipt_trouble,
    "receipt twice": _receipt_trouble,
    "registry away": _registry_away,
    "broker away": _broker_away,
    "lost answer": _produce_trouble,
    "lost request": _produce_trouble,
    "stuck request": _produce_trouble,
    "lost delivery": _produce_trouble,
    "foreign record": _foreign_record,
    "store away": _store_away,
    "store killed": _store_away,
    "insert in part": _insert_trouble,
    "lost insert answer": _insert_trouble,
    "slow insert": _insert_trouble,
    "flaky store": _flaky_store,
    "flaky network": _flaky_network,
    "stuck insert": _stuck_insert,
    "loader cut": _cut,
    "loader replaced": _replace,
    "loader leaves": _leave,
    "loader joins": _join,
}
