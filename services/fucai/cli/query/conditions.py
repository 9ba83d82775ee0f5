"""The events that a question was asked about, in words, so that an answer about a part is not taken for the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fucai.cli.out.sheet import Note, Row, Sheet, Tone
from fucai.cli.out.words import local_time
from fucai.cli.output import Lang
from fucai.domain.labels import BY_DIMENSION, DIMENSIONS, Label
from fucai.v1 import analytics_pb2 as pb

WHOLE = Label("全渠道", "whole channel")
CHOSEN = Label("所选合计", "all selected")
_TODAY = Label("区域、业态等按今日登记", "zones, formats and so on as registered today")


def conditions(selection: pb.Selection, lang: Lang) -> str:
    """All of them, each with its dimension and values by name; empty where there is none."""
    return str(getattr(_joined([_condition(one) for one in selection.filters]), lang))


def chosen(sheet: Sheet, selection: pb.Selection) -> Sheet:
    """The sheet with a loud line that names conditions, attributes and moment, where any was asked for.

    With conditions, a row of the whole channel is called all that was selected, for it is no more than that.
    """
    said = [_condition(one) for one in selection.filters]
    both = _joined(said)
    kept = [Label(f"只计：{both.zh}", f"only: {both.en}")] if said else []
    if selection.attributes == pb.ATTRIBUTE_BASIS_TODAY:
        kept.append(_TODAY)
    if selection.as_of_ms:
        moment = local_time(selection.as_of_ms).isoformat(sep=" ", timespec="seconds")
        kept.append(Label(f"只含 {moment} 前入库的事件", f"only what was stored by {moment}"))
    if not kept:
        return sheet
    found = part_named(sheet, selection)
    return replace(found, notes=[Note(_joined(kept), Tone.STRONG), *found.notes])


def part_named(sheet: Sheet, selection: pb.Selection) -> Sheet:
    """The sheet in which, with conditions, a row of the whole channel is called all that was selected."""
    if not selection.filters:
        return sheet
    rows: list[Row] = [tuple(CHOSEN if cell == WHOLE else cell for cell in row) for row in sheet.rows]
    return replace(sheet, rows=rows)


def _joined(labels: Sequence[Label]) -> Label:
    return Label("；".join(label.zh for label in labels), "; ".join(label.en for label in labels))


def _condition(one: pb.Filter) -> Label:
    label = DIMENSIONS.get(one.dimension, Label(one.dimension, one.dimension))
    names = BY_DIMENSION.get(one.dimension, {})
    values = [names.get(value, Label(value, value)) for value in one.values]
    zh, en = "或".join(value.zh for value in values), " or ".join(value.en for value in values)
    if one.exclude:
        return Label(f"{label.zh}不为{zh}", f"{label.en} is not {en}")
    return Label(f"{label.zh}为{zh}", f"{label.en} is {en}")
