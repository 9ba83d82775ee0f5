"""ClickHouse away while a large backlog comes in: collector and loader keep their size, and all is caught up once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import grpc.aio
import pytest

from fucai.adapters.clickhouse import connect
from fucai.adapters.migrate import StoreSettings, migrate
from fucai.adapters.topics import TopicLayout, ensure_topics
from fucai.v1 import sales_pb2
from tests.faults.parts import Part, answers
from tests.support.collecting import running_collector, running_registry
from tests.support.kafka import running_kafka
from tests.support.loading import start_loader
from tests.support.ports import free_ports
from tests.support.proxy import background_loop
from tests.support.registry_stub import SnapshotRegistry, terminal, usual_games
from tests.support.waiting import eventually

TERMINALS = [f"T{number:03}" for number in range(64)]
EPOCH, BATCH = 1_700_000_000, 200
BEFORE, TURNS = 5, 90
"""Batches of each terminal before ClickHouse goes away, and in all: more than a million events come in meanwhile."""

EVENTS = len(TERMINALS) * TURNS * BATCH
FLUSH_BYTES = 4 * 1024 * 1024
AWAY_GROWTH_MB, GROWTH_MB = 60, 250
"""What a process may grow by while ClickHouse is away, which is less than the backlog, and in all."""

WINDOW = 4
SENDING_S = 240.0

pytestmark = [pytest.mark.soak, pytest.mark.timeout(480)]


def events_of(turn: int, now_ms: int) -> bytes:
    """The events of one batch without its head, the same for each terminal."""
    batch = sales_pb2.SalesBatch()
    for seq in range(turn * BATCH + 1, (turn + 1) * BATCH + 1):
        batch.events.add(
            seq=seq,
            kind=sales_pb2.EVENT_KIND_SALE,
            game="instant",
            amount_fen=1000 * (seq % 5 + 1),
            bets=seq % 5 + 1,
            face_value_fen=1000,
            ticket_serial=f"{seq:048}",
            sold_at_ms=now_ms - 1_000,
        )
    return batch.SerializeToString()


async def send(address: str, turns: range) -> None:
    """Send these batches of all terminals, each terminal on a stream of its own, and await every receipt."""
    now_ms = time.time_ns() // 1_000_000
    bodies = [events_of(turn, now_ms) for turn in turns]

    async def stream(channel: grpc.aio.Channel, name: str) -> None:
        head = sales_pb2.SalesBatch(terminal_id=name, outlet_id="O-1", epoch=EPOCH, digest=bytes(32))
        call: Any = cast("Any", channel.stream_stream)("/fucai.v1.CollectorService/Collect")()
        for number, body in enumerate(bodies):
            await call.write(head.SerializeToString() + body)
            if number >= WINDOW:
                await receipt(call)
        for _ in range(min(WINDOW, len(bodies))):
            await receipt(call)
        await call.done_writing()

    async def receipt(call: Any) -> None:
        found = sales_pb2.Receipt.FromString(await call.read())
        assert found.accepted == BATCH, found

    async with grpc.aio.insecure_channel(address) as channel, asyncio.TaskGroup() as group:
        for name in TERMINALS:
            group.create_task(stream(channel, name))


def memory_mb(pid: int, field: str) -> int:
    """What a process holds (VmRSS), or held at most so far (VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(f"{field}:")).split()[1]) // 1024


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[tuple[Part, str]]:
    """A local ClickHouse endpoint that can be stopped, migrated, and its address."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "fucai.devstack.clickhouse", "--data", str(tmp_path / "store"), "--port"]
    part = Part("engine", [*command, str(port)], {}, tmp_path / "engine.log", lambda: answers(f"{url}/ping"))
    part.start()
    try:
        part.await_ready()
        admin = connect(url)
        migrate(admin, database="fucai", store=StoreSettings("Asia/Shanghai", "CNY"))
        admin.close()
        yield part, url
    finally:
        part.kill()


def test_backlog_is_held_in_kafka_and_caught_up_once(
    tmp_path: Path, engine: tuple[Part, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A million events come in while ClickHouse does not answer; all are stored once, and no process swells."""
    part, url = engine
    registry = SnapshotRegistry([*usual_games(), *(terminal(name, "O-1") for name in TERMINALS)])
    (metrics,) = free_ports(1)
    with ExitStack() as stack:
        bootstrap = stack.enter_context(running_kafka(tmp_path / "kafka"))
        ensure_topics(bootstrap, TopicLayout(8))
        address = stack.enter_context(running_registry(registry))
        collector = stack.enter_context(running_collector(tmp_path, kafka=bootstrap, registry=address))
        loader = start_loader(
            bootstrap, url, "fucai", flush_bytes=str(FLUSH_BYTES), metrics=f"127.0.0.1:{metrics}", linger_ms="150"
        )
        stack.callback(loader.wait)
        stack.callback(loader.kill)
        loop = stack.enter_context(background_loop("load"))
        client = stack.enter_context(connect(url, "fucai"))

        def stored() -> int:
            return int(client.query("SELECT count() FROM sales").result_rows[0][0])

        def send_all(turns: range) -> None:
            asyncio.run_coroutine_threadsafe(send(collector.address, turns), loop).result(SENDING_S)

        send_all(range(BEFORE))
        eventually(lambda: stored() == len(TERMINALS) * BEFORE * BATCH, 60, what="the first events stored")
        pids = {"loader": loader.pid, "collector": collector.process.pid}
        before = {name: memory_mb(pid, "VmRSS") for name, pid in pids.items()}

        part.pause()
        away = time.monotonic()
        send_all(range(BEFORE, TURNS))
        sent_s = time.monotonic() - away
        eventually(lambda: not answers(f"http://127.0.0.1:{metrics}/ready"), 120, what="a loader that is not ready")
        away_s = time.monotonic() - away
        meanwhile = {name: memory_mb(pid, "VmHWM") for name, pid in pids.items()}

        part.resume()
        back = time.monotonic()
        eventually(lambda: stored() >= EVENTS, 240, what="everything stored")
        caught_up_s = time.monotonic() - back
        eventually(lambda: answers(f"http://127.0.0.1:{metrics}/ready"), what="readiness of the loader")
        peak = {name: memory_mb(pid, "VmHWM") for name, pid in pids.items()}
        (found,) = client.query(
            "SELECT count(), uniqExact(terminal_id, epoch, seq), sum(amount_fen), "
            "(SELECT count() FROM sales_duplicates), (SELECT count() FROM quarantine) FROM sales"
        ).result_rows

    with capsys.disabled():
        sys.stdout.write(
            f"\n{EVENTS:,} events, {sent_s:.0f} s to receive them; ClickHouse away for {away_s:.0f} s, "
            f"caught up in {caught_up_s:.0f} s\n"
        )
        for name in pids:
            sys.stdout.write(
                f"{name}: RSS {before[name]} MB before, at most {meanwhile[name]} MB while ClickHouse was away, "
                f"{peak[name]} MB in all\n"
            )
    assert found == (
        EVENTS,
        EVENTS,
        len(TERMINALS) * sum(1000 * (s % 5 + 1) for s in range(1, TURNS * BATCH + 1)),
        0,
        0,
    )
    for name in pids:
        assert meanwhile[name] - before[name] < AWAY_GROWTH_MB, name
        assert peak[name] - before[name] < GROWTH_MB, name
