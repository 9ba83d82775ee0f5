"""The newest published year and month of a benchmark as metrics, beside our own sales of the same days."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fucai.exporter.family import POINTS, WITH_RATIO, Family, Sample
from fucai.exporter.question import Asking, Question
from fucai.v1 import analytics_pb2 as pb

GRAINS = {"year": pb.GRAIN_YEAR, "month": pb.GRAIN_MONTH}

_LABELS = ("series", "grain", "benchmark_period")
_GROWTH = Family(
    "fucai_benchmark_growth_ratio",
    "Growth of the series in its newest period, year on year, as published or computed from published amounts (basis).",
    (*_LABELS, "basis"),
)
_OWN = Family(
    "fucai_benchmark_own_growth_ratio",
    "Growth of our sales over the same days; absent where they, or those a year before, are not wholly stored.",
    _LABELS,
)
_EXCESS = Family("fucai_benchmark_excess_ratio", "Our growth less that of the series; absent without either.", _LABELS)
_VERDICT = Family(
    "fucai_benchmark_verdict",
    "1 for the verdict (against_trend, ahead, level, behind), else 0; absent where nothing is comparable.",
    (*_LABELS, "verdict"),
)
_VERDICTS = {
    number: name.removeprefix("VERDICT_").lower()
    for name, number in pb.Verdict.items()
    if number != pb.VERDICT_UNSPECIFIED
}


def benchmark_question(asking: Asking, grain: str) -> Question:
    """The series by year or month; analytics refuses it where nothing is published so."""
    request = pb.BenchmarkRequest(series=asking.benchmark, grain=GRAINS[grain])
    return Question(
        f"benchmark_{grain}",
        "Benchmark",
        lambda _: request,
        (_GROWTH, _OWN, _EXCESS, _VERDICT),
        partial(_samples, grain),
        refusable=True,
    )


def _samples(grain: str, answer: pb.BenchmarkResponse) -> Iterator[Sample]:
    published = [row for row in answer.rows if row.HasField("amount_fen")]
    if not published:
        return
    row = published[-1]
    values = (answer.series, grain, row.period)
    if row.HasField("published_growth"):
        yield Sample(_GROWTH, (*values, "published"), row.published_growth)
    if row.HasField("computed_growth"):
        yield Sample(_GROWTH, (*values, "computed"), row.computed_growth)
    if row.HasField("growth") and row.growth.mark in WITH_RATIO:
        yield Sample(_OWN, values, row.growth.ratio)
    if row.HasField("excess_points"):
        yield Sample(_EXCESS, values, row.excess_points / POINTS)
    if row.verdict != pb.VERDICT_UNSPECIFIED:
        for number, name in _VERDICTS.items():
            yield Sample(_VERDICT, (*values, name), float(number == row.verdict))
