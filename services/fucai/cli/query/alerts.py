"""`fucai query alerts`: sharp falls and rises, silence, too few active terminals of a day."""

from __future__ import annotations

from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.alert_options import with_alert_parameters
from fucai.cli.query.alerts_sheet import alerts_sheet
from fucai.cli.query.conditions import chosen
from fucai.cli.query.selecting import Asked, listed, tell, with_selection
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


@with_output
@with_selection
@with_alert_parameters
def alerts(
    *,
    day: Annotated[str, typer.Option(help="Business day that is over; else the last one wholly received.")] = "",
    rules: Annotated[
        str, typer.Option(help="Rules, joined with commas: fall, rise, silence, active_terminals; else all.")
    ] = "",
    parameters: pb.AlertParameters,
    asked: Asked,
    out: Output,
) -> None:
    """Show the alerts (预警) of a day: outlets away from their own pattern of that weekday, and idle terminals.

    Try:

        fucai query alerts
        fucai query alerts --day 2025-03-10 --rules fall,silence
        fucai query alerts --rules fall --least-z 5 --least-change 50
        fucai query alerts --filter zone_type=night_market --lang zh --format csv

    They are for people to look at: no figure depends on them; each answer states the parameters used. A game of which a
    sealed draw was sold on the days compared counts on neither side, so that what is only withheld is no fall.
    Conditions choose outlets: zone, zone_type, district, mgmt_area, format, channel_class, outlet.
    Exit codes: 64 a value is wrong, 69 analytics is away, 75 too slow.
    """
    request = pb.AlertsRequest(
        day=day,
        rules=listed(rules),
        selection=asked.selection,
        parameters=parameters,
    )
    with channel("analytics", asked.data) as opened:
        answer = AnalyticsServiceStub(opened).Alerts(request, timeout=asked.timeout)
    tell(answer.about.queries)
    deliver(chosen(alerts_sheet(answer), asked.selection), out)
