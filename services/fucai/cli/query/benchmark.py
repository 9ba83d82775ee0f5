"""`fucai query benchmark`: a published series by year or month, beside our own sales of the same days."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.benchmark_sheet import benchmark_sheet
from fucai.cli.query.conditions import chosen
from fucai.cli.query.selecting import Asked, tell, with_selection
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


class PeriodName(enum.StrEnum):
    """Length of a published period."""

    YEAR = "year"
    MONTH = "month"


@with_output
@with_selection
def benchmark(
    *,
    series: Annotated[str, typer.Argument(help="Published series; else national_welfare.")] = "",
    first: Annotated[str, typer.Option("--from", help="First day; else the first published period.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day; else the last published period.")] = "",
    grain: Annotated[PeriodName, typer.Option(help="Years or months.")] = PeriodName.YEAR,
    level: Annotated[
        float, typer.Option(min=0, max=100, help="Apart by at most so many percentage points is level (持平).")
    ] = 0.05,
    asked: Asked,
    out: Output,
) -> None:
    """Show a published series (基准) with growth computed from its amounts, and our own sales of the very same days.

    Try:

        fucai query benchmark
        fucai query benchmark --grain month --from 2023-01-01 --to 2024-12-31
        fucai query benchmark national_all --plot
        fucai query benchmark --filter zone_type=night_market --format csv

    Periods that were not published are marked and never interpolated. Our sales stand there only where all days of the
    period are stored.
    Exit codes: 64 a value is wrong, 65 a draw asked for is sealed, 69 analytics is away, 75 too slow.
    """
    request = pb.BenchmarkRequest(
        series=series,
        from_day=first,
        to_day=last,
        grain=pb.Grain.Value(f"GRAIN_{grain.name}"),
        level_points=level,
        selection=asked.selection,
    )
    with channel("analytics", asked.data) as opened:
        answer = AnalyticsServiceStub(opened).Benchmark(request, timeout=asked.timeout)
    tell(answer.about.queries)
    deliver(chosen(benchmark_sheet(answer), asked.selection), out)
