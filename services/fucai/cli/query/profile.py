"""`fucai query profile`: when sales happen, hour by weekday."""

from __future__ import annotations

from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.conditions import chosen
from fucai.cli.query.profile_map import heat_map
from fucai.cli.query.profile_sheet import profile_sheet
from fucai.cli.query.selecting import Asked, OneDimension, tell, with_selection
from fucai.domain.labels import DIMENSIONS, code_called
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


@with_output
@with_selection
def profile(
    *,
    first: Annotated[str, typer.Option("--from", help="First business day; else 27 days before --to.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    by: OneDimension = "",
    asked: Asked,
    out: Output,
) -> None:
    """Show when sales happen (时段分布): a heat map of hours by weekday; exports have a row for each cell.

    Try:

        fucai query profile
        fucai query profile --by zone_type --filter game=instant
        fucai query profile --from 2025-01-01 --to 2025-12-31 --format csv

    Shades go by average sales a day. Daily summaries have no hour and are told apart. Exit codes: 64 a value is wrong,
    65 a draw asked for is sealed, 69 analytics is away, 75 too slow.
    """
    by = code_called(by.strip(), DIMENSIONS)
    request = pb.ProfileRequest(from_day=first, to_day=last, by=by, selection=asked.selection)
    with channel("analytics", asked.data) as opened:
        answer = AnalyticsServiceStub(opened).Profile(request, timeout=asked.timeout)
    tell(answer.about.queries)
    deliver(chosen(profile_sheet(answer, by=by), asked.selection), out, heat_map)
