"""The conditions that a bulletin was asked for with, in words. Reads and checks none."""

from __future__ import annotations

from fucai.cli.output import Lang
from fucai.cli.report.texts import pick, say
from fucai.domain.labels import BY_DIMENSION, DIMENSIONS, Label
from fucai.v1 import analytics_pb2 as pb

_EVENTS = {"draw": Label("期号", "draw"), "weekday": Label("星期", "weekday"), "hour": Label("时段", "hour")}


def conditions(selection: pb.Selection, lang: Lang) -> str:
    """All of them, each with its dimension and values by name; empty where there is none."""
    return say("between", lang).join(_condition(one, lang) for one in selection.filters)


def _condition(one: pb.Filter, lang: Lang) -> str:
    label = DIMENSIONS.get(one.dimension) or _EVENTS.get(one.dimension, Label(one.dimension, one.dimension))
    names = BY_DIMENSION.get(one.dimension, {})
    values = say("or", lang).join(pick(names.get(value, Label(value, value)), lang) for value in one.values)
    return say("condition not" if one.exclude else "condition", lang, dimension=pick(label, lang), values=values)
