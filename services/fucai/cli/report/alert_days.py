"""Alerts of several days as one sheet, made of the sheet that a day has."""

from __future__ import annotations

from dataclasses import replace

from fucai.cli.out.sheet import Sheet
from fucai.cli.query.alerts_sheet import alerts_sheet
from fucai.cli.report.gather import Alerts
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb

SHOWN = 40


def alert_days_sheet(found: Alerts) -> Sheet:
    """A row for each alert, those furthest from what was expected first; all are counted, by rule and in all."""
    alerts = [alert for answer in found.answers for alert in answer.alerts]
    largest = sorted(alerts, key=lambda alert: (-abs(alert.score), alert.day, alert.rule, alert.outlet_id))
    notes = list(dict.fromkeys((answer.note_zh, answer.note_en) for answer in found.answers if answer.note_zh))
    merged = pb.AlertsResponse(
        alerts=largest[:SHOWN],
        total_rows=sum(answer.total_rows for answer in found.answers),
        rules=_rules(found),
        note_zh="；".join(zh for zh, _ in notes),
        note_en="; ".join(en for _, en in notes),
    )
    if found.answers:
        merged.about.CopyFrom(found.answers[0].about)
    sheet = alerts_sheet(merged)
    columns = [replace(one, screen=0) if one.key == "day" else one for one in sheet.columns]
    days = [answer.day for answer in found.answers if answer.day]
    span = f"{days[0]}..{days[-1]}" if days else ""
    return replace(sheet, columns=columns, title=Label(f"预警 {span}".strip(), f"Alerts {span}".strip()))


def _rules(found: Alerts) -> list[pb.AlertRule]:
    """The rules with their counts of all days."""
    rules: dict[str, pb.AlertRule] = {}
    for one in (rule for answer in found.answers for rule in answer.rules):
        known = rules.setdefault(one.rule, pb.AlertRule(rule=one.rule, text_zh=one.text_zh, text_en=one.text_en))
        known.alerts += one.alerts
        known.evaluated += one.evaluated
    return list(rules.values())
