"""`fucai import registry`: hands master data files to the registry and shows what changed, or every line to mend."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.errors import CliError
from fucai.cli.import_sheet import changes_sheet, problems_sheet
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_tables
from fucai.cli.output import stderr_console
from fucai.cli.paging import RegistryData
from fucai.cli.schedule import register_scheduled, sample_days
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import registry_pb2 as pb
from fucai.v1.registry_pb2_grpc import RegistryServiceStub

PIECE_BYTES = 256 * 1024
_FILES = "zones.csv, outlets.csv, terminals.csv, games.csv, draws.csv, closures.csv, benchmarks.csv"


@with_tables
def import_registry(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", help="A folder with CSV files, or one of them.", show_default=False),
    ] = None,
    *,
    sample: Annotated[bool, typer.Option("--sample", help="Load the packaged sample set instead of PATH.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the answer.")] = 120.0,
    data: RegistryData = None,
    out: Output,
) -> None:
    """Load zones, outlets, terminals, games, draws, closures and benchmarks from CSV files, all of them or nothing.

    A file's name says what it holds: zones.csv, outlets.csv, terminals.csv, games.csv, draws.csv, closures.csv,
    benchmarks.csv; any of them may be absent. UTF-8, a header line, comments with # before it.
    With --sample come the draws that its games have from 60 days ago to 400 days ahead.
    A line with a known id and valid_from corrects that version, a later valid_from adds history, what is absent stays;
    the same files again change nothing. Every line that cannot be taken is listed with its remedy.

    Exit codes: 0 loaded, or nothing to change; 65 lines to mend, nothing was stored; 66 no such file; 69 registry away.
    """
    contents = read_files(_chosen(source, sample=sample))
    with channel("registry", data) as opened:
        answer = RegistryServiceStub(opened).ImportFiles(pieces(contents), timeout=timeout)
        added = 0
        if sample and not answer.problems:
            days = sample_days(datetime.now(ServiceSettings.from_env().zone).date())
            added, _ = register_scheduled(opened, days, sample=True, timeout=timeout)
    if answer.problems:
        deliver(problems_sheet(answer.problems), out)
        count = len(answer.problems)
        stderr_console().print(
            f"nothing was stored: {count:,} {'problem' if count == 1 else 'problems'}; mend and repeat"
        )
        raise typer.Exit(os.EX_DATAERR)
    deliver(changes_sheet(answer.summary, added), out)


def read_files(place: Traversable) -> dict[str, bytes]:
    """The file, or the CSV files of the folder, by name.

    Raises:
        CliError: it is not there, cannot be read, or is a folder without CSV files; exit code 66.
    """
    try:
        if place.is_file():
            return {place.name: place.read_bytes()}
        found = sorted(
            (entry for entry in place.iterdir() if entry.name.endswith(".csv")), key=lambda entry: entry.name
        )
        contents = {entry.name: entry.read_bytes() for entry in found}
    except OSError as error:
        message = f"cannot read {error.filename or place}: {error.strerror}"
        raise CliError(message, hint=f"give a folder with {_FILES}, or one of them", exit_code=os.EX_NOINPUT) from error
    if not contents:
        raise CliError(f"{place} holds no CSV file", hint=f"name them {_FILES}", exit_code=os.EX_NOINPUT)
    return contents


def pieces(contents: Mapping[str, bytes]) -> Iterator[pb.ImportFilesRequest]:
    """The files in messages of at most PIECE_BYTES; an empty file takes one message too."""
    for name, content in contents.items():
        for start in range(0, max(len(content), 1), PIECE_BYTES):
            yield pb.ImportFilesRequest(file=name, content=content[start : start + PIECE_BYTES])


def _chosen(path: Path | None, *, sample: bool) -> Traversable:
    if sample == (path is not None):
        raise CliError(
            "give either PATH or --sample",
            hint=f"PATH is a folder with {_FILES}, or one of them",
            exit_code=os.EX_USAGE,
        )
    return files("fucai.registry").joinpath("sample") if path is None else path
