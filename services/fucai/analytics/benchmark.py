"""The benchmark beside the headline: what is published, what is shown instead, and the excess. Assumes nothing."""

from __future__ import annotations

from typing import cast

from fucai.analytics.questions import DEFAULT_BENCHMARK, BadQuestionError
from fucai.analytics.store import Ask
from fucai.analytics.texts import plain
from fucai.domain.benchmarks import Match, Published, match
from fucai.domain.growth import Growth, Mark, excess_points
from fucai.domain.labels import SERIES, Label
from fucai.domain.periods import Comparison, DayRange
from fucai.domain.verdict import verdict
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

_NAMED_AT_MOST = 6  # missing periods that a note lists


async def benchmark(
    ask: Ask, asked: str, days: DayRange, ours: analytics_pb2.Growth, *, rule: Comparison = Comparison.YOY
) -> analytics_pb2.BenchmarkComparison:
    """The comparison with series `asked`, or with the default one.

    What is published is calendar year on year: growth by another `rule` stands beside it and is not compared with it.

    Raises:
        BadQuestionError: no such series is in the registry; the default one may be absent.
    """
    series = asked or DEFAULT_BENCHMARK
    values = {
        str(period): Published(int(fen), _percent(text))
        for period, fen, text in await ask(plain("benchmark"), {"series": series})
    }
    if asked and not values:
        known = [str(name) for (name,) in await ask(plain("series"), {})]
        choices = f"choose {', '.join(known)}" if known else "none is in the registry: import benchmarks.csv"
        raise BadQuestionError([Violation("benchmark", f"no series {asked!r}: {choices}")])
    found = compare(series, match(values, days), days, ours)
    if rule is not Comparison.YOY and found.published:
        found.ClearField("excess_points")
        found.published, found.verdict = False, analytics_pb2.VERDICT_UNSPECIFIED
        found.note_zh += "；本期增长率不按日历同比计算，不可直接相减"
        found.note_en += "; our growth is not calendar year on year: not comparable"
    return found


def compare(series: str, found: Match, days: DayRange, ours: analytics_pb2.Growth) -> analytics_pb2.BenchmarkComparison:
    """What is shown of the series, why, and the verdict."""
    zh, en = _note(series, found, days)
    shown = analytics_pb2.BenchmarkComparison(
        series=series, published=found.published, period=found.period, note_zh=zh, note_en=en
    )
    if found.growth is not None:
        shown.growth = found.growth
    if found.published:
        plain_ratio = ours.mark == analytics_pb2.GROWTH_MARK_RATIO
        growth = Growth(ours.ratio if plain_ratio else None, Mark(ours.mark))
        excess = excess_points(growth, found.growth)
        if excess is not None:
            shown.excess_points = excess
        shown.verdict = cast("analytics_pb2.Verdict.ValueType", int(verdict(growth, found)))
    return shown


def _note(series: str, found: Match, days: DayRange) -> tuple[str, str]:
    name = SERIES.get(series, Label(series, series))
    if found.published:
        return f"{name.zh} 已公布 {found.period} 同比", f"{name.en}: published for {found.period}"
    if found.missing:
        listed = ", ".join(found.missing[:_NAMED_AT_MOST]) + (" …" if len(found.missing) > _NAMED_AT_MOST else "")
        zh, en = f"{name.zh}缺 {listed}", f"{name.en}: lacks {listed}"
    else:
        zh = f"{days.first} 至 {days.last} 不是整月或整年，无可比公布值"
        en = f"{days.first} to {days.last} is no whole months or years, so nothing published is comparable"
    if found.growth is None:
        return f"{zh}；该序列没有可用的增长率", f"{en}; the series has no growth to show"
    return (
        f"{zh}；所示为最新公布的 {found.period}，不可直接相减",
        f"{en}; shown is the newest, {found.period}: not comparable",
    )


def _percent(text: str | None) -> float | None:
    """The published percentage; None where none was published."""
    return float(text) if text else None
