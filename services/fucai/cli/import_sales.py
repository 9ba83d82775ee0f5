"""`fucai import sales`: sends a file of daily sales as history, and says what became of each row."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from fucai.cli.addresses import find
from fucai.cli.out.act import AsJson, say
from fucai.runtime.settings import ServiceSettings
from fucai.terminal.enrol import OutletTraits
from fucai.terminal.history import ConflictError, Route, conflict_lines
from fucai.terminal.importer import ImportOptions, ImportReport, import_file
from fucai.terminal.sender import SendPolicy
from fucai.v1.sales_pb2 import Finding

_LINES_TOLD = 20
_EX_INTERRUPTED = 128 + signal.SIGINT


def import_sales(  # noqa: PLR0913 (each is an option of the command)
    file: Annotated[Path, typer.Argument(help="CSV file with a header, UTF-8, plain or gzip.")],
    *,
    columns: Annotated[
        str,
        typer.Option(
            help="Which column holds day, outlet, game, bets and amount, as above; "
            "else each column has its field's name."
        ),
    ] = "",
    amount_unit: Annotated[
        int, typer.Option(min=1, help="How many fen (cents) 1 in the amount column is; 100 for yuan or dollars.")
    ] = 100,
    currency: Annotated[str, typer.Option(help="Refuse unless the store keeps this currency, such as CNY.")] = "",
    register: Annotated[bool, typer.Option("--register", help="Create the outlets and games that it meets.")] = False,
    register_zone: Annotated[str, typer.Option(help="Zone of created outlets.")] = "",
    register_district: Annotated[str, typer.Option(help="District code of created outlets.")] = "",
    register_area: Annotated[str, typer.Option(help="Management area of created outlets.")] = "",
    register_format: Annotated[str, typer.Option(help="Trade format of created outlets.")] = "",
    register_class: Annotated[str, typer.Option(help="Channel class of created outlets.")] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the figures are stored.")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for that.")] = 120.0,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to bear a service that is away.")] = 60.0,
    streams: Annotated[int, typer.Option(min=1, max=64, help="Streams to the collector.")] = 4,
    data: Annotated[Path | None, typer.Option(help="Directory of a stack started with `fucai up`.")] = None,
    json: AsJson = False,
) -> None:
    """Send daily sales of the past from a CSV file: one line for each day, outlet and game.

    Try:

        fucai import sales sales-2025.csv --columns day=日期,outlet=网点,game=游戏,bets=注数,amount=金额 --currency CNY

    Each line becomes one event at noon of its day, sent by the outlet's import terminal. The same file again, whole
    or after an interruption, stores each line once. Days that another file brought in are refused, with the list.
    A day has to be over, bets and amount above zero. A line that cannot be taken goes to FILE.rejected.csv with its
    number and the reason, and the rest is sent; mend it there and import that file.

    With --register, an unknown game's code is its text where that is a code (letters, digits, _ and -), else its
    letters and digits in lower case, joined with _: "Lotto 649" is lotto_649. Import terminals are always created.

    The object of --json: rows, bets, amount_fen and currency sent, of these accepted and stored_before (by an earlier
    run); stored (null where it was not waited for); registered (records created), rejected (lines), rejected_file, and
    quarantined, a list of terminal_id, seq, field and detail.

    Exit codes: 0 all stored; 65 lines rejected or in quarantine, days brought by another file, or file unusable;
    66 no such file; 69 collector or registry away; 75 sent, but not seen in the store in time.
    """
    settings = ServiceSettings.from_env()
    options = ImportOptions(
        path=file,
        mapping=columns,
        amount_unit=amount_unit,
        register=register,
        traits=OutletTraits(register_zone, register_district, register_area, register_format, register_class),
        timezone=settings.timezone,
        currency=settings.currency,
        expected_currency=currency,
        wait_seconds=timeout if wait else 0.0,
    )
    route = Route(find("collector", data), streams, SendPolicy(patience_seconds=patience))
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        with _Bars(console) as bars:
            report = asyncio.run(import_file(options, find("registry", data), route, bars))
    except ConflictError as error:
        for line in conflict_lines(error.conflicts, _LINES_TOLD):
            console.print(line)
        raise
    except KeyboardInterrupt:
        console.print("interrupted; the same command again goes on where this one stopped")
        raise typer.Exit(_EX_INTERRUPTED) from None
    raise typer.Exit(_tell(report, console, asked_to_wait=wait, json=json))


class _Bars(Progress):
    """Progress bars on a terminal; silent elsewhere."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            TextColumn("{task.description:>8}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )

    def stage(self, what: str, total: int) -> Callable[[int], None]:
        """See `Watcher.stage`."""
        task = self.add_task(what, total=total)

        def made(steps: int) -> None:
            self.advance(task, steps)

        return made


def _tell(report: ImportReport, console: Console, *, asked_to_wait: bool, json: bool) -> int:
    delivery = report.delivery
    quarantined = [
        f"quarantined: {terminal_id} seq {finding.seq}: {finding.field}: {finding.detail}"
        for terminal_id, finding in delivery.quarantined
    ]
    _list(console, report.rejected_first, report.rejected)
    if report.rejected:
        console.print(f"rejected: {report.rejected:,} lines, in {report.rejected_file}; mend them there, import that")
    _list(console, quarantined, len(quarantined))
    lines = [f"registered: {report.registered:,} records"] if report.registered else []
    if delivery.stored_before:
        lines.append(f"stored by an earlier run: {delivery.stored_before:,} rows")
    lines.append(f"accepted: {delivery.accepted:,} rows, quarantined: {len(quarantined):,}")
    done = "sent" if not report.stored else "sent, and stored but for the quarantined" if quarantined else "stored"
    lines.append(f"{done}: {report.rows:,} rows, {report.bets:,} bets, {money(report.amount_fen)} {report.currency}")
    say(_object(report), lines, json=json)
    if report.rejected or quarantined:
        return os.EX_DATAERR
    if report.rows and asked_to_wait and not report.stored:
        console.print("not all rows were seen in the store in time; `fucai status` shows the lag. Nothing is lost")
        return os.EX_TEMPFAIL
    return os.EX_OK


def _object(report: ImportReport) -> dict[str, Any]:
    """What the import did, for a program."""
    delivery = report.delivery
    return {
        "rows": report.rows,
        "bets": report.bets,
        "amount_fen": report.amount_fen,
        "currency": report.currency,
        "accepted": delivery.accepted,
        "stored_before": delivery.stored_before,
        "stored": report.stored,
        "registered": report.registered,
        "rejected": report.rejected,
        "rejected_file": None if report.rejected_file is None else str(report.rejected_file),
        "quarantined": findings_of(delivery.quarantined),
    }


def findings_of(quarantined: Iterable[tuple[str, Finding]]) -> list[dict[str, Any]]:
    """What the collector put aside, for a program."""
    return [
        {"terminal_id": terminal_id, "seq": finding.seq, "field": finding.field, "detail": finding.detail}
        for terminal_id, finding in quarantined
    ]


def _list(console: Console, lines: list[str], count: int) -> None:
    for line in lines[:_LINES_TOLD]:
        console.print(line)
    if count > _LINES_TOLD:
        console.print(f"and {count - _LINES_TOLD:,} more")


def money(amount_fen: int) -> str:
    """An amount in whole units with two decimals."""
    sign = "-" if amount_fen < 0 else ""
    return f"{sign}{abs(amount_fen) // 100:,}.{abs(amount_fen) % 100:02}"
