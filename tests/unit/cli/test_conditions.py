"""What an answer says of the events it was asked about."""

from __future__ import annotations

import pytest

from fucai.cli.out.sheet import Column, Kind, Sheet, Tone
from fucai.cli.output import Lang
from fucai.cli.query.conditions import CHOSEN, WHOLE, chosen, conditions
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import run, serving
from tests.unit.cli.report.answers import FullAnalytics

SHEET = Sheet("growth", Label("增长", "Growth"), [Column("scope", Kind.NAME, Label("范围", "scope"))], [(WHOLE,)])


def test_a_question_about_everything_leaves_the_sheet_as_it_is() -> None:
    """No line, and the whole channel keeps its name; an explanation changes no figure."""
    assert chosen(SHEET, pb.Selection(explain=True)) is SHEET


def test_conditions_are_named_and_a_part_is_not_called_the_whole() -> None:
    """Both signs, by the names that people know; the row of the whole is that of all selected."""
    asked = pb.Selection(
        filters=[
            pb.Filter(dimension="zone_type", values=["night_market", "complex"]),
            pb.Filter(dimension="draw", values=["2026058"], exclude=True),
        ]
    )
    found = chosen(SHEET, asked)
    assert found.rows == [(CHOSEN,)]
    assert found.notes[0].tone is Tone.STRONG
    assert found.notes[0].text == Label(
        "只计：区域类型为夜市或综合体；期次不为2026058",
        "only: zone type is night market or complex; draw is not 2026058",
    )
    assert conditions(asked, Lang.EN) == "zone type is night market or complex; draw is not 2026058"


def test_attributes_and_moment_are_told_of_the_whole_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    """They choose no part, so the whole stays the whole; the moment stands in the business time zone."""
    monkeypatch.setenv("FUCAI_TIMEZONE", "Asia/Shanghai")
    found = chosen(SHEET, pb.Selection(attributes=pb.ATTRIBUTE_BASIS_TODAY, as_of_ms=1_740_787_200_000))
    assert found.rows == SHEET.rows
    assert found.notes[0].text.zh == "区域、业态等按今日登记；只含 2025-03-01 08:00:00+08:00 前入库的事件"
    assert "only what was stored by 2025-03-01 08:00:00+08:00" in found.notes[0].text.en


@pytest.mark.parametrize(
    "question",
    ["headline --by zone_type", "growth --by game", "decompose", "rank", "trend", "profile", "silent", "alerts"],
)
def test_every_question_tells_its_conditions(question: str) -> None:
    """Whatever is asked, the table says of which events it is."""
    with serving(FullAnalytics()) as address:
        ran = run("query", *question.split(), "--filter", "district=河西", FUCAI_ANALYTICS=address)
    assert ran.exit_code == 0, ran.err
    assert "only: district is 河西" in ran.out
