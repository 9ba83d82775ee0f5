"""Plays all registered outlets: first their past as daily summaries, then live sales until the time is over.

What outlets sell is in the model_* files; what it says to people goes through `Watcher`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from datetime import time as time_of_day
from itertools import islice
from operator import attrgetter
from random import Random
from typing import Protocol

from fucai.runtime.client import connect
from fucai.runtime.errors import FatalError
from fucai.terminal.enrol import Enrolment
from fucai.terminal.fleet import Fleet, open_fleet
from fucai.terminal.history import ConflictError, Delivery, Route, open_days, send, wait_until_stored
from fucai.terminal.known import Known, build_known
from fucai.terminal.live import LiveSales, Till, tills
from fucai.terminal.model_market import Market
from fucai.terminal.pace import RatePace, SpeedPace, speed_pace
from fucai.terminal.real_tills import RealTillOptions, RealTills, open_real_tills
from fucai.terminal.registry import RegistryClient
from fucai.terminal.spool import Spool
from fucai.v1.registry_pb2 import HistoryConflict, OpenHistoryResponse
from fucai.v1.sales_pb2 import EventKind, Finding, Receipt, SalesBatch, SalesEvent

_TICK_S = 0.2
_TRIES = 5
_STORED_WITHIN_S = 60.0
_FINDINGS_KEPT = 20
_REMEDY = "`fucai import registry --sample` loads a set to try, `fucai import registry PATH` your own"


@dataclass(slots=True)
class Tally:
    """Live events that have their receipt (or are durable in an agent's outbox), and the newest moment they tell of.

    Amounts in fen.
    """

    sales: int = 0
    voids: int = 0
    payouts: int = 0
    amount_fen: int = 0
    accepted: int = 0
    quarantined: int = 0
    findings: list[tuple[str, Finding]] = field(default_factory=list)
    simulated_ms: int = 0

    @property
    def events(self) -> int:
        """All events."""
        return self.sales + self.voids + self.payouts

    def count(self, batch: SalesBatch, receipt: Receipt) -> None:
        """Adds a batch."""
        self.count_events(batch.events)
        self.accepted += receipt.accepted
        self.quarantined += len(receipt.quarantined)
        self.keep_findings((batch.terminal_id, finding) for finding in receipt.quarantined)

    def keep_findings(self, findings: Iterable[tuple[str, Finding]]) -> None:
        """Keeps the first few, by terminal."""
        self.findings += islice(findings, max(0, _FINDINGS_KEPT - len(self.findings)))

    def count_events(self, events: Iterable[SalesEvent]) -> None:
        """Adds events. `amount_fen` is sales less voids."""
        for event in events:
            if event.kind == EventKind.EVENT_KIND_SALE:
                self.sales += 1
                self.amount_fen += event.amount_fen
            elif event.kind == EventKind.EVENT_KIND_VOID:
                self.voids += 1
                self.amount_fen -= event.amount_fen
            else:
                self.payouts += 1


class Watcher(Protocol):
    """Hears how far a simulation is."""

    def stage(self, what: str, total: int) -> Callable[[int], None]:
        """A stage of `total` steps begins; the function returned is told how many steps were made."""

    def pulse(self, tally: Tally) -> None:
        """Live sales go on; called a few times a second."""


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What to simulate. `rate` in events a second wins over `speed` times real time; `seconds` None means for ever.

    `timezone` and `currency` stand in for a registry that names none. The first `agents.count` tills, by id, stand
    behind real agents; the others are light ones, with their outbox in memory.
    """

    seed: int
    speed: float
    rate: float | None
    seconds: float | None
    history_days: int
    timezone: str
    currency: str
    agents: RealTillOptions | None = None


@dataclass(slots=True)
class SimulationReport:
    """What a simulation did; `history` is None where none was asked for."""

    currency: str
    outlets: int = 0
    tills: int = 0
    history: Delivery | None = None
    history_rows: int = 0
    tally: Tally = field(default_factory=Tally)
    live_seconds: float = 0.0
    agents: int = 0
    waiting: int = 0


async def simulate(
    options: SimulationOptions, registry_address: str, route: Route, watcher: Watcher, stop: asyncio.Event
) -> SimulationReport:
    """Runs the simulation until its time is over or `stop` is set; returns when every receipt is in.

    Raises:
        FatalError: 65 nobody to play is registered; 69 registry or collector away.
    """
    channel = connect(registry_address)
    try:
        registry = RegistryClient(channel, registry_address, route.policy.patience_seconds)
        known = build_known(await registry.snapshot(), timezone=options.timezone, currency=options.currency)
        market = Market(known, options.seed)
        today = datetime.now(market.zone).date()
        at_work = tills(known, today.isoformat(), int(time.time()))
        if not known.games or not known.outlets or (not at_work and options.seconds != 0):
            raise FatalError(f"the registry has no games, outlets or tills to play: {_REMEDY}", exit_code=os.EX_DATAERR)
        report = SimulationReport(known.currency, outlets=len({till.outlet_id for till in at_work}), tills=len(at_work))
        if options.history_days and not stop.is_set():
            await _play_past(report, market, options, today, registry, route, watcher)
        if options.seconds != 0 and not stop.is_set():
            sales = LiveSales(market, at_work, Random(f"{options.seed}/live"))
            async with _behind_agents(report, at_work, options, known, registry, route) as real:
                await _play_present(report, sales, real, options, route, watcher, stop)
        return report
    finally:
        await channel.close(None)


async def _play_past(
    report: SimulationReport,
    market: Market,
    options: SimulationOptions,
    today: date,
    registry: RegistryClient,
    route: Route,
    watcher: Watcher,
) -> None:
    """Brings in the days up to yesterday, except those that an earlier simulation or a file has brought."""
    name = f"simulation with seed {options.seed}"
    last = today.toordinal() - 1
    taken: set[tuple[str, str, str]] = set()
    for _ in range(_TRIES):
        with Spool() as spool:
            for row in market.history(last + 1 - options.history_days, last):
                if not taken or (row.outlet_id, row.game, date.fromordinal(row.day).isoformat()) not in taken:
                    spool.add(row)
            report.history = Delivery()
            if not spool.rows:
                return
            conflicts, opened = await _open(spool, market, registry, name)
            if opened is None:
                taken.update((conflict.outlet_id, conflict.game, conflict.day) for conflict in conflicts)
                continue
            report.history_rows = spool.rows
            report.history = await send(spool, opened, route, market.zone, watcher.stage("history", spool.rows))
            quarantined = frozenset(terminal_id for terminal_id, _ in report.history.quarantined)
            await wait_until_stored(registry, spool, name, quarantined=quarantined, timeout_seconds=_STORED_WITHIN_S)
            return
    raise FatalError(
        "other imports keep claiming the days of --history; run it again when they are done", exit_code=os.EX_TEMPFAIL
    )


async def _open(
    spool: Spool, market: Market, registry: RegistryClient, name: str
) -> tuple[list[HistoryConflict], OpenHistoryResponse | None]:
    await registry.upsert(Enrolment(market.known, register=False).records(spool), name)
    try:
        return [], await open_days(registry, spool, name)
    except ConflictError as error:
        return error.conflicts, None


@asynccontextmanager
async def _behind_agents(
    report: SimulationReport,
    at_work: list[Till],
    options: SimulationOptions,
    known: Known,
    registry: RegistryClient,
    route: Route,
) -> AsyncIterator[RealTills]:
    """The tills with real agents; at the end of the block their day is closed and their outcome counted."""
    if options.agents is None:
        yield RealTills([])
        return
    chosen = sorted(at_work, key=attrgetter("terminal_id"))[: options.agents.count]
    report.agents = len(chosen)
    async with open_real_tills(chosen, options.agents, known, registry, route.collector) as real:
        yield real
        await real.close_day()
        outcome = real.outcome()
        report.waiting = outcome.waiting
        report.tally.accepted += outcome.accepted
        report.tally.quarantined += outcome.quarantined
        report.tally.keep_findings(outcome.findings)


async def _play_present(
    report: SimulationReport,
    sales: LiveSales,
    real: RealTills,
    options: SimulationOptions,
    route: Route,
    watcher: Watcher,
    stop: asyncio.Event,
) -> None:
    tally = report.tally
    began = time.monotonic()
    step = _paced(sales, options)
    async with open_fleet(route.collector, route.streams, tally.count, route.policy) as fleet:
        while not stop.is_set():
            tally.simulated_ms = step()
            tally.count_events(await real.hand_over())
            await _hand_over(sales, fleet)
            watcher.pulse(tally)
            left_s = float("inf") if options.seconds is None else began + options.seconds - time.monotonic()
            if left_s <= 0:
                break
            await _pause(stop, min(_TICK_S, left_s))
    watcher.pulse(tally)
    report.live_seconds = time.monotonic() - began


def _paced(sales: LiveSales, options: SimulationOptions) -> Callable[[], int]:
    """A function that records what happened since its last call and returns the newest simulated instant."""
    now_ms = _now_ms()
    if options.rate is not None:
        rate_pace = RatePace(options.rate, now_ms)

        def at_rate() -> int:
            events, from_ms, to_ms = rate_pace.due(_now_ms())
            sales.burst(events, from_ms, to_ms)
            return to_ms

        return at_rate
    pace = _speed_pace(sales, options, now_ms)

    def at_speed() -> int:
        from_ms, to_ms = pace.span(_now_ms())
        sales.advance(from_ms, to_ms)
        return to_ms

    return at_speed


def _speed_pace(sales: LiveSales, options: SimulationOptions, now_ms: int) -> SpeedPace:
    zone = sales.zone
    midnight = datetime.combine(datetime.now(zone).date(), time_of_day(), zone)
    return speed_pace(options.speed, options.seconds, now_ms, int(midnight.timestamp() * 1000))


async def _hand_over(sales: LiveSales, fleet: Fleet) -> None:
    for till in sales.tills:
        for batch in till.batches():
            await fleet.put(batch)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
