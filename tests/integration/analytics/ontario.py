"""The real daily sales for the analytics tests: stored as an import would store them, and read again from the file.

What is stored goes through the import's own reading, enrolment and numbering and a loader's gate; only Kafka is left
out. What is expected comes from the file alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from fucai.adapters.clickhouse import connect
from fucai.adapters.gates import Gate, create_gate, drop_gate, insert_batches
from fucai.adapters.migrate import StoreSettings, migrate
from fucai.adapters.registry_store import read_records, reload_dictionaries, save
from fucai.domain.registry.changes import Entry, check, plan
from fucai.domain.registry.tables import Snapshot, unwrap
from fucai.loader.framing import frame
from fucai.loader.record import SALES_TOPIC, Record
from fucai.terminal.columns import locate, parse_mapping
from fucai.terminal.enrol import Enrolment
from fucai.terminal.known import build_known
from fucai.terminal.rows import RowParser, to_history
from fucai.terminal.salesfile import open_sales_file
from fucai.terminal.spool import Spool
from fucai.v1.registry_pb2 import Benchmark, Outlet, RegistryRecord
from fucai.v1.sales_pb2 import DISPOSITION_STORE, SalesBatch
from tests.integration.analytics.oracle import Oracle
from tests.integration.analytics.world import FOREVER, Version, World
from tests.support.batches import span_of
from tests.support.real_sales import CODES, COLUMNS, ROWS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

DATABASE, CURRENCY = "ontario", "CAD"
ZONE = ZoneInfo("America/Toronto")
FIRST, LAST = date(2014, 1, 1), date(2015, 12, 31)
NOW = datetime(2016, 1, 1, 9, 30, tzinfo=ZONE)
RECEIVED_MS = int(datetime(2016, 1, 1, 6, tzinfo=ZONE).timestamp()) * 1000
GAMES = tuple(sorted(CODES.values()))
SERIES = "lotto_649"
"""A benchmark series made of the file's own Lotto 649, by month and year, for its other games to be held against."""


@dataclass(frozen=True, slots=True)
class Ontario:
    """The file: a row a day, outlet and game, with fen (cents), bets (tickets), mgmt_area; and each outlet's first day.

    The file has no spend on other trades: `companion` is zero.
    """

    rows: pl.DataFrame
    opened: dict[str, date]

    def world(self) -> World:
        """The outlets as the registry has them, for oracles that ask where an outlet stood."""
        return World(
            [],
            [
                Version(outlet, first, FOREVER, "", "", outlet[:2], "", first, None)
                for outlet, first in self.opened.items()
            ],
        )

    def oracle(self) -> Oracle:
        """The brute-force computation of trends over the file."""
        events = self.rows.with_columns(kind=pl.lit("sale"), hour=pl.lit(12), summary=pl.lit(value=True))
        return Oracle(events.to_dicts())


def read(source: Path) -> Ontario:
    """The file as it is, without the suite's reading of it."""
    rows = pl.read_csv(source, columns=["day", "area", "game", "tickets", "net_sales"]).select(
        pl.col("day").str.to_date("%Y-%m-%d"),
        pl.col("area").alias("outlet"),
        pl.col("area").str.slice(0, 2).alias("mgmt_area"),
        pl.col("game").replace_strict(CODES),
        pl.col("net_sales").alias("fen") * 100,
        pl.col("tickets").alias("bets"),
        pl.lit(0).alias("companion"),
    )
    opened = dict(rows.group_by("outlet").agg(pl.col("day").min()).sort("outlet").iter_rows())
    return Ontario(rows, opened)


def keep(source: Path, real: Ontario, url: str) -> None:
    """Stores the file in a database of its own, and the registry that `fucai import sales --register` makes of it.

    A further import stands for what staff add then: the postal district as management area, and the benchmark.
    """
    client = connect(url)
    migrate(client, database=DATABASE, store=StoreSettings(ZONE.key, CURRENCY))
    with open_sales_file(source) as file, Spool() as spool:
        parser = RowParser(locate(parse_mapping(COLUMNS), file.header), amount_unit=100, today=NOW.date().toordinal())
        enrolment = Enrolment(build_known([], timezone=ZONE.key, currency=CURRENCY), register=True)
        for line in file.lines():
            row = parser.parse(line.fields)
            enrolment.check_outlet(row.outlet, row.day)
            assert spool.add(to_history(row, enrolment.game_code(row.game, row.day)))
        assert spool.rows == ROWS
        _register(client, enrolment.records(spool), source.name)
        _register(client, [*_areas(client), *_series(real)], "outlets.csv, benchmarks.csv")
        gate = Gate(0, "ontario", 0, "0")
        create_gate(client, gate, ZONE.key)
        insert_batches(client, gate, b"".join(_framed(spool.batches(epoch=1, stored={}, zone=ZONE))))
        drop_gate(client, gate)
    client.close()


def _register(client: Client, records: Iterable[RegistryRecord], source: str) -> None:
    """Checks and stores records as the registry does."""
    stored = Snapshot(records=read_records(client))
    entries = [Entry(place, *held) for place, record in enumerate(records) if (held := unwrap(record))]
    check(entries, stored, ZONE)
    assert not [fault for entry in entries for fault in entry.faults]
    save(client, plan(entries, stored), source)
    reload_dictionaries(client)


def _areas(client: Client) -> Iterator[RegistryRecord]:
    """The registered outlets, each in the management area that the first two letters of its postal area name."""
    for outlet in read_records(client)["outlets"].values():
        corrected = Outlet()
        corrected.CopyFrom(outlet)
        corrected.mgmt_area = outlet.outlet_id[:2]
        yield RegistryRecord(outlet=corrected)


def _series(real: Ontario) -> Iterator[RegistryRecord]:
    """Its amounts by month and by year."""
    for length in (4, 7):
        period = pl.col("day").dt.to_string("%Y-%m").str.slice(0, length)
        sums = real.rows.filter(pl.col("game") == SERIES).group_by(period).agg(pl.col("fen").sum()).sort("day")
        for name, fen in sums.iter_rows():
            yield RegistryRecord(benchmark=Benchmark(series=SERIES, period=name, amount_fen=fen, basis="file"))


def _framed(batches: Iterable[SalesBatch]) -> Iterator[bytes]:
    """The batches as a collector stamps and a loader frames them."""
    for offset, batch in enumerate(batches):
        batch.received_at_ms, batch.collector_id = RECEIVED_MS, "collector-0"
        value, span = batch.SerializeToString(), span_of(batch)
        record = Record(SALES_TOPIC, 0, offset, batch.terminal_id.encode(), value, RECEIVED_MS, span)
        yield b"".join(frame(record, value, span, DISPOSITION_STORE))
