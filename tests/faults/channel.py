"""A small channel under test: every part a process of its own, with a proxy between any two that talk.

`building.open_channel` starts it once, for case after case; `mend` brings it back to health between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client
from kafka import KafkaConsumer, TopicPartition

from fucai.adapters.clickhouse import connect
from fucai.domain import topics
from tests.faults.parts import Part, metric
from tests.support.proxy import Proxy
from tests.support.waiting import eventually

PARTITIONS = 4
SESSION_MS = 2_000
DATABASE = "fucai"
GROUP = "fucai-loader"
LASTING = ("broker", "engine", "registry", "collector", "loader-0", "agent")
"""Parts that run all the time; the others belong to one case."""

LIGHT_TERMINALS = ("F-01", "F-04", "F-09")
AGENT_TERMINAL = "F-06"
"""It has a real agent; the others are light. Each of the four has a partition of its own."""

TERMINALS = (*LIGHT_TERMINALS, AGENT_TERMINAL)


@dataclass(frozen=True, slots=True)
class Links:
    """The proxies, by what they stand between."""

    till_agent: Proxy
    terminal_collector: Proxy
    collector_kafka: Proxy
    collector_registry: Proxy
    loader_kafka: Proxy
    loader_clickhouse: Proxy
    registry_clickhouse: Proxy


class Channel:
    """The parts and the links. `building.open_channel` makes one."""

    def __init__(
        self,
        folder: Path,
        parts: Mapping[str, Part],
        links: Links,
        addresses: Mapping[str, str],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Take the parts over; `loop` runs in a thread and is for the load."""
        self.folder, self.loop = folder, loop
        self.parts = dict(parts)
        self.links = links
        self._addresses = dict(addresses)
        self._offsets: KafkaConsumer | None = None

    @property
    def broker(self) -> Part:
        """Kafka."""
        return self.parts["broker"]

    @property
    def engine(self) -> Part:
        """ClickHouse's engine behind its HTTP interface."""
        return self.parts["engine"]

    @property
    def collector(self) -> Part:
        """The collector."""
        return self.parts["collector"]

    @property
    def loader(self) -> Part:
        """The loader that runs all the time."""
        return self.parts["loader-0"]

    @property
    def second_loader(self) -> Part:
        """Another member of the loader's group, started by cases only."""
        return self.parts["loader-1"]

    @property
    def auditor(self) -> Part:
        """The auditor, started by cases about it only: the invariants ask its library."""
        return self.parts["auditor"]

    @property
    def successor(self) -> Part:
        """A loader of the first one's name, as a supervisor starts it that believes the first one dead."""
        return self.parts["loader-0-again"]

    @property
    def agent(self) -> Part:
        """The agent of AGENT_TERMINAL."""
        return self.parts["agent"]

    @property
    def bootstrap(self) -> str:
        """Where Kafka is, past the proxies."""
        return self._addresses["broker"]

    @property
    def till_address(self) -> str:
        """Where the till reaches the agent: the proxy."""
        return self.links.till_agent.address

    @property
    def collector_address(self) -> str:
        """Where terminals send to: the proxy."""
        return self.links.terminal_collector.address

    @property
    def restarts(self) -> int:
        """How often parts were started, beyond the first time."""
        return sum(max(part.starts - 1, 0) for part in self.parts.values())

    def gates_opened(self, part: Part) -> float:
        """Gates a loader has opened since it started."""
        return metric(self._addresses[f"{part.name}.metrics"], "fucai_loader_gates_opened_total")

    def stored(self) -> int:
        """Rows in sales and quarantine."""
        with self.client() as client:
            rows = client.query("SELECT (SELECT count() FROM sales) + (SELECT count() FROM quarantine)").result_rows
        return int(rows[0][0])

    def statements(self, terminal_id: str, epoch: int) -> list[int]:
        """Numbers of the statements that the auditor has stored."""
        query = (
            "SELECT DISTINCT number FROM statements WHERE terminal_id = {t:String} AND epoch = {e:UInt32} "
            "ORDER BY number"
        )
        with self.client() as client:
            return [int(row[0]) for row in client.query(query, {"t": terminal_id, "e": epoch}).result_rows]

    def await_stored(self, more: int, seconds: float = 30.0) -> None:
        """Return once so many more rows are stored than now."""
        wanted = self.stored() + more
        eventually(lambda: self.stored() >= wanted, seconds, what=f"{more} more rows in the store")

    def await_loaded_from_now(self, seconds: float = 30.0) -> None:
        """Return once the loaders have committed in each partition a record of sales that came to Kafka after now."""
        ends = {place: end for place, end in self._ends().items() if place.topic == topics.SALES}
        eventually(
            lambda: all(self._committed(place) > end for place, end in ends.items()),
            seconds,
            what="the commit of new records in every partition",
        )

    def gates_without_views(self) -> list[str]:
        """Tables of gates that have no view into `sales`: what is inserted into them is stored nowhere."""
        query = (
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'gate\\_%' "
            "AND NOT match(name, '_to_[a-z]+$') AND concat(name, '_to_sales') NOT IN "
            "(SELECT name FROM system.tables WHERE database = currentDatabase())"
        )
        with self.client() as client:
            return [str(row[0]) for row in client.query(query).result_rows]

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client of the test's own, past the proxies."""
        made = connect(self._addresses["engine.url"], DATABASE)
        try:
            yield made
        finally:
            made.close()

    def mend(self) -> None:
        """Heal every link, let every paused part go on, start what is dead, and end what is only for one case."""
        for part in self.parts.values():
            part.resume()
        for proxy in self.proxies:
            proxy.heal()
        for part in (self.second_loader, self.successor, self.auditor):
            part.kill()
        self.supervise()
        for name in LASTING:
            if name != self.loader.name:  # its readiness shows in what it loads
                self.parts[name].await_ready()

    @property
    def proxies(self) -> tuple[Proxy, ...]:
        """All links."""
        links = self.links
        return (
            links.till_agent,
            links.terminal_collector,
            links.collector_kafka,
            links.collector_registry,
            links.loader_kafka,
            links.loader_clickhouse,
            links.registry_clickhouse,
        )

    def renew_agent(self) -> None:
        """Let the agent begin anew, with its old key and an empty outbox."""
        self.agent.kill()
        for path in (self.folder / "agent").glob("outbox*"):
            path.unlink()
        self.agent.start()

    def supervise(self) -> None:
        """Start again what has died and should run, as a supervisor does."""
        for name in LASTING:
            if not self.parts[name].alive:
                self.parts[name].start()

    def await_working(self, part: Part) -> None:
        """Return once a part works, started again if it has died or is about to."""

        def look() -> bool:
            if not part.alive:
                part.start()
            return part.ready()

        eventually(look, 60, what=f"readiness of {part.name}")

    def await_everything_loaded(self, seconds: float = 60.0) -> None:
        """Return once the loaders have committed everything that stands in Kafka."""

        def look() -> bool:
            self.supervise()
            return not self.lag()

        eventually(look, seconds, what="the loader's catching up")

    def lag(self) -> dict[tuple[str, int], int]:
        """Records not yet committed by the loaders, by topic and partition; empty when there are none."""
        behind = {(place.topic, place.partition): end - self._committed(place) for place, end in self._ends().items()}
        return {place: count for place, count in behind.items() if count}

    def _ends(self) -> dict[TopicPartition, int]:
        """Where each partition ends. All are asked for at once: the client fails over topics it has yet to look up."""
        places = [TopicPartition(t, n) for t in (topics.SALES, topics.QUARANTINE) for n in range(PARTITIONS)]
        return dict(self._kafka().end_offsets(places))

    def _kafka(self) -> KafkaConsumer:
        """A client of the test's own, in no group: it only asks for offsets."""
        if self._offsets is None:
            self._offsets = KafkaConsumer(
                bootstrap_servers=self._addresses["broker"], group_id=GROUP, enable_auto_commit=False
            )
        return self._offsets

    def _committed(self, place: TopicPartition) -> int:
        offset = self._kafka().committed(place)
        return 0 if offset is None else int(offset)

    def close(self) -> None:
        """End every process."""
        if self._offsets is not None:
            self._offsets.close()
        for part in reversed(self.parts.values()):
            part.kill()
