"""`fucai quarantine`: list, show, replay and waive events that stand in no figure. Asks the ledger."""

from __future__ import annotations

import enum
import os
import re
from datetime import date, datetime, time, timedelta
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.act import AsJson, say
from fucai.cli.out.card import card
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_tables
from fucai.cli.output import as_dict
from fucai.cli.paging import PAGE, LedgerData, Timeout, numbers
from fucai.cli.quarantine_sheet import dossier_sheet, entries_sheet, still_bad_sheet
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import sales_pb2
from fucai.v1.ledger_pb2_grpc import LedgerServiceStub

_REASON_PREFIX = "QUARANTINE_REASON_"
_NUMBERS = re.compile(r"(\d{1,20})(?:\.\.(\d{1,20}))?")
_UINT64 = 1 << 64

_REASON = typer.Option(help="Only this reason, such as unknown_game or wrong_outlet.")
_OUTLET = typer.Option(help="Only events that name this outlet.")
_TERMINAL = typer.Option(help="Only events of this terminal.")
_FROM = typer.Option("--from", help="Only what was received on this business day or later, YYYY-MM-DD.")
_TO = typer.Option("--to", help="Only what was received up to the end of this business day.")
_BY = typer.Option("--by", help="Your name; it is kept with what you do.")
_EPOCH = typer.Argument(help="Its epoch.", min=0, max=2**32 - 1, show_default=False)


class StateName(enum.StrEnum):
    """How entries stand."""

    OPEN = "open"
    STORED = "stored"
    WAIVED = "waived"
    UNREADABLE = "unreadable"
    ALL = "all"


@with_tables
def list_entries(
    *,
    reason: Annotated[str, _REASON] = "",
    outlet: Annotated[str, _OUTLET] = "",
    terminal: Annotated[str, _TERMINAL] = "",
    first: Annotated[str, _FROM] = "",
    last: Annotated[str, _TO] = "",
    state: Annotated[StateName | None, typer.Option(help="How they stand; else open and unreadable ones.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many entries.")] = 100,
    data: LedgerData = None,
    timeout: Timeout = 30.0,
    out: Output,
) -> None:
    """List events in quarantine, newest first; terminals that send too many bad ones are marked.

    Try:

        fucai quarantine list
        fucai quarantine list --reason unknown_terminal --from 2025-03-01
        fucai quarantine list --terminal T0001 --state all --format csv

    Amounts of a draw are withheld from the close of its sales until it has ended.
    Exit codes: 64 a value is wrong, 69 the ledger is away.
    """
    request = pb.ListQuarantinedRequest(
        selection=selection(reason=reason, outlet=outlet, terminal=terminal, first=first, last=last),
        any_state=state is StateName.ALL,
        page_size=min(limit, PAGE),
    )
    if state is not None and state is not StateName.ALL:
        request.state = pb.QuarantineState.Value(f"QUARANTINE_STATE_{state.upper()}")
    with channel("ledger", data) as opened:
        ledger = LedgerServiceStub(opened)
        found = page = ledger.ListQuarantined(request, timeout=timeout)
        while page.next_page_token and len(found.entries) < limit:
            request.page_token, request.page_size = page.next_page_token, min(limit - len(found.entries), PAGE)
            page = ledger.ListQuarantined(request, timeout=timeout)
            found.entries.extend(page.entries)
        found.next_page_token = page.next_page_token
    deliver(entries_sheet(found), out)


@with_tables
def show(
    terminal: Annotated[str, typer.Argument(help="The terminal.", show_default=False)],
    epoch: Annotated[int, _EPOCH],
    seq: Annotated[int, typer.Argument(help="Its number.", min=0, max=_UINT64 - 1, show_default=False)],
    *,
    data: LedgerData = None,
    timeout: Timeout = 30.0,
    out: Output,
) -> None:
    """Show one event whole: what was found, every attempt to replay it, every waiver, and what to do.

    Try:

        fucai quarantine show T0001 1760000000 42
        fucai quarantine show T0001 1760000000 42 --json

    Exit codes: 66 it never stood in quarantine, 69 the ledger is away.
    """
    with channel("ledger", data) as opened:
        request = pb.GetQuarantinedRequest(terminal_id=terminal, epoch=epoch, seq=seq)
        found = LedgerServiceStub(opened).GetQuarantined(request, timeout=timeout)
    deliver(dossier_sheet(found), out, card)


@with_tables
def replay(  # noqa: PLR0913 (each is an option of the command)
    *,
    by: Annotated[str, _BY],
    reason: Annotated[str, _REASON] = "",
    outlet: Annotated[str, _OUTLET] = "",
    terminal: Annotated[str, _TERMINAL] = "",
    epoch: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Only this epoch.")] = 0,
    seq: Annotated[str, typer.Option(help="Only these numbers: 42, or 42..50.")] = "",
    first: Annotated[str, _FROM] = "",
    last: Annotated[str, _TO] = "",
    include_waived: Annotated[bool, typer.Option("--include-waived", help="Replay waived ones too.")] = False,
    data: LedgerData = None,
    timeout: Timeout = 60.0,
    out: Output,
) -> None:
    """Judge events again by the registry of today, as of when they were received, and store the good ones.

    Try:

        fucai quarantine replay --reason unknown_game --by "Li Na"
        fucai quarantine replay --terminal T0001 --epoch 1760000000 --seq 42..50 --by "Li Na"

    Each event is stored once, under its own number, however often it is replayed.
    Exit codes: 0 all replayed, 65 some are still bad or were waived, 66 the numbers stand not in quarantine,
    69 the ledger, the registry or Kafka is away.
    """
    chosen = selection(reason=reason, outlet=outlet, terminal=terminal, first=first, last=last)
    chosen.epoch = epoch
    if seq:
        chosen.first_seq, chosen.last_seq = span_of(seq)
    request = pb.ReplayQuarantinedRequest(selection=chosen, replayed_by=by, include_waived=include_waived)
    total = pb.ReplayQuarantinedResponse()
    with channel("ledger", data) as opened:
        ledger = LedgerServiceStub(opened)
        while True:
            page = ledger.ReplayQuarantined(request, timeout=timeout)
            add_page(total, page)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    deliver(still_bad_sheet(total), out)
    if total.still_bad:
        raise typer.Exit(os.EX_DATAERR)


def waive(
    terminal: Annotated[str, typer.Argument(help="The terminal.", show_default=False)],
    epoch: Annotated[int, _EPOCH],
    seq: Annotated[str, typer.Argument(help="The numbers: 42, or 42..50.", show_default=False)],
    *,
    reason: Annotated[str, typer.Option(help="Why they will not come, or shall not count.")],
    by: Annotated[str, _BY],
    json: AsJson = False,
    data: LedgerData = None,
    timeout: Timeout = 30.0,
) -> None:
    """Declare that numbers, missing or in quarantine, will not come or shall not count. It is kept for ever.

    Try:

        fucai quarantine waive T0001 1760000000 42 --reason "test ticket" --by "Li Na"
        fucai quarantine waive T0001 1760000000 42..50 --reason "outbox burnt with the shop" --by "Li Na"

    A waived number that is stored later counts as stored. The object of --json: waiver (as kept), quarantined, missing,
    stored (how many of the numbers were so).
    Exit codes: 64 a value is wrong, 65 there is nothing to waive, 66 nothing is known of the terminal, 69 ledger away.
    """
    first, last = span_of(seq)
    request = pb.WaiveSequencesRequest(
        terminal_id=terminal, epoch=epoch, first_seq=first, last_seq=last, reason=reason, waived_by=by
    )
    with channel("ledger", data) as opened:
        found = LedgerServiceStub(opened).WaiveSequences(request, timeout=timeout)
    told = (
        f"waived {numbers(first, last)} of {terminal}, epoch {epoch}: {found.missing:,} missing, "
        f"{found.quarantined:,} in quarantine; {found.stored:,} stored stay stored"
    )
    say(as_dict(found), [told], json=json)


def selection(*, reason: str, outlet: str, terminal: str, first: str, last: str) -> pb.QuarantineSelection:
    """What the options select.

    Raises:
        typer.BadParameter: a reason or day is none.
    """
    names = [name.removeprefix(_REASON_PREFIX).lower() for name, number in sales_pb2.QuarantineReason.items() if number]
    if reason and reason.lower() not in names:
        raise typer.BadParameter(f"{reason!r} is no reason: choose {', '.join(names)}", param_hint="--reason")
    number = sales_pb2.QuarantineReason.Value(_REASON_PREFIX + (reason.upper() or "UNSPECIFIED"))
    return pb.QuarantineSelection(
        reason=number,
        outlet_id=outlet,
        terminal_id=terminal,
        from_ms=_day_ms(first, "--from") if first else 0,
        before_ms=_day_ms(last, "--to", days=1) if last else 0,
    )


def span_of(text: str) -> tuple[int, int]:
    """The numbers written as 42 or 42..50.

    Raises:
        typer.BadParameter: they are written in another way.
    """
    match = _NUMBERS.fullmatch(text)
    first = int(match[1]) if match else _UINT64
    last = int(match[2] or match[1]) if match else 0
    if not first <= last < _UINT64:
        raise typer.BadParameter(f"{text!r}: write a number such as 42, or a range such as 42..50", param_hint="SEQ")
    return first, last


def add_page(total: pb.ReplayQuarantinedResponse, page: pb.ReplayQuarantinedResponse) -> None:
    """Adds what one call did to what all did."""
    total.replayed += page.replayed
    total.stored_before += page.stored_before
    total.waived += page.waived
    total.unreadable += page.unreadable
    total.repeated_numbers += page.repeated_numbers
    total.still_bad.extend(page.still_bad)
    total.registry_revision = page.registry_revision


def _day_ms(text: str, option: str, *, days: int = 0) -> int:
    zone = ServiceSettings.from_env().zone
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day: write YYYY-MM-DD", param_hint=option) from error
    return int(datetime.combine(day, time(), zone).timestamp() * 1000)
