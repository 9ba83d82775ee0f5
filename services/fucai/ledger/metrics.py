"""The last survey as Prometheus metrics, and how old it is. Looks at nothing itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import cast

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from fucai.domain.embargo import Embargo
from fucai.ledger.conservation import Outcome
from fucai.ledger.survey import Survey


class SurveyMetrics:
    """How the surveys themselves fare, and what people do at the desk."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.failures = Counter(
            "fucai_ledger_survey_failures",
            "Surveys that failed, by what was away; the figures keep their last value.",
            ["away"],
            registry=registry,
        )
        self.seconds = Histogram(
            "fucai_ledger_survey_duration_seconds", "Time a survey took, failed ones too.", registry=registry
        )
        self.replayed = Counter(
            "fucai_ledger_replayed_events",
            "Events replayed from quarantine, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.waivers = Counter("fucai_ledger_waivers", "Waivers given.", registry=registry)


class SurveyCollector(Collector):
    """Holds the last survey, so a failed one leaves its figures, and their growing age, in sight.

    Before the first survey there are no figures at all: never a zero that nobody counted.
    """

    def __init__(self, embargo: Callable[[], Embargo], *, clock: Callable[[], float] = time.time) -> None:
        """`embargo` is the one known at the time of a scrape; it raises RegistryAwayError while none is."""
        self._embargo = embargo
        self._clock = clock
        self._last: tuple[float, Survey] | None = None

    def publish(self, survey: Survey) -> None:
        """Makes a survey the one that is scraped."""
        self._last = (self._clock(), survey)

    @property
    def age_s(self) -> float | None:
        """Seconds since the last survey; None before the first."""
        return max(0.0, self._clock() - self._last[0]) if self._last else None

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: there may be no figures yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics of the last survey."""
        if self._last is None:
            return
        at, survey = self._last
        now = self._clock()
        yield _gauge("fucai_ledger_figures_age_seconds", "Time since the survey shown here.", max(0.0, now - at))
        yield _gauge("fucai_ledger_last_success_timestamp_seconds", "When the last survey was made, Unix time.", at)
        yield _gauge("fucai_ledger_open_gaps", "Ranges of sequence numbers that are missing.", survey.gaps)
        yield _gauge("fucai_ledger_missing_events", "Sequence numbers that are missing.", survey.missing)
        yield _gauge(
            "fucai_ledger_oldest_gap_age_seconds",
            "Time since a number above the oldest gap was received; 0 without gaps.",
            max(0.0, now - survey.oldest_gap_ms / 1000) if survey.oldest_gap_ms else 0.0,
        )
        silent = GaugeMetricFamily(
            "fucai_ledger_silent_terminals",
            "Terminals that have sent nothing for too long, by whether that is to be expected.",
            labels=["expected"],
        )
        silent.add_metric(["true"], survey.silent_expected)
        silent.add_metric(["false"], survey.silent_unexpected)
        yield silent
        yield _gauge("fucai_ledger_flood_terminals", "Terminals with too many quarantined events.", len(survey.floods))
        yield _gauge(
            "fucai_ledger_unreadable_records", "Kafka records kept as raw bytes in quarantine.", survey.unreadable
        )
        if self._embargo().sealed(int(now * 1000)) <= survey.sealed:
            yield from _conservation(survey)


def _conservation(survey: Survey) -> Iterator[Metric]:
    events = GaugeMetricFamily(
        "fucai_conservation_events",
        "Events by game and by what became of them in the store; without those of sealed draws.",
        labels=["game", "outcome"],
    )
    for game in sorted({game for game, _ in survey.events}):
        for outcome in Outcome:
            events.add_metric([game, outcome.value], survey.events.get((game, outcome), 0))
    yield events
    yield _gauge(
        "fucai_conservation_withheld_draws",
        "Draws whose events stand in no figure now: sealed, or in no table.",
        survey.withheld_draws,
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return cast("Metric", GaugeMetricFamily(name, text, value=value))
