"""Builds the channel under test: ports, proxies, processes, and a registry with something in it. Breaks nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc

from fucai.adapters.clickhouse import connect
from fucai.adapters.migrate import StoreSettings, migrate
from fucai.adapters.topics import TopicLayout, ensure_topics
from fucai.devstack.parts import port_state
from fucai.runtime.client import connect_blocking
from fucai.runtime.signing import load_or_create_key, public_bytes
from fucai.terminal.agent.folder import Folder
from fucai.v1 import registry_pb2
from fucai.v1.registry_pb2_grpc import RegistryServiceStub
from tests.faults.channel import AGENT_TERMINAL, DATABASE, GROUP, PARTITIONS, SESSION_MS, TERMINALS, Channel, Links
from tests.faults.parts import Part, answers
from tests.support.ports import free_ports
from tests.support.proxy import background_loop, open_proxies

FILES = {
    "zones.csv": "zone_id,name,zone_type,district_code,district,basis\nZ1,金街,complex,120101,和平,\n",
    "outlets.csv": "outlet_id,valid_from,name,agent_id,zone_id,district_code,mgmt_area,format,channel_class,opened,"
    "closed\n" + "".join(f"O-{t},2020-01-01,{t},A1,Z1,,一分区,cinema,social,2020-01-01,\n" for t in TERMINALS),
    "games.csv": "game,valid_from,name,game_type,unit_price_fen,has_draws,max_multiplier,max_ticket_fen,"
    "face_values_fen,prize_bp,issuing_fee_bp,welfare_fund_bp,commission_bp,draw_weekdays,draw_time,basis\n"
    "ssq,2010-01-01,双色球,lotto,200,true,99,2000000,,5100,1300,3600,780,2 4 7,21:15,test\n",
}


@contextmanager
def open_channel(folder: Path, *, mutable: bool = False) -> Iterator[Channel]:
    """Start a channel on a folder and yield it once it works; `mutable` parts can be broken by `mutant`."""
    names = ["broker", "controller", "broker-c", "broker-l", "engine", "registry", "collector", "metrics-c", "agent"]
    names += ["metrics-a", "metrics-r", "metrics-0", "metrics-1", "metrics-2", "metrics-u"]
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
        "auditor": service(
            "auditor",
            "fucai.auditor",
            "metrics-u",
            kafka=at(port["broker"]),
            clickhouse=f"http://{at(port['engine'])}",
            database=DATABASE,
            group=GROUP,
            instance="auditor-0",
            session_timeout_ms=str(SESSION_MS),
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
