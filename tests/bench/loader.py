"""The loader beside ClickHouse's own Kafka engine and the plain way, over the same topic, in one run.

Everything on loopback; ends by itself.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from kafka import KafkaProducer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fucai.adapters.migrate import packaged_migrations, render
from fucai.adapters.protoschema import proto_text
from fucai.adapters.topics import TopicLayout
from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, RecordRange, encode_range
from fucai.v1 import sales_pb2
from tests.bench.machine import describe_machine
from tests.support.clickhouse import Database, fresh_database, running_clickhouse
from tests.support.kafka import renew_topics, running_kafka
from tests.support.ports import free_ports
from tests.support.waiting import eventually

PARTITIONS = 8
GAMES = ("ssq", "3d", "kl8", "instant")
START_MS = 1_760_000_000_000
PATIENCE_SECONDS = 240.0
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Load:
    """What is in the topic: `events` of `terminals`, in batches of `batch`."""

    events: int
    batch: int
    terminals: int = 200


@dataclass(slots=True)
class Ways:
    """Seconds of each way, run by run."""

    suite: list[float] = field(default_factory=list)
    engine: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    engine_version: str = ""


def produce(bootstrap: str, load: Load, progress: Progress) -> None:
    """Fill the topic with batches as a collector writes them."""
    renew_topics(bootstrap, TopicLayout(PARTITIONS))
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", compression_type="lz4", linger_ms=50, batch_size=1 << 19
    )
    task = progress.add_task(f"producing {load.events:,} events in batches of {load.batch}", total=load.events)
    for turn in range(load.events // (load.batch * load.terminals)):
        for terminal in range(load.terminals):
            name, first = f"T{terminal:06d}", 1 + turn * load.batch
            value = _batch(name, f"O{terminal:06d}", first, load.batch)
            span = RecordRange(7, first, first + load.batch - 1, load.batch)
            producer.send(topics.SALES, key=name.encode(), value=value, headers=[(HEADER_NAME, encode_range(span))])
        progress.advance(task, load.batch * load.terminals)
    producer.close()
    progress.remove_task(task)


def _batch(terminal: str, outlet: str, first: int, count: int) -> bytes:
    """Return one batch, serialised."""
    made = sales_pb2.SalesBatch(
        terminal_id=terminal, outlet_id=outlet, epoch=7, received_at_ms=START_MS, collector_id="collector-0"
    )
    for seq in range(first, first + count):
        made.events.add(
            seq=seq,
            kind=sales_pb2.EVENT_KIND_SALE,
            game=GAMES[seq % 4],
            draw_no="2025280",
            amount_fen=200 * (seq % 5 + 1),
            bets=seq % 5 + 1,
            multiplier=1,
            sold_at_ms=START_MS + seq * 1_000,
        )
    return made.SerializeToString()


def run_suite(bootstrap: str, database: Database, load: Load) -> float:
    """Time the suite's loader, a process of its own, from its first gate to the last event."""
    (port,) = free_ports(1)
    env = {
        **os.environ,
        "FUCAI_KAFKA": bootstrap,
        "FUCAI_CLICKHOUSE": database.url,
        "FUCAI_DATABASE": database.name,
        "FUCAI_GROUP": f"loader-{database.name}",
        "FUCAI_METRICS": f"127.0.0.1:{port}",
    }
    process = subprocess.Popen([sys.executable, "-m", "fucai.loader"], env=env, stderr=subprocess.DEVNULL)
    client = database.client()

    def first_gate() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as page:
                found = re.search(rb"^fucai_loader_gates_opened_total (\S+)", page.read(), re.MULTILINE)
        except OSError:
            return False
        return found is not None and float(found[1]) >= 1

    def rows() -> int:
        return int(client.query("SELECT count() FROM sales").result_rows[0][0])

    try:
        eventually(first_gate, PATIENCE_SECONDS, what="the first gate")
        begin = time.monotonic()
        eventually(lambda: rows() >= load.events, PATIENCE_SECONDS, what="the last event")
        seconds = time.monotonic() - begin
        if rows() != load.events:
            raise SystemExit(f"stored {rows()} of {load.events} events")
        return seconds
    finally:
        process.terminate()
        process.wait()
        client.close()


def run_engine(bootstrap: str, python: Path, load: Load) -> tuple[float, str]:
    """Time ClickHouse's own Kafka engine, at least once, into the same table with the same projections."""
    schema = files("fucai.adapters").joinpath("schema/gate.sql").read_text(encoding="utf-8")
    columns = schema[schema.index("\n(\n") : schema.index("\n    kafka_partition ")].rstrip().rstrip(",")
    chosen = schema[schema.index("SELECT\n    outlet_id,") : schema.index("\nFROM\n(")]
    view = f"{chosen}\nFROM ${{gate}}\nARRAY JOIN events AS event"
    for name, text in (("${gate}", "fucai.engine"), ("${timezone}", "Asia/Shanghai")):
        view = view.replace(name, text)
    view = view.replace("(kafka_partition)", "(_partition)").replace("(kafka_offset)", "(_offset)")
    settings = {
        "kafka_broker_list": bootstrap,
        "kafka_topic_list": topics.SALES,
        "kafka_group_name": f"engine-{time.time_ns()}",
        "kafka_format": "ProtobufSingle",
        "kafka_num_consumers": 2,
        "kafka_thread_per_consumer": 1,
        "kafka_flush_interval_ms": 500,
        "format_schema": proto_text(sales_pb2.SalesBatch.DESCRIPTOR),
        "format_schema_source": "string",
        "format_schema_message_name": "SalesBatch",
    }
    listed = ", ".join(f"{name} = {value!r}" for name, value in settings.items())
    statements = [
        "CREATE DATABASE fucai",
        "USE fucai",
        *render(packaged_migrations()[0].text, database="fucai", timezone="Asia/Shanghai"),
        f"CREATE TABLE fucai.engine {columns}\n) ENGINE = Kafka SETTINGS {listed}",
        f"CREATE MATERIALIZED VIEW fucai.engine_to_sales TO fucai.sales AS {view}",
    ]
    task = json.dumps({"statements": statements, "events": load.events})
    command = [str(python), str(HERE / "kafka_engine.py")]
    done = subprocess.run(command, input=task, text=True, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    if done.returncode:
        raise SystemExit(f"ClickHouse's Kafka engine did not run: {done.stderr[-800:]}")
    said = json.loads(done.stdout)
    if said["rows"] != load.events:
        raise SystemExit(f"ClickHouse's Kafka engine stored {said['rows']} of {load.events} events")
    return float(said["seconds"]), str(said["version"]).strip('"')


def run_plain(bootstrap: str, database: Database, load: Load) -> float:
    """Time the plain way."""
    command = [sys.executable, "-m", "tests.bench.plain_loader", bootstrap, database.url, database.name]
    done = subprocess.run([*command, str(load.events)], check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    return float(done.stdout)


def measure(load: Load, runs: int, engine_python: Path, console: Console) -> None:
    """Run all three ways `runs` times over one topic and print the table."""
    ways = Ways()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_kafka(Path(folder) / "kafka") as bootstrap,
        running_clickhouse(Path(folder) / "store") as url,
        Progress(console=console, transient=True) as progress,
    ):

        def on_store(way: Callable[[str, Database, Load], float]) -> float:
            with fresh_database(url) as database:
                return load.events / way(bootstrap, database, load)

        produce(bootstrap, load, progress)
        task = progress.add_task("loading, each way in turn", total=runs * 3)
        for _ in range(runs):
            ways.suite.append(on_store(run_suite))
            progress.advance(task)
            seconds, ways.engine_version = run_engine(bootstrap, engine_python, load)
            ways.engine.append(load.events / seconds)
            progress.advance(task)
            ways.plain.append(on_store(run_plain))
            progress.advance(task)
    console.print(_table(load, ways))


def _table(load: Load, ways: Ways) -> Table:
    """Return the table of one load."""
    title = f"Kafka to ClickHouse: {load.events:,} events in batches of {load.batch}"
    table = Table("way", "guarantee", "events/s", "spread", "suite's ratio to it", title=title)
    ours = statistics.median(ways.suite)
    for name, guarantee, runs in (
        ("the suite's loader", "exactly once", ways.suite),
        (f"ClickHouse {ways.engine_version}'s Kafka engine", "at least once", ways.engine),
        ("kafka-python, decode, insert rows", "at least once", ways.plain),
    ):
        middle = statistics.median(runs)
        spread = f"{min(runs):,.0f} to {max(runs):,.0f}"
        table.add_row(name, guarantee, f"{middle:,.0f}", spread, f"{ours / middle:.2f}")
    return table


def main(runs: int, events: int, engine_python: Path) -> None:
    """Measure batches of 200 and batches of 5."""
    console = Console(width=110)
    console.print(describe_machine())
    for batch in (200, 5):
        measure(Load(events, batch), runs, engine_python, console)
