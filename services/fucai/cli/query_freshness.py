"""`fucai query freshness`: how far the data reach, lag, sealed draws, quarantine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.freshness_sheet import freshness_sheet
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


@with_output
def freshness(
    *,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the stack that `fucai up` runs; else FUCAI_ANALYTICS or FUCAI_DATA says where."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=60, help="Seconds to wait; ClickHouse stops the query then.")
    ] = 30.0,
    out: Output,
) -> None:
    """Show how fresh the figures are (数据时效): stored days, latest reception, lag, sealed draws, quarantine.

    Try:

        fucai query freshness
        fucai query freshness --lang zh
        fucai query freshness --json

    Sealed draws stand in no figure until they end. Exit codes: 69 analytics is away, 75 too slow.
    """
    with channel("analytics", data) as opened:
        answer = AnalyticsServiceStub(opened).Freshness(pb.FreshnessRequest(), timeout=timeout)
    deliver(freshness_sheet(answer), out)
