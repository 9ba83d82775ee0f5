"""`fucai query silent`: outlets that should be selling and are not."""

from __future__ import annotations

from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.conditions import chosen
from fucai.cli.query.selecting import Asked, moment_of, tell, with_selection
from fucai.cli.query.silent_sheet import silent_sheet
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


@with_output
@with_selection
def silent(
    *,
    at: Annotated[
        str, typer.Option(metavar="TIME", help="The moment: 2025-03-10T18:00, or Unix milliseconds; else now.")
    ] = "",
    hours: Annotated[
        int, typer.Option(min=1, max=672, help="Hours without a sale, in which an outlet usually sells.")
    ] = 24,
    asked: Asked,
    out: Output,
) -> None:
    """Show outlets (静默网点) that are open, usually sell in these hours, and have not sold for long enough.

    Try:

        fucai query silent
        fucai query silent --hours 4 --filter mgmt_area=和平一分区
        fucai query silent --at 2025-03-10T18:00 --lang zh --format xlsx --output silent.xlsx

    Nights, days of rest and closures of the market do not count; nor do hours of which nothing was received yet from
    anywhere. Conditions choose outlets: zone, zone_type, district, mgmt_area, format, channel_class, outlet.
    Exit codes: 64 a value is wrong, 69 analytics is away, 75 too slow.
    """
    request = pb.SilentRequest(
        at_ms=moment_of("--at", at),
        least_hours=hours,
        selection=asked.selection,
    )
    with channel("analytics", asked.data) as opened:
        answer = AnalyticsServiceStub(opened).Silent(request, timeout=asked.timeout)
    tell(answer.about.queries)
    deliver(chosen(silent_sheet(answer), asked.selection), out)
