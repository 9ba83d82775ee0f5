"""`fucai gaps`: what is missing and since when, all of one terminal, or who is silent. Asks the ledger."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from fucai.cli.addresses import channel
from fucai.cli.ledger_tables import (
    DATA,
    FORMAT,
    LANG,
    PAGE,
    TIMEOUT,
    cells,
    duration,
    moment,
    numbers,
    plain_table,
    show_answer,
    waiver_line,
    whole,
    word,
)
from fucai.cli.output import Format, Lang, language
from fucai.v1 import ledger_pb2 as pb
from fucai.v1.ledger_pb2_grpc import LedgerServiceStub


def gaps(
    *,
    silent: Annotated[bool, typer.Option("--silent", help="List silent terminals instead of missing events.")] = False,
    terminal: Annotated[str, typer.Option(help="All ranges of this terminal, stored ones too.")] = "",
    outlet: Annotated[str, typer.Option(help="Only terminals of this outlet.")] = "",
    hours: Annotated[float, typer.Option(min=0.01, help="With --silent: hours of open time without an event.")] = 24.0,
    unexpected: Annotated[
        bool, typer.Option("--unexpected", help="With --silent: only terminals that should be sending.")
    ] = False,
    form: Annotated[Format, FORMAT] = Format.TABLE,
    lang: Annotated[Lang | None, LANG] = None,
    data: Annotated[Path | None, DATA] = None,
    timeout: Annotated[float, TIMEOUT] = 30.0,
) -> None:
    """List events that are missing: numbers below one that was received, of which nothing has come.

    Try:

        fucai gaps
        fucai gaps --terminal T0001
        fucai gaps --silent --unexpected --hours 48

    A late event closes its gap by itself; `fucai quarantine waive` closes one for which nothing will come.
    Exit codes: 64 a value is wrong, 66 nothing is known of the terminal, 69 the ledger is away.
    """
    if (hours != 24.0 or unexpected) and not silent:  # noqa: PLR2004 (the default of the option)
        raise typer.BadParameter("--hours and --unexpected go with --silent")
    if silent and terminal:
        raise typer.BadParameter("give either --silent or --terminal")
    chosen = language(lang)
    with channel("ledger", data) as opened:
        ledger = LedgerServiceStub(opened)
        if silent:
            asked = pb.ListSilentRequest(
                threshold_hours=hours, unexpected_only=unexpected, outlet_id=outlet, page_size=PAGE
            )
            found = whole(ledger.ListSilent, asked, "terminals", timeout)
            show_answer(found, form, silent_table(found, chosen), _silent_csv(found), _silent_talk(found))
        elif terminal:
            one = ledger.GetTerminalLedger(pb.GetTerminalLedgerRequest(terminal_id=terminal), timeout=timeout)
            show_answer(one, form, terminal_table(one, chosen), _terminal_csv(one), f"{len(one.epochs):,} epochs")
        else:
            missing = whole(ledger.ListGaps, pb.ListGapsRequest(outlet_id=outlet, page_size=PAGE), "gaps", timeout)
            show_answer(missing, form, gap_table(missing, chosen, time.time()), _gap_csv(missing), _gap_talk(missing))


def gap_table(found: pb.ListGapsResponse, lang: Lang, now: float) -> RenderableType:
    """One line a missing range, then how many in all."""
    if not found.gaps:
        return Text(word("no gaps", lang))
    table = plain_table(lang, ("terminal", "outlet", "epoch", "numbers", "missing", "since", "age"), right={4, 6})
    for gap in found.gaps:
        table.add_row(
            *cells(gap.terminal_id, gap.outlet_id, f"{gap.epoch}", numbers(gap.first_seq, gap.last_seq)),
            f"{gap.last_seq - gap.first_seq + 1:,}",
            moment(gap.since_ms),
            duration((now - gap.since_ms / 1000) / 3600) if gap.since_ms else "",
        )
    return Group(table, Text(_gap_talk(found), "dim"))


def terminal_table(found: pb.GetTerminalLedgerResponse, lang: Lang) -> RenderableType:
    """One line a range, epoch by epoch, then the waivers."""
    table = plain_table(lang, ("epoch", "numbers", "count", "state", "since"), right={2})
    for epoch in found.epochs:
        for span in epoch.ranges:
            state = pb.SequenceState.Name(span.state).removeprefix("SEQUENCE_STATE_").lower()
            table.add_row(
                f"{epoch.epoch}",
                numbers(span.first_seq, span.last_seq),
                f"{span.last_seq - span.first_seq + 1:,}",
                Text(word(state, lang), "bold red" if span.state == pb.SEQUENCE_STATE_MISSING else "default"),
                moment(span.since_ms),
            )
    place = Text.assemble((f"{word('terminal', lang)} {found.terminal_id}", "bold"), f"  {found.outlet_id}")
    return Group(place, table, *(Text(waiver_line(waiver, lang), "dim") for waiver in found.waivers))


def silent_table(found: pb.ListSilentResponse, lang: Lang) -> RenderableType:
    """One line a silent terminal, the unexpected first."""
    if not found.terminals:
        return Group(Text(word("nobody", lang)), Text(_silent_talk(found), "dim"))
    table = plain_table(lang, ("terminal", "outlet", "last event", "silent", "open", "expected", "why"), right={3, 4})
    for silence in found.terminals:
        table.add_row(
            *cells(silence.terminal_id, silence.outlet_id),
            moment(silence.last_event_ms) or word("never", lang),
            duration(silence.silent_hours),
            duration(silence.silent_open_hours),
            Text(word("yes", lang)) if silence.expected else Text(word("no", lang), "bold red"),
            Text(silence.reason),
        )
    return Group(table, Text(_silent_talk(found), "dim"))


def _gap_talk(found: pb.ListGapsResponse) -> str:
    ranges = "range" if found.total_gaps == 1 else "ranges"
    return f"{found.total_gaps:,} {ranges}, {found.total_missing:,} events missing"


def _silent_talk(found: pb.ListSilentResponse) -> str:
    return (
        f"{found.total_unexpected:,} silent unexpectedly, {found.total_expected:,} expectedly, "
        f"of {found.total_terminals:,} registered terminals"
    )


def _gap_csv(found: pb.ListGapsResponse) -> tuple[list[str], list[list[object]]]:
    header = ["terminal_id", "outlet_id", "epoch", "first_seq", "last_seq", "missing", "since_ms"]
    return header, [
        [
            *(gap.terminal_id, gap.outlet_id, gap.epoch, gap.first_seq, gap.last_seq),
            *(gap.last_seq - gap.first_seq + 1, gap.since_ms or None),
        ]
        for gap in found.gaps
    ]


def _terminal_csv(found: pb.GetTerminalLedgerResponse) -> tuple[list[str], list[list[object]]]:
    header = ["terminal_id", "epoch", "first_seq", "last_seq", "state", "since_ms"]
    return header, [
        [
            *(found.terminal_id, epoch.epoch, span.first_seq, span.last_seq),
            *(pb.SequenceState.Name(span.state).removeprefix("SEQUENCE_STATE_"), span.since_ms or None),
        ]
        for epoch in found.epochs
        for span in epoch.ranges
    ]


def _silent_csv(found: pb.ListSilentResponse) -> tuple[list[str], list[list[object]]]:
    header = ["terminal_id", "outlet_id", "last_event_ms", "silent_hours", "silent_open_hours", "expected", "reason"]
    return header, [
        [
            *(each.terminal_id, each.outlet_id, each.last_event_ms or None, round(each.silent_hours, 3)),
            *(round(each.silent_open_hours, 3), str(each.expected).lower(), each.reason),
        ]
        for each in found.terminals
    ]
