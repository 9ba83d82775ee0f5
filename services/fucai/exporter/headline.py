"""The headline as metrics: active outlets and sales of the channel and of each zone type, beside the benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from functools import partial
from zoneinfo import ZoneInfo

from fucai.exporter.family import (
    CHANNEL,
    FEN,
    GROWTH,
    POINTS,
    WITH_RATIO,
    ZONE_TYPE,
    Family,
    Place,
    Sample,
    marked,
    marks,
    period_label,
)
from fucai.exporter.question import HEADLINE, Asking, Question, largest
from fucai.v1 import analytics_pb2 as pb

_ACTIVE = (
    "Outlets with at least {sales} sale(s), or a daily summary with bets, in the last {days} open days "
    "up to the end of the period."
)
_SALES = "Sales of the period: SALE less VOID events, each on its own business day."
_BENCHMARK = ("series", "benchmark_period")

_PERIOD_END = CHANNEL.family(
    "period_end_timestamp_seconds", "End of the last business day that the figures cover, Unix time."
)
_RECEIVED = CHANNEL.family(
    "data_latest_received_timestamp_seconds", "When a collector received the newest stored event, Unix time."
)
_PUBLISHED = CHANNEL.family(
    "benchmark_published",
    "1 where the benchmark is published for the very period of the figures, else 0: then the newest is shown.",
    ("series",),
)
_BENCHMARK_GROWTH = CHANNEL.family(
    "benchmark_growth_ratio", "Growth of the benchmark over its period, year on year.", _BENCHMARK
)
_EXCESS = CHANNEL.family(
    "sales_excess_ratio",
    "Growth of our sales less that of the benchmark; absent unless published for the very period.",
    _BENCHMARK,
)


def active(place: Place) -> Family:
    """Active outlets of a place."""
    return place.family("active_outlets", _ACTIVE)


def active_growth(place: Place) -> Family:
    """Their growth."""
    return place.family("active_outlets_growth_ratio", GROWTH)


def sales(place: Place) -> Family:
    """Sales of a place."""
    return place.family("sales", _SALES, money=True, period=True)


def sales_growth(place: Place) -> Family:
    """Their growth."""
    return place.family("sales_growth_ratio", GROWTH, period=True)


def headline_question(asking: Asking) -> Question:
    """The question that is asked first, and most often: it says which days all figures are of."""
    request = pb.HeadlineRequest(
        benchmark=asking.benchmark,
        active_sales=asking.active_sales,
        active_open_days=asking.active_open_days,
        by=ZONE_TYPE.dimension,
    )
    of_places = [
        kind(place) for place in (CHANNEL, ZONE_TYPE) for kind in (active, active_growth, sales, sales_growth, marks)
    ]
    return Question(
        HEADLINE,
        "Headline",
        lambda _: request,
        (_PERIOD_END, _RECEIVED, *of_places, _PUBLISHED, _BENCHMARK_GROWTH, _EXCESS),
        partial(_samples, asking.zone),
        ZONE_TYPE,
        lambda answer: len(answer.groups),
    )


def _samples(zone: ZoneInfo, answer: pb.HeadlineResponse) -> Iterator[Sample]:
    after = date.fromisoformat(answer.to_day) + timedelta(days=1)
    yield Sample(_PERIOD_END, (), datetime.combine(after, clock_time(), zone).timestamp())
    if answer.freshness.latest_received_ms:
        yield Sample(_RECEIVED, (), answer.freshness.latest_received_ms / 1000)
    period = period_label(answer.from_day, answer.to_day)
    yield from _of_place(CHANNEL, answer.total, period)
    shown = largest(answer.groups, ZONE_TYPE.most, sales=lambda one: one.sales_fen, group=lambda one: one.group)
    for group in shown:
        yield from _of_place(ZONE_TYPE, group, period)
    yield from _benchmark(answer.benchmark)


def _of_place(place: Place, group: pb.HeadlineGroup, period: str) -> Iterator[Sample]:
    values = place.values((group.group,))
    yield Sample(active(place), values, group.active_outlets)
    yield Sample(sales(place), (*values, period), group.sales_fen / FEN)
    if group.scale_growth.mark in WITH_RATIO:
        yield Sample(active_growth(place), values, group.scale_growth.ratio)
    if group.sales_growth.mark in WITH_RATIO:
        yield Sample(sales_growth(place), (*values, period), group.sales_growth.ratio)
    yield from marked(place, values, "active_outlets", group.scale_growth)
    yield from marked(place, values, "sales", group.sales_growth)


def _benchmark(found: pb.BenchmarkComparison) -> Iterator[Sample]:
    values = (found.series, found.period)
    yield Sample(_PUBLISHED, (found.series,), float(found.published))
    if found.HasField("growth"):
        yield Sample(_BENCHMARK_GROWTH, values, found.growth)
    if found.HasField("excess_points"):
        yield Sample(_EXCESS, values, found.excess_points / POINTS)
