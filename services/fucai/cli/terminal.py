"""`fucai terminal close`, `status` and `key`: what a person asks of a terminal's agent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from fucai.cli.agent import AgentAddress, agent_at
from fucai.cli.errors import CliError
from fucai.cli.output import stderr_console, stdout_console, write_json
from fucai.runtime.signing import KeyFileError, load_or_create_key, public_bytes
from fucai.terminal.agent.folder import Folder
from fucai.v1.sales_pb2 import EventKind
from fucai.v1.terminal_pb2 import (
    CloseDayRequest,
    GetStatusRequest,
    GetStatusResponse,
)

_ANSWER_S = 30.0


def close(
    *,
    directory: Annotated[Path | None, typer.Option("--dir", help="The agent's folder.", envvar="FUCAI_DIR")] = None,
    agent: AgentAddress = "",
    day: Annotated[str, typer.Option(help="Business day, YYYY-MM-DD; today without it.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the close as JSON.")] = False,
) -> None:
    """Close a business day: sign its totals and the digest over its events, and send them.

    Try:

        fucai terminal close --dir DIR

    A close covers every event since the close before it. The agent closes the day before by itself at 2 o'clock.

    Exit codes: 0; 64 no such day, or one that has not begun; 69 no agent answers; 75 its disk is full.
    """
    with agent_at(directory, agent) as stub:
        closed = stub.CloseDay(CloseDayRequest(business_day=day), timeout=_ANSWER_S).close
    if json:
        write_json(closed)
        return
    numbers = f"{closed.first_seq} to {closed.last_seq}" if closed.last_seq >= closed.first_seq else "none"
    typer.echo(f"closed {closed.business_day}, close {closed.close_no}: events {numbers}, digest {closed.digest.hex()}")
    table = Table("day", "game", "kind", "events", "bets", "fen")
    for line in closed.lines:
        kind = EventKind.Name(line.kind).removeprefix("EVENT_KIND_").lower()
        table.add_row(line.business_day, line.game, kind, f"{line.events:,}", f"{line.bets:,}", f"{line.amount_fen:,}")
    if closed.lines:
        stdout_console().print(table)


def status(
    *,
    directory: Annotated[Path | None, typer.Option("--dir", help="The agent's folder.", envvar="FUCAI_DIR")] = None,
    agent: AgentAddress = "",
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show what waits, what became of the rest, and what a person should look at.

    Try:

        fucai terminal status --dir DIR

    Exit codes: 0 all is well; 1 there are warnings; 69 no agent answers.
    """
    with agent_at(directory, agent) as stub:
        told = stub.GetStatus(GetStatusRequest(), timeout=_ANSWER_S)
    if json:
        write_json(told)
    else:
        _show_status(told)
    raise typer.Exit(1 if told.warnings else 0)


def key(
    *,
    directory: Annotated[Path, typer.Option("--dir", help="The agent's folder.", envvar="FUCAI_DIR")],
    terminal: Annotated[str, typer.Option(help="The terminal's id, for the line.")] = "TERMINAL",
    outlet: Annotated[str, typer.Option(help="The outlet's id, for the line.")] = "OUTLET",
    since: Annotated[str, typer.Option(help="Day from which the line holds.")] = "YYYY-MM-DD",
) -> None:
    """Print the terminal's public key, and the line for terminals.csv that registers it.

    Try:

        fucai terminal key --dir DIR --terminal GZ-0001-1 --outlet GZ-0001 --since 2026-05-01

    The key pair is made when it is not there yet. The private key never leaves the folder.

    Exit codes: 0; 78 the key file cannot be used.
    """
    folder = Folder(directory)
    folder.create()
    try:
        public = public_bytes(load_or_create_key(folder.key)).hex()
    except KeyFileError as error:
        raise CliError(str(error), exit_code=os.EX_CONFIG) from error
    typer.echo(public)
    stderr_console().print("\nfor `fucai import registry`, in terminals.csv:", style="dim")
    typer.echo("terminal_id,valid_from,outlet_id,kind,public_key")
    typer.echo(f"{terminal},{since},{outlet},till,{public}")


def _show_status(told: GetStatusResponse) -> None:
    rows = {
        "terminal": f"{told.terminal_id} at {told.outlet_id}, epoch {told.epoch}",
        "collector": "connected" if told.connected else "not connected",
        "recorded": f"{told.recorded_through:,}",
        "acknowledged": f"through {told.acknowledged_through:,}",
        "waiting": f"{told.waiting_events:,} events, {told.waiting_statements:,} statements",
        "accepted": f"{told.accepted_events:,}",
        "in quarantine": f"{told.quarantined_events:,}",
        "last close": told.last_close.business_day or "none yet",
        "disk": f"{told.outbox_bytes / 2**20:,.1f} MiB used, {told.free_bytes / 2**20:,.0f} MiB free",
    }
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(f"[dim]{name}[/]", value)
    console = stdout_console()
    console.print(table)
    if told.last_error:
        console.print(f"last error: {told.last_error}", style="yellow", markup=False, soft_wrap=True)
    for finding in told.quarantined:
        console.print(
            f"quarantined: seq {finding.seq}: {finding.field}: {finding.detail}", markup=False, soft_wrap=True
        )
    for warning in told.warnings:
        console.print(f"look at this: {warning}", style="bold red", markup=False, soft_wrap=True)
