"""`fucai query decompose`: why sales changed, as a waterfall, by factors, and drilled by any dimensions."""

from __future__ import annotations

from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.asking import Periods, with_periods
from fucai.cli.query.conditions import chosen
from fucai.cli.query.decompose_sheet import decompose_sheet
from fucai.cli.query.selecting import Asked, dimensions_of, tell, with_selection
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


@with_output
@with_selection
@with_periods
def decompose(
    *,
    by: Annotated[
        str,
        typer.Option(
            help="Dimensions to drill by, joined with commas: game, zone, zone_type, district, mgmt_area, format, "
            "channel_class, outlet."
        ),
    ] = "",
    top: Annotated[int, typer.Option(min=0, help="Groups shown below each; the rest is summed. 0 for all.")] = 10,
    factors: Annotated[
        bool, typer.Option("--factors", help="Show effects (outlets, bets per outlet, amount per bet) of groups.")
    ] = False,
    periods: Periods,
    asked: Asked,
    out: Output,
) -> None:
    """Show why sales changed: new outlets, closed outlets, same outlets; and by factors. Every part to the fen.

    Try:

        fucai query decompose --from 2025-01-01 --to 2025-03-31
        fucai query decompose --by district,zone --top 5
        fucai query decompose --by zone,outlet --filter game=ssq --compare lunar
        fucai query decompose --by mgmt_area --factors --output why.xlsx

    Without --by there is a row for each step, with --by one for each group, below the one it is part of. An outlet that
    moved is the same outlet in both groups. Every rule is in docs/definitions.md.
    Exit codes: 64 a value is wrong, 69 analytics is away, 75 too slow.
    """
    dimensions = dimensions_of(by)
    with channel("analytics", asked.data) as opened:
        request = pb.DecomposeRequest(**periods.fields, selection=asked.selection, by=dimensions, top=top)
        answer = AnalyticsServiceStub(opened).Decompose(request, timeout=asked.timeout)
    deliver(chosen(decompose_sheet(answer, by=dimensions, factors=factors), asked.selection), out)
    tell(answer.about.queries)
