"""What `fucai reconcile` and `fucai verify` share: where to look, how far it is, and how failures are told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from fucai.adapters.clickhouse import ClickHouseError, connect
from fucai.adapters.consumer import KafkaError
from fucai.adapters.migrate import SchemaError, read_store_settings
from fucai.auditor.keep import keep
from fucai.auditor.keys import Keys, KeysFileError, read_keys_file
from fucai.auditor.report import write_report
from fucai.auditor.run import Audit, Question, audit
from fucai.cli.addresses import read_endpoints, stack_dir
from fucai.cli.errors import CliError
from fucai.cli.output import stderr_console
from fucai.cli.sharing import sharing
from fucai.domain.calendar import parse_day
from fucai.runtime.settings import ServiceSettings

EXIT_DIFFERS = 1
"""What both commands exit with where anything differs or was found."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The two sides compared, and the database."""

    kafka: str
    clickhouse: str
    database: str


def _sources(kafka: str, clickhouse: str, data: Path | None) -> Sources:
    """Addresses from the options, else the stack at `data`, else FUCAI_KAFKA, FUCAI_CLICKHOUSE or FUCAI_DATA.

    Raises:
        CliError: the folder given is not that of a running stack.
    """
    settings = ServiceSettings.from_env()
    named = {part.name: part.address for part in read_endpoints(data)} if data is not None else {}
    if data is None and not os.environ.get("FUCAI_KAFKA") and (folder := stack_dir(None)) is not None:
        named = {part.name: part.address for part in read_endpoints(folder)}
    store = f"http://{named['clickhouse']}" if "clickhouse" in named else settings.clickhouse
    return Sources(kafka or named.get("kafka", settings.kafka), clickhouse or store, settings.database)


def day_of(text: str, option: str) -> date:
    """A day given as an option.

    Raises:
        CliError: it is no day.
    """
    try:
        return parse_day(text)
    except ValueError as error:
        raise CliError(f"{option} {text}: {error}", exit_code=os.EX_USAGE) from error


def _keys_of(path: Path | None) -> Keys | None:
    """The keys in a file of the auditor's own; None without one.

    Raises:
        CliError: the file cannot be used.
    """
    if path is None:
        return None
    try:
        return read_keys_file(path)
    except KeysFileError as error:
        raise CliError(str(error), exit_code=os.EX_DATAERR) from error
    except OSError as error:
        raise CliError(f"--keys {path}: {error.strerror}", exit_code=os.EX_NOINPUT) from error


@dataclass(frozen=True, slots=True)
class Order:
    """What an audit is made with: both sides, keys to trust instead, the loaders' group, and where a report goes."""

    where: Sources
    keys: Keys | None
    loader_group: str
    report: Path | None


def order_of(
    *,
    report: Annotated[Path | None, typer.Option(help="Folder for a page (HTML) and CSV files to keep.")] = None,
    keys: Annotated[Path | None, typer.Option(help="CSV of keys (terminal_id, public_key) to trust instead.")] = None,
    loader_group: Annotated[str, typer.Option(help="Consumer group of the loaders.")] = "fucai-loader",
    kafka: Annotated[str, typer.Option(help="Bootstrap servers of Kafka.")] = "",
    clickhouse: Annotated[str, typer.Option(help="ClickHouse's address, http://host:port.")] = "",
    data: Annotated[Path | None, typer.Option(help="Directory of a stack started with `fucai up`.")] = None,
) -> Order:
    """The audit ordered.

    Raises:
        CliError: the file of keys cannot be used, or the folder given is not that of a running stack.
    """
    return Order(_sources(kafka, clickhouse, data), _keys_of(keys), loader_group, report)


with_order = sharing("order", order_of)
"""Gives a command the options of an audit: its keyword `order` gets the `Order` that they make."""


@dataclass(frozen=True, slots=True)
class Done:
    """An audit and where its report is; no paths where none was asked for."""

    audit: Audit
    paths: list[Path]
    zone: ZoneInfo


def run(order: Order, question: Question, *, source: str, keeping: bool) -> Done:
    """Run an audit, with progress on stderr, and keep what it found where asked.

    Raises:
        CliError: a neighbour is away or lacks what this version needs.
    """
    console, where = stderr_console(), order.where
    try:
        client = connect(where.clickhouse, where.database, log_comment=f"fucai {source}", timeout_s=600)
        try:
            zone = ZoneInfo(read_store_settings(client).timezone)
            with _stages(console) as stage:
                found = audit(where.kafka, client, question, zone=zone, now_ms=_now_ms, keys=order.keys, stage=stage)
            if keeping:
                keep(client, found, source, datetime.now(zone).date())
        finally:
            client.close()
    except (ClickHouseError, SchemaError, KafkaError, LookupError) as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        raise CliError(
            f"Kafka {where.kafka}, ClickHouse {where.clickhouse}: {said}",
            hint="give --kafka and --clickhouse, or --data DIR of a running `fucai up`; `fucai migrate` makes tables",
            exit_code=os.EX_UNAVAILABLE,
        ) from error
    return Done(found, _report(found, order.report, where), zone)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _report(found: Audit, folder: Path | None, where: Sources) -> list[Path]:
    if folder is None:
        return []
    try:
        return write_report(found, folder, [("Kafka", where.kafka), ("ClickHouse", where.clickhouse)])
    except OSError as error:
        raise CliError(f"--report {folder}: {error.strerror}", exit_code=os.EX_CANTCREAT) from error


@contextmanager
def _stages(console: Console) -> Iterator[Callable[[str, int], Callable[[int], None]]]:
    """A bar for each stage on a terminal; silence elsewhere."""
    with Progress(
        TextColumn("{task.description:>12}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bars:

        def stage(what: str, total: int) -> Callable[[int], None]:
            task = bars.add_task(what, total=total or None)
            return lambda steps: bars.advance(task, steps)

        yield stage
