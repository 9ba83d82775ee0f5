"""The last answers as Prometheus metrics: gauges of their figures, and how old they are. Asks nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from fucai.exporter.family import Family, Sample
from fucai.exporter.question import HEADLINE, Days, Question, currency_of, freshness_of
from fucai.exporter.withheld import FAMILIES as OF_WITHHELD
from fucai.exporter.withheld import may_hold_sealed, withheld
from fucai.v1 import analytics_pb2 as pb

_AGE = Family(
    "fucai_exporter_figures_age_seconds",
    "Time since analytics answered with the figures shown here, by question.",
    ("question",),
)
_SUCCESS = Family(
    "fucai_exporter_last_success_timestamp_seconds",
    "When analytics last answered, Unix time, by question.",
    ("question",),
)
_CUT = Family(
    "fucai_exporter_groups_cut",
    "Groups of the answer that are not shown because they are too many: those with the largest sales are.",
    ("question",),
)
OWN = (_AGE, _SUCCESS, _CUT)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer and when it came, Unix seconds."""

    at_s: float
    answer: Message


class FiguresCollector(Collector):
    """Holds the last answer to each question, so a failed query leaves its figures, and their growing age, in sight.

    Before the first answer there are no figures at all: never a zero that nobody measured. Nor are there any once a
    draw is sealed that was not when analytics answered, for they may contain it.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        *,
        least_sales: int,
        open_days: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._questions = {question.name: question for question in questions}
        self._words = {"sales": least_sales, "days": open_days}
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def publish(self, name: str, answer: Message) -> None:
        """Makes an answer to the question of that name the one that is scraped."""
        self._kept[name] = _Kept(self._clock(), answer)

    def withdraw(self, name: str) -> None:
        """Shows nothing of that question any more."""
        self._kept.pop(name, None)

    def age_s(self, name: str) -> float | None:
        """Seconds since the last answer to that question; None without one."""
        kept = self._kept.get(name)
        return max(0.0, self._clock() - kept.at_s) if kept else None

    def is_shown(self, name: str) -> bool:
        """Whether there is an answer that may be shown now."""
        return name in self._shown(dict(self._kept))

    @property
    def days(self) -> Days | None:
        """The days of the last headline; None before it."""
        kept = self._kept.get(HEADLINE)
        answer = kept.answer if kept else None
        return (answer.from_day, answer.to_day) if isinstance(answer, pb.HeadlineResponse) else None

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: names depend on the store's currency."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics of the last answers."""
        kept = dict(self._kept)
        if not kept:
            return
        shown = self._shown(kept)
        samples = [*self._own(kept)]
        for name, answer in shown.items():
            samples += self._questions[name].samples(answer)
        if shown:
            newest = max((freshness_of(answer) for answer in shown.values()), key=lambda fresh: fresh.answered_ms)
            samples += withheld(newest, self._clock())
        currency = next((currency_of(answer) for answer in shown.values()), "")
        yield from _metrics(samples, currency, self._words)

    def _shown(self, kept: Mapping[str, _Kept]) -> dict[str, Message]:
        """The answers that can not contain a draw that is sealed by now, in the order of the questions."""
        now_s = self._clock()
        fresh = {name: freshness_of(one.answer) for name, one in kept.items()}
        newest = max(fresh.values(), key=lambda one: one.answered_ms, default=pb.DataFreshness())
        return {
            name: kept[name].answer
            for name in self._questions
            if name in kept and not may_hold_sealed(fresh[name], newest, now_s)
        }

    def _own(self, kept: Mapping[str, _Kept]) -> Iterator[Sample]:
        now_s = self._clock()
        for name, one in kept.items():
            yield Sample(_AGE, (name,), max(0.0, now_s - one.at_s))
            yield Sample(_SUCCESS, (name,), one.at_s)
            question = self._questions[name]
            if question.place.dimension:
                yield Sample(_CUT, (name,), question.cut(one.answer))


def _metrics(samples: Iterable[Sample], currency: str, words: Mapping[str, int]) -> Iterator[Metric]:
    """One metric for each family, whichever questions its samples come from, as the exposition format wants it."""
    found: dict[Family, GaugeMetricFamily] = {}
    for sample in samples:
        family = sample.family
        if family not in found:
            text = family.text.format_map(words)
            found[family] = GaugeMetricFamily(family.named(currency), text, labels=family.labels)
        found[family].add_metric(sample.labels, sample.value)
    yield from found.values()


def families(questions: Iterable[Question]) -> tuple[Family, ...]:
    """Every metric that answers to these questions can become, each once, the exporter's own first."""
    of_questions = (family for question in questions for family in question.families)
    return tuple(dict.fromkeys([*OWN, *of_questions, *OF_WITHHELD]))
