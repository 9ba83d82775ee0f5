"""The options of output that every question has, and their values, checked before anything is asked."""

from __future__ import annotations

import enum
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fucai.cli.errors import CliError
from fucai.cli.numbers import Unit
from fucai.cli.out.columnar import require_pyarrow
from fucai.cli.output import Lang, language
from fucai.cli.sharing import sharing


class Format(enum.StrEnum):
    """Form of an answer."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"
    PARQUET = "parquet"
    ARROW = "arrow"


BINARY = frozenset({Format.XLSX, Format.PARQUET, Format.ARROW})
_BY_ENDING = {f".{form}": form for form in Format} | {".txt": Format.TABLE, ".feather": Format.ARROW}
_PANEL = "Output"


@dataclass(frozen=True, slots=True)
class Output:
    """Where an answer goes and how it looks; made by `output_of`, which checks it."""

    form: Format
    lang: Lang
    path: Path | None = None
    force: bool = False
    bom: bool = False
    csv_safe: bool = False
    unit: Unit = Unit.AUTO
    all_rows: bool = False
    plot: bool = False


def output_of(
    *,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            help="table for people; csv, json, xlsx, parquet or arrow are exact. Else what FILE's name ends with.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.", rich_help_panel=_PANEL)] = False,
    path: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write to FILE, whole or not at all.", rich_help_panel=_PANEL
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace FILE if it is there.", rich_help_panel=_PANEL)
    ] = False,
    lang: Annotated[
        Lang | None, typer.Option(help="Language of labels; else that of the locale.", rich_help_panel=_PANEL)
    ] = None,
    unit: Annotated[
        Unit,
        typer.Option(
            help="Unit of money in tables; auto takes what fits, wan is 万元, yi 亿元. Exports are exact.",
            rich_help_panel=_PANEL,
        ),
    ] = Unit.AUTO,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Show every row of a long table on the terminal.", rich_help_panel=_PANEL)
    ] = False,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw a curve where the answer has one.", rich_help_panel=_PANEL)
    ] = False,
    bom: Annotated[
        bool, typer.Option("--bom", help="Begin csv with a mark by which Excel knows UTF-8.", rich_help_panel=_PANEL)
    ] = False,
    csv_safe: Annotated[
        bool,
        typer.Option(
            "--csv-safe", help="Lead texts that look like formulas with ' in csv; numbers stay.", rich_help_panel=_PANEL
        ),
    ] = False,
) -> Output:
    """The output asked for.

    Raises:
        CliError: options contradict each other, FILE is there already or cannot be made, a binary format would go to a
            terminal, or its library is not installed.
    """
    if as_json and form not in (None, Format.JSON):
        raise _usage(f"--json and --format {form} contradict each other", "take one of them")
    if path is not None:
        _check(path, force=force)
    chosen = Format.JSON if as_json else form or _format_of(path)
    for name, asked, only in (
        ("--bom", bom, Format.CSV),
        ("--csv-safe", csv_safe, Format.CSV),
        ("--plot", plot, Format.TABLE),
    ):
        if asked and chosen is not only:
            raise _usage(f"{name} has no meaning for {chosen}", f"it belongs to --format {only}")
    if path is None and chosen in BINARY and sys.stdout.isatty():
        raise _usage(
            f"{chosen} is binary and would garble the terminal", f"add --output FILE.{chosen}, or redirect stdout"
        )
    if chosen in (Format.PARQUET, Format.ARROW):
        require_pyarrow()
    return Output(chosen, language(lang), path, force, bom, csv_safe, unit, all_rows, plot)


with_output = sharing("out", output_of)
"""Gives a command the options of output: its keyword `out` gets the `Output` that they make."""

with_tables = sharing("out", output_of, without=frozenset({"plot"}))
"""The same for answers in which there is no curve to draw: without --plot."""


def _format_of(path: Path | None) -> Format:
    if path is None:
        return Format.TABLE
    ending = path.suffix.lower()
    if ending not in _BY_ENDING:
        known = ", ".join(sorted(_BY_ENDING))
        raise _usage(
            f"--output {path}: its name does not tell a format", f"add --format, or end it with one of {known}"
        )
    return _BY_ENDING[ending]


def _check(path: Path, *, force: bool) -> None:
    if path.is_dir():
        raise _usage(f"--output {path}: that is a folder", "name a file in it")
    if path.exists() and not force:
        raise CliError(
            f"--output {path}: the file is there already",
            hint="--force replaces it, or choose another name",
            exit_code=os.EX_CANTCREAT,
        )
    if not path.absolute().parent.is_dir():
        raise CliError(
            f"--output {path}: there is no folder {path.absolute().parent}",
            hint="make it first, or choose another place",
            exit_code=os.EX_CANTCREAT,
        )


def _usage(message: str, hint: str) -> CliError:
    return CliError(message, hint=hint, exit_code=os.EX_USAGE)
