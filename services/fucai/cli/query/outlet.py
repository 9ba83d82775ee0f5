"""`fucai query outlet ID`: one outlet's card."""

from __future__ import annotations

from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.asking import Base, with_base
from fucai.cli.query.conditions import chosen
from fucai.cli.query.outlet_card import card
from fucai.cli.query.outlet_sheet import outlet_sheet
from fucai.cli.query.selecting import Asked, tell, with_selection
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


@with_output
@with_selection
@with_base
def outlet(
    outlet_id: Annotated[str, typer.Argument(metavar="ID", help="The outlet.")],
    *,
    first: Annotated[str, typer.Option("--from", help="First business day; else 27 days before --to.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    base: Base,
    asked: Asked,
    out: Output,
) -> None:
    """Show one outlet's card: what it is, what it sells against a year before, its games, and where it stands.

    Try:

        fucai query outlet 120101001
        fucai query outlet 120101001 --from 2025-01-01 --to 2025-06-30 --compare lunar
        fucai query outlet 120101001 --filter game=instant --format csv

    An id that nobody knows is answered with near ones. Exit codes: 64 a value is wrong, 65 a draw asked for is sealed,
    66 no such outlet, 69 analytics is away, 75 too slow.
    """
    request = pb.OutletRequest(
        outlet_id=outlet_id,
        from_day=first,
        to_day=last,
        **base.given,
        selection=asked.selection,
    )
    with channel("analytics", asked.data) as opened:
        answer = AnalyticsServiceStub(opened).Outlet(request, timeout=asked.timeout)
    tell(answer.about.queries)
    deliver(chosen(outlet_sheet(answer), asked.selection), out, card)
