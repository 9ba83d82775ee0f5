"""`fucai query`: trends and headlines, asked of analytics and shown as table, csv or json."""

from __future__ import annotations

import enum
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from fucai.cli.addresses import channel
from fucai.cli.numbers import exact
from fucai.cli.output import Format, Lang, language, stderr_console, stdout_console, write_csv, write_json
from fucai.cli.tables import freshness_line, headline_table, rows_line, trend_table
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


class CompareName(enum.StrEnum):
    """What to compare with."""

    YOY = "yoy"
    PREVIOUS = "previous"
    NONE = "none"


_COMPARISONS = {
    CompareName.YOY: pb.COMPARISON_YOY,
    CompareName.PREVIOUS: pb.COMPARISON_PREVIOUS,
    CompareName.NONE: pb.COMPARISON_UNSPECIFIED,
}
# Days that a trend without --from goes back; a year's trend begins with the first stored day.
_BACK_DAYS = {GrainName.HOUR: 0, GrainName.DAY: 27, GrainName.WEEK: 83, GrainName.MONTH: 364}
_DATA = typer.Option(help="Folder of the stack that `fucai up` runs; else FUCAI_ANALYTICS or FUCAI_DATA says where.")
_LANG = typer.Option(help="Language of labels; else that of the locale.")
_TIMEOUT = typer.Option(min=0.1, max=60, help="Seconds to wait; ClickHouse stops the query then.")


def trend(
    *,
    first: Annotated[str, typer.Option("--from", help="First business day, YYYY-MM-DD.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    grain: Annotated[GrainName, typer.Option(help="Length of a bucket.")] = GrainName.DAY,
    by: Annotated[
        str,
        typer.Option(
            help="Dimensions, joined with commas: game, zone, zone_type, district, mgmt_area, format, "
            "channel_class, outlet, kind."
        ),
    ] = "",
    compare: Annotated[
        CompareName, typer.Option(help="A year before (同比), the bucket before (环比), or nothing.")
    ] = (CompareName.YOY),
    form: Annotated[Format, typer.Option("--format", help="Table, or exact csv or json for programs.")] = Format.TABLE,
    lang: Annotated[Lang | None, _LANG] = None,
    data: Annotated[Path | None, _DATA] = None,
    timeout: Annotated[float, _TIMEOUT] = 30.0,
) -> None:
    """Show sales over time: SALE less VOID, each on its own business day, beside a year before.

    Try:

        fucai query trend --grain month --by zone_type
        fucai query trend --from 2025-01-01 --to 2025-12-31 --grain month --by game,outlet --format csv
        fucai query trend --grain hour --compare previous

    Zones and formats are those of the day of the sale. A bucket ends at the last stored day, and its base likewise.
    Every rule is in docs/definitions.md. Exit codes: 64 a value is wrong, 69 analytics is away, 75 too slow.
    """
    with channel("analytics", data) as opened:
        analytics = AnalyticsServiceStub(opened)
        first, last = _days(analytics, first, last, grain, timeout)
        dimensions = [name.strip() for name in by.split(",") if name.strip()]
        answer = analytics.Trend(
            pb.TrendRequest(
                from_day=first,
                to_day=last,
                grain=pb.Grain.Value(f"GRAIN_{grain.upper()}"),
                by=dimensions,
                compare=_COMPARISONS[compare],
            ),
            timeout=timeout,
        )
    chosen = language(lang)
    if form is Format.TABLE:
        stdout_console().print(trend_table(answer, grain=Grain[grain.name], by=dimensions, lang=chosen))
        return
    if form is Format.JSON:
        write_json(answer)
    else:
        write_csv(*_trend_csv(answer, dimensions))
    stderr_console().print(f"{rows_line(len(answer.rows), chosen)}; {freshness_line(answer.freshness, chosen)}")


def headline(
    *,
    first: Annotated[str, typer.Option("--from", help="First business day; else 27 days before --to.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    by: Annotated[
        str,
        typer.Option(help="One of game, zone, zone_type, district, mgmt_area, format, channel_class, outlet."),
    ] = "",
    benchmark: Annotated[str, typer.Option(help="Published series to stand beside; else national_welfare.")] = "",
    active_sales: Annotated[int, typer.Option(min=1, help="An outlet is active with so many sales ...")] = 1,
    active_days: Annotated[int, typer.Option(min=1, max=366, help="... in the last so many open days.")] = 7,
    form: Annotated[Format, typer.Option("--format", help="Table, or exact csv or json for programs.")] = Format.TABLE,
    lang: Annotated[Lang | None, _LANG] = None,
    data: Annotated[Path | None, _DATA] = None,
    timeout: Annotated[float, _TIMEOUT] = 30.0,
) -> None:
    """Show channel scale (active outlets) and sales of a period, year on year, beside a benchmark.

    Try:

        fucai query headline
        fucai query headline --from 2025-01-01 --to 2025-12-31 --by zone_type
        fucai query headline --active-sales 5 --active-days 14 --lang zh

    The excess over the benchmark is shown only where the series is published for the very period; else the newest
    published figure stands under its own label. Exit codes: 64 a value is wrong, 69 analytics is away, 75 too slow.
    """
    with channel("analytics", data) as opened:
        answer = AnalyticsServiceStub(opened).Headline(
            pb.HeadlineRequest(
                from_day=first,
                to_day=last,
                by=by,
                benchmark=benchmark,
                active_sales=active_sales,
                active_open_days=active_days,
            ),
            timeout=timeout,
        )
    chosen = language(lang)
    if form is Format.TABLE:
        stdout_console().print(headline_table(answer, by=by, lang=chosen))
        return
    if form is Format.JSON:
        write_json(answer)
    else:
        write_csv(*_headline_csv(answer, by))
    stderr_console().print(f"{rows_line(1 + len(answer.groups), chosen)}; {freshness_line(answer.freshness, chosen)}")


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


def _trend_csv(answer: pb.TrendResponse, by: list[str]) -> tuple[list[str], list[list[object]]]:
    """Header and rows: amounts in fen and, exactly, in yuan; growth empty where there is no ratio."""
    header = ["bucket", "first_day", "last_day", *by, *(f"{name}_name" for name in by)]
    header += ["sales", "sales_fen", "bets", "events", "payouts", "payouts_fen", "base_first_day", "base_last_day"]
    header += ["base_sales", "base_sales_fen", "base_bets", "growth_ratio", "growth_mark", "currency"]
    rows: list[list[object]] = []
    for row in answer.rows:
        figures, base = row.figures, row.base if row.HasField("base") else None
        rows.append(
            [
                *(row.bucket, row.first_day, row.last_day, *row.group, *row.group_names),
                *(exact(figures.sales_fen), figures.sales_fen, figures.bets, figures.events),
                *(exact(figures.payouts_fen), figures.payouts_fen, row.base_first_day, row.base_last_day),
                *((exact(base.sales_fen), base.sales_fen, base.bets) if base else (None, None, None)),
                *_growth_csv(row.growth if row.HasField("growth") else None),
                answer.currency,
            ]
        )
    return header, rows


def _headline_csv(answer: pb.HeadlineResponse, by: str) -> tuple[list[str], list[list[object]]]:
    """Header and rows: the whole channel first, with an empty group; the benchmark stands in its row only."""
    header = ["level", "group", "group_name", "from_day", "to_day", "base_from_day", "base_to_day", "active_outlets"]
    header += ["base_active_outlets", "scale_growth_ratio", "scale_growth_mark", "sales", "sales_fen", "base_sales"]
    header += ["base_sales_fen", "sales_growth_ratio", "sales_growth_mark", "currency", "benchmark"]
    header += ["benchmark_period", "benchmark_published", "benchmark_growth_ratio", "excess_points"]
    found = answer.benchmark
    growth = found.growth if found.HasField("growth") else None
    excess = found.excess_points if found.HasField("excess_points") else None
    beside = [found.series, found.period, str(found.published).lower(), growth, excess]
    rows: list[list[object]] = []
    for level, group in [("channel", answer.total), *((by, group) for group in answer.groups)]:
        rows.append(
            [
                *(level, group.group, group.group_name, answer.from_day, answer.to_day),
                *(answer.base_from_day, answer.base_to_day, group.active_outlets, group.base_active_outlets),
                *(*_growth_csv(group.scale_growth), exact(group.sales_fen), group.sales_fen),
                *(exact(group.base_sales_fen), group.base_sales_fen, *_growth_csv(group.sales_growth)),
                *(answer.currency, *(beside if level == "channel" else [None] * len(beside))),
            ]
        )
    return header, rows


def _growth_csv(growth: pb.Growth | None) -> tuple[object, object]:
    if growth is None:
        return None, None
    mark = pb.GrowthMark.Name(growth.mark).removeprefix("GROWTH_MARK_")
    has_ratio = growth.mark in (pb.GROWTH_MARK_RATIO, pb.GROWTH_MARK_PARTIAL_BASE)
    return growth.ratio if has_ratio else None, mark
