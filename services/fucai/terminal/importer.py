"""Imports a file of daily sales: reads and judges it, registers what it needs, sends it, waits until it is stored.

What it says to people goes through `Watcher`; exit codes are the caller's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from fucai.runtime.client import connect
from fucai.runtime.errors import FatalError
from fucai.terminal.columns import Columns, ColumnsError, locate, parse_mapping
from fucai.terminal.enrol import Enrolment, OutletTraits
from fucai.terminal.history import Delivery, Route, open_days, send, wait_until_stored
from fucai.terminal.known import Known, build_known
from fucai.terminal.registry import RegistryClient
from fucai.terminal.rows import BadRowError, RowParser, to_history
from fucai.terminal.salesfile import Rejects, SalesFile, open_sales_file
from fucai.terminal.spool import Spool

_LINES_A_TICK = 1_000
_REJECTS_TOLD = 20


class Watcher(Protocol):
    """Hears how far an import is."""

    def stage(self, what: str, total: int) -> Callable[[int], None]:
        """A stage of `total` steps begins; the function returned is told how many steps were made."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to import and how. `mapping` is the text of --columns; `amount_unit` the fen in 1 of the amount column.

    `timezone` and `currency` stand in for a registry that names none; `expected_currency` is checked if not empty.
    """

    path: Path
    mapping: str
    amount_unit: int
    register: bool
    traits: OutletTraits
    timezone: str
    currency: str
    expected_currency: str
    wait_seconds: float


@dataclass(slots=True)
class ImportReport:
    """What an import did. Amount in fen; `stored` is None where it was not waited for."""

    currency: str
    rows: int = 0
    bets: int = 0
    amount_fen: int = 0
    registered: int = 0
    rejected: int = 0
    rejected_file: Path | None = None
    rejected_first: list[str] = field(default_factory=list)
    delivery: Delivery = field(default_factory=Delivery)
    stored: bool | None = None


async def import_file(options: ImportOptions, registry_address: str, route: Route, watcher: Watcher) -> ImportReport:
    """Runs the import. Nothing is sent before the whole file was read and its days were claimed.

    Raises:
        FatalError: with its exit code: 64 mapping, 65 file, currency or conflicts (`ConflictError`), 66 no such file,
            69 registry or collector away.
        grpc.RpcError: the registry refuses what the file needs.
    """
    with open_sales_file(options.path) as file:
        columns = _columns(options, file)
        channel = connect(registry_address)
        try:
            registry = RegistryClient(channel, registry_address, route.policy.patience_seconds)
            known = build_known(await registry.snapshot(), timezone=options.timezone, currency=options.currency)
            _check_currency(options, known)
            enrolment = Enrolment(known, register=options.register, traits=options.traits)
            with Spool() as spool:
                report = _read(file, columns, options, enrolment, spool, watcher)
                if spool.rows:
                    await _bring_in(spool, report, enrolment, registry, route, options, watcher)
                return report
        finally:
            await channel.close(None)


def _columns(options: ImportOptions, file: SalesFile) -> Columns:
    try:
        mapping = parse_mapping(options.mapping)
    except ColumnsError as error:
        raise FatalError(str(error), exit_code=os.EX_USAGE) from error
    try:
        return locate(mapping, file.header)
    except ColumnsError as error:
        raise FatalError(f"{options.path}: {error}", exit_code=os.EX_DATAERR) from error


def _check_currency(options: ImportOptions, known: Known) -> None:
    expected = options.expected_currency
    if expected and known.currency and expected != known.currency:
        raise FatalError(
            f"--currency {expected}: this store keeps {known.currency}, and a store has one currency; "
            f"import into a store of its own, started with FUCAI_CURRENCY={expected}",
            exit_code=os.EX_DATAERR,
        )


def _read(
    file: SalesFile,
    columns: Columns,
    options: ImportOptions,
    enrolment: Enrolment,
    spool: Spool,
    watcher: Watcher,
) -> ImportReport:
    report = ImportReport(currency=enrolment.known.currency)
    today = datetime.now(ZoneInfo(enrolment.known.timezone)).toordinal()
    parser = RowParser(columns, amount_unit=options.amount_unit, today=today)
    tick = watcher.stage("reading", file.size)
    position = 0
    with Rejects(options.path, file.header) as rejects:
        for index, line in enumerate(file.lines()):
            try:
                _take(line.fields, line.fault, parser, enrolment, spool)
            except BadRowError as error:
                rejects.add(line, str(error))
                if rejects.count <= _REJECTS_TOLD:
                    report.rejected_first.append(f"line {line.number}: {error}")
            if index % _LINES_A_TICK == 0:
                tick(file.position - position)
                position = file.position
    tick(file.size - position)
    report.rows, report.bets, report.amount_fen = spool.rows, spool.bets, spool.amount_fen
    report.rejected = rejects.count
    report.rejected_file = rejects.path if rejects.count else None
    return report


def _take(fields: list[str], fault: str, parser: RowParser, enrolment: Enrolment, spool: Spool) -> None:
    if fault:
        raise BadRowError(fault)
    raw = parser.parse(fields)
    enrolment.check_outlet(raw.outlet, raw.day)
    if not spool.add(to_history(raw, enrolment.game_code(raw.game, raw.day))):
        raise BadRowError("this outlet's day and game stand in an earlier line; add the two up or take one out")


async def _bring_in(
    spool: Spool,
    report: ImportReport,
    enrolment: Enrolment,
    registry: RegistryClient,
    route: Route,
    options: ImportOptions,
    watcher: Watcher,
) -> None:
    name = options.path.name
    report.registered = await registry.upsert(enrolment.records(spool), f"sales history {name}")
    opened = await open_days(registry, spool, name)
    zone = ZoneInfo(enrolment.known.timezone)
    report.delivery = await send(spool, opened, route, zone, watcher.stage("sending", spool.rows))
    if options.wait_seconds > 0:
        tick = watcher.stage("storing", 1)
        report.stored = await wait_until_stored(
            registry,
            spool,
            name,
            quarantined=frozenset(terminal_id for terminal_id, _ in report.delivery.quarantined),
            timeout_seconds=options.wait_seconds,
        )
        tick(1)
