"""`fucai verify`: proves a period: every event of Kafka stands in ClickHouse as it is, and one hash a day says so."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from fucai.auditor.run import Audit, Question
from fucai.cli.auditing import EXIT_DIFFERS, day_of, keys_of, run, sources
from fucai.cli.errors import CliError
from fucai.cli.output import Format, Lang, language, stdout_console, write_csv
from fucai.cli.reconcile import as_json, tell
from fucai.domain.labels import Label

_COLUMNS = (
    Label("营业日", "day"),
    Label("根哈希", "root hash"),
    Label("日结", "closes"),
    Label("自算链", "chains"),
)


def verify(  # noqa: PLR0913 (each is an option of the command)
    first: Annotated[str, typer.Option("--from", help="First business day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last business day, YYYY-MM-DD.")],
    *,
    report: Annotated[Path | None, typer.Option(help="Folder for a page (HTML) and CSV files to keep.")] = None,
    keys: Annotated[Path | None, typer.Option(help="CSV of keys (terminal_id, public_key) to trust instead.")] = None,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Keep roots of past days, and findings.")] = True,
    output: Annotated[Format, typer.Option("--format", help="Form of the answer.")] = Format.TABLE,
    lang: Annotated[Lang | None, typer.Option(help="Language of labels; else that of the locale.")] = None,
    loader_group: Annotated[str, typer.Option(help="Consumer group of the loaders.")] = "fucai-loader",
    kafka: Annotated[str, typer.Option(help="Bootstrap servers of Kafka.")] = "",
    clickhouse: Annotated[str, typer.Option(help="ClickHouse's address, http://host:port.")] = "",
    data: Annotated[Path | None, typer.Option(help="Directory of a stack started with `fucai up`.")] = None,
) -> None:
    """Prove a period: recompute everything from Kafka and from ClickHouse, and name each row that differs.

    Try:

        fucai verify --from 2026-03-01 --to 2026-03-31 --data .demo

    Prints one root hash a day over the digests of all terminals, chained day to day. Findings go to stderr: terminal,
    epoch, sequence number, where, and the field. Kafka is read from two days before the period to its end, since events
    may arrive late.
    Exit codes: 0 nothing found; 1 anything found; 64 usage; 69 Kafka or ClickHouse away.
    """
    begin, end = day_of(first, "--from"), day_of(last, "--to")
    if end < begin:
        raise CliError(f"--to {last} lies before --from {first}", exit_code=os.EX_USAGE)
    question = Question(begin, end, with_lines=False, loader_group=loader_group)
    where = sources(kafka, clickhouse, data)
    done = run(where, question, keys=keys_of(keys), folder=report, source="verify", keeping=keep)
    found, said = done.audit, language(lang)
    if output is Format.JSON:
        json.dump(as_json(found), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    elif output is Format.CSV:
        rows = ((day.business_day, day.root.hex(), day.closes, day.chains) for day in found.roots)
        write_csv(["business_day", "root", "closes", "chains"], rows)
    else:
        stdout_console().print(roots_table(found, said))
    tell(found, done.paths, said)
    if not found.is_clean:
        raise typer.Exit(EXIT_DIFFERS)


def roots_table(found: Audit, lang: Lang) -> Table:
    """One line a day."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, label in enumerate(_COLUMNS):
        table.add_column(str(getattr(label, lang)), justify="left" if place < 2 else "right", no_wrap=True)  # noqa: PLR2004
    for day in found.roots:
        table.add_row(str(day.business_day), day.root.hex(), f"{day.closes:,}", f"{day.chains:,}")
    return table
