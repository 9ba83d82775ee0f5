"""`fucai query freshness`: how far the data reach, lag, sealed draws, quarantine."""

from __future__ import annotations

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.freshness_sheet import freshness_sheet
from fucai.cli.query.selecting import Data, Timeout
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


@with_output
def freshness(
    *,
    data: Data = None,
    timeout: Timeout = 30.0,
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
