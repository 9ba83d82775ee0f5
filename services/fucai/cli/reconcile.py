"""`fucai reconcile`: one business day, three accounts beside each other: closes, Kafka, ClickHouse."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fucai.auditor.lines import Line, Verdict
from fucai.auditor.report import HEADER, VERDICTS, line_values, sums_text, write_lines
from fucai.auditor.run import Audit, Question
from fucai.cli.auditing import EXIT_DIFFERS, day_of, keys_of, run, sources
from fucai.cli.output import Format, Lang, language, stderr_console, stdout_console
from fucai.domain.labels import Label

_LINES_SHOWN = 200
_FINDINGS_SHOWN = 40
_STYLES = {Verdict.AGREES: "green", Verdict.DIFFERS: "bold red", Verdict.IN_FLIGHT: "yellow"}
_COLUMNS = {
    "outlet": Label("网点", "outlet"),
    "terminal": Label("终端", "terminal"),
    "game": Label("游戏", "game"),
    "kind": Label("事件", "kind"),
    "close": Label("日结", "close"),
    "kafka": Label("Kafka", "Kafka"),
    "stored": Label("入库", "stored"),
    "quarantine": Label("隔离", "quarantine"),
    "verdict": Label("结论", "verdict"),
    "seqs": Label("序号", "seqs"),
}


def reconcile(
    day: Annotated[str, typer.Option(help="Business day, YYYY-MM-DD.")],
    *,
    report: Annotated[Path | None, typer.Option(help="Folder for a page (HTML) and CSV files to keep.")] = None,
    keys: Annotated[Path | None, typer.Option(help="CSV of keys (terminal_id, public_key) to trust instead.")] = None,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Write the lines into table reconciliations.")] = True,
    output: Annotated[Format, typer.Option("--format", help="Form of the answer.")] = Format.TABLE,
    lang: Annotated[Lang | None, typer.Option(help="Language of labels; else that of the locale.")] = None,
    loader_group: Annotated[str, typer.Option(help="Consumer group of the loaders.")] = "fucai-loader",
    kafka: Annotated[str, typer.Option(help="Bootstrap servers of Kafka.")] = "",
    clickhouse: Annotated[str, typer.Option(help="ClickHouse's address, http://host:port.")] = "",
    data: Annotated[Path | None, typer.Option(help="Directory of a stack started with `fucai up`.")] = None,
) -> None:
    """Compare a day three ways, by terminal, game and kind: the terminal's close, Kafka, ClickHouse.

    Try:

        fucai reconcile --day 2026-03-01 --report ./audit --data .demo

    Each account is events / bets / yuan; a difference is narrowed to sequence numbers. While a draw is sealed only the
    verdict and the numbers are shown.
    Exit codes: 0 all agrees (or no close, in flight, waived); 1 anything differs; 64 usage; 69 Kafka or store away.
    """
    chosen = day_of(day, "--day")
    question = Question(chosen, chosen, with_lines=True, loader_group=loader_group)
    where = sources(kafka, clickhouse, data)
    done = run(where, question, keys=keys_of(keys), folder=report, source="reconcile", keeping=keep)
    found, said = done.audit, language(lang)
    if output is Format.CSV:
        write_lines(found.lines, sys.stdout)
    elif output is Format.JSON:
        json.dump(as_json(found), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        stdout_console().print(lines_table(found.lines, said))
    tell(found, done.paths, said)
    if not found.is_clean:
        raise typer.Exit(EXIT_DIFFERS)


def lines_table(lines: list[Line], lang: Lang) -> Table:
    """The lines, those that differ first, at most two hundred."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, label in _COLUMNS.items():
        right = name in {"close", "kafka", "stored", "quarantine"}
        table.add_column(str(getattr(label, lang)), justify="right" if right else "left", overflow="fold")
    ordered = sorted(lines, key=lambda line: line.verdict is not Verdict.DIFFERS)
    for line in ordered[:_LINES_SHOWN]:
        verdict = Text(str(getattr(VERDICTS[line.verdict], lang)), _STYLES.get(line.verdict, "default"))
        accounts = (sums_text(each, line) for each in (line.stated, line.kafka, line.stored, line.quarantined))
        table.add_row(line.outlet_id, f"{line.terminal_id}/{line.epoch}", line.game, line.kind, *accounts, verdict,
                      line.sequences)  # fmt: skip
    return table


def tell(found: Audit, paths: list[Path], lang: Lang) -> None:
    """The outcome on stderr: verdicts, what was found, where the report is."""
    console = stderr_console()
    counts = Counter(line.verdict for line in found.lines)
    for verdict, label in VERDICTS.items():
        if counts[verdict]:
            console.print(f"{getattr(label, lang)}: {counts[verdict]:,}")
    for each in list(found.findings)[:_FINDINGS_SHOWN]:
        console.print(Text(each.line(), "red"))
    if len(found.findings) > _FINDINGS_SHOWN:
        console.print(f"and {len(found.findings) - _FINDINGS_SHOWN:,} more; table audit_findings has them")
    console.print(
        f"{found.records:,} records, {found.events:,} events in Kafka; {found.rows:,} rows; "
        f"{found.statements:,} statements; {found.in_flight:,} events in flight; run {found.run_id}"
    )
    for path in paths:
        console.print(str(path))


def as_json(found: Audit) -> dict[str, object]:
    """The whole outcome for a program."""
    return {
        "run_id": found.run_id,
        "first_day": found.question.first.isoformat(),
        "last_day": found.question.last.isoformat(),
        "clean": found.is_clean,
        "records": found.records,
        "events": found.events,
        "rows": found.rows,
        "in_flight": found.in_flight,
        "roots": [{"business_day": str(day.business_day), "root": day.root.hex(), "previous": day.previous.hex(),
                   "closes": day.closes, "chains": day.chains} for day in found.roots],
        "findings": [{"kind": str(each.kind), "terminal_id": each.terminal_id, "epoch": each.epoch,
                      "first_seq": each.first_seq, "last_seq": each.last_seq, "place": each.where,
                      "field": each.field, "detail": each.detail} for each in found.findings],
        "lines": [dict(zip(HEADER, line_values(line), strict=True)) for line in found.lines],
    }  # fmt: skip
