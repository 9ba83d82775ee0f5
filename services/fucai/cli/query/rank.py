"""`fucai query rank`: who leads, by the measure, growth or contribution; new stars and progress."""

from __future__ import annotations

import enum
import os
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.errors import CliError
from fucai.cli.out.deliver import deliver
from fucai.cli.out.options import Output, with_output
from fucai.cli.query.asking import Periods, with_periods
from fucai.cli.query.conditions import chosen
from fucai.cli.query.rank_sheet import rank_sheet
from fucai.cli.query.selecting import Asked, tell, with_selection
from fucai.domain.labels import DIMENSIONS, code_called
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub


class By(enum.StrEnum):
    """What a ranking goes by."""

    MEASURE = "measure"
    GROWTH = "growth"
    CONTRIBUTION = "contribution"


class Measure(enum.StrEnum):
    """What is measured."""

    SALES = "sales"
    BETS = "bets"
    COMPANION = "companion"


@with_output
@with_selection
@with_periods
def rank(  # noqa: PLR0913 (an option each)
    *,
    of: Annotated[
        str,
        typer.Option(
            help="What is ranked: outlet, zone, zone_type, district, mgmt_area, format, channel_class or game."
        ),
    ] = "outlet",
    within: Annotated[
        str, typer.Option(help="Rank apart within each value of a dimension, such as mgmt_area or game.")
    ] = "",
    by: Annotated[
        By, typer.Option(help="By the measure, its growth, or its part in the change of the whole.")
    ] = By.MEASURE,
    measure: Annotated[Measure, typer.Option(help="What is measured.")] = Measure.SALES,
    new_star: Annotated[
        bool, typer.Option("--new-star", help="New stars (新星网点): opened after --cutoff, by the measure.")
    ] = False,
    progress: Annotated[
        bool,
        typer.Option(
            "--progress",
            help="Progress (进步网点): opened up to --cutoff, with a base, above the average, by growth.",
        ),
    ] = False,
    cutoff: Annotated[
        str, typer.Option(help="Day that parts new outlets from old; else the first of the period.")
    ] = "",
    below_average: Annotated[
        bool, typer.Option("--below-average", help="With --progress, rank those below the average too.")
    ] = False,
    least: Annotated[int, typer.Option(min=0, help="Least value to be ranked: fen, or bets.")] = 0,
    least_open_days: Annotated[
        int, typer.Option(min=0, help="Open days of the period on which an outlet must be open to be ranked.")
    ] = 0,
    top: Annotated[int, typer.Option(min=1, help="Places shown in each ranking; the rest is summed.")] = 10,
    lowest: Annotated[bool, typer.Option("--lowest", help="The last places first.")] = False,
    periods: Periods,
    asked: Asked,
    out: Output,
) -> None:
    """Show who leads, and who is left out of the ranking and why.

    Try:

        fucai query rank --top 20
        fucai query rank --new-star --cutoff 2024-12-31 --within mgmt_area
        fucai query rank --progress --from 2025-01-01 --to 2025-12-31 --filter game=ssq
        fucai query rank --of zone --by contribution --lowest

    An outlet is ranked once, where it was on the day of its last sale or void. Every rule is in docs/definitions.md.
    Exit codes: 64 a value is wrong, 69 analytics is away, 75 too slow.
    """
    if new_star + progress + (by is not By.MEASURE) > 1:
        raise CliError(
            "--new-star, --progress and --by are rankings of their own",
            hint="take one of them",
            exit_code=os.EX_USAGE,
        )
    ranking = "NEW_STAR" if new_star else "PROGRESS" if progress else by.name
    request = pb.RankRequest(
        **periods.fields,
        selection=asked.selection,
        of=code_called(of, DIMENSIONS),
        within=code_called(within, DIMENSIONS),
        ranking=pb.Ranking.Value(f"RANKING_{ranking}"),
        measure=measure,
        cutoff_day=cutoff,
        least_value=least,
        least_open_days=least_open_days,
        below_average_too=below_average,
        top=top,
        lowest_first=lowest,
    )
    with channel("analytics", asked.data) as opened:
        answer = AnalyticsServiceStub(opened).Rank(request, timeout=asked.timeout)
    deliver(chosen(rank_sheet(answer, request), asked.selection), out)
    tell(answer.about.queries)
