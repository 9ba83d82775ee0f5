"""Alerts of a day as an answer: reads the question, has the day judged, counts by rule and cuts pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from fucai.analytics import watch_definitions
from fucai.analytics.alert_parameters import parameters_of, read_parameters
from fucai.analytics.asked import Asked
from fucai.analytics.judging import DaySold, Judged, compared_days, judge
from fucai.analytics.open_outlets import FILTERS, OpenOutlet
from fucai.analytics.paging import page
from fucai.analytics.questions import BadQuestionError, read_day
from fucai.analytics.reach import Reach, reach
from fucai.analytics.selection import Condition, Selection, read_selection
from fucai.domain.alerts import OF_OUTLETS, Alert, Rule, RuleSet, describe
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

RULES = tuple(rule.value for rule in Rule)

_DAY = timedelta(days=1)


async def alerts(asked: Asked, request: analytics_pb2.AlertsRequest) -> analytics_pb2.AlertsResponse:
    """The answer: alerts by rule, then the largest difference first, then by outlet; each rule with their number.

    Raises:
        BadQuestionError: a field is wrong.
    """
    now = await reach(asked.ask)
    bad: list[Violation] = []
    selection = read_selection(request.selection, asked.today, asked.now_ms, bad, allowed=FILTERS)
    wanted = _rules(request.rules, bad)
    day = _day(request.day, asked, now, bad)
    rules = read_parameters(request.parameters, bad)
    if bad:
        raise BadQuestionError(bad)
    found = Judged([], {}, {}, [], [])
    if day is not None and now.first_day is not None:
        found = await judge(asked.ask, now, day, wanted, selection, rules)
    shown, token = page(found.alerts, request)
    counts = Counter(alert.rule for alert in found.alerts)
    return analytics_pb2.AlertsResponse(
        alerts=[_message(alert, found.outlets.get(alert.outlet_id)) for alert in shown],
        total_rows=len(found.alerts),
        next_page_token=token,
        rules=[_rule(rule, rules, found.evaluated.get(rule, 0), counts[rule]) for rule in wanted],
        parameters=parameters_of(rules),
        day=day.isoformat() if day else "",
        games_left_out=found.left_out,
        note_zh="；".join(note.zh for note in found.notes),
        note_en="; ".join(note.en for note in found.notes),
        about=asked.about(now, watch_definitions.of_alerts(rules)),
    )


async def outlet_alerts(
    asked: Asked,
    now: Reach,
    day: date,
    outlet: OpenOutlet,
    sold: Collection[DaySold] | None = None,
    *,
    as_of_ms: int = 0,
) -> list[analytics_pb2.Alert]:
    """The alerts that stand for one outlet that is open on `last_day`, by the default parameters.

    What it `sold` on the `watched_days` is looked up unless given.
    """
    selection = Selection((Condition("outlet", (outlet.outlet_id,)),), as_of_ms=as_of_ms)
    outlets = {outlet.outlet_id: outlet}
    found = await judge(asked.ask, now, day, OF_OUTLETS, selection, RuleSet(), outlets, sold)
    return [_message(alert, found.outlets.get(alert.outlet_id)) for alert in found.alerts]


def last_day(asked: Asked, now: Reach) -> date | None:
    """The last stored day that is over and after whose end something was received, so that it can be judged.

    Else an outage of the collection would look like a fall everywhere. None where there is no such day.
    """
    if now.first_day is None or now.last_day is None:
        return None
    received = datetime.fromtimestamp(now.latest_received_ms / 1000, asked.zone).date()
    day = min(now.last_day, asked.today - _DAY, received - _DAY)
    return day if day >= now.first_day else None


def watched_days(day: date) -> list[date]:
    """The days of whose sales `outlet_alerts` needs to know."""
    return compared_days(day, RuleSet())


def _rules(names: Iterable[str], bad: list[Violation]) -> list[Rule]:
    """The rules of these names in the order of `Rule`; all for none."""
    given = list(names)
    for place, name in enumerate(given):
        if name not in RULES:
            bad.append(Violation(f"rules[{place}]", f"{name!r} is no rule: choose {', '.join(RULES)}"))
        elif name in given[:place]:
            bad.append(Violation(f"rules[{place}]", f"{name!r} stands twice: name each rule once"))
    return [rule for rule in Rule if not given or rule.value in given]


def _day(text: str, asked: Asked, now: Reach, bad: list[Violation]) -> date | None:
    """The day to judge."""
    if not text:
        return last_day(asked, now)
    day = read_day("day", text, bad)
    if day is None or now.first_day is None or now.last_day is None:
        return day
    last = min(now.last_day, asked.today - _DAY)
    if day >= asked.today:
        bad.append(Violation("day", f"{day} is not over: choose a day up to {last}; for now, ask who is silent"))
    elif not now.first_day <= day <= last:
        bad.append(Violation("day", f"{day} is not stored: choose {now.first_day} to {last}"))
    return day


def _rule(rule: Rule, rules: RuleSet, evaluated: int, count: int) -> analytics_pb2.AlertRule:
    zh, en = describe(rule, rules)
    return analytics_pb2.AlertRule(rule=rule.value, text_zh=zh, text_en=en, evaluated=evaluated, alerts=count)


def _message(alert: Alert, outlet: OpenOutlet | None) -> analytics_pb2.Alert:
    quantities = [
        analytics_pb2.Quantity(count=value)
        if alert.rule is Rule.ACTIVE_TERMINALS
        else analytics_pb2.Quantity(fen=value)
        for value in (alert.actual, alert.expected)
    ]
    return analytics_pb2.Alert(
        rule=alert.rule.value,
        day=alert.day.isoformat(),
        outlet_id=alert.outlet_id,
        outlet_name=outlet.name if outlet else "",
        mgmt_area=outlet.mgmt_area if outlet else "",
        actual=quantities[0],
        expected=quantities[1],
        score=alert.score,
        text_zh=alert.text_zh,
        text_en=alert.text_en,
    )
