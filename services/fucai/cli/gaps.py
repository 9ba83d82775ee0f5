"""`fucai gaps`: what is missing and since when, all of one terminal, or who is silent. Asks the ledger."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.gaps_sheet import gaps_sheet, silent_terminals_sheet, terminal_sheet
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_tables
from fucai.cli.paging import PAGE, LedgerData, Timeout, whole
from fucai.v1 import ledger_pb2 as pb
from fucai.v1.ledger_pb2_grpc import LedgerServiceStub


@with_tables
def gaps(
    *,
    silent: Annotated[bool, typer.Option("--silent", help="List silent terminals instead of missing events.")] = False,
    terminal: Annotated[str, typer.Option(help="All ranges of this terminal, stored ones too.")] = "",
    outlet: Annotated[str, typer.Option(help="Only terminals of this outlet.")] = "",
    hours: Annotated[float, typer.Option(min=0.01, help="With --silent: hours of open time without an event.")] = 24.0,
    unexpected: Annotated[
        bool, typer.Option("--unexpected", help="With --silent: only terminals that should be sending.")
    ] = False,
    data: LedgerData = None,
    timeout: Timeout = 30.0,
    out: Output,
) -> None:
    """List events that are missing: numbers below one that was received, of which nothing has come.

    Try:

        fucai gaps
        fucai gaps --terminal T0001 --format csv
        fucai gaps --silent --unexpected --hours 48 --lang zh --output silent.xlsx

    A late event closes its gap by itself; `fucai quarantine waive` closes one for which nothing will come.
    Exit codes: 64 a value is wrong, 66 nothing is known of the terminal, 69 the ledger is away.
    """
    if (hours != 24.0 or unexpected) and not silent:  # noqa: PLR2004 (the default of the option)
        raise typer.BadParameter("--hours and --unexpected go with --silent")
    if silent and terminal:
        raise typer.BadParameter("give either --silent or --terminal")
    with channel("ledger", data) as opened:
        ledger = LedgerServiceStub(opened)
        if silent:
            asked = pb.ListSilentRequest(
                threshold_hours=hours, unexpected_only=unexpected, outlet_id=outlet, page_size=PAGE
            )
            sheet = silent_terminals_sheet(whole(ledger.ListSilent, asked, "terminals", timeout))
        elif terminal:
            request = pb.GetTerminalLedgerRequest(terminal_id=terminal)
            sheet = terminal_sheet(ledger.GetTerminalLedger(request, timeout=timeout))
        else:
            missing = whole(ledger.ListGaps, pb.ListGapsRequest(outlet_id=outlet, page_size=PAGE), "gaps", timeout)
            sheet = gaps_sheet(missing, time.time())
    deliver(sheet, out)
