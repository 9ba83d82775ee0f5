"""`fucai query headline`: channel scale and sales of a period, beside a benchmark."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.conditions import chosen
from fucai.cli.query.headline_sheet import headline_sheet
from fucai.cli.query.selecting import Asked, OneDimension, tell, with_selection
from fucai.domain.labels import DIMENSIONS, code_called
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


class Moving(enum.StrEnum):
    """What a headline's base follows from: it has none of its own."""

    YOY = "yoy"
    PREVIOUS = "previous"
    WEEKDAY = "weekday"
    OPEN_DAY = "open_day"
    LUNAR = "lunar"


@with_output
@with_selection
def headline(
    *,
    first: Annotated[str, typer.Option("--from", help="First business day; else 27 days before --to.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    by: OneDimension = "",
    benchmark: Annotated[str, typer.Option(help="Published series to stand beside; else national_welfare.")] = "",
    active_sales: Annotated[int, typer.Option(min=1, help="An outlet is active with so many sales ...")] = 1,
    active_days: Annotated[int, typer.Option(min=1, max=366, help="... in the last so many open days.")] = 7,
    compare: Annotated[
        Moving,
        typer.Option(
            help="A year before (同比), the period before (环比), 364 days before, per open day (开市日均), or "
            "aligned on lunar new year (春节). For a base of your own: `fucai query growth --base-from`."
        ),
    ] = Moving.YOY,
    asked: Asked,
    out: Output,
) -> None:
    """Show channel scale (active outlets) and sales of a period, year on year, beside a benchmark.

    Try:

        fucai query headline
        fucai query headline --from 2025-01-01 --to 2025-12-31 --by zone_type
        fucai query headline --active-sales 5 --active-days 14 --lang zh
        fucai query headline --by zone --json

    The excess over the benchmark is shown only where the series is published for the very period; else the newest
    published figure stands under its own label. Exit codes: 64 a value is wrong, 69 analytics is away, 75 too slow.
    """
    by = code_called(by.strip(), DIMENSIONS)
    with channel("analytics", asked.data) as opened:
        answer = AnalyticsServiceStub(opened).Headline(
            pb.HeadlineRequest(
                from_day=first,
                to_day=last,
                by=by,
                benchmark=benchmark,
                active_sales=active_sales,
                active_open_days=active_days,
                compare=pb.Comparison.Value(f"COMPARISON_{compare.name}"),
                selection=asked.selection,
            ),
            timeout=asked.timeout,
        )
    tell(answer.queries)
    deliver(chosen(headline_sheet(answer, by=by), asked.selection), out)
