"""`fucai simulate`: plays the registered outlets, and says how many events were sent and accepted."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import Progress, TaskID, TextColumn

from fucai.cli.addresses import find, stack_dir
from fucai.cli.import_sales import findings_of, money
from fucai.cli.out.act import AsJson, say
from fucai.runtime.settings import ServiceSettings
from fucai.terminal import simulator
from fucai.terminal.history import Delivery, Route
from fucai.terminal.real_tills import RealTillOptions
from fucai.terminal.sender import SendPolicy

_LINES_TOLD = 20
_PLAIN_LINE_S = 5.0


def simulate(  # noqa: PLR0913 (each is an option of the command)
    *,
    speed: Annotated[
        float | None,
        typer.Option(min=0.01, max=86_400, help="Times real time; starts back in today and never passes the clock."),
    ] = None,
    rate: Annotated[float | None, typer.Option(min=0.1, max=100_000, help="Events a second, now.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0, help="Run so long; without it, until stopped.")] = None,
    history: Annotated[int, typer.Option(min=0, max=3_660, help="Days of daily summaries to write first.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed, the same outlets and customers.")] = 1,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to bear a service that is away.")] = 60.0,
    streams: Annotated[int, typer.Option(min=1, max=64, help="Streams to the collector.")] = 4,
    agents: Annotated[int, typer.Option(min=0, max=200, help="Tills that stand behind real agents.")] = 0,
    agents_dir: Annotated[Path | None, typer.Option(help="Their folders; else `agents` in the stack's folder.")] = None,
    data: Annotated[Path | None, typer.Option(help="Directory of a stack started with `fucai up`.")] = None,
    json: AsJson = False,
) -> None:
    """Stream realistic sales of all registered outlets to the collector.

    About 10,000 yuan a month an outlet, most of it instant tickets; evenings at night markets, draw days, jackpots,
    closures, voids, payouts and spend beside the ticket. At --speed (1 without options) tickets come as outlets
    sell them; at --rate they come that often, whatever the hour.

    --history DAYS first writes the days up to yesterday through import terminals, one summary for each outlet, day
    and game; days that are there already stay as they are. --seconds 0 writes history only.

    --agents N lets the first N tills record through real terminal agents: each has an outbox on disk, a key that is
    registered, and signs a close of its day when the simulation ends, so that `fucai reconcile` has all three accounts.

    The object of --json, at the end: currency; history (rows, accepted, stored_before; null without --history); live
    (events, sales, voids, payouts, amount_fen net, accepted, seconds, outlets; null with --seconds 0); agents (closed,
    waiting events); quarantined, how many, and findings, a list of the first of them.

    Ctrl-C or SIGTERM ends it when every receipt is in. Exit codes: 0; 64 both --speed and --rate; 65 nobody to play
    is registered, or events in quarantine; 69 collector or registry away.
    """
    if speed is not None and rate is not None:
        raise typer.BadParameter("give --speed or --rate, not both", param_hint="--rate")
    settings = ServiceSettings.from_env()
    options = simulator.SimulationOptions(
        seed=seed,
        speed=1.0 if speed is None else speed,
        rate=rate,
        seconds=seconds,
        history_days=history,
        timezone=settings.timezone,
        currency=settings.currency,
        agents=RealTillOptions(agents, _agents_folder(agents_dir, data)) if agents else None,
    )
    route = Route(find("collector", data), streams, SendPolicy(patience_seconds=patience))
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    with _Lines(console, settings.zone) as lines:
        report = asyncio.run(_until_stopped(options, find("registry", data), route, lines))
    raise typer.Exit(_tell(report, console, asked_for_live=seconds != 0, json=json))


def _agents_folder(given: Path | None, data: Path | None) -> Path:
    stack = stack_dir(data)
    if given is None and stack is None:
        message = "say where the agents keep their outboxes: --agents-dir DIR, or --data DIR of a stack"
        raise typer.BadParameter(message, param_hint="--agents")
    return given or (stack or Path()) / "agents"


async def _until_stopped(
    options: simulator.SimulationOptions, registry: str, route: Route, lines: _Lines
) -> simulator.SimulationReport:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return await simulator.simulate(options, registry, route, lines, stop)


class _Lines(Progress):
    """How far it is: one line that changes on a terminal, elsewhere a new line every few seconds."""

    def __init__(self, console: Console, zone: ZoneInfo) -> None:
        columns = (TextColumn("{task.description:>8}"), TextColumn("{task.fields[said]}"))
        super().__init__(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._zone = zone
        self._live: TaskID | None = None
        self._began = 0.0
        self._said_at = float("-inf")

    def stage(self, what: str, total: int) -> Callable[[int], None]:
        """See `simulator.Watcher`."""
        task = self.add_task(what, total=total, said="")
        self._say(task, what, f"{total:,} rows")
        made = 0

        def advanced(steps: int) -> None:
            nonlocal made
            made += steps
            self.update(task, said=f"{made:,} of {total:,} rows")

        return advanced

    def pulse(self, tally: simulator.Tally) -> None:
        """See `simulator.Watcher`."""
        now = time.monotonic()
        if self._live is None:
            self._live = self.add_task("live", total=None, said="")
            self._began = now
            return
        moment = datetime.fromtimestamp(tally.simulated_ms / 1000, self._zone)
        rate = tally.events / max(0.001, now - self._began)
        self._say(self._live, "live", f"{tally.events:,} events, {rate:,.0f}/s, {moment:%Y-%m-%d %H:%M:%S}")

    def _say(self, task: TaskID, what: str, said: str) -> None:
        self.update(task, said=said)
        now = time.monotonic()
        if self.disable and now - self._said_at >= _PLAIN_LINE_S:
            self._said_at = now
            self.console.print(f"{what}: {said}")


def _tell(report: simulator.SimulationReport, console: Console, *, asked_for_live: bool, json: bool) -> int:
    past, tally = report.history, report.tally
    findings = [*(past.quarantined[:_LINES_TOLD] if past else []), *tally.findings][:_LINES_TOLD]
    for terminal_id, finding in findings:
        console.print(f"quarantined: {terminal_id} seq {finding.seq}: {finding.field}: {finding.detail}")
    quarantined = tally.quarantined + (len(past.quarantined) if past else 0)
    lines = []
    if past is not None:
        lines.append(
            f"history: {past.accepted:,} rows accepted, {past.stored_before:,} stored by an earlier run"
            if report.history_rows
            else "history: every day is there already"
        )
    if asked_for_live:
        lines.append(
            f"live: {tally.events:,} events in {report.live_seconds:,.1f} s from {report.outlets:,} outlets: "
            f"{tally.sales:,} sales, {tally.voids:,} voids, {tally.payouts:,} payouts; "
            f"{money(tally.amount_fen)} {report.currency} net; {tally.accepted:,} accepted"
        )
    if report.agents:
        waits = f"{report.waiting:,} events wait in their outboxes" if report.waiting else "nothing waits"
        lines.append(f"agents: {report.agents} closed their day; {waits}")
    live = {
        "events": tally.events,
        "sales": tally.sales,
        "voids": tally.voids,
        "payouts": tally.payouts,
        "amount_fen": tally.amount_fen,
        "accepted": tally.accepted,
        "seconds": report.live_seconds,
        "outlets": report.outlets,
    }
    done: dict[str, Any] = {
        "currency": report.currency,
        "history": None if past is None else _history(report.history_rows, past),
        "live": live if asked_for_live else None,
        "agents": {"closed": report.agents, "waiting": report.waiting},
        "quarantined": quarantined,
        "findings": findings_of(findings),
    }
    say(done, lines, json=json)
    if quarantined:
        console.print(f"in quarantine: {quarantined:,}")
        return os.EX_DATAERR
    return os.EX_OK


def _history(rows: int, past: Delivery) -> dict[str, int]:
    return {"rows": rows, "accepted": past.accepted, "stored_before": past.stored_before}
