"""`fucai report weekly|monthly`: asks for a period's figures and writes the bulletin, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import grpc
import typer

from fucai.cli.addresses import channel
from fucai.cli.errors import CliError
from fucai.cli.out.act import say
from fucai.cli.out.deliver import new_file
from fucai.cli.out.words import COMMA, fresh, word
from fucai.cli.output import Lang, language, stderr_console
from fucai.cli.query.conditions import conditions
from fucai.cli.query.selecting import Data, LeaveOut, Only, asked_of
from fucai.cli.report.gather import Bulletin, Wish, gather
from fucai.cli.report.page import html
from fucai.cli.report.sections import Page
from fucai.cli.report.span import Span, last_month, last_week, read_month, read_week
from fucai.cli.sharing import sharing
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub

_EVERY = 10  # questions between two lines of progress where stderr is no terminal
_OTHER_NAME = "--force replaces it, or give another name with --output"


@dataclass(frozen=True, slots=True)
class Order:
    """What the options say, but for the period."""

    path: Path | None
    force: bool
    lang: Lang
    benchmark: str
    cutoff: date | None
    selection: pb.Selection
    json: bool
    data: Path | None
    timeout: float


def order_of(
    *,
    path: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to FILE; else to a file named after the period."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
    lang: Annotated[Lang | None, typer.Option("--lang", help="zh or en; else that of the locale.")] = None,
    benchmark: Annotated[
        str, typer.Option("--benchmark", help="Published series for the verdict; else national_welfare.")
    ] = "",
    cutoff: Annotated[
        str,
        typer.Option(
            metavar="DAY",
            help="New stars (新星网点) opened after it, progress (进步网点) up to it; else the end of the year before.",
        ),
    ] = "",
    only: Only = None,
    leave_out: LeaveOut = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print {path, lang, name, from_day, to_day, filter, bytes} of what was written."),
    ] = False,
    data: Data = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds to wait for each answer.")] = 30.0,
) -> Order:
    """The bulletin ordered.

    Raises:
        CliError: the cut-off is no day, or a condition cannot be read.
    """
    selection = asked_of(only=only, leave_out=leave_out).selection
    return Order(path, force, language(lang), benchmark, _day(cutoff), selection, as_json, data, timeout)


with_order = sharing("order", order_of)
"""Gives a command the options of a bulletin: its keyword `order` gets the `Order` that they make."""


@with_order
def weekly(
    *,
    week: Annotated[
        str, typer.Option(metavar="YYYY-Www", help="The week, Monday to Sunday; else the last one wholly stored.")
    ] = "",
    order: Order,
) -> None:
    """Write the channel bulletin (渠道简报) of a week, compared with the same weekdays 364 days before.

    Try:

        fucai report weekly
        fucai report weekly --week 2026-W47 --lang zh --output week.html
        fucai report weekly --filter mgmt_area=和平一分区
        fucai report weekly --cutoff 2025-12-31 --benchmark national_all

    One HTML file that loads nothing: open it, print it on A4, or send it. It says what it compares, by which rule, what
    is missing and why; every figure is an answer of `fucai query`. With --filter it is about a part of the channel, and
    says which; silent outlets and alerts know conditions on outlets only. While a draw is sealed its sales are left
    out: make the bulletin anew when it has ended. Exit codes: 64 a value is wrong, 65 nothing is stored, 69 analytics
    is away, 73 FILE cannot be written, 75 too slow.
    """
    _write(order, lambda until: _read("--week", week, read_week) if week else last_week(until), "weekly")


@with_order
def monthly(
    *,
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month; else the last one wholly stored.")] = "",
    order: Order,
) -> None:
    """Write the channel bulletin (渠道简报) of a month, compared with the same month of the year before.

    Try:

        fucai report monthly
        fucai report monthly --month 2026-10 --lang zh --output october.html

    Where the Spring Festival closure (春节休市) moved between the two months, the page warns and says what to compare
    instead. One HTML file that loads nothing: open it, print it on A4, or send it. Exit codes: 64 a value is wrong,
    65 nothing is stored, 69 analytics is away, 73 FILE cannot be written, 75 too slow.
    """
    _write(order, lambda until: _read("--month", month, read_month) if month else last_month(until), "monthly")


def _write(order: Order, span_of: Callable[[date], Span], kind: str) -> None:
    """Asks, lays out, writes; tells stderr what is asked, and prints the path of the file."""
    zone = ServiceSettings.from_env().zone
    now = datetime.now(zone)
    with ExitStack() as stack:
        opened = stack.enter_context(channel("analytics", order.data))
        span = span_of(_last_whole_day(opened, now, order.timeout))
        part = "-filtered" if order.selection.filters else ""
        path = order.path or Path(f"fucai-{kind}-{span.name}{part}-{order.lang}.html")
        if path.exists() and not order.force:
            raise CliError(f"{path}: the file is there already", hint=_OTHER_NAME, exit_code=os.EX_CANTCREAT)
        wish = Wish(span, zone, order.benchmark, order.cutoff, order.selection)
        bulletin = _gathered(opened, _registry(stack, order.data), wish, now, order.timeout)
    page = html(Page.of(bulletin, order.lang)).encode()
    with new_file(path, force=order.force) as file:
        file.write(page)
    told = fresh(bulletin.headline.freshness, order.lang)
    stderr_console().print(f"{word('written', order.lang)} {path}{COMMA[order.lang]}{told}", markup=False)
    told = conditions(order.selection, order.lang)
    days = {"name": span.name, "from_day": f"{span.days.first}", "to_day": f"{span.days.last}"}
    written = {"path": str(path), "lang": str(order.lang), **days, "filter": told, "bytes": len(page)}
    say(written, [] if order.json else [str(path)], json=order.json)


def _gathered(
    opened: grpc.Channel, registry: grpc.Channel | None, wish: Wish, now: datetime, timeout: float
) -> Bulletin:
    """The answers; how far it is is told on stderr, in one line that goes away on a terminal."""
    console = stderr_console()
    asked = 0
    with console.status(f"{wish.span.name}") as status:

        def tell(what: str) -> None:
            nonlocal asked
            asked += 1
            line = f"{wish.span.name}: question {asked}, {what}"
            status.update(line)
            if not console.is_terminal and asked % _EVERY == 1:
                console.print(line, markup=False)

        return gather(opened, registry, wish, now=now, timeout=timeout, tell=tell)


def _last_whole_day(opened: grpc.Channel, now: datetime, timeout: float) -> date:
    """The last stored day that is over.

    Raises:
        CliError: nothing is stored.
    """
    found = AnalyticsServiceStub(opened).Freshness(pb.FreshnessRequest(), timeout=timeout).freshness
    if not found.last_day:
        raise CliError(
            "no sales are stored that may be shown: there is nothing to report",
            hint="`fucai import sales` brings in the past, `fucai simulate --history 400` a sample of it",
            exit_code=os.EX_DATAERR,
        )
    return min(date.fromisoformat(found.last_day), now.date() - timedelta(days=1))


def _registry(stack: ExitStack, data: Path | None) -> grpc.Channel | None:
    """The registry, which knows which outlets are samples; None where nothing says where it is."""
    try:
        return stack.enter_context(channel("registry", data))
    except CliError:
        return None


def _read(option: str, text: str, read: Callable[[str], Span]) -> Span:
    try:
        return read(text)
    except ValueError as error:
        raise CliError(f"{option} {error}", exit_code=os.EX_USAGE) from error


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise CliError(
            f"--cutoff {text}: is no day", hint="write YYYY-MM-DD, such as 2025-12-31", exit_code=os.EX_USAGE
        ) from error
