"""A pairing of two periods as notes and facts of a sheet: both exact ranges, the rule, and why it may mislead."""

from __future__ import annotations

from fucai.cli.out.reading import days_fact
from fucai.cli.out.sheet import Fact, Kind, Note, Tone
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb


def pairing_notes(found: pb.Pairing) -> list[Note]:
    """The warning where there is one, then the rule with both ranges."""
    loud = [Note(Label(found.warning_zh, found.warning_en), Tone.WARNING)] if found.warning_zh else []
    return [*loud, Note(Label(found.rule_zh, found.rule_en))]


def pairing_facts(found: pb.Pairing) -> list[Fact]:
    """Both ranges, the rule and the open days, for the exports."""
    return [
        days_fact("from_day", Label("起", "from"), found.from_day),
        days_fact("to_day", Label("止", "to"), found.to_day),
        days_fact("base_from_day", Label("基期起", "base from"), found.base_from_day),
        days_fact("base_to_day", Label("基期止", "base to"), found.base_to_day),
        Fact("comparison_rule", Kind.TEXT, Label("对比规则", "comparison rule"), Label(found.rule_zh, found.rule_en)),
        Fact("open_days", Kind.COUNT, Label("开市日", "open days"), found.open_days),
        Fact("base_open_days", Kind.COUNT, Label("基期开市日", "open days of the base"), found.base_open_days),
        days_fact("unfinished_as_of", Label("未完，截至", "unfinished, as of"), found.unfinished_as_of),
        Fact("warning", Kind.TEXT, Label("提示", "warning"), Label(found.warning_zh, found.warning_en)),
    ]


def period_title(found: pb.Pairing) -> str:
    """The period in a title."""
    return f"{found.from_day}..{found.to_day}"
