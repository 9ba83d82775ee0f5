"""`fucai terminal run`: the agent of one terminal, as a process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fucai.cli.out.act import AsJson, say
from fucai.terminal.agent.folder import Folder
from fucai.terminal.agent.process import UNIX, AgentSettings, serve


def run(
    *,
    directory: Annotated[Path, typer.Option("--dir", help="Its folder: outbox and key.", envvar="FUCAI_DIR")],
    terminal: Annotated[str, typer.Option(help="The terminal's id, as registered.", envvar="FUCAI_TERMINAL")],
    outlet: Annotated[str, typer.Option(help="The outlet it stands in.", envvar="FUCAI_OUTLET")],
    collector: Annotated[str, typer.Option(help="The collector, host:port.", envvar="FUCAI_COLLECTOR")] = "",
    listen: Annotated[str, typer.Option(help="Where the till reaches it: 127.0.0.1:PORT or unix:PATH.")] = "",
    metrics: Annotated[str, typer.Option(help="Where /metrics and /ready listen.", envvar="FUCAI_METRICS")] = "",
    close_hour: Annotated[int, typer.Option(help="Hour at which the day before is closed; -1 for never.")] = 2,
    timezone: Annotated[str, typer.Option(help="Time zone of business days.", envvar="FUCAI_TIMEZONE")] = "",
    json: AsJson = False,
) -> None:
    """Run the agent of one terminal, until Ctrl-C or SIGTERM.

    Try:

        fucai terminal run --dir /var/lib/fucai/GZ-0001-1 --terminal GZ-0001-1 --outlet GZ-0001 --collector sales:19010

    It keeps every event in an outbox in its folder before it answers the till, sends them in order, and goes on for
    ever: no network, a collector that is away, a power cut and a kill at any moment lose nothing. It listens on
    DIR/till.sock unless told otherwise. The folder belongs to this terminal alone and may not be copied.

    `fucai terminal key --dir DIR` shows the key to register. A damaged outbox is set aside in DIR/damaged-..., what can
    be read from it is sent, and the damage is reported. The log goes to stderr. The object of --json comes before it
    serves: terminal_id, outlet_id, dir, listen and collector, as it was told.

    Exit codes: 0 after a signal; 65 the folder is another terminal's; 69 an address is taken; 74 the disk fails;
    75 another agent runs on the folder; 78 unusable settings or key.
    """
    asked = {"collector": collector, "metrics": metrics, "timezone": timezone}
    settings = AgentSettings.from_env(
        dir=directory,
        terminal=terminal,
        outlet=outlet,
        grpc=listen or f"{UNIX}{Folder(directory).socket.absolute()}",
        close_hour=close_hour,
        **{name: value for name, value in asked.items() if value},
    )
    if json:
        started = {"terminal_id": terminal, "outlet_id": outlet, "dir": str(directory)}
        say({**started, "listen": settings.grpc, "collector": settings.collector}, [], json=True)
    serve(settings)
