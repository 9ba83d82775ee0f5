"""Runs one scenario: builds the channel, lets the faults happen, heals everything, and looks at what must hold."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from fucai.domain import topics
from fucai.domain.catalogue import Binding, Catalogue, GameRules, History
from fucai.domain.record import HEADER_NAME, RecordRange, encode_range
from fucai.v1 import sales_pb2
from tests.simulation.agents import Agent
from tests.simulation.collectors import Collector
from tests.simulation.invariants import Truth
from tests.simulation.loaders import Loader
from tests.simulation.log import Coordinator, Log, Outgoing
from tests.simulation.outbox import ModelOutbox
from tests.simulation.scenario import HORIZON_MS, Fault, Sale, Scenario
from tests.simulation.store import MONTH_END_MS, Engine, Fate
from tests.simulation.world import Host, PointFault, ViolationError, World

WALL_MS = MONTH_END_MS - HORIZON_MS // 2
SESSION_MS, REBALANCE_MS = 6_000, 12_000
LOOK_MS, HEALED_BY_MS = 1_000, 180_000
_LONG_AGO = date(2025, 1, 1).toordinal()
_GAME = GameRules(
    "3d", "digit", 200, has_draws=True, max_multiplier=99, max_ticket_fen=2_000_000, face_values_fen=frozenset()
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scenario: what is broken (empty if nothing is), and what happened."""

    scenario: Scenario
    violation: str
    history: tuple[tuple[int, str, str], ...]
    digest: str
    strikes: Mapping[str, int]
    restarts: int
    events: int
    records: int
    ms: int


def run(scenario: Scenario) -> Outcome:
    """Lets a scenario happen."""
    channel = Channel(scenario)
    violation = ""
    try:
        channel.happen()
    except ViolationError as error:
        violation = str(error)
    except Exception as error:  # noqa: BLE001 (whatever breaks is a finding, with its history)
        place = traceback.extract_tb(error.__traceback__)[-1]
        violation = f"{error!r} in {Path(place.filename).name}:{place.lineno}"
    world = channel.world
    return Outcome(
        scenario,
        violation,
        tuple(world.history),
        world.digest,
        Counter(world.strikes),
        world.restarts,
        len(channel.truth.recorded),
        sum(len(records) for records in channel.log.records.values()),
        world.now,
    )


class Channel:
    """All processes of a scenario over one log and one store."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.world = world = World(scenario.seed)
        self.log = Log(world, [topics.SALES, topics.QUARANTINE], scenario.partitions, wall_ms=WALL_MS)
        self.coordinator = Coordinator(self.log, session_ms=SESSION_MS, rebalance_ms=REBALANCE_MS)
        self.engine = Engine(world)
        self.truth = Truth(self.log, self.engine)
        self.random = Random(f"{scenario.seed}/channel")
        self._catalogue = self._bind()
        self.collectors = [
            Collector(Host(world, f"collector-{number}"), self.log, wall_ms=WALL_MS, newest=lambda: self._catalogue)
            for number in range(scenario.collectors)
        ]
        for collector in self.collectors:
            collector.on_bad = self.truth.mixed.add
        self.agents = [self._agent(number) for number in range(len(scenario.bound_ms))]
        self.loaders = [self._loader(f"loader-{number}", f"loader-{number}") for number in range(scenario.loaders)]

    def happen(self) -> None:
        """The whole history.

        Raises:
            ViolationError: an invariant does not hold.
        """
        world, scenario = self.world, self.scenario
        hosts = {actor.host.name: actor.host for actor in (*self.collectors, *self.agents, *self.loaders)}
        self.log.on_append.append(lambda _record: [loader.wake() for loader in self.loaders])
        for actor in (*self.collectors, *self.agents, *self.loaders):
            world.at(0, actor.start)
        for at_ms in sorted({at_ms for at_ms in scenario.bound_ms if at_ms}):
            world.at(at_ms, self._learn)
        for index, sale in enumerate(scenario.sales):
            world.at(sale.at_ms, self._sell, index, sale)
        for fault in scenario.faults:
            if isinstance(fault, PointFault):
                hosts[fault.host].expect(fault)
            else:
                world.at(fault.at_ms, self._strike, fault)
        world.at(HORIZON_MS, self._heal)
        world.run(HORIZON_MS)
        while not self.is_quiet:
            if world.now > HEALED_BY_MS:
                raise ViolationError(f"after {world.now} ms it is not quiet: {self._unrest()}")
            world.run(world.now + LOOK_MS)
        self.truth.check_all()

    @property
    def is_quiet(self) -> bool:
        """Whether everything recorded has come to rest."""
        return not self._unrest()

    def _unrest(self) -> str:
        for agent in self.agents:
            if agent.unanswered or not agent.outbox.is_empty:
                return f"{agent.host.name} has not sent everything"
        for place, records in self.log.records.items():
            if self.log.committed.get(place, 0) < len(records):
                return f"{place.topic}/{place.partition} is committed up to {self.log.committed.get(place, 0)} of {len(records)}"
        return next((f"{loader.host.name} is at work" for loader in self.loaders if not loader.is_quiet), "")

    def _heal(self) -> None:
        self.world.note("world", "heals")
        self.log.is_up = self.engine.is_up = True
        self.engine.fates.clear()
        self.engine.flaky_until = 0
        for actor in (*self.collectors, *self.agents, *self.loaders):
            actor.host.forget_faults()
            actor.host.resume()
            actor.host.clock_ms = 0
        for collector in self.collectors:
            collector.trouble.letters.clear()
            collector.registry_away_until = 0
        for loader in self.loaders:
            if loader.consumer is not None:
                loader.consumer.cut_until = 0
            loader.is_wanted = loader.is_wanted or not any(
                each.is_wanted for each in self.loaders if each.instance == loader.instance
            )
            loader.start()

    def _agent(self, number: int) -> Agent:
        name = f"T{number}"
        host = Host(self.world, f"agent-{number}")
        outbox = ModelOutbox(host, name, f"O{number}", WALL_MS // 1000 - 86_400)
        outbox.on_recorded = lambda epoch, event: self.truth.record(name, epoch, event)
        outbox.on_settled = lambda settled: self.truth.settle(name, settled)
        agent = Agent(host, outbox, self.collectors, wall_ms=WALL_MS)
        agent.on_answered = lambda epoch, first, last: self.truth.answer(name, epoch, first, last)
        return agent

    def _loader(self, name: str, instance: str) -> Loader:
        host = Host(self.world, name)
        return Loader(host, self.coordinator, self.engine, instance=instance, workers=self.scenario.workers)

    def _bind(self) -> Catalogue:
        """What the registry knows now."""
        now = self.world.now
        terminals = {
            f"T{number}": History({_LONG_AGO: Binding(f"O{number}", "till")})
            for number, at_ms in enumerate(self.scenario.bound_ms)
            if at_ms <= now
        }
        return Catalogue(now + 1, {"3d": History({_LONG_AGO: _GAME})}, terminals)

    def _learn(self) -> None:
        self._catalogue = self._bind()

    def _sell(self, index: int, sale: Sale) -> None:
        agent = self.agents[sale.terminal]
        events = []
        for number in range(sale.count):
            bets = self.random.randint(1, 5)
            events.append(
                sales_pb2.SalesEvent(
                    kind=sales_pb2.EVENT_KIND_SALE,
                    game="3d",
                    draw_no="2025300",
                    amount_fen=200 * bets + (number in sale.bad),
                    bets=bets,
                    sold_at_ms=WALL_MS + self.world.now + agent.host.clock_ms + number,
                )
            )
        agent.ask(f"request {index}", events)

    def _strike(self, fault: Fault) -> None:
        """Lets a fault happen."""
        kind, number = fault.kind, fault.number
        who, _, what = kind.partition(" ")
        if kind == "agent damage":
            agent = self.agents[number]
            if agent.host.is_alive:
                self.truth.lost.update((agent.outbox.terminal_id, *position) for position in agent.damage())
            return
        if what in {"crash", "power"}:
            {"agent": self.agents, "collector": self.collectors, "loader": self.loaders}[who][number].host.crash(what)
            return
        if what in {"pause", "zombie"}:
            {"agent": self.agents, "collector": self.collectors, "loader": self.loaders}[who][number].host.pause(
                fault.ms
            )
            return
        if what == "crash loop":
            actor = {"agent": self.agents, "loader": self.loaders}[who][number]
            for at_ms in range(0, fault.ms, 1_100):
                self.world.at(at_ms + self.random.randint(0, 600), actor.host.crash)
            return
        self.world.strikes[kind] += 1
        self.world.note("world", f"{kind} {number} {fault.ms}")
        _STRIKES[kind](self, fault)


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
    event = sales_pb2.SalesEvent(seq=9, kind=sales_pb2.EVENT_KIND_SALE, game="3d", amount_fen=1, sold_at_ms=WALL_MS)
    lie = sales_pb2.SalesBatch(
        terminal_id=key.decode(), outlet_id="O", epoch=7, events=[event], received_at_ms=WALL_MS, collector_id="nobody"
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
    other = channel._loader(f"{loader.instance}-again-{len(channel.loaders)}", loader.instance)  # noqa: SLF001 (part of this file)
    channel.loaders.append(other)
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
    loader = channel._loader(name, name)  # noqa: SLF001 (part of this file)
    channel.loaders.append(loader)
    loader.start()
    channel.world.at(fault.ms, loader.stop)


_STRIKES = {
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
