"""`fucai up`: the whole suite on this machine, in the foreground."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fucai.cli.errors import CliError
from fucai.cli.out.act import AsJson, say
from fucai.devstack.kafka import FetchError, prepare
from fucai.devstack.parts import DEFAULT_PORT_BASE, stack_parts
from fucai.devstack.stack import StackError, read_endpoints, run_stack
from fucai.devstack.supervisor import StartError

_COLOURS = {"ready": "green", "died": "red", "killed": "red", "restarting": "yellow"}


def up(
    data: Annotated[
        Path, typer.Option(envvar="FUCAI_DATA", help="Folder for all data, logs and endpoints.json; made if missing.")
    ] = Path("fucai-data"),
    port_base: Annotated[
        int, typer.Option(help="First of the ports used, all on 127.0.0.1.", min=1024, max=65_000)
    ] = DEFAULT_PORT_BASE,
    *,
    json: AsJson = False,
) -> None:
    """Start Kafka, ClickHouse and every service on this machine, and stop them all on Ctrl-C.

    Data stays in the folder: start again on it and everything is there. Example:

        fucai up --data /srv/fucai --port-base 19000

    The object of --json comes when all is ready: data, and parts, a list of name, address, metrics and pid.
    Exit codes: 0 after a signal; 69 a part does not start, or its port is taken.
    """
    talk = Console(stderr=True, highlight=False)
    data = data.resolve()
    spinner = talk.status("starting")
    awaited: dict[str, None] = {}

    def tell(part: str, state: str, detail: str = "") -> None:
        if state in {"starting", "restarting"}:
            awaited[part] = None
        elif state != "waiting":
            awaited.pop(part, None)
        spinner.update(f"waiting for {', '.join(awaited)}")
        if state == "waiting":
            return
        colour = _COLOURS.get(state, "default")
        talk.print(f"{part:<11} [{colour}]{state}[/] {escape(detail)}", soft_wrap=True)
        if part == "stack" and state == "ready":
            spinner.stop()
            _show_addresses(talk, data)
            if json:
                parts = [asdict(part) for part in read_endpoints(data).values()]
                say({"data": str(data), "parts": parts}, [], json=True)

    try:
        prepare()
        with spinner:
            run_stack(data, stack_parts(data, port_base), tell)
    except (FetchError, StackError, StartError) as error:
        raise CliError(
            f"not started: {error}",
            hint=f"logs of the parts are in {data / 'logs'}; --port-base moves all ports",
            exit_code=os.EX_UNAVAILABLE,
        ) from error


def _show_addresses(talk: Console, data: Path) -> None:
    """Print where everything is."""
    table = Table("part", "address", "metrics", "pid", box=None, header_style="bold")
    for endpoint in read_endpoints(data).values():
        metrics = f"http://{endpoint.metrics}/metrics" if endpoint.metrics else ""
        table.add_row(endpoint.name, endpoint.address, metrics, str(endpoint.pid))
    talk.print(table)
    talk.print(f"data, logs and endpoints.json in {data}; Ctrl-C stops everything")
