"""`fucai verify`: proves a period: every event of Kafka stands in ClickHouse as it is, and one hash a day says so."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from fucai.auditor.run import Question
from fucai.cli.audit_sheet import plainly, roots_sheet
from fucai.cli.auditing import EXIT_DIFFERS, Order, day_of, run, with_order
from fucai.cli.errors import CliError
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_tables
from fucai.cli.reconcile import tell


@with_tables
@with_order
def verify(
    first: Annotated[str, typer.Option("--from", help="First business day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last business day, YYYY-MM-DD.")],
    *,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Keep roots of past days, and findings.")] = True,
    order: Order,
    out: Output,
) -> None:
    """Prove a period: recompute everything from Kafka and from ClickHouse, and name each row that differs.

    Try:

        fucai verify --from 2026-03-01 --to 2026-03-31 --data .demo

    Prints one root hash a day over the digests of all terminals, chained day to day. Findings go to stderr, and beside
    the roots into json and xlsx: terminal, epoch, sequence number, where, and the field. Kafka is read from two days
    before the period to its end, since events may arrive late.
    Exit codes: 0 nothing found; 1 anything found; 64 usage; 69 Kafka or ClickHouse away.
    """
    begin, end = day_of(first, "--from"), day_of(last, "--to")
    if end < begin:
        raise CliError(f"--to {last} lies before --from {first}", exit_code=os.EX_USAGE)
    question = Question(begin, end, with_lines=False, loader_group=order.loader_group)
    done = run(order, question, source="verify", keeping=keep)
    found = done.audit
    deliver(roots_sheet(found), out, plainly)
    tell(found, done.paths, out.lang)
    if not found.is_clean:
        raise typer.Exit(EXIT_DIFFERS)
