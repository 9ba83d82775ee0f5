"""A store with random sales and a registry in which outlets move, and the analytics service before it."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta

import grpc.aio
import pytest
from clickhouse_connect.driver.client import Client

from fucai.adapters.clickhouse import connect
from fucai.adapters.migrate import StoreSettings, migrate
from fucai.analytics.service import AnalyticsService
from fucai.analytics.store import Store
from fucai.runtime.client import connect_blocking
from fucai.v1 import analytics_pb2_grpc
from tests.integration.analytics import ontario
from tests.integration.analytics.busy import NOW as BUSY_NOW
from tests.integration.analytics.busy import Busy, busy_world, keep
from tests.integration.analytics.served import served
from tests.integration.analytics.world import (
    BENCHMARKS,
    CLOSURES,
    DATABASE,
    NOW,
    OUTLETS,
    RATES,
    ZONE,
    ZONES,
    World,
    random_world,
)
from tests.support.real_sales import real_sales_file


@pytest.fixture(scope="session")
def world() -> World:
    """What the store holds."""
    return random_world(seed=20230818, count=25_000)


@pytest.fixture(scope="session")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real engine of its own, behind ClickHouse's HTTP interface."""
    command = [sys.executable, "-m", "fucai.devstack.clickhouse", "--port", "0", "--data"]
    command.append(str(tmp_path_factory.mktemp("analytics")))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = re.search(r"http://\S+:\d+", process.stdout.readline())
        assert told
        yield told[0]
        process.terminate()


@pytest.fixture(scope="session")
def store_url(engine_url: str, world: World) -> str:
    """The address of a store that holds the world."""
    client = connect(engine_url)
    migrate(client, database=DATABASE, store=StoreSettings("Asia/Shanghai", "CNY"))
    _registry(client, world)
    rows = [
        [
            event.outlet,
            event.day,
            event.sold_at,
            event.sold_at.hour,
            event.kind,
            event.game,
            event.amount_fen,
            event.bets,
            event.summary,
            event.companion_fen,
            f"T{event.outlet}",
            1,
            number,
            event.sold_at + timedelta(seconds=number % 60),
        ]
        for number, event in enumerate(world.events, 1)
    ]
    columns = "outlet_id business_day sold_at sold_hour kind game amount_fen bets daily_summary companion_fen"
    _insert(client, "sales", f"{columns} terminal_id epoch seq received_at", rows)
    client.close()
    return engine_url


@pytest.fixture(scope="session")
def analytics_address(store_url: str) -> Iterator[str]:
    """Where a service before that store listens; its clock stands still."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[Store, grpc.aio.Server, int]:
        store = Store(store_url, DATABASE)
        server = grpc.aio.server()
        service = AnalyticsService(store, zone=ZONE, currency="CNY", clock=lambda: NOW)
        analytics_pb2_grpc.add_AnalyticsServiceServicer_to_server(service, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return store, server, port

    store, server, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    yield f"127.0.0.1:{port}"
    asyncio.run_coroutine_threadsafe(server.stop(None), loop).result()
    asyncio.run_coroutine_threadsafe(store.close(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.fixture(scope="session")
def analytics(analytics_address: str) -> Iterator[analytics_pb2_grpc.AnalyticsServiceStub]:
    """A client of that service."""
    with connect_blocking(analytics_address) as channel:
        yield analytics_pb2_grpc.AnalyticsServiceStub(channel)


@pytest.fixture(scope="session")
def busy() -> Busy:
    """Outlets by the hour, over half a year."""
    return busy_world(seed=26)


@pytest.fixture(scope="session")
def watch(engine_url: str, busy: Busy) -> Iterator[analytics_pb2_grpc.AnalyticsServiceStub]:
    """A client of a service before a store that holds those."""
    keep(engine_url, "busy", busy)
    with served(engine_url, "busy", BUSY_NOW) as stub:
        yield stub


@pytest.fixture(scope="session")
def real() -> ontario.Ontario:
    """Two years of real daily sales; without the file the summary says that nothing was proved on it."""
    return ontario.read(real_sales_file())


@pytest.fixture(scope="session")
def toronto(engine_url: str, real: ontario.Ontario) -> Iterator[analytics_pb2_grpc.AnalyticsServiceStub]:
    """A client of a service before a store that holds those; it is the morning after the last of them."""
    ontario.keep(real_sales_file(), real, engine_url)
    with served(engine_url, ontario.DATABASE, ontario.NOW, ontario.CURRENCY) as stub:
        yield stub


def _registry(client: Client, world: World) -> None:
    """One complete import with zones, outlets, games, closures and benchmarks."""
    zones = [[zone_id, *rest, 1] for zone_id, rest in ZONES.items()]
    _insert(client, "zone_rows", "zone_id name zone_type district_code district import_id", zones)
    outlets = [
        [v.outlet, v.first, f"网点{v.outlet}", v.zone, v.format, v.area, v.channel_class, v.opened, v.closed, 1]
        for v in world.versions
    ]
    columns = "outlet_id valid_from name zone_id format mgmt_area channel_class opened closed import_id"
    _insert(client, "outlet_rows", columns, outlets)
    terminals = [[f"T{outlet}", world.versions[0].first, outlet, "till", 1] for outlet in OUTLETS[:-1]]
    terminals.append(["I000", world.versions[0].first, OUTLETS[0], "import", 1])
    _insert(client, "terminal_rows", "terminal_id valid_from outlet_id kind import_id", terminals)
    names = {"ssq": "双色球", "3d": "福彩3D", "instant": ""}
    games = [["3d", world.versions[0].first, "3D", True, 5_300, 1_300, 3_400, 780, 1]]
    games += [[game, first, names[game], game != "instant", *rates, 1] for game, first, *rates in RATES]
    columns = "game valid_from name has_draws prize_bp issuing_fee_bp welfare_fund_bp commission_bp import_id"
    _insert(client, "game_rows", columns, games)
    closures = [[*closure, 1] for closure in CLOSURES]
    _insert(client, "closure_rows", "first_day last_day scope name import_id", closures)
    values = [[*value, 1] for value in BENCHMARKS]
    _insert(client, "benchmark_rows", "series period amount_fen yoy_pct import_id", values)
    _insert(client, "imports", "import_id source sha256 added corrected unchanged", [[1, "test", "", 1, 0, 0]])
    client.command("SYSTEM RELOAD DICTIONARY outlet_history")


def _insert(client: Client, table: str, columns: str, rows: Sequence[Sequence[object]]) -> None:
    client.insert(table, rows, column_names=columns.split())
