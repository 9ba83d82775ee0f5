"""The headline as Prometheus metrics: gauges of the last answer, and how old it is. Asks nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import cast
from zoneinfo import ZoneInfo

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from fucai.v1 import analytics_pb2 as pb

_UNITS = {"CNY": "yuan"}
_FEN = 100.0
_POINTS = 100.0
_MARKS = [name.removeprefix("GROWTH_MARK_").lower() for name, number in pb.GrowthMark.items() if number]
_WITH_RATIO = {pb.GROWTH_MARK_RATIO, pb.GROWTH_MARK_PARTIAL_BASE}

_SCALE = (
    "Outlets with at least {sales} sale(s), or a daily summary with bets, in the last {days} open days "
    "up to the end of the period."
)
_SALES = "Sales of the period: SALE less VOID events, each on its own business day."
_GROWTH = (
    "(value - base) / base, the base being the same calendar days one year before; absent where there is no ratio."
)
_MARK = "1 for how the growth is to be read (ratio, new, both_zero, negative_base, no_base, partial_base), else 0."


class HeadlineCollector(Collector):
    """Holds the last answer, so a failed query leaves its figures, and their growing age, in sight.

    Before the first answer there are no figures at all: never a zero that nobody measured. Nor are there any once a
    draw is sealed that was not when analytics answered, for they may contain it.
    """

    def __init__(
        self, *, zone: ZoneInfo, least_sales: int, open_days: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._zone = zone
        self._clock = clock
        self._scale_help = _SCALE.format(sales=least_sales, days=open_days)
        self._answer: tuple[float, pb.HeadlineResponse] | None = None

    def publish(self, answer: pb.HeadlineResponse) -> None:
        """Makes an answer broken down by zone type the one that is scraped."""
        self._answer = (self._clock(), answer)

    @property
    def age_s(self) -> float | None:
        """Seconds since the last answer; None before the first."""
        return max(0.0, self._clock() - self._answer[0]) if self._answer else None

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: names depend on the store's currency."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics of the last answer."""
        if self._answer is None:
            return
        answered_at, answer = self._answer
        yield _gauge(
            "fucai_exporter_figures_age_seconds",
            "Time since analytics answered with the figures shown here.",
            max(0.0, self._clock() - answered_at),
        )
        yield _gauge(
            "fucai_exporter_last_success_timestamp_seconds", "When analytics last answered, Unix time.", answered_at
        )
        next_seal_ms = answer.freshness.next_seal_ms
        if next_seal_ms and self._clock() >= next_seal_ms / 1000:
            return
        yield from self._period(answer)
        yield from self._groups("fucai_channel", [((), answer.total)], (), answer)
        yield from self._groups(
            "fucai_zone_type",
            [((group.group or "none",), group) for group in answer.groups],
            ("zone_type",),
            answer,
        )
        yield from _benchmark(answer)

    def _period(self, answer: pb.HeadlineResponse) -> Iterator[Metric]:
        yield _gauge(
            "fucai_channel_period_end_timestamp_seconds",
            "End of the last business day that the figures cover, Unix time.",
            self._end_of(answer.to_day),
        )
        if answer.freshness.latest_received_ms:
            yield _gauge(
                "fucai_channel_data_latest_received_timestamp_seconds",
                "When a collector received the newest stored event, Unix time.",
                answer.freshness.latest_received_ms / 1000,
            )

    def _groups(
        self,
        prefix: str,
        groups: Iterable[tuple[tuple[str, ...], pb.HeadlineGroup]],
        labels: tuple[str, ...],
        answer: pb.HeadlineResponse,
    ) -> Iterator[Metric]:
        unit = _UNITS.get(answer.currency, answer.currency.lower())
        period = _period_label(answer)
        of_period = (*labels, "period")
        scale = GaugeMetricFamily(f"{prefix}_active_outlets", self._scale_help, labels=labels)
        sales = GaugeMetricFamily(f"{prefix}_sales_{unit}", _SALES, labels=of_period)
        scale_growth = GaugeMetricFamily(f"{prefix}_active_outlets_growth_ratio", _GROWTH, labels=labels)
        sales_growth = GaugeMetricFamily(f"{prefix}_sales_growth_ratio", _GROWTH, labels=of_period)
        mark = GaugeMetricFamily(f"{prefix}_growth_mark", _MARK, labels=(*labels, "figure", "mark"))
        for values, group in groups:
            scale.add_metric(values, group.active_outlets)
            sales.add_metric((*values, period), group.sales_fen / _FEN)
            if group.scale_growth.mark in _WITH_RATIO:
                scale_growth.add_metric(values, group.scale_growth.ratio)
            if group.sales_growth.mark in _WITH_RATIO:
                sales_growth.add_metric((*values, period), group.sales_growth.ratio)
            for figure, growth in (("active_outlets", group.scale_growth), ("sales", group.sales_growth)):
                for name, is_it in _states(growth):
                    mark.add_metric((*values, figure, name), is_it)
        yield from (scale, scale_growth, sales, sales_growth, mark)

    def _end_of(self, day: str) -> float:
        after = date.fromisoformat(day) + timedelta(days=1)
        return datetime.combine(after, clock_time(), self._zone).timestamp()


def _benchmark(answer: pb.HeadlineResponse) -> Iterator[Metric]:
    found = answer.benchmark
    labels = ("series", "benchmark_period")
    values = (found.series, found.period)
    published = GaugeMetricFamily(
        "fucai_channel_benchmark_published",
        "1 where the benchmark is published for the very period of the figures, else 0: then the newest is shown.",
        labels=("series",),
    )
    published.add_metric((found.series,), float(found.published))
    growth = GaugeMetricFamily(
        "fucai_channel_benchmark_growth_ratio", "Growth of the benchmark over its period, year on year.", labels=labels
    )
    if found.HasField("growth"):
        growth.add_metric(values, found.growth)
    excess = GaugeMetricFamily(
        "fucai_channel_sales_excess_ratio",
        "Growth of our sales less that of the benchmark; absent unless published for the very period.",
        labels=labels,
    )
    if found.HasField("excess_points"):
        excess.add_metric(values, found.excess_points / _POINTS)
    yield from (published, growth, excess)


def _states(growth: pb.Growth) -> Iterator[tuple[str, float]]:
    current = pb.GrowthMark.Name(growth.mark).removeprefix("GROWTH_MARK_").lower()
    return ((name, float(name == current)) for name in _MARKS)


def _period_label(answer: pb.HeadlineResponse) -> str:
    days = (date.fromisoformat(answer.to_day) - date.fromisoformat(answer.from_day)).days + 1
    return f"{days}d"


def _gauge(name: str, text: str, value: float) -> Metric:
    return cast("Metric", GaugeMetricFamily(name, text, value=value))
