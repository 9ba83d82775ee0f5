"""Many real agents in one process, each with outbox, key and stream of its own: bring a file of daily sales in.

Registers outlets, games and the agents' keys first; each outlet's rows are recorded through its import terminal's
agent, closed once a year, and the process ends with 0 when the collector has every event and statement.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import structlog
import uvloop

from fucai.runtime.client import connect
from fucai.runtime.signing import load_or_create_key, public_bytes
from fucai.terminal.agent.agent import Agent, AgentOptions, running
from fucai.terminal.agent.folder import Folder
from fucai.terminal.enrol import SUMMARY_TYPE, game_code_of
from fucai.terminal.known import IMPORT_KIND, import_terminal_id
from fucai.terminal.registry import RegistryClient
from fucai.v1.registry_pb2 import Game, Outlet, RegistryRecord, Terminal
from fucai.v1.sales_pb2 import EVENT_KIND_SALE, SalesEvent

_EVENTS_A_CALL = 50
_LOOK_S = 0.1
_FEN = 100

Sales = dict[str, list[tuple[date, str, int, int]]]
"""By outlet, in order: day, game, tickets, amount in fen."""


def read_sales(source: Path) -> Sales:
    """The rows of the file with sales above zero, by area."""
    found: defaultdict[str, list[tuple[date, str, int, int]]] = defaultdict(list)
    rows = pl.read_csv(source, columns=["day", "area", "game", "tickets", "net_sales"], try_parse_dates=True)
    for day, area, game, tickets, dollars in rows.select("day", "area", "game", "tickets", "net_sales").iter_rows():
        found[area].append((day, game_code_of(game), tickets, dollars * _FEN))
    return dict(found)


def records(sales: Sales, root: Path) -> Iterator[RegistryRecord]:
    """Games, outlets and import terminals with the public keys of their agents, which are made on the way."""
    first = min(rows[0][0] for rows in sales.values()).isoformat()
    for game in sorted({row[1] for rows in sales.values() for row in rows}):
        yield RegistryRecord(game=Game(game=game, valid_from=first, name=game, game_type=SUMMARY_TYPE, basis="file"))
    for area in sales:
        yield RegistryRecord(outlet=Outlet(outlet_id=area, valid_from=first, name=area, opened=first))
    for area in sales:
        folder = Folder(root / area)
        folder.create()
        key = public_bytes(load_or_create_key(folder.key)).hex()
        terminal = Terminal(
            terminal_id=import_terminal_id(area), valid_from=first, outlet_id=area, kind=IMPORT_KIND, public_key=key
        )
        yield RegistryRecord(terminal=terminal)


async def bring_in(agent: Agent, rows: Sequence[tuple[date, str, int, int]], zone: ZoneInfo) -> None:
    """Records an outlet's rows and closes each year; returns when the collector has all of it."""
    for start in range(0, len(rows), _EVENTS_A_CALL):
        some = rows[start : start + _EVENTS_A_CALL]
        await agent.record([_event(row, zone) for row in some], request_id=f"rows-{start}")
        nexts = rows[start + _EVENTS_A_CALL : start + _EVENTS_A_CALL + 1]
        if not nexts or nexts[0][0].year != some[0][0].year:
            await agent.close_day(some[-1][0])
    while (status := agent.status()).waiting_events or status.waiting_statements:
        await asyncio.sleep(_LOOK_S)
    if status.quarantined_events or status.refused_batches:
        raise SystemExit(f"{status.terminal_id}: {status.quarantined_events} in quarantine: {status.quarantined}")


def _event(row: tuple[date, str, int, int], zone: ZoneInfo) -> SalesEvent:
    day, game, tickets, amount_fen = row
    noon = datetime.combine(day, time(12), zone)
    return SalesEvent(
        kind=EVENT_KIND_SALE,
        game=game,
        amount_fen=amount_fen,
        bets=tickets,
        sold_at_ms=round(noon.timestamp() * 1000),
        daily_summary=True,
    )


async def run(source: Path, root: Path, collector: str, registry: str, zone: ZoneInfo) -> None:
    """Registers, and runs all agents until everything is with the collector."""
    sales = read_sales(source)
    channel = connect(registry)
    await RegistryClient(channel, registry).upsert(records(sales, root), "agents of a file")
    await channel.close(None)
    async with AsyncExitStack() as stack:
        working: list[asyncio.Task[None]] = []
        bringing: list[asyncio.Task[None]] = []
        for area, rows in sales.items():
            options = AgentOptions(root / area, import_terminal_id(area), area, collector, zone, close_hour=None)
            agent = await stack.enter_async_context(running(options, structlog.get_logger()))
            working.append(asyncio.create_task(agent.work()))
            bringing.append(asyncio.create_task(bring_in(agent, rows, zone)))
        everything = asyncio.ensure_future(asyncio.gather(*bringing))
        ended: set[asyncio.Future[Any]] = {everything, *working}
        done, pending = await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for future in pending:
            future.cancel()
        for future in done:
            future.result()


def main() -> None:
    """Reads the arguments, and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--root", type=Path, required=True, help="folder of the agents' folders")
    parser.add_argument("--collector", required=True)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--timezone", required=True)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(given.source, given.root, given.collector, given.registry, ZoneInfo(given.timezone)))
    sys.stdout.write("everything is with the collector\n")


if __name__ == "__main__":
    main()
