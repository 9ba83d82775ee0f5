"""Where the services are: from --data, FUCAI_<PART> or FUCAI_DATA, in this order. Starts and guesses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from fucai.cli.errors import CliError
from fucai.runtime.client import connect_blocking
from fucai.runtime.settings import split_address

ENDPOINTS = "endpoints.json"


@dataclass(frozen=True, slots=True)
class Part:
    """One process of a local stack: where it listens, and where its metrics are (None without)."""

    name: str
    address: str
    pid: int
    metrics: str | None


def stack_dir(data: Path | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The directory of the local stack: `data`, else FUCAI_DATA, else None."""
    if data is not None:
        return data
    named = environ.get("FUCAI_DATA", "")
    return Path(named) if named else None


def read_endpoints(data: Path) -> list[Part]:
    """The parts of the stack that `fucai up --data DIR` runs, in the order in which it starts them.

    Raises:
        CliError: the file is not there (no stack runs on this directory) or is not what `fucai up` writes.
    """
    path = data / ENDPOINTS
    hint = f"start a stack with `fucai up --data {data}`, or give the directory of a running one with --data"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [
            Part(str(part["name"]), str(part["address"]), int(part["pid"]), part.get("metrics") or None)
            for part in content["parts"]
        ]
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror}", hint=hint, exit_code=os.EX_UNAVAILABLE) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CliError(f"{path} is not a list of endpoints: {error!r}", hint=hint, exit_code=os.EX_DATAERR) from error


def find(part: str, data: Path | None = None, environ: Mapping[str, str] = os.environ) -> str:
    """The gRPC address of a service such as "analytics".

    Raises:
        CliError: nothing says where it is, or what says so is unusable.
    """
    variable = f"FUCAI_{part.upper()}"
    named = environ.get(variable, "")
    if data is None and named:
        try:
            split_address(named)
        except ValueError as error:
            raise CliError(f"{variable}={named}: {error}", exit_code=os.EX_USAGE) from error
        return named
    directory = stack_dir(data, environ)
    if directory is None:
        raise CliError(
            f"nothing says where the {part} service is",
            hint=f"give --data DIR of a running `fucai up`, or set FUCAI_DATA=DIR or {variable}=host:port",
            exit_code=os.EX_UNAVAILABLE,
        )
    for known in read_endpoints(directory):
        if known.name == part or known.name.startswith(f"{part}-"):
            return known.address
    raise CliError(
        f"{directory / ENDPOINTS} names no {part}",
        hint="the stack was started without it; start it again with `fucai up`",
        exit_code=os.EX_UNAVAILABLE,
    )


@contextmanager
def channel(part: str, data: Path | None = None) -> Iterator[grpc.Channel]:
    """An open channel to a service, closed at the end of the block.

    Raises:
        CliError: see `find`.
    """
    with connect_blocking(find(part, data)) as opened:
        yield opened
