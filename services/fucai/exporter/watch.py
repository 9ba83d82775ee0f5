"""What to look at, as metrics: alerts of the last judged day by rule, and outlets that are silent now. Counts only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from functools import partial
from zoneinfo import ZoneInfo

from fucai.exporter.family import CHANNEL, Sample
from fucai.exporter.question import Asking, Question
from fucai.v1 import analytics_pb2 as pb

_ALERTS = CHANNEL.family(
    "alerts",
    "Alerts of the last judged day, by rule: fall, rise, silence, active_terminals; absent where nothing was judged.",
    ("rule",),
)
_EVALUATED = CHANNEL.family(
    "alerts_evaluated", "Outlets that the rule could judge on that day; of active_terminals the terminals.", ("rule",)
)
_DAY = CHANNEL.family("alerts_day_end_timestamp_seconds", "End of the business day that alerts judge, Unix time.")
_SILENT = CHANNEL.family("silent_outlets", "Outlets that usually sell in these hours and have not for 24 of them.")
_WATCHED = CHANNEL.family("watched_outlets", "Outlets looked at for silence: registered and open on the day.")
_PATTERNLESS = CHANNEL.family(
    "watched_outlets_without_pattern",
    "Those of them that can not be judged: no single sale lately (daily summaries are none), and no usual hours.",
)


def alerts_question(asking: Asking) -> Question:
    """Alerts, of which the counts are enough."""
    request = pb.AlertsRequest(page_size=1)
    samples = partial(_alerts, asking.zone)
    return Question("alerts", "Alerts", lambda _: request, (_ALERTS, _EVALUATED, _DAY), samples)


def silent_question() -> Question:
    """Silent outlets, of which the counts are enough."""
    request = pb.SilentRequest(page_size=1)
    return Question("silent", "Silent", lambda _: request, (_SILENT, _WATCHED, _PATTERNLESS), _silent)


def _alerts(zone: ZoneInfo, answer: pb.AlertsResponse) -> Iterator[Sample]:
    if not answer.day:
        return
    after = date.fromisoformat(answer.day) + timedelta(days=1)
    yield Sample(_DAY, (), datetime.combine(after, clock_time(), zone).timestamp())
    for rule in answer.rules:
        yield Sample(_EVALUATED, (rule.rule,), rule.evaluated)
        if rule.evaluated:
            yield Sample(_ALERTS, (rule.rule,), rule.alerts)


def _silent(answer: pb.SilentResponse) -> Iterator[Sample]:
    if not answer.at_ms:
        return
    yield Sample(_SILENT, (), answer.total_rows)
    yield Sample(_WATCHED, (), answer.watched)
    yield Sample(_PATTERNLESS, (), answer.without_pattern)
