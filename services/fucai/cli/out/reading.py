"""Reads what every answer of analytics has into a sheet's values: growth, days, definitions, names, bilingual texts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from fucai.cli.out.sheet import Change, Column, Definition, Fact, Kind, Mark
from fucai.domain.labels import BY_DIMENSION, DIMENSIONS, Label
from fucai.v1 import analytics_pb2 as pb

_MARKS = {pb.GrowthMark.Value(f"GROWTH_MARK_{mark}"): mark for mark in Mark}
_WITH_RATIO = frozenset({Mark.RATIO, Mark.PARTIAL_BASE})


def change_of(growth: pb.Growth) -> Change | None:
    """The growth figure; None where nothing was compared, or a newer service has a mark that is not known here."""
    mark = _MARKS.get(growth.mark)
    return None if mark is None else Change(growth.ratio if mark in _WITH_RATIO else None, mark)


def day_of(text: str) -> date | None:
    """A day of the contract; None where it is empty."""
    return date.fromisoformat(text) if text else None


def definitions_of(found: Iterable[pb.Definition]) -> list[Definition]:
    """The definitions of an answer."""
    return [Definition(each.name, Label(each.text_zh, each.text_en)) for each in found]


def both_of(text: str) -> Label:
    """A text that is Chinese, then English, with a slash between; the same in both languages without one."""
    zh, slash, en = text.partition(" / ")
    return Label(zh, en if slash else zh)


def group_columns(dimension: str) -> list[Column]:
    """The two columns of a dimension: the value for programs, its name for people."""
    label = DIMENSIONS.get(dimension, Label(dimension, dimension))
    coded = Label(f"{label.zh}代码", f"{label.en} code")
    return [Column(dimension, Kind.ID, coded, screen=None), Column(f"{dimension}_name", Kind.NAME, label)]


def group_cells(dimension: str, value: str, name: str) -> tuple[str, Label | str]:
    """The cells under `group_columns`: names of codes are those of the labels, else the service's."""
    return value, BY_DIMENSION.get(dimension, {}).get(value) or name


def days_fact(key: str, label: Label, text: str) -> Fact:
    """A day of the answer as a fact."""
    return Fact(key, Kind.DAY, label, day_of(text))
