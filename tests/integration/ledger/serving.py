"""The ledger service on a thread of its own, as its process would run it, a blocking client, and rows for its store."""

from __future__ import annotations

import asyncio
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc
import structlog
from clickhouse_connect.driver.client import Client
from prometheus_client.parser import text_string_to_metric_families

from fucai.ledger.__main__ import LedgerSettings, build
from fucai.runtime.client import connect_blocking
from fucai.runtime.service import Service
from fucai.v1.ledger_pb2_grpc import LedgerServiceStub
from tests.support.clickhouse import Database
from tests.support.waiting import eventually


@dataclass(frozen=True, slots=True)
class Running:
    """A ledger that serves."""

    service: Service[LedgerSettings]
    stub: LedgerServiceStub

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """What a scrape reads."""
        with urllib.request.urlopen(f"http://{self.service.metrics_address}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """One sample; None where it is absent."""
        return self.samples().get((name, tuple(sorted(labels.items()))))


class Rows:
    """Puts events into the tables that the loader fills."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._offset = 0

    def store(self, terminal: str, first: int, last: int, *, at_ms: int, **fields: Any) -> None:
        """Sales first..last of a terminal, received at that time."""
        usual: dict[str, Any] = {
            "outlet_id": "O-01",
            "epoch": 7,
            "kind": "SALE",
            "game": "ssq",
            "draw_no": "2025117",
            "amount_fen": 1_200,
        }
        values = {**usual, **fields, "terminal_id": terminal}
        at = _moment(at_ms)
        columns = [*values, "seq", "received_at", "sold_at", "business_day", "kafka_offset"]
        rows = [[*values.values(), seq, at, at, at.date(), self._next_offset()] for seq in range(first, last + 1)]
        self._client.insert("sales", rows, column_names=columns)

    def quarantine(self, terminal: str, first: int, last: int, *, at_ms: int, **fields: Any) -> None:
        """Quarantined sales first..last of a terminal, received at that time."""
        usual: dict[str, Any] = {
            "outlet_id": "O-01",
            "epoch": 7,
            "reason": "UNKNOWN_GAME",
            "field": "game",
            "detail": "'nix' is not in the catalogue",
            "kind": 1,
            "game": "ssq",
            "draw_no": "2025117",
            "amount_fen": 1_300,
            "bets": 3,
            "multiplier": 2,
            "sold_at_ms": at_ms,
            "collector_id": "collector-0",
            "kafka_topic": 1,
        }
        values = {**usual, **fields, "terminal_id": terminal}
        columns = [*values, "seq", "received_at", "kafka_offset"]
        rows = [[*values.values(), seq, _moment(at_ms), self._next_offset()] for seq in range(first, last + 1)]
        self._client.insert("quarantine", rows, column_names=columns)

    def duplicate(self, terminal: str, seq: int, *, times: int = 1, **fields: Any) -> None:
        """A duplicate, written `times` times as after a crash."""
        values = {"terminal_id": terminal, "epoch": 7, "seq": seq, "outlet_id": "O-01", **fields}
        values["kafka_offset"] = self._next_offset()
        for _ in range(times):
            self._client.insert("sales_duplicates", [list(values.values())], column_names=list(values))

    def _next_offset(self) -> int:
        self._offset += 1
        return self._offset


@contextmanager
def serving(database: Database, *, registry: str, kafka: str, **settings: Any) -> Iterator[Running]:
    """Run the service on free ports while the block runs; stop it gracefully in the end."""
    ready: list[tuple[Service[LedgerSettings], asyncio.Event]] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()
    chosen = LedgerSettings(
        **{
            "clickhouse": database.url,
            "database": database.name,
            "registry": registry,
            "kafka": kafka,
            "instance": "ledger-0",
            "survey_seconds": 1,
            "snapshot_seconds": 0.2,
            "past_days": 36_500,
            "stop_seconds": 4,
            **settings,
        }
    )

    async def serve() -> None:
        stop = asyncio.Event()
        service = Service("ledger", chosen, structlog.get_logger())
        async with service.running(build):
            ready.append((service, stop))
            started.set()
            await stop.wait()

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            started.set()

    thread = threading.Thread(target=work, name="ledger")
    thread.start()
    started.wait()
    service, stop = ready[0]
    try:
        with connect_blocking(service.grpc_address) as channel:
            grpc.channel_ready_future(channel).result(timeout=10)
            eventually(lambda: service.readiness().ready, what="a ready ledger")
            yield Running(service, LedgerServiceStub(channel))
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
