"""`fucai query trend`: sales over time, beside a comparison."""

from __future__ import annotations

import enum
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Format, Output, with_output
from fucai.cli.query.conditions import chosen
from fucai.cli.query.selecting import Asked, Compare, CompareName, dimensions_of, listed, tell, with_selection
from fucai.cli.query.trend_sheet import trend_sheet
from fucai.domain.periods import Grain
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


class GrainName(enum.StrEnum):
    """Length of a bucket."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


# Days that a trend without --from goes back; a year's trend begins with the first stored day.
_BACK_DAYS = {GrainName.HOUR: 0, GrainName.DAY: 27, GrainName.WEEK: 83, GrainName.MONTH: 364}


@with_output
@with_selection
def trend(  # noqa: PLR0913 (each is an option of the command line)
    *,
    first: Annotated[str, typer.Option("--from", help="First business day, YYYY-MM-DD.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    grain: Annotated[GrainName, typer.Option(help="Length of a bucket.")] = GrainName.DAY,
    by: Annotated[
        str,
        typer.Option(
            help="Dimensions, joined with commas: game, zone, zone_type, district, mgmt_area, format, "
            "channel_class, outlet, kind, draw, weekday, hour."
        ),
    ] = "",
    compare: Compare = CompareName.YOY,
    base_first: Annotated[str, typer.Option("--base-from", help="First day of the base, with base_period.")] = "",
    measure: Annotated[
        str, typer.Option(help="Further measures, joined with commas, such as visits,attach_rate,sales_per_outlet.")
    ] = "",
    moving_average: Annotated[int, typer.Option(min=0, help="Mean sales of the last so many buckets beside.")] = 0,
    average_open_days: Annotated[
        bool, typer.Option("--average-open-days", help="Closed days are in no moving average; by day only.")
    ] = False,
    top: Annotated[int, typer.Option(min=0, help="So many groups, the largest; the rest as others. 0: all.")] = 0,
    asked: Asked,
    out: Output,
) -> None:
    """Show sales over time: SALE less VOID, each on its own business day, beside a year before.

    Try:

        fucai query trend --grain month --by zone_type
        fucai query trend --from 2025-01-01 --to 2025-12-31 --grain month --by game,outlet --format csv
        fucai query trend --grain hour --compare previous
        fucai query trend --grain week --measure visits,attach_rate --filter zone_type=night_market
        fucai query trend --plot --moving-average 7 --average-open-days
        fucai query trend --grain month --output trend.xlsx

    Zones and formats are those of the day of the sale. A bucket ends at the last stored day, and its base likewise.
    Every rule is in docs/definitions.md. Exit codes: 64 a value is wrong, 69 analytics is away, 75 too slow.
    """
    with channel("analytics", asked.data) as opened:
        analytics = AnalyticsServiceStub(opened)
        first, last = _days(analytics, first, last, grain, asked.timeout)
        dimensions = dimensions_of(by)
        request = pb.TrendRequest(
            from_day=first,
            to_day=last,
            grain=pb.Grain.Value(f"GRAIN_{grain.upper()}"),
            by=dimensions,
            compare=compare.number,
            base_from_day=base_first,
            measures=listed(measure),
            moving_average=moving_average,
            average_open_days=average_open_days,
            top=top,
            selection=asked.selection,
        )
        parts = out.form is not Format.TABLE
        answer = (_in_parts if parts else _at_once)(analytics, request, asked.timeout)
    tell(answer.queries)
    sheet = trend_sheet(answer, grain=Grain[grain.name], by=dimensions, first=first, last=last)
    deliver(chosen(sheet, asked.selection), out)


def _at_once(analytics: AnalyticsServiceStub, request: pb.TrendRequest, timeout: float) -> pb.TrendResponse:
    return analytics.Trend(request, timeout=timeout)


def _in_parts(analytics: AnalyticsServiceStub, request: pb.TrendRequest, timeout: float) -> pb.TrendResponse:
    """The same answer as a stream: an export has as many rows as there are."""
    rows: list[pb.TrendRow] = []
    answer = pb.TrendResponse()
    for part in analytics.StreamTrend(pb.StreamTrendRequest(question=request), timeout=timeout):
        rows += part.rows
        if part.HasField("end"):
            answer.CopyFrom(part.end)
    answer.rows.extend(rows)
    return answer


def _days(analytics: AnalyticsServiceStub, first: str, last: str, grain: GrainName, timeout: float) -> tuple[str, str]:
    """The days asked for; what is left open ends with the last whole stored day."""
    if first and last:
        return first, last
    found = analytics.Freshness(pb.FreshnessRequest(), timeout=timeout).freshness
    today = datetime.now(ServiceSettings.from_env().zone).date()
    yesterday = today - timedelta(days=1)
    end = last or min(found.last_day or yesterday.isoformat(), yesterday.isoformat())
    if first:
        return first, last or max(first, end)  # the service says what is stored, where that is nothing so late
    if grain is GrainName.YEAR:
        return min(found.first_day or end, end), end
    try:
        ends = date.fromisoformat(end)
    except ValueError:
        return end, end  # the service says what is wrong with it
    begins = ends - timedelta(days=_BACK_DAYS[grain])
    return (begins.replace(day=1) if grain is GrainName.MONTH else begins).isoformat(), end
