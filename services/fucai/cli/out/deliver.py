"""Brings a sheet out in the format asked for: to stdout, or to a file whole or not at all. Talk goes to stderr."""

from __future__ import annotations

import io
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rich.console import Console, RenderableType

from fucai.cli.errors import CliError
from fucai.cli.numbers import exact
from fucai.cli.out.columnar import write_arrow, write_parquet
from fucai.cli.out.csv_text import write_csv
from fucai.cli.out.document import as_json, document
from fucai.cli.out.options import Format, Output
from fucai.cli.out.plot import show_plot
from fucai.cli.out.screen import View, clean, rows_line, show
from fucai.cli.out.sheet import Kind, Sheet, Tone
from fucai.cli.out.words import COMMA, SEMICOLON, fresh, word
from fucai.cli.output import TABLE_COLUMNS, stderr_console, stdout_console

ROWS_ON_TERMINAL = 100  # of a long table, unless all are asked for
_ONE_TABLE = frozenset({Format.CSV, Format.PARQUET, Format.ARROW})  # these hold one table, without those beside it
_LOUD = {Tone.STRONG: "bold", Tone.WARNING: "yellow"}  # told beside a file, too
_BOM = b"\xef\xbb\xbf"


Look = Callable[[Sheet, View], RenderableType]
"""How people see a sheet: a table, unless the question has a form of its own."""


def deliver(sheet: Sheet, out: Output, look: Look = show) -> None:
    """Writes the sheet in its format; `look` draws it where that is a table.

    Beside all but a table on stdout, stderr is told row count, total, freshness and the answer's loud notes.

    Raises:
        CliError: the file cannot be written, or the format cannot hold the answer; then no file is left behind.
    """
    if out.form is Format.TABLE and out.path is None:
        _print(sheet, out, look, (stdout_console(), ROWS_ON_TERMINAL if sys.stdout.isatty() else None))
        return
    if out.path is None:
        defused = _to_stdout(sheet, out, look)
    else:
        with new_file(out.path, force=out.force) as file:
            defused = write(sheet, out, file, look)
    console = stderr_console()
    console.print(talk(sheet, out, defused), markup=False)
    for note in sheet.notes:
        if note.tone in _LOUD:
            console.print(clean(getattr(note.text, out.lang)), style=_LOUD[note.tone], markup=False)


def write(sheet: Sheet, out: Output, file: BinaryIO, look: Look = show) -> int:
    """Writes the sheet to an open binary file in its format, and returns how many csv cells were defused.

    Raises:
        CliError: the format cannot hold the answer.
    """
    if out.form is Format.CSV:
        text = io.StringIO(newline="")
        defused = write_csv(sheet, text, out.lang, safe=out.csv_safe)
        file.write((_BOM if out.bom else b"") + text.getvalue().encode())
        return defused
    if out.form is Format.JSON:
        file.write(f"{as_json(document(sheet, out.lang))}\n".encode())
    elif out.form is Format.XLSX:
        from fucai.cli.out.xlsx import write_xlsx  # noqa: PLC0415 (xlsxwriter is slow to load; a table stays fast)

        write_xlsx(sheet, file, out.lang)
    elif out.form is Format.PARQUET:
        write_parquet(sheet, file, out.lang)
    elif out.form is Format.ARROW:
        write_arrow(sheet, file, out.lang)
    else:
        text = io.StringIO()
        _print(sheet, out, look, (Console(file=text, width=TABLE_COLUMNS, highlight=False), None))
        file.write(text.getvalue().encode())
    return 0


def talk(sheet: Sheet, out: Output, defused: int) -> str:
    """What was written, in a line: rows, total, where to, what was changed, how fresh."""
    lang = out.lang
    count = rows_line(len(sheet.rows), lang)
    parts = [count if len(sheet.rows) == sheet.all_rows else f"{count} / {sheet.all_rows:,}"]
    parts += [
        f"{word('total', lang)} {getattr(column.label, lang)} "
        f"{exact(cell) if column.kind is Kind.MONEY else format(cell, ',')}"
        for column, cell in zip(sheet.columns, sheet.total or (), strict=False)
        if column.adds and isinstance(cell, int)
    ][:1]
    if out.form in _ONE_TABLE:
        parts += [
            f"{getattr(part.title, lang)}: {rows_line(len(part.rows), lang)} {word('beside', lang)}"
            for part in sheet.beside
            if part.rows
        ]
    if defused:
        parts.append(f"--csv-safe: {defused:,} '…")
    if out.path is not None:
        parts.append(f"{word('written', lang)} {out.path}")
    told = COMMA[lang].join(parts)
    return told if sheet.freshness is None else f"{told}{SEMICOLON[lang]}{fresh(sheet.freshness, lang)}"


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file that appears under `path` once it is whole and on disk; where that fails, nothing appears.

    Raises:
        CliError: it cannot be written, or `path` is there already and `force` is not set.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if force:
            part.replace(path)
        else:
            os.link(part, path)  # unlike a rename it fails where the name has been taken meanwhile
    except FileExistsError as error:
        raise CliError(
            f"--output {path}: the file is there already",
            hint="--force replaces it, or choose another name",
            exit_code=os.EX_CANTCREAT,
        ) from error
    except OSError as error:
        raise CliError(
            f"--output {path}: cannot be written: {error.strerror or error}",
            hint="choose another place, or make room",
            exit_code=os.EX_CANTCREAT,
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _print(sheet: Sheet, out: Output, look: Look, on: tuple[Console, int | None]) -> None:
    """Draws the sheet on a console, with so many rows at most."""
    console, most = on
    view = View(out.lang, console.width, out.unit, None if out.all_rows else most)
    if not out.plot:
        console.print(look(sheet, view))
        return
    try:
        drawing = show_plot(sheet, view)
    except ValueError as error:
        raise CliError(
            f"--plot: {error}", hint="leave --plot out, or ask with fewer groups", exit_code=os.EX_USAGE
        ) from error
    console.print(drawing)


def _to_stdout(sheet: Sheet, out: Output, look: Look) -> int:
    buffer = io.BytesIO()
    defused = write(sheet, out, buffer, look)
    if out.form in (Format.CSV, Format.JSON):
        sys.stdout.flush()
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:  # a stdout of text only, such as one that was captured
        sys.stdout.write(buffer.getvalue().decode())
    else:
        binary.write(buffer.getvalue())
        binary.flush()
    return defused
