"""Tables that belong to an answer, cards, and what acting commands say: whole in each format, or said to be missing."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import openpyxl
import pytest
from rich.console import Console

from fucai.cli.out.act import say
from fucai.cli.out.card import card
from fucai.cli.out.deliver import talk, write
from fucai.cli.out.options import Format, Output
from fucai.cli.out.screen import View, show
from fucai.cli.out.sheet import Column, Kind, Sheet
from fucai.cli.output import Lang
from fucai.domain.labels import Label
from tests.unit.cli.out.sheets import ROW, sheet_of

FINDINGS = Sheet(
    "findings",
    Label("发现", "Findings"),
    [Column("seq", Kind.ID, Label("序号", "seq"))],
    [("0042",), (str(2**64 - 1),)],
)
WITH = replace(sheet_of([ROW]), beside=[FINDINGS])


def drawn(look: object) -> str:
    """What a person sees."""
    file = io.StringIO()
    Console(file=file, width=100).print(look)
    return file.getvalue()


def written(form: Format) -> bytes:
    """The answer with its findings in a format."""
    out = io.BytesIO()
    write(WITH, Output(form, Lang.EN), out)
    return out.getvalue()


def test_tables_beside_stand_in_json_xlsx_and_on_screen() -> None:
    """With every digit of a number that fits no integer of theirs."""
    rows = json.loads(written(Format.JSON))["beside"]["findings"]["rows"]
    assert [row["seq"] for row in rows] == ["0042", "18446744073709551615"]
    with pytest.warns(UserWarning, match="Sparkline"):  # openpyxl cannot keep the curves of the main table
        page = openpyxl.load_workbook(io.BytesIO(written(Format.XLSX)))["findings"]
    assert [page.cell(down, 1).value for down in (1, 2, 3)] == ["seq", "0042", "18446744073709551615"]
    seen = drawn(show(WITH, View(Lang.EN, 100)))
    assert seen.index("Findings") < seen.index("18446744073709551615")


@pytest.mark.parametrize("form", [Format.CSV, Format.PARQUET, Format.ARROW])
def test_a_file_of_one_table_says_what_it_lacks(form: Format) -> None:
    """How many rows of which table, and which formats have them; others say nothing of the kind."""
    assert "Findings: 2 rows not in this file" in talk(WITH, Output(form, Lang.EN), 0)
    assert "发现: 2 行 不在此文件中" in talk(WITH, Output(form, Lang.ZH), 0)
    assert "not in this file" not in talk(WITH, Output(Format.JSON, Lang.EN), 0)


def test_a_card_has_a_line_for_each_value() -> None:
    """Label and value, in the unit of a table, without columns kept for exports; notes and tables beside follow."""
    columns = [Column("a", Kind.ID, Label("甲", "a")), Column("b", Kind.TEXT, Label("乙", "b"), screen=None)]
    columns += [Column("c", Kind.COUNT, Label("丙", "c")), Column("d", Kind.TEXT, Label("丁", "d"))]
    sheet = Sheet("s", Label("", ""), columns, [("007", "hidden", 1_234, None)], beside=[FINDINGS])
    lines = drawn(card(sheet, View(Lang.ZH, 100))).splitlines()
    assert [line.split() for line in lines[:2]] == [["甲", "007"], ["丙", "1,234"]]
    assert "丁" not in "".join(lines)
    assert "0042" in "".join(lines)


def test_an_act_is_sentences_or_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json, stdout is the object alone and the sentences go to stderr."""
    say({"added": 3}, ["3 added", "[b]x"], json=False)
    assert capsys.readouterr() == ("3 added\n[b]x\n", "")
    say({"added": 3}, ["3 added", "[b]x"], json=True)
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"added": 3}, "3 added\n[b]x\n")
