"""`fucai reconcile`: one business day, three accounts beside each other: closes, Kafka, ClickHouse."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from fucai.auditor.report import VERDICTS
from fucai.auditor.run import Audit, Question
from fucai.cli.audit_sheet import accounts, lines_sheet
from fucai.cli.auditing import EXIT_DIFFERS, Order, day_of, run, with_order
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_tables
from fucai.cli.output import Lang, stderr_console

_FINDINGS_SHOWN = 40


@with_tables
@with_order
def reconcile(
    day: Annotated[str, typer.Option(help="Business day, YYYY-MM-DD.")],
    *,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Write the lines into table reconciliations.")] = True,
    order: Order,
    out: Output,
) -> None:
    """Compare a day three ways, by terminal, game and kind: the terminal's close, Kafka, ClickHouse.

    Try:

        fucai reconcile --day 2026-03-01 --report ./audit --data .demo

    Each account is events and yuan (bets too in exports and the report); a difference is narrowed to sequence
    numbers. While a draw is sealed only the verdict and the numbers are shown. Findings go to stderr; json and xlsx
    have them too.
    Exit codes: 0 all agrees (or no close, in flight, waived); 1 anything differs; 64 usage; 69 Kafka or store away.
    """
    chosen = day_of(day, "--day")
    question = Question(chosen, chosen, with_lines=True, loader_group=order.loader_group)
    done = run(order, question, source="reconcile", keeping=keep)
    found = done.audit
    deliver(lines_sheet(found), out, accounts)
    tell(found, done.paths, out.lang)
    if not found.is_clean:
        raise typer.Exit(EXIT_DIFFERS)


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
