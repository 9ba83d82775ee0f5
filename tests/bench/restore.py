"""How long a loader takes to remember what is stored: ten million events of 2,000 terminals, each with gaps."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.table import Table

from fucai.adapters.sequence_store import read_sequences
from fucai.loader.ledger import Ledger
from tests.bench.machine import describe_machine
from tests.support.clickhouse import fresh_database, running_clickhouse

EVENTS = 10_000_000
TERMINALS = 2_000
GAPS = 20
PARTITIONS = 8
ASKED_SECONDS = 2.0

_FILL = f"""
INSERT INTO sales (outlet_id, business_day, sold_at, sold_hour, kind, game, draw_no, amount_fen, bets, terminal_id,
                   epoch, seq, received_at, collector_id, kafka_partition, kafka_offset)
WITH number % {TERMINALS} AS terminal, intDiv(number, {TERMINALS}) AS nth,
     toDateTime64('2025-09-01 00:00:00', 3, 'UTC') + toIntervalSecond(nth * 900 + terminal) AS at
SELECT concat('O', leftPad(toString(terminal), 6, '0')), toDate(at), at, toHour(at), 'SALE',
       ['ssq', '3d', 'kl8', 'instant'][nth % 4 + 1], '2025280', 200, 1,
       concat('T', leftPad(toString(terminal), 6, '0')), 7,
       1 + nth + intDiv(nth, {EVENTS // TERMINALS // (GAPS + 1) + 1}), at, 'collector-0',
       terminal % {PARTITIONS}, intDiv(nth, 200) * {TERMINALS} + terminal
FROM numbers({{first:UInt64}}, {{count:UInt64}})
SETTINGS max_partitions_per_insert_block = 0
"""
"""Each terminal leaves out one number after every 239."""


def main(runs: int) -> None:
    """Fill a store, restore from it `runs` times as one loader with all partitions does, and print the median."""
    console = Console(width=110)
    console.print(describe_machine())
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        running_clickhouse(Path(folder) / "store") as url,
        fresh_database(url) as database,
    ):
        client = database.client()
        step = EVENTS // 20
        for first in range(0, EVENTS, step):
            client.command(_FILL, {"first": first, "count": step})
        offset = EVENTS // 200
        seconds = [_restore(client, offset) for _ in range(runs)]
        parts = client.query("SELECT count() FROM system.parts WHERE active AND table = 'sales'").result_rows[0][0]
        client.close()
    middle = statistics.median(seconds)
    console.print(f"Restore: {EVENTS:,} events of {TERMINALS:,} terminals with {GAPS} gaps each, in {parts} parts")
    table = Table("median", "spread", "asked")
    table.add_row(f"{middle:.2f} s", f"{min(seconds):.2f} to {max(seconds):.2f} s", f"under {ASKED_SECONDS:.0f} s")
    console.print(table)


def _restore(client: Client, offset: int) -> float:
    """Return the seconds of one restore; the committed offsets lie just before the newest records."""
    partitions = list(range(PARTITIONS))
    committed = {(topic, partition): offset for topic in (0, 1) for partition in partitions}
    began = time.perf_counter()
    ledger = Ledger.of_store(read_sequences(client, partitions, committed))
    seconds = time.perf_counter() - began
    gaps = ledger.gap_count
    if (len(ledger.terminals), gaps) != (TERMINALS, TERMINALS * GAPS):
        raise SystemExit(f"restored {len(ledger.terminals)} terminals with {gaps} gaps")
    return seconds
