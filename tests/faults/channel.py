"""A small channel under test: every part a process of its own, with a proxy between any two that talk.

Started once and used by case after case; `mend` brings it back to health between them. Judges nothing.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from clickhouse_connect.driver.client import Client
from kafka import KafkaConsumer, TopicPartition

from fucai.adapters.clickhouse import connect
from fucai.adapters.migrate import StoreSettings, migrate
from fucai.adapters.topics import TopicLayout, ensure_topics
from fucai.devstack.parts import port_state
from fucai.domain import topics
from fucai.runtime.client import connect_blocking
from fucai.runtime.signing import load_or_create_key, public_bytes
from fucai.terminal.agent.folder import Folder
from fucai.v1 import registry_pb2
from fucai.v1.registry_pb2_grpc import RegistryServiceStub
from tests.faults.parts import Part, answers, metric
from tests.support.kafka import free_ports
from tests.support.proxy import Proxy, background_loop, open_proxies
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
FILES = {
    "zones.csv": "zone_id,name,zone_type,district_code,district,basis\nZ1,金街,complex,120101,和平,\n",
    "outlets.csv": "outlet_id,valid_from,name,agent_id,zone_id,district_code,mgmt_area,format,channel_class,opened,"
    "closed\n" + "".join(f"O-{t},2020-01-01,{t},A1,Z1,,一分区,cinema,social,2020-01-01,\n" for t in TERMINALS),
    "games.csv": "game,valid_from,name,game_type,unit_price_fen,has_draws,max_multiplier,max_ticket_fen,"
    "face_values_fen,prize_bp,issuing_fee_bp,welfare_fund_bp,commission_bp,draw_weekdays,draw_time,basis\n"
    "ssq,2010-01-01,双色球,lotto,200,true,99,2000000,,5100,1300,3600,780,2 4 7,21:15,test\n",
}


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
    """The parts and the links. `open_channel` makes one."""

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

    def await_stored(self, more: int, seconds: float = 30.0) -> None:
        """Return once so many more rows are stored than now."""
        wanted = self.stored() + more
        eventually(lambda: self.stored() >= wanted, seconds, what=f"{more} more rows in the store")

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
        self.second_loader.kill()
        self.successor.kill()
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
        if self._offsets is None:
            self._offsets = KafkaConsumer(
                bootstrap_servers=self._addresses["broker"], group_id=GROUP, enable_auto_commit=False
            )
        places = [TopicPartition(t, n) for t in (topics.SALES, topics.QUARANTINE) for n in range(PARTITIONS)]
        ends = self._offsets.end_offsets(places)
        behind = {(place.topic, place.partition): ends[place] - self._committed(place) for place in places}
        return {place: count for place, count in behind.items() if count}

    def _committed(self, place: TopicPartition) -> int:
        assert self._offsets is not None
        offset = self._offsets.committed(place)
        return 0 if offset is None else int(offset)

    def close(self) -> None:
        """End every process."""
        if self._offsets is not None:
            self._offsets.close()
        for part in reversed(self.parts.values()):
            part.kill()


@contextmanager
def open_channel(folder: Path, *, mutable: bool = False) -> Iterator[Channel]:
    """Start a channel on a folder and yield it once it works; `mutable` parts can be broken by `mutant`."""
    names = ["broker", "controller", "broker-c", "broker-l", "engine", "registry", "collector", "metrics-c", "agent"]
    names += ["metrics-a", "metrics-r", "metrics-0", "metrics-1", "metrics-2"]
    links = ["till_agent", "terminal_collector", "collector_kafka", "collector_registry", "loader_kafka"]
    links += ["loader_clickhouse", "registry_clickhouse"]
    folder.mkdir(parents=True, exist_ok=True)
    numbers = free_ports(len(names) + len(links))
    port = dict(zip(names, numbers, strict=False))
    link = dict(zip(links, numbers[len(names) :], strict=True))
    targets = ("agent", "collector", "broker-c", "registry", "broker-l", "engine", "engine")
    with ExitStack() as stack:
        pairs = {name: (link[name], port[target]) for name, target in zip(links, targets, strict=True)}
        proxies = stack.enter_context(open_proxies(**pairs))
        parts = _parts(folder, port, link, mutable=mutable)
        addresses = {
            "broker": f"127.0.0.1:{port['broker']}",
            "engine.url": f"http://127.0.0.1:{port['engine']}",
            "loader-0.metrics": f"127.0.0.1:{port['metrics-0']}",
            "loader-1.metrics": f"127.0.0.1:{port['metrics-1']}",
            "loader-0-again.metrics": f"127.0.0.1:{port['metrics-2']}",
        }
        loop = stack.enter_context(background_loop("load"))
        channel = Channel(folder, parts, Links(**proxies), addresses, loop)
        stack.callback(channel.close)
        channel.broker.start()
        channel.engine.start()
        channel.engine.await_ready()
        admin = connect(addresses["engine.url"])
        migrate(admin, database=DATABASE, store=StoreSettings("Asia/Shanghai", "CNY"))
        admin.close()
        parts["registry"].start()
        channel.broker.await_ready()
        ensure_topics(addresses["broker"], TopicLayout(partitions=PARTITIONS))
        parts["registry"].await_ready()
        _fill_registry(f"127.0.0.1:{port['registry']}", folder / "agent")
        channel.mend()
        yield channel


def _parts(folder: Path, port: Mapping[str, int], link: Mapping[str, int], *, mutable: bool) -> dict[str, Part]:
    """Every process, not yet started."""
    python = [sys.executable, "-m"]

    def at(number: int) -> str:
        return f"127.0.0.1:{number}"

    def service(name: str, module: str, metrics: str, **env: str) -> Part:
        own = {f"FUCAI_{key.upper()}": value for key, value in env.items()} | {"FUCAI_METRICS": at(port[metrics])}
        launch = ["tests.faults.mutant", module] if mutable else [module]
        url = f"http://{at(port[metrics])}/ready"
        return Part(name, [*python, *launch], own, folder / f"{name}.log", lambda: answers(url))

    def loader(name: str, instance: str, metrics: str, kafka: int, clickhouse: int) -> Part:
        return service(
            name,
            "fucai.loader",
            metrics,
            kafka=at(kafka),
            clickhouse=f"http://{at(clickhouse)}",
            database=DATABASE,
            group=GROUP,
            instance=instance,
            linger_ms="20",
            session_timeout_ms=str(SESSION_MS),
        )

    agent = ["tests.faults.quick_agent", "terminal", "run", "--dir", str(folder / "agent")]
    agent += ["--terminal", AGENT_TERMINAL, "--outlet", f"O-{AGENT_TERMINAL}", "--listen", at(port["agent"])]
    agent += ["--collector", at(link["terminal_collector"]), "--metrics", at(port["metrics-a"]), "--close-hour", "-1"]
    detours = (f"{port['broker-c']}={link['collector_kafka']}", f"{port['broker-l']}={link['loader_kafka']}")
    broker = ["tests.faults.broker", str(folder / "kafka"), str(port["broker"]), str(port["controller"]), *detours]
    engine = ["fucai.devstack.clickhouse", "--data", str(folder / "clickhouse"), "--port", str(port["engine"])]
    ping = f"http://{at(port['engine'])}/ping"
    return {
        "broker": Part(
            "broker", [*python, *broker], {}, folder / "broker.log", lambda: not port_state(at(port["broker"]))
        ),
        "engine": Part("engine", [*python, *engine], {}, folder / "engine.log", lambda: answers(ping)),
        "registry": service(
            "registry",
            "fucai.registry",
            "metrics-r",
            clickhouse=f"http://{at(link['registry_clickhouse'])}",
            database=DATABASE,
            grpc=at(port["registry"]),
            instance="registry-0",
        ),
        "collector": service(
            "collector",
            "fucai.collector",
            "metrics-c",
            kafka=at(link["collector_kafka"]),
            registry=at(link["collector_registry"]),
            grpc=at(port["collector"]),
            instance="collector-0",
            delivery_seconds="3",
            linger_ms="5",
            snapshot=str(folder / "snapshot"),
        ),
        "agent": Part(
            "agent",
            [*python, *agent],
            {},
            folder / "agent.log",
            lambda: answers(f"http://{at(port['metrics-a'])}/ready"),
        ),
        "loader-0": loader("loader-0", "loader-0", "metrics-0", link["loader_kafka"], link["loader_clickhouse"]),
        # Those that take over stand on another machine, as it were: no proxy of the first one's is in their way.
        "loader-1": loader("loader-1", "loader-1", "metrics-1", port["broker"], port["engine"]),
        "loader-0-again": loader("loader-0-again", "loader-0", "metrics-2", port["broker"], port["engine"]),
    }


def _fill_registry(address: str, agent: Path) -> None:
    """Import outlets, games, and terminals, that of the agent in a folder with its key."""
    agent.mkdir(exist_ok=True)
    key = public_bytes(load_or_create_key(Folder(agent).key)).hex()
    lines = [f"{t},2020-01-01,O-{t},till,{key if t == AGENT_TERMINAL else ''}\n" for t in TERMINALS]
    files = FILES | {"terminals.csv": "terminal_id,valid_from,outlet_id,kind,public_key\n" + "".join(lines)}
    requests = [registry_pb2.ImportFilesRequest(file=name, content=text.encode()) for name, text in files.items()]
    with connect_blocking(address) as channel:
        grpc.channel_ready_future(channel).result(timeout=20)
        answer = RegistryServiceStub(channel).ImportFiles(iter(requests))
        assert not answer.problems, answer.problems
