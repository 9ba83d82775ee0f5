"""A store with an ended, a sealed and an unknown draw, and the services that answer from it: analytics and ledger."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import grpc.aio
import structlog
from prometheus_client import CollectorRegistry

from fucai.domain.flood import FloodRule
from fucai.domain.validation import Window
from fucai.ledger.metrics import SurveyMetrics
from fucai.ledger.registry import CurrentRegistry
from fucai.ledger.replay import Replayer
from fucai.ledger.service import LedgerService, Rules
from fucai.ledger.store import Store
from fucai.runtime.client import connect_blocking
from fucai.runtime.snapshot import Snapshot
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from fucai.v1.ledger_pb2_grpc import LedgerServiceStub, add_LedgerServiceServicer_to_server
from fucai.v1.registry_pb2 import Draw, Game, GetSnapshotResponse, RegistryRecord
from tests.integration.analytics.served import served
from tests.support.clickhouse import Database

ZONE = ZoneInfo("Asia/Shanghai")
HOUR_MS = 3_600_000
NOW = datetime.now(ZONE)
NOW_MS = int(NOW.timestamp() * 1000)
TODAY = NOW.date()
SEALED, UNKNOWN, ENDED, BY_HAND = "2026002", "2026099", "2026001", "2026003"
"""Sealed by its schedule; in no table; ended; and sealed by hand before its time, of which the ledger has not heard."""
OUTLETS = ("A", "B", "only-sealed")
NEW_OUTLETS = ("first-sale", "not-registered")
"""Outlets without any sale so far."""

COLUMNS = ["outlet_id", "business_day", "sold_at", "sold_hour", "kind", "game", "draw_no", "amount_fen", "bets"]
COLUMNS += ["companion_fen", "terminal_id", "seq", "received_at"]
RECORDS = [
    RegistryRecord(game=Game(game="ssq", valid_from="2019-01-01", has_draws=True, draw_time="21:15")),
    RegistryRecord(game=Game(game="instant", valid_from="2019-01-01")),
    RegistryRecord(
        draw=Draw(game="ssq", draw_no=ENDED, sales_close_ms=NOW_MS - 50 * HOUR_MS, drawn_ms=NOW_MS - 49 * HOUR_MS)
    ),
    RegistryRecord(draw=Draw(game="ssq", draw_no=SEALED, sales_close_ms=NOW_MS - HOUR_MS)),
    RegistryRecord(draw=Draw(game="ssq", draw_no=BY_HAND, sales_close_ms=NOW_MS + HOUR_MS)),
]


@dataclass(frozen=True, slots=True)
class Attacked:
    """A store with a sealed draw, and everything that answers from it."""

    client: Any
    analytics: AnalyticsServiceStub
    ledger: LedgerServiceStub
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def sell(
        self, draw_no: str, game: str = "ssq", amount_fen: int = 77_700, outlets: tuple[str, ...] = OUTLETS
    ) -> None:
        """Events of every kind of a draw, in some outlets, on three days, at hours of their own too."""
        rows = []
        for outlet, kind, days, hour in itertools.product(outlets, ("SALE", "VOID", "PAYOUT"), (0, 1, 30), (3, 12)):
            seq = next(self.numbers)
            day = TODAY - timedelta(days=days)
            at = datetime.combine(day, datetime.min.time(), ZONE) + timedelta(hours=hour)
            fen = amount_fen + seq
            rows.append([outlet, day, at, hour, kind, game, draw_no, fen, 5, fen, f"T{outlet}", seq, datetime.now(UTC)])
        self.client.insert("sales", rows, column_names=COLUMNS)

    def act(self, act: str, draw_no: str, at_ms: int) -> None:
        """Seals or ends a draw by hand, as the registry does."""
        columns = ["game", "draw_no", "act", "at_ms", "acted_by", "import_id"]
        self.client.insert("draw_act_rows", [["ssq", draw_no, act, at_ms, "test", 1]], column_names=columns)
        self.client.command("SYSTEM RELOAD DICTIONARY draw_times")


def register(client: Any) -> None:
    """The registry's rows: games, draws, outlets, a benchmark of last month."""
    games = [record.game for record in RECORDS if record.HasField("game")]
    draws = [record.draw for record in RECORDS if record.HasField("draw")]
    since = TODAY - timedelta(days=400)
    for game in games:
        names = "game, valid_from, has_draws, draw_time, import_id"
        row = f"'{game.game}', '{game.valid_from}', {game.has_draws}, '{game.draw_time}', 1"
        client.command(f"INSERT INTO game_rows ({names}) VALUES ({row})")
    client.insert(
        "draw_rows",
        [[draw.game, draw.draw_no, draw.sales_close_ms, draw.drawn_ms, 1] for draw in draws],
        column_names=["game", "draw_no", "sales_close_ms", "drawn_ms", "import_id"],
    )
    client.insert(
        "benchmark_rows",
        [["own", f"{TODAY.replace(day=1) - timedelta(days=1):%Y-%m}", 1_000, "1.0", 1]],
        column_names=["series", "period", "amount_fen", "yoy_pct", "import_id"],
    )
    client.insert(
        "outlet_rows",
        [[outlet, since, since, 1] for outlet in (*OUTLETS, "first-sale")],
        column_names=["outlet_id", "valid_from", "opened", "import_id"],
    )
    client.insert("imports", [[1, "test"]], column_names=["import_id", "source"])
    client.command("SYSTEM RELOAD DICTIONARY draw_times")


@contextmanager
def ledger_served(database: Database) -> Iterator[LedgerServiceStub]:
    """A client of a ledger that heard of the registry once, at its start, and never replays."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def snapshot(_known: int) -> Snapshot:
        return Snapshot(GetSnapshotResponse(revision=1, records=RECORDS))

    async def start() -> tuple[Store, grpc.aio.Server, int]:
        store, server = Store(database.url, database.name), grpc.aio.server()
        log = structlog.get_logger()
        registry = CurrentRegistry(snapshot, zone=ZONE, window=Window(), every_seconds=60, log=log)
        await registry.refresh()
        service = LedgerService(
            store,
            registry,
            cast("Replayer", None),
            rules=Rules(ZONE, FloodRule(HOUR_MS, 200, 0.5, 20)),
            metrics=SurveyMetrics(CollectorRegistry()),
            clock=lambda: NOW,
        )
        add_LedgerServiceServicer_to_server(service, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return store, server, port

    store, server, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        with connect_blocking(f"127.0.0.1:{port}") as channel:
            yield LedgerServiceStub(channel)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(None), loop).result()
        asyncio.run_coroutine_threadsafe(store.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextmanager
def attacked_world(database: Database) -> Iterator[Attacked]:
    """The store, where each draw was sold already, and the services before it."""
    client = database.client()
    register(client)
    with served(database.url, database.name, NOW) as analytics, ledger_served(database) as ledger:
        found = Attacked(client, analytics, ledger)
        for draw_no, game in ((ENDED, "ssq"), ("", "instant"), (SEALED, "ssq"), (UNKNOWN, "ssq"), (BY_HAND, "ssq")):
            found.sell(draw_no, game, 200)
        found.act("seal", BY_HAND, NOW_MS - 1_000)
        yield found
    client.close()
