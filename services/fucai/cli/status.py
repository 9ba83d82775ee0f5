"""`fucai status`: one table of all parts, ready or why not, with lag, events a second and the last event."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from fucai.cli.looking import look, parts_of_stack
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_tables
from fucai.cli.output import stderr_console
from fucai.cli.status_sheet import status_look, status_sheet


@with_tables
def status(
    *,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the stack that `fucai up` runs; else FUCAI_DATA.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=30, help="Time over which events are counted.")] = 1.0,
    out: Output,
) -> None:
    """Show each part of the stack: ready or why not, lag per partition, events a second, last event.

    Try:

        fucai status --data .demo
        fucai status --json

    Without a stack on this machine it asks the services that FUCAI_COLLECTOR, FUCAI_REGISTRY, FUCAI_ANALYTICS
    and FUCAI_LEDGER name.
    Exit codes: 0 all ready, 69 otherwise.
    """
    found = look(parts_of_stack(data), seconds)
    deliver(status_sheet(found), out, status_look)
    unready = [part.name for part in found if not part.ready]
    if unready:
        stderr_console().print(f"not ready: {', '.join(unready)}")
        raise typer.Exit(os.EX_UNAVAILABLE)
