"""`fucai draws`: which draws there are and which are sealed; seals one early, ends one. Asks the registry."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from fucai.cli.addresses import channel
from fucai.cli.draw_tables import draw_csv, draw_lines, draw_table, state_name, talk
from fucai.cli.errors import CliError
from fucai.cli.ledger_tables import FORMAT, LANG, PAGE, TIMEOUT, show_answer, whole
from fucai.cli.output import Format, Lang, language
from fucai.domain.calendar import instant_ms
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import registry_pb2 as pb
from fucai.v1.registry_pb2_grpc import RegistryServiceStub

DATA = typer.Option(help="Folder of the stack that `fucai up` runs; else FUCAI_REGISTRY or FUCAI_DATA says where.")
_GAME = typer.Argument(help="Game code, such as ssq.")
_DRAW = typer.Argument(help="Draw number, YYYYNNN.")
_BY = typer.Option("--by", help="Who does it; recorded for ever.")
_NOTE = typer.Option(help="Why; recorded with it.")


def list_draws(
    *,
    sealed: Annotated[bool, typer.Option("--sealed", help="Only draws that are sealed now.")] = False,
    game: Annotated[str, typer.Option(help="Only draws of this game.")] = "",
    form: Annotated[Format, FORMAT] = Format.TABLE,
    lang: Annotated[Lang | None, LANG] = None,
    data: Annotated[Path | None, DATA] = None,
    timeout: Annotated[float, TIMEOUT] = 30.0,
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
    chosen = language(lang)
    shown = Group(draw_table(found.draws, chosen), Text(talk(found.draws, chosen), "dim"))
    show_answer(found, form, shown, draw_csv(found.draws), talk(found.draws, chosen))


def show(
    game: Annotated[str, _GAME],
    draw: Annotated[str, _DRAW],
    *,
    form: Annotated[Format, FORMAT] = Format.TABLE,
    lang: Annotated[Lang | None, LANG] = None,
    data: Annotated[Path | None, DATA] = None,
    timeout: Annotated[float, TIMEOUT] = 30.0,
) -> None:
    """Show one draw: its times, who sealed and ended it and why, and after its end how many events came late.

    Late events were received after the seal. While a draw is sealed their number is not told, as no other is.

    Exit codes: 66 no such draw, 69 the registry is away.
    """
    with channel("registry", data) as opened:
        found = RegistryServiceStub(opened).GetDraw(pb.GetDrawRequest(game=game, draw_no=draw), timeout=timeout)
    late = found.late_events if found.HasField("late_events") else None
    shown = draw_lines(found.draw, late, language(lang))
    header, rows = draw_csv([found.draw])
    show_answer(found, form, shown, ([*header, "late_events"], [[*rows[0], late]]), state_name(found.draw, Lang.EN))


def seal(
    game: Annotated[str, _GAME],
    draw: Annotated[str, _DRAW],
    *,
    by: Annotated[str, _BY],
    note: Annotated[str, _NOTE] = "",
    at: Annotated[str, typer.Option(help="From when on; else from now. 2026-03-01T19:30, business time zone.")] = "",
    form: Annotated[Format, FORMAT] = Format.TABLE,
    lang: Annotated[Lang | None, LANG] = None,
    data: Annotated[Path | None, DATA] = None,
    timeout: Annotated[float, TIMEOUT] = 30.0,
) -> None:
    """Seal (封存) a draw before its scheduled close of sales: from then on nobody sees figures that contain it.

    At its scheduled close a draw seals itself. A seal cannot be taken back; `fucai draws end` ends it after the draw.

        fucai draws seal ssq 2026025 --by 王莉 --note 设备故障

    Exit codes: 64 a value is wrong, 65 the draw is sealed already or has ended, 66 no such draw, 69 the registry is
    away.
    """
    request = pb.SealDrawRequest(game=game, draw_no=draw, acted_by=by, note=note, at_ms=_at_ms(at))
    with channel("registry", data) as opened:
        found = RegistryServiceStub(opened).SealDraw(request, timeout=timeout).draw
    _tell(found, form, language(lang))


def end(
    game: Annotated[str, _GAME],
    draw: Annotated[str, _DRAW],
    *,
    by: Annotated[str, _BY],
    note: Annotated[str, _NOTE] = "",
    at: Annotated[str, typer.Option(help="When it ended; else now. 2026-03-01T21:20, business time zone.")] = "",
    form: Annotated[Format, FORMAT] = Format.TABLE,
    lang: Annotated[Lang | None, LANG] = None,
    data: Annotated[Path | None, DATA] = None,
    timeout: Annotated[float, TIMEOUT] = 30.0,
) -> None:
    """End a draw (开奖) that is sealed: its figures are shown again. An end cannot be taken back.

        fucai draws end ssq 2026025 --by 李强

    Exit codes: 64 a value is wrong, 65 the draw is not sealed or has ended already, 66 no such draw, 69 the registry is
    away.
    """
    request = pb.EndDrawRequest(game=game, draw_no=draw, acted_by=by, note=note, at_ms=_at_ms(at))
    with channel("registry", data) as opened:
        found = RegistryServiceStub(opened).EndDraw(request, timeout=timeout).draw
    _tell(found, form, language(lang))


def _tell(found: pb.DrawStatus, form: Format, lang: Lang) -> None:
    show_answer(found, form, draw_lines(found, None, lang), draw_csv([found]), state_name(found, lang))


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
