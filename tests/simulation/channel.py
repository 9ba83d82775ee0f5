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
from fucai.v1 import sales_pb2
from tests.simulation.agents import Agent
from tests.simulation.collectors import Collector
from tests.simulation.invariants import Truth
from tests.simulation.loaders import Loader
from tests.simulation.log import Coordinator, Log, LogRecord
from tests.simulation.outbox import ModelOutbox
from tests.simulation.scenario import HORIZON_MS, Sale, Scenario
from tests.simulation.store import Engine
from tests.simulation.strikes import strike
from tests.simulation.views import MONTH_END_MS
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
        self.wall_ms = WALL_MS
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
        self.loaders: list[Loader] = []
        for number in range(scenario.loaders):
            self.add_loader(f"loader-{number}", f"loader-{number}")

    def happen(self) -> None:
        """The whole history.

        Raises:
            ViolationError: an invariant does not hold.
        """
        world, scenario = self.world, self.scenario
        hosts = {actor.host.name: actor.host for actor in self._actors()}
        self.log.on_append.append(self._tell_loaders)
        for actor in self._actors():
            world.at(0, actor.start)
        for at_ms in sorted({at_ms for at_ms in scenario.bound_ms if at_ms}):
            world.at(at_ms, self._learn)
        for index, sale in enumerate(scenario.sales):
            world.at(sale.at_ms, self._sell, index, sale)
        for fault in scenario.faults:
            if isinstance(fault, PointFault):
                hosts[fault.host].expect(fault)
            else:
                world.at(fault.at_ms, strike, self, fault)
        world.at(HORIZON_MS, self._heal)
        world.run(HORIZON_MS)
        while not self.is_quiet:
            if world.now > HEALED_BY_MS:
                raise ViolationError(f"after {world.now} ms it is not quiet: {self._unrest()}")
            world.run(world.now + LOOK_MS)
        self.truth.check_all()

    def add_loader(self, name: str, instance: str) -> Loader:
        """One more loader, not started yet: a host of that name, a member of the group under `instance`."""
        host = Host(self.world, name)
        loader = Loader(host, self.coordinator, self.engine, instance=instance, workers=self.scenario.workers)
        self.loaders.append(loader)
        return loader

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
                told = f"committed up to {self.log.committed.get(place, 0)} of {len(records)}"
                return f"{place.topic}/{place.partition} is {told}"
        return next((f"{loader.host.name} is at work" for loader in self.loaders if not loader.is_quiet), "")

    def _heal(self) -> None:
        self.world.note("world", "heals")
        self.log.is_up = self.engine.is_up = True
        self.engine.fates.clear()
        self.engine.flaky_until = 0
        for actor in self._actors():
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

    def _actors(self) -> list[Agent | Collector | Loader]:
        return [*self.collectors, *self.agents, *self.loaders]

    def _tell_loaders(self, _record: LogRecord) -> None:
        for loader in self.loaders:
            loader.wake()

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
