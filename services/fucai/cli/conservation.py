"""`fucai conservation`: where all events are, stored, duplicate or in quarantine. Asks the ledger."""

from __future__ import annotations

import enum
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
    moment,
    plain_table,
    show_answer,
    whole,
    word,
)
from fucai.cli.numbers import exact
from fucai.cli.output import Format, Lang, language
from fucai.v1 import ledger_pb2 as pb
from fucai.v1.ledger_pb2_grpc import LedgerServiceStub


class ByName(enum.StrEnum):
    """What the count is broken down by."""

    GAME = "game"
    OUTLET = "outlet"
    DRAW = "draw"
    OUTLET_DRAW = "outlet-draw"


_BY = {
    ByName.GAME: (pb.CONSERVATION_BY_GAME, ("game",)),
    ByName.OUTLET: (pb.CONSERVATION_BY_OUTLET, ("outlet",)),
    ByName.DRAW: (pb.CONSERVATION_BY_DRAW, ("game", "draw")),
    ByName.OUTLET_DRAW: (pb.CONSERVATION_BY_OUTLET_AND_DRAW, ("outlet", "game", "draw")),
}
_FIELDS = {"outlet": "outlet_id", "game": "game", "draw": "draw_no"}
_COUNTS = {
    "stored": "stored",
    "duplicate": "duplicate",
    "in quarantine": "quarantined_open",
    "waived": "quarantined_waived",
    "stored since": "quarantined_stored",
}


def conservation(
    *,
    by: Annotated[ByName, typer.Option(help="What to break the count down by.")] = ByName.GAME,
    outlet: Annotated[str, typer.Option(help="Only this outlet.")] = "",
    game: Annotated[str, typer.Option(help="Only this game.")] = "",
    draw: Annotated[str, typer.Option(help="Only this draw number, YYYYNNN.")] = "",
    form: Annotated[Format, FORMAT] = Format.TABLE,
    lang: Annotated[Lang | None, LANG] = None,
    data: Annotated[Path | None, DATA] = None,
    timeout: Annotated[float, TIMEOUT] = 30.0,
) -> None:
    """Count where all events are: stored, duplicate, or in quarantine, which are open, waived or stored since.

    Try:

        fucai conservation
        fucai conservation --by outlet --format csv
        fucai conservation --by draw --game ssq --outlet 12010001

    With those on their way (lag in `fucai status`) they add up to what was received. A draw's figures are withheld from
    the close of its sales until it has ended. Exit codes: 64 a value is wrong, 69 the ledger is away.
    """
    asked, columns = _BY[by]
    request = pb.GetConservationRequest(by=asked, outlet_id=outlet, game=game, draw_no=draw, page_size=PAGE)
    with channel("ledger", data) as opened:
        found = whole(LedgerServiceStub(opened).GetConservation, request, "rows", timeout)
    show_answer(found, form, count_table(found, columns, language(lang)), count_csv(found, columns), talk(found))


def count_table(found: pb.GetConservationResponse, columns: tuple[str, ...], lang: Lang) -> RenderableType:
    """One line a row: events of each outcome, and the amount stored; then all together."""
    names = (*columns, *_COUNTS, "amount")
    table = plain_table(lang, names, right=range(len(columns), len(names)))
    sums = [0] * (len(_COUNTS) + 1)
    for row in found.rows:
        keys = cells(*(getattr(row, _FIELDS[name]) for name in columns))
        if row.withheld:
            table.add_row(*keys, Text(word("sealed", lang), "yellow"))
            continue
        figures = [*(getattr(row, field).events for field in _COUNTS.values()), row.stored.amount_fen]
        sums = [total + figure for total, figure in zip(sums, figures, strict=True)]
        table.add_row(*keys, *(f"{figure:,}" for figure in figures[:-1]), exact(figures[-1]))
    blanks = [""] * (len(columns) - 1)
    totals = (*(f"{total:,}" for total in sums[:-1]), exact(sums[-1]))
    table.add_row(word("all", lang), *blanks, *totals, style="bold")
    return Group(table, Text(talk(found), "dim"))


def count_csv(found: pb.GetConservationResponse, columns: tuple[str, ...]) -> tuple[list[str], list[list[object]]]:
    """Header and rows; figures are empty where they are withheld."""
    header = [*(_FIELDS[name] for name in columns), "withheld"]
    header += [f"{field}_{what}" for field in _COUNTS.values() for what in ("events", "fen")]
    rows: list[list[object]] = []
    for row in found.rows:
        counts = [getattr(row, field) for field in _COUNTS.values()]
        figures = [figure for count in counts for figure in (count.events, count.amount_fen)]
        keys = [getattr(row, _FIELDS[name]) for name in columns]
        rows.append([*keys, str(row.withheld).lower(), *([None] * len(figures) if row.withheld else figures)])
    return header, rows


def talk(found: pb.GetConservationResponse) -> str:
    """When it was counted, and what stands in no row."""
    told = [f"counted {moment(found.counted_ms)}", "amounts are of stored events, whatever their kind"]
    if found.withheld_draws:
        told.append(f"without {found.withheld_draws:,} draws that are sealed or in no table")
    if found.unreadable_records:
        told.append(f"without {found.unreadable_records:,} unreadable records")
    return "; ".join(told)
