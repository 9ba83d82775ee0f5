"""`fucai draws`: which draws there are and which are sealed; seals one early, ends one. Asks the registry."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.draws_sheet import draw_sheet, draws_sheet
from fucai.cli.errors import CliError
from fucai.cli.out.card import card
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_tables
from fucai.cli.paging import PAGE, RegistryData, Timeout, whole
from fucai.domain.calendar import instant_ms
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import registry_pb2 as pb
from fucai.v1.registry_pb2_grpc import RegistryServiceStub

_GAME = typer.Argument(help="Game code, such as ssq.")
_DRAW = typer.Argument(help="Draw number, YYYYNNN.")
_BY = typer.Option("--by", help="Who does it; recorded for ever.")
_NOTE = typer.Option(help="Why; recorded with it.")


@with_tables
def list_draws(
    *,
    sealed: Annotated[bool, typer.Option("--sealed", help="Only draws that are sealed now.")] = False,
    game: Annotated[str, typer.Option(help="Only draws of this game.")] = "",
    data: RegistryData = None,
    timeout: Timeout = 30.0,
    out: Output,
) -> None:
    """List draws by game and number: when sales close, when each is sealed, when it ended or will, and its state.

    Try:

        fucai draws list --sealed
        fucai draws list --game ssq --format csv

    Of a sealed draw no figure can be had from any command. Exit codes: 69 the registry is away.
    """
    request = pb.ListDrawsRequest(game=game, sealed_only=sealed, page_size=PAGE)
    with channel("registry", data) as opened:
        found = whole(RegistryServiceStub(opened).ListDraws, request, "draws", timeout)
    deliver(draws_sheet(found.draws), out)


@with_tables
def show(
    game: Annotated[str, _GAME],
    draw: Annotated[str, _DRAW],
    *,
    data: RegistryData = None,
    timeout: Timeout = 30.0,
    out: Output,
) -> None:
    """Show one draw: its times, who sealed and ended it and why, and after its end how many events came late.

    Late events were received after the seal. While a draw is sealed their number is not told, as no other is.

    Exit codes: 66 no such draw, 69 the registry is away.
    """
    with channel("registry", data) as opened:
        found = RegistryServiceStub(opened).GetDraw(pb.GetDrawRequest(game=game, draw_no=draw), timeout=timeout)
    late = found.late_events if found.HasField("late_events") else None
    deliver(draw_sheet(found.draw, late), out, card)


@with_tables
def seal(
    game: Annotated[str, _GAME],
    draw: Annotated[str, _DRAW],
    *,
    by: Annotated[str, _BY],
    note: Annotated[str, _NOTE] = "",
    at: Annotated[str, typer.Option(help="From when on; else from now. 2026-03-01T19:30, business time zone.")] = "",
    data: RegistryData = None,
    timeout: Timeout = 30.0,
    out: Output,
) -> None:
    """Seal (封存) a draw before its scheduled close of sales: from then on nobody sees figures that contain it.

    At its scheduled close a draw seals itself. A seal cannot be taken back; `fucai draws end` ends it after the draw.

        fucai draws seal ssq 2026025 --by 王莉 --note 设备故障

    Exit codes: 64 a value is wrong, 65 it is sealed already, from another time on than
    --at, 66 no such draw, 69 the registry is away.
    """
    request = pb.SealDrawRequest(game=game, draw_no=draw, acted_by=by, note=note, at_ms=_at_ms(at))
    with channel("registry", data) as opened:
        found = RegistryServiceStub(opened).SealDraw(request, timeout=timeout).draw
    deliver(draw_sheet(found, None), out, card)


@with_tables
def end(
    game: Annotated[str, _GAME],
    draw: Annotated[str, _DRAW],
    *,
    by: Annotated[str, _BY],
    note: Annotated[str, _NOTE] = "",
    at: Annotated[str, typer.Option(help="When it ended; else now. 2026-03-01T21:20, business time zone.")] = "",
    data: RegistryData = None,
    timeout: Timeout = 30.0,
    out: Output,
) -> None:
    """End a draw (开奖) that is sealed: its figures are shown again. An end cannot be taken back.

        fucai draws end ssq 2026025 --by 李强

    Exit codes: 64 a value is wrong, 65 the draw is not sealed yet, or ended at another time
    than --at, 66 no such draw, 69 the registry is away.
    """
    request = pb.EndDrawRequest(game=game, draw_no=draw, acted_by=by, note=note, at_ms=_at_ms(at))
    with channel("registry", data) as opened:
        found = RegistryServiceStub(opened).EndDraw(request, timeout=timeout).draw
    deliver(draw_sheet(found, None), out, card)


def _at_ms(text: str) -> int:
    """The moment in Unix ms; 0 for now."""
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "write it as 2026-03-01T19:30, or with a zone as 2026-03-01T19:30+08:00"
        raise CliError(f"--at {text!r} is no moment", hint=hint, exit_code=os.EX_USAGE) from error
    zone = ServiceSettings.from_env().zone
    return instant_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))
