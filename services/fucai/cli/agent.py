"""The running agent of a terminal, as the commands that speak to one find it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from fucai.cli.errors import CliError
from fucai.runtime.client import connect_blocking
from fucai.terminal.agent.folder import Folder
from fucai.v1.terminal_pb2_grpc import TerminalServiceStub

AgentAddress = Annotated[str, typer.Option("--agent", help="Where the agent listens; else its folder tells.")]


@contextmanager
def agent_at(directory: Path | None, address: str) -> Iterator[TerminalServiceStub]:
    """The API of the agent at `address`, or of the one that its folder tells of.

    Raises:
        CliError: nothing says where it is.
    """
    with connect_blocking(address or _address_in(directory)) as channel:
        yield TerminalServiceStub(channel)


def _address_in(directory: Path | None) -> str:
    if directory is None:
        raise CliError(
            "nothing says where the agent is", hint="give --dir DIR or --agent ADDRESS", exit_code=os.EX_USAGE
        )
    listening = Folder(directory).listening()
    if listening is None:
        raise CliError(
            f"no agent has run on {directory}",
            hint=f"start it: fucai terminal run --dir {directory} --terminal ID --outlet ID",
            exit_code=os.EX_UNAVAILABLE,
        )
    return listening.till
