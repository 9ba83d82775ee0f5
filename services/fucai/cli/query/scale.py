"""`fucai query scale`: installed, active, opened and closed outlets at the end of each bucket."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.asking import Base, with_base
from fucai.cli.query.conditions import chosen
from fucai.cli.query.scale_sheet import scale_sheet
from fucai.cli.query.selecting import Asked, dimensions_of, tell, with_selection
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


class BucketName(enum.StrEnum):
    """Length of a bucket; the period is one bucket."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    PERIOD = "period"


@with_output
@with_selection
@with_base
def scale(
    *,
    first: Annotated[str, typer.Option("--from", help="First business day; else 27 days before --to.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    grain: Annotated[BucketName, typer.Option(help="Count at the end of each bucket.")] = BucketName.PERIOD,
    by: Annotated[
        str,
        typer.Option(
            help="Dimensions, joined with commas: zone, zone_type, district, mgmt_area, format, channel_class, outlet."
        ),
    ] = "",
    active_sales: Annotated[int, typer.Option(min=1, help="An outlet is active with so many sales ...")] = 1,
    active_days: Annotated[int, typer.Option(min=1, max=366, help="... in the last so many open days.")] = 7,
    terminals: Annotated[bool, typer.Option("--terminals", help="Count terminals and active ones, too.")] = False,
    base: Base,
    asked: Asked,
    out: Output,
) -> None:
    """Show channel scale (渠道规模): outlets installed, active, opened and closed, and sales per active outlet.

    Try:

        fucai query scale
        fucai query scale --by mgmt_area --terminals
        fucai query scale --from 2024-01-01 --to 2025-12-31 --grain month --by zone_type
        fucai query scale --grain day --active-sales 5 --active-days 14 --filter game=instant --format csv

    Outlets are counted at the end of each bucket; one that moved stands where it was at its last sale, or is on that
    day. Exit codes: 64 a value is wrong, 65 a draw asked for is sealed, 69 analytics is away, 75 too slow.
    """
    dimensions = dimensions_of(by)
    request = pb.ScaleRequest(
        from_day=first,
        to_day=last,
        grain=pb.GRAIN_UNSPECIFIED if grain is BucketName.PERIOD else pb.Grain.Value(f"GRAIN_{grain.name}"),
        by=dimensions,
        active_sales=active_sales,
        active_open_days=active_days,
        selection=asked.selection,
        **base.fields,
        with_terminals=terminals,
    )
    with channel("analytics", asked.data) as opened:
        answer = AnalyticsServiceStub(opened).Scale(request, timeout=asked.timeout)
    tell(answer.about.queries)
    deliver(chosen(scale_sheet(answer, by=dimensions), asked.selection), out)
