"""Sheets that only a bulletin has: silent outlets and alerts, in the forms that the page can print."""

from __future__ import annotations

from collections.abc import Iterable

from fucai.cli.out.reading import day_of, definitions_of
from fucai.cli.out.sheet import Cell, Column, Kind, Note, Row, Sheet, Tone
from fucai.cli.out.words import local_time
from fucai.cli.report.gather import Alerts
from fucai.cli.report.texts import TEXTS
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb

ALERTS_SHOWN = 40
RULES = {
    "fall": Label("骤降", "fall"),
    "rise": Label("骤升", "rise"),
    "silence": Label("静默", "silence"),
    "active_terminals": Label("终端活跃率", "active terminals"),
}
"""Names of the rules for people."""


def silent_sheet(answer: pb.SilentResponse) -> Sheet:
    """A row for each silent outlet, the largest usual sales first."""
    return Sheet(
        name="silent",
        title=TEXTS["silent"],
        columns=[
            Column("outlet", Kind.NAME, TEXTS["outlet"]),
            Column("zone", Kind.NAME, TEXTS["zone"], screen=2),
            Column("mgmt_area", Kind.NAME, TEXTS["area"], screen=3),
            Column("last_sale", Kind.TIME, TEXTS["last sale"]),
            Column("silent_hours", Kind.NUMBER, TEXTS["silent hours"]),
            Column("usual_sales", Kind.MONEY, TEXTS["usual sales"], "sales"),
            Column("reason", Kind.TEXT, TEXTS["reason"]),
        ],
        rows=[
            (
                one.outlet_name or one.outlet_id,
                one.zone_name,
                one.mgmt_area,
                local_time(one.last_sale_ms) if one.last_sale_ms else None,
                one.silent_hours,
                one.usual_sales_fen,
                Label(one.reason_zh, one.reason_en),
            )
            for one in answer.outlets
        ],
        available=answer.total_rows,
        currency=answer.about.currency,
        notes=_notes([(answer.note_zh, answer.note_en)]),
        definitions=definitions_of(answer.about.definitions),
    )


def rules_sheet(found: Alerts) -> Sheet:
    """A row for each rule: what it says, how many it judged, and its alerts."""
    rules: dict[str, list[pb.AlertRule]] = {}
    for answer in found.answers:
        for rule in answer.rules:
            rules.setdefault(rule.rule, []).append(rule)
    return Sheet(
        name="alert_rules",
        title=TEXTS["alert rules"],
        columns=[
            Column("rule", Kind.NAME, TEXTS["rule name"]),
            Column("judged", Kind.COUNT, TEXTS["judged"]),
            Column("alerts", Kind.COUNT, TEXTS["alert count"]),
            Column("meaning", Kind.TEXT, TEXTS["meaning"]),
        ],
        rows=[
            (
                RULES.get(name, Label(name, name)),
                sum(one.evaluated for one in days),
                sum(one.alerts for one in days),
                Label(days[-1].text_zh, days[-1].text_en),
            )
            for name, days in rules.items()
        ],
        notes=_notes((answer.note_zh, answer.note_en) for answer in found.answers),
        empty=TEXTS["no alerts"],
    )


def alerts_sheet(found: Alerts) -> Sheet:
    """A row for each alert of the period, those furthest from what was expected first; the others are counted."""
    alerts = [alert for answer in found.answers for alert in answer.alerts]
    largest = sorted(alerts, key=lambda alert: (-abs(alert.score), alert.day, alert.outlet_id))
    return Sheet(
        name="alerts",
        title=TEXTS["alerts"],
        columns=[
            Column("day", Kind.DAY, TEXTS["day"]),
            Column("rule", Kind.NAME, TEXTS["rule name"]),
            Column("outlet", Kind.NAME, TEXTS["outlet"]),
            Column("mgmt_area", Kind.NAME, TEXTS["area"], screen=3),
            Column("score", Kind.NUMBER, TEXTS["score"], screen=2),
            Column("text", Kind.TEXT, TEXTS["alert text"]),
        ],
        rows=[_alert(alert) for alert in largest[:ALERTS_SHOWN]],
        available=sum(answer.total_rows for answer in found.answers),
        currency=found.answers[0].about.currency if found.answers else "",
        empty=TEXTS["no alerts"],
    )


def _alert(alert: pb.Alert) -> Row:
    outlet: Cell = alert.outlet_name or alert.outlet_id or TEXTS["whole"]
    rule = RULES.get(alert.rule, Label(alert.rule, alert.rule))
    text = Label(alert.text_zh, alert.text_en)
    return day_of(alert.day), rule, outlet, alert.mgmt_area or None, alert.score or None, text


def _notes(texts: Iterable[tuple[str, str]]) -> list[Note]:
    """Each text that says something, once."""
    return [Note(Label(zh, en), Tone.WARNING) for zh, en in dict.fromkeys(texts) if zh or en]
