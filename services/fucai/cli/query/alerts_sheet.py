"""Alerts of a day as a sheet: a row for each, by rule; the rules with their parameters and counts as notes."""

from __future__ import annotations

from fucai.cli.out.reading import day_of, days_fact, definitions_of
from fucai.cli.out.sheet import Column, Fact, Kind, Note, Row, Sheet, Tone
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb

_RULES = {
    "fall": Label("骤降", "fall"),
    "rise": Label("骤升", "rise"),
    "silence": Label("静默", "silence"),
    "active_terminals": Label("终端活跃率", "active terminals"),
}
_CHANNEL = Label("全渠道", "whole channel")
_COLUMNS = [
    Column("rule", Kind.ID, Label("规则代码", "rule code"), screen=None),
    Column("rule_name", Kind.NAME, Label("规则", "rule"), "alert"),
    Column("day", Kind.DAY, Label("日期", "day"), screen=None),
    Column("outlet", Kind.ID, Label("网点代码", "outlet"), screen=3),
    Column("outlet_name", Kind.NAME, Label("网点", "name")),
    Column("mgmt_area", Kind.TEXT, Label("分区", "area"), screen=4),
    Column("actual", Kind.MONEY, Label("实际", "actual"), "alert"),
    Column("expected", Kind.MONEY, Label("预期", "expected"), "alert", screen=1),
    Column("actual_count", Kind.COUNT, Label("实际终端", "terminals"), "alert", screen=None),
    Column("expected_count", Kind.COUNT, Label("预期终端", "terminals expected"), "alert", screen=None),
    Column("score", Kind.NUMBER, Label("z", "z"), "alert", screen=2),
    Column("text", Kind.TEXT, Label("说明", "what happened")),
    Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
]


def alerts_sheet(answer: pb.AlertsResponse) -> Sheet:
    """The answer; of active terminals the numbers are terminals, else sales."""
    return Sheet(
        name="alerts",
        title=Label(f"预警 {answer.day}", f"Alerts {answer.day}"),
        columns=_COLUMNS,
        rows=[_row(one, answer) for one in answer.alerts],
        available=answer.total_rows,
        currency=answer.about.currency,
        facts=[
            days_fact("alerts_day", Label("日期", "day"), answer.day),
            *(
                Fact(f"{one.rule}_alerts", Kind.COUNT, _RULES.get(one.rule, Label(one.rule, one.rule)), one.alerts)
                for one in answer.rules
            ),
            Fact("games_left_out", Kind.TEXT, Label("未计游戏", "games left out"), ", ".join(answer.games_left_out)),
            *(_parameters(answer.parameters) if answer.HasField("parameters") else ()),
        ],
        notes=[
            *([Note(Label(answer.note_zh, answer.note_en), Tone.WARNING)] if answer.note_zh else []),
            *([Note(Label(f"日期 {answer.day}", f"day {answer.day}"))] if answer.day else []),
            *map(_rule, answer.rules),
        ],
        definitions=definitions_of(answer.about.definitions),
        freshness=answer.about.freshness,
        empty=Label("没有预警", "no alert"),
    )


def _parameters(used: pb.AlertParameters) -> list[Fact]:
    """Every parameter that the rules had."""
    return [
        Fact("weeks", Kind.COUNT, Label("规律周数", "weeks of the pattern"), used.weeks),
        Fact("least_weeks", Kind.COUNT, Label("最少周数", "least weeks"), used.least_weeks),
        Fact("least_base", Kind.MONEY, Label("最低中位数", "least median"), used.least_base_fen),
        Fact("least_z", Kind.NUMBER, Label("最小 z", "least z"), used.least_z),
        Fact("least_change_bp", Kind.COUNT, Label("最小变动(万分比)", "least change (bp)"), used.least_change_bp),
        Fact("least_spread_bp", Kind.COUNT, Label("最小离散度(万分比)", "least spread (bp)"), used.least_spread_bp),
        Fact("least_share_bp", Kind.COUNT, Label("往常有售占比(万分比)", "usual share (bp)"), used.least_share_bp),
        Fact("least_active_bp", Kind.COUNT, Label("最低活跃率(万分比)", "least active (bp)"), used.least_active_bp),
    ]


def _rule(one: pb.AlertRule) -> Note:
    name = _RULES.get(one.rule, Label(one.rule, one.rule))
    return Note(
        Label(
            f"{name.zh}：{one.alerts:,} 条（判断 {one.evaluated:,} 个）；{one.text_zh}",
            f"{name.en}: {one.alerts:,} of {one.evaluated:,} judged; {one.text_en}",
        )
    )


def _row(one: pb.Alert, answer: pb.AlertsResponse) -> Row:
    counted = one.actual.HasField("count")
    return (
        one.rule,
        _RULES.get(one.rule, one.rule),
        day_of(one.day),
        one.outlet_id,
        one.outlet_name if one.outlet_id else _CHANNEL,
        one.mgmt_area,
        None if counted else one.actual.fen,
        None if counted else one.expected.fen,
        one.actual.count if counted else None,
        one.expected.count if counted else None,
        one.score or None,
        Label(one.text_zh, one.text_en),
        answer.about.currency,
    )
