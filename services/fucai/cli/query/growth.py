"""`fucai query growth`: a period against its base, by any dimensions, several measures at once."""

from __future__ import annotations

from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.asking import Base, with_base
from fucai.cli.query.conditions import chosen
from fucai.cli.query.growth_sheet import growth_sheet
from fucai.cli.query.selecting import Asked, dimensions_of, listed, tell, with_selection
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub

_FEN = 100


@with_output
@with_selection
@with_base
def growth(  # noqa: PLR0913 (each is an option of the command)
    *,
    first: Annotated[str, typer.Option("--from", help="First business day; else the first of --to's month.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    by: Annotated[
        str,
        typer.Option(
            help="Dimensions, joined with commas: game, zone, zone_type, district, mgmt_area, format, "
            "channel_class, outlet, kind, draw, weekday, hour."
        ),
    ] = "",
    measure: Annotated[
        str,
        typer.Option(
            help="Measures, joined with commas: sales, bets, tickets, events, visits, payouts, companion, attach_rate, "
            "welfare_fund, issuing_fee, prize_pool, commission, selling_outlets, sales_per_outlet, share."
        ),
    ] = "",
    benchmark: Annotated[str, typer.Option(help="Published series to stand beside.")] = "",
    small_base: Annotated[int, typer.Option(min=0, help="Show no growth on base sales below so many yuan.")] = 0,
    same_open: Annotated[
        bool, typer.Option("--same-open", help="Same outlets (同店) are those open on all open days of both periods.")
    ] = False,
    top: Annotated[int, typer.Option(min=0, help="So many groups, the largest; the rest as others. 0: all.")] = 0,
    base: Base,
    asked: Asked,
    out: Output,
) -> None:
    """Show a period against its base: measures, their growth, and the growth of the same outlets (同店).

    Try:

        fucai query growth
        fucai query growth --from 2025-02-01 --to 2025-02-28 --by zone_type --compare lunar
        fucai query growth --by outlet --top 10 --measure sales,visits,attach_rate --filter zone_type=night_market
        fucai query growth --from 2024-01-01 --to 2024-12-31 --benchmark national_welfare

    Both exact periods and the rule stand under the table, with a warning where a moving closure misleads. Exit codes:
    64 a value is wrong, 65 a draw asked for is sealed, 69 analytics is away, 75 too slow.
    """
    dimensions = dimensions_of(by)
    request = pb.GrowthRequest(
        from_day=first,
        to_day=last,
        **base.given,
        by=dimensions,
        measures=listed(measure),
        selection=asked.selection,
        benchmark=benchmark,
        small_base_fen=small_base * _FEN,
        same_outlets_open=same_open,
        top=top,
    )
    with channel("analytics", asked.data) as opened:
        answer = AnalyticsServiceStub(opened).Growth(request, timeout=asked.timeout)
    tell(answer.about.queries)
    deliver(chosen(growth_sheet(answer, by=dimensions), asked.selection), out)
