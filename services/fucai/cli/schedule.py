"""`fucai draws schedule`: registers the draws that the game catalogue foresees. Corrects none that is registered."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import grpc
import typer

from fucai.cli.addresses import channel
from fucai.cli.errors import CliError
from fucai.cli.out.act import AsJson, say
from fucai.cli.output import stderr_console
from fucai.cli.paging import RegistryData
from fucai.domain.calendar import instant_ms, parse_day
from fucai.domain.draw_schedule import DrawSchedule
from fucai.v1 import registry_pb2 as pb
from fucai.v1.registry_pb2_grpc import RegistryServiceStub

SAMPLE_BEFORE, SAMPLE_AFTER = timedelta(days=60), timedelta(days=400)
"""Draws of the sample reach from this long before today to this long after."""
_MOST_DAYS = 3_700


def schedule(
    *,
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    game: Annotated[str, typer.Option(help="Only draws of this game.")] = "",
    json: AsJson = False,
    data: RegistryData = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for each answer.")] = 60.0,
) -> None:
    """Register the draws of some days by the catalogue's weekdays and times, past market closures, numbered by year.

    Sales close 75 minutes before a draw, which was not verified: correct it in draws.csv. Draws that are registered
    stay as they are. A draw in no table counts as sealed for ever, so register draws before their sales begin.

        fucai draws schedule --from 2026-01-01 --to 2026-12-31

    The object of --json: registered (draws that are new) and sealed (those of them that have closed, and stay sealed).
    Exit codes: 64 a value is wrong, 65 the registry refuses, 66 no game has scheduled draws, 69 the registry is away.
    """
    days = _day("--from", first), _day("--to", last)
    if not 0 <= (days[1] - days[0]).days <= _MOST_DAYS:
        hint = f"give at most {_MOST_DAYS:,} days, the earlier one first"
        raise CliError(f"--from {first} --to {last} is no period", hint=hint, exit_code=os.EX_USAGE)
    with channel("registry", data) as opened:
        added, past = register_scheduled(opened, days, game=game, timeout=timeout)
    say({"registered": added, "sealed": past}, [f"{added:,} draws registered"], json=json)
    if past:
        stderr_console().print(
            f"{past:,} of them have closed and stay sealed until they are ended: `fucai draws end`, "
            "or draws.csv with column drawn"
        )


def register_scheduled(
    opened: grpc.Channel,
    days: tuple[date, date],
    *,
    game: str = "",
    sample: bool = False,
    timeout: float = 60.0,
) -> tuple[int, int]:
    """Registers draws that are not; returns how many, and how many of those closed already.

    With `sample` they say so, and end by themselves when they are scheduled to be drawn.

    Raises:
        CliError: the catalogue foresees no draws.
        grpc.RpcError: the registry is away or refuses.
    """
    registry = RegistryServiceStub(opened)
    parts = list(registry.GetSnapshot(pb.GetSnapshotRequest(), timeout=timeout))
    zone = ZoneInfo(parts[0].timezone)
    records = [record for part in parts for record in part.records]
    known = {(record.draw.game, record.draw.draw_no) for record in records if record.HasField("draw")}
    found = [
        draw
        for plan in _schedules(records, game)
        for draw in _planned(plan, days, zone, sample=sample)
        if (draw.game, draw.draw_no) not in known
    ]
    if found:
        wanted = [pb.RegistryRecord(draw=draw) for draw in found]
        source = f"draws scheduled from {days[0]} to {days[1]}"
        registry.UpsertRecords(pb.UpsertRecordsRequest(records=wanted, source=source), timeout=timeout)
    now_ms = instant_ms(datetime.now(zone))
    return len(found), sum(draw.sales_close_ms <= now_ms for draw in found)


def sample_days(today: date) -> tuple[date, date]:
    """The days whose draws go with the sample set: far enough around today for a simulation of live sales."""
    return today - SAMPLE_BEFORE, today + SAMPLE_AFTER


def _schedules(records: Iterable[pb.RegistryRecord], game: str) -> Iterator[DrawSchedule]:
    """A schedule for each game that is drawn at a known time."""
    versions: defaultdict[str, list[pb.Game]] = defaultdict(list)
    closed: set[int] = set()
    for record in records:
        if record.HasField("game"):
            versions[record.game.game].append(record.game)
        elif record.HasField("closure"):
            first = date.fromisoformat(record.closure.first_day).toordinal()
            closed.update(range(first, date.fromisoformat(record.closure.last_day).toordinal() + 1))
    chosen = {
        code: sorted(rules, key=lambda rule: rule.valid_from)
        for code, rules in versions.items()
        if game in ("", code) and any(rule.draw_time for rule in rules)
    }
    if not chosen:
        what = f"game {game!r} has" if game else "no game has"
        hint = "import games.csv with draw_weekdays and draw_time, or draws.csv"
        raise CliError(f"{what} no scheduled draws in the registry", hint=hint, exit_code=os.EX_NOINPUT)
    return (DrawSchedule(rules, closed) for rules in chosen.values())


def _planned(plan: DrawSchedule, days: tuple[date, date], zone: ZoneInfo, *, sample: bool) -> Iterator[pb.Draw]:
    for draw in plan.draws(*days, zone):
        if sample:
            draw.is_sample = True
            draw.drawn_ms = plan.scheduled_ms(draw.sales_close_ms, zone)
        yield draw


def _day(option: str, text: str) -> date:
    try:
        return parse_day(text)
    except ValueError as error:
        raise CliError(f"{option} {text!r} {error}", exit_code=os.EX_USAGE) from error
