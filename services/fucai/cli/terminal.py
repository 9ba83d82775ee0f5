"""`fucai terminal close`, `status` and `key`: what a person asks of a terminal's agent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from fucai.cli.agent import AgentAddress, agent_at
from fucai.cli.errors import CliError
from fucai.cli.out.act import AsJson, say
from fucai.cli.out.card import card
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_tables
from fucai.cli.output import stderr_console
from fucai.cli.terminal_sheet import agent_sheet, close_sheet
from fucai.runtime.signing import KeyFileError, load_or_create_key, public_bytes
from fucai.terminal.agent.folder import Folder
from fucai.v1.terminal_pb2 import CloseDayRequest, GetStatusRequest

_ANSWER_S = 30.0


@with_tables
def close(
    *,
    directory: Annotated[Path | None, typer.Option("--dir", help="The agent's folder.", envvar="FUCAI_DIR")] = None,
    agent: AgentAddress = "",
    day: Annotated[str, typer.Option(help="Business day, YYYY-MM-DD; today without it.")] = "",
    out: Output,
) -> None:
    """Close a business day: sign its totals and the digest over its events, and send them.

    Try:

        fucai terminal close --dir DIR

    A close covers every event since the close before it. The agent closes the day before by itself at 2 o'clock.

    Exit codes: 0; 64 no such day, or one that has not begun; 69 no agent answers; 75 its disk is full.
    """
    with agent_at(directory, agent) as stub:
        closed = stub.CloseDay(CloseDayRequest(business_day=day), timeout=_ANSWER_S).close
    deliver(close_sheet(closed), out)


@with_tables
def status(
    *,
    directory: Annotated[Path | None, typer.Option("--dir", help="The agent's folder.", envvar="FUCAI_DIR")] = None,
    agent: AgentAddress = "",
    out: Output,
) -> None:
    """Show what waits, what became of the rest, and what a person should look at.

    Try:

        fucai terminal status --dir DIR

    Exit codes: 0 all is well; 1 there are warnings; 69 no agent answers.
    """
    with agent_at(directory, agent) as stub:
        told = stub.GetStatus(GetStatusRequest(), timeout=_ANSWER_S)
    deliver(agent_sheet(told), out, card)
    raise typer.Exit(1 if told.warnings else 0)


def key(
    *,
    directory: Annotated[Path, typer.Option("--dir", help="The agent's folder.", envvar="FUCAI_DIR")],
    terminal: Annotated[str, typer.Option(help="The terminal's id, for the line.")] = "TERMINAL",
    outlet: Annotated[str, typer.Option(help="The outlet's id, for the line.")] = "OUTLET",
    since: Annotated[str, typer.Option(help="Day from which the line holds.")] = "YYYY-MM-DD",
    json: AsJson = False,
) -> None:
    """Print the terminal's public key, and the line for terminals.csv that registers it.

    Try:

        fucai terminal key --dir DIR --terminal GZ-0001-1 --outlet GZ-0001 --since 2026-05-01

    The key pair is made when it is not there yet. The private key never leaves the folder. The object of --json:
    public_key (hexadecimal), and terminals_csv, the header and the line.

    Exit codes: 0; 78 the key file cannot be used.
    """
    folder = Folder(directory)
    folder.create()
    try:
        public = public_bytes(load_or_create_key(folder.key)).hex()
    except KeyFileError as error:
        raise CliError(str(error), exit_code=os.EX_CONFIG) from error
    header = "terminal_id,valid_from,outlet_id,kind,public_key"
    line = f"{terminal},{since},{outlet},till,{public}"
    if json:
        say({"public_key": public, "terminals_csv": [header, line]}, [], json=True)
        return
    typer.echo(public)
    stderr_console().print("\nfor `fucai import registry`, in terminals.csv:", style="dim")
    typer.echo(header)
    typer.echo(line)
