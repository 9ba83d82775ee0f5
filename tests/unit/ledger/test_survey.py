"""What Prometheus sees of the ledger, and what becomes of a survey that fails."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from fucai.domain.embargo import DrawTimes, Embargo
from fucai.domain.flood import Traffic
from fucai.ledger.conservation import Outcome
from fucai.ledger.metrics import SurveyCollector, SurveyMetrics
from fucai.ledger.schedule import Schedule
from fucai.ledger.store import StoreAwayError
from fucai.ledger.survey import Survey
from fucai.runtime.progress import Progress
from fucai.runtime.snapshot import RegistryAwayError
from fucai.runtime.telemetry import configure_logging

SURVEY = Survey(
    gaps=2,
    missing=5,
    oldest_gap_ms=1_000_000,
    silent_expected=7,
    silent_unexpected=1,
    floods=[Traffic("T-1", 300, 10)],
    events={("ssq", Outcome.STORED): 8, ("ssq", Outcome.OPEN): 2},
    withheld_draws=1,
    unreadable=3,
)


class Rig:
    """A schedule whose surveys are given by the test, and whose clock is set by hand."""

    def __init__(self, *answers: Survey | Exception) -> None:
        self.now = 2_000.0
        self.registry = CollectorRegistry()
        self.embargo = Embargo()
        self.collector = SurveyCollector(lambda: self.embargo, clock=lambda: self.now)
        self.registry.register(self.collector)
        self.progress = Progress()
        self._answers = list(answers)
        log: FilteringBoundLogger = configure_logging(service="ledger", instance="test-0")
        self.schedule = Schedule(
            self._take,
            self.collector,
            metrics=SurveyMetrics(self.registry),
            progress=self.progress,
            log=log,
            interval_s=30,
        )

    async def _take(self) -> Survey:
        answer = self._answers.pop(0)
        if isinstance(answer, Survey):
            return answer
        raise answer

    def turn(self) -> None:
        """One survey."""
        asyncio.run(self.schedule.turn())

    def value(self, name: str, **labels: str) -> float | None:
        """One sample; None where it is absent."""
        return self.registry.get_sample_value(name, labels)


def test_before_the_first_survey_there_is_no_figure() -> None:
    """A failed query is no zero: nothing is shown, the failure is counted, and readiness tells why."""
    rig = Rig(StoreAwayError("ClickHouse is away"), RegistryAwayError("no answer"))
    rig.turn()
    rig.turn()
    assert rig.value("fucai_ledger_open_gaps") is None
    assert rig.value("fucai_ledger_survey_failures_total", away="clickhouse") == 1
    assert rig.value("fucai_ledger_survey_failures_total", away="registry") == 1
    assert "no figures yet" in rig.progress.readiness().reason


def test_a_survey_is_shown_with_its_age() -> None:
    """Figures stay as they were after a failure, and grow old in sight; readiness is lost when they are stale."""
    rig = Rig(SURVEY, StoreAwayError("ClickHouse is away"))
    rig.turn()
    assert rig.progress.readiness().ready
    assert rig.value("fucai_ledger_open_gaps") == 2
    assert rig.value("fucai_ledger_missing_events") == 5
    assert rig.value("fucai_ledger_oldest_gap_age_seconds") == 1_000
    assert rig.value("fucai_ledger_silent_terminals", expected="false") == 1
    assert rig.value("fucai_ledger_silent_terminals", expected="true") == 7
    assert rig.value("fucai_ledger_flood_terminals") == 1
    assert rig.value("fucai_ledger_unreadable_records") == 3
    assert rig.value("fucai_conservation_events", game="ssq", outcome="stored") == 8
    assert rig.value("fucai_conservation_events", game="ssq", outcome="duplicate") == 0
    assert rig.value("fucai_conservation_withheld_draws") == 1
    rig.now += 100
    rig.turn()
    assert rig.value("fucai_ledger_open_gaps") == 2
    assert rig.value("fucai_ledger_figures_age_seconds") == 100
    assert not rig.progress.readiness().ready
    assert "100 s old" in rig.progress.readiness().reason


def test_counts_end_when_a_draw_is_sealed_that_they_may_contain() -> None:
    """From its scheduled close on, or once a seal by hand is known, they are absent until the next survey."""
    rig = Rig(replace(SURVEY, sealed=frozenset({("ssq", "1")})))
    rig.embargo = Embargo({("ssq", "1"): DrawTimes(1, 0), ("ssq", "2"): DrawTimes(2_060_000, 0)})
    rig.turn()
    rig.now += 59
    assert rig.value("fucai_conservation_events", game="ssq", outcome="stored") == 8
    rig.now += 1
    assert rig.value("fucai_conservation_events", game="ssq", outcome="stored") is None
    assert rig.value("fucai_ledger_open_gaps") == 2
    rig.now -= 30
    assert rig.value("fucai_conservation_events", game="ssq", outcome="stored") == 8
    rig.embargo = rig.embargo.with_draws({("ssq", "2"): DrawTimes(1_000, 0)})
    assert rig.value("fucai_conservation_events", game="ssq", outcome="stored") is None


def test_without_gaps_the_age_is_a_counted_zero() -> None:
    """After a survey that found nothing missing, the age of the oldest gap is 0."""
    rig = Rig(replace(SURVEY, gaps=0, missing=0, oldest_gap_ms=0))
    rig.turn()
    assert rig.value("fucai_ledger_oldest_gap_age_seconds") == 0


def test_a_flood_is_told_once_when_it_begins_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each beginning and each end, however many surveys see it."""
    rig = Rig(SURVEY, SURVEY, replace(SURVEY, floods=[]), SURVEY)
    for _ in range(4):
        rig.turn()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told = [(line["event"], line["terminal"]) for line in lines if "flood" in line["event"]]
    assert told == [("quarantine flood", "T-1"), ("quarantine flood is over", "T-1"), ("quarantine flood", "T-1")]
