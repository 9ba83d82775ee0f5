"""`fucai conservation`: where all events are, stored, duplicate or in quarantine. Asks the ledger."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.conservation_sheet import conservation_sheet
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_tables
from fucai.cli.paging import PAGE, LedgerData, Timeout, whole
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
    ByName.OUTLET: (pb.CONSERVATION_BY_OUTLET, ("outlet_id",)),
    ByName.DRAW: (pb.CONSERVATION_BY_DRAW, ("game", "draw_no")),
    ByName.OUTLET_DRAW: (pb.CONSERVATION_BY_OUTLET_AND_DRAW, ("outlet_id", "game", "draw_no")),
}


@with_tables
def conservation(
    *,
    by: Annotated[ByName, typer.Option(help="What to break the count down by.")] = ByName.GAME,
    outlet: Annotated[str, typer.Option(help="Only this outlet.")] = "",
    game: Annotated[str, typer.Option(help="Only this game.")] = "",
    draw: Annotated[str, typer.Option(help="Only this draw number, YYYYNNN.")] = "",
    data: LedgerData = None,
    timeout: Timeout = 30.0,
    out: Output,
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
    deliver(conservation_sheet(found, columns), out)
