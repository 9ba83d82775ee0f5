"""Exports read back by another library than the one that wrote them: nothing is lost, changed or a formula."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fucai.cli.errors import CliError
from fucai.cli.numbers import exact
from fucai.cli.out.deliver import write
from fucai.cli.out.document import document
from fucai.cli.out.flat import fields, plain_rows
from fucai.cli.out.options import Format, Output
from fucai.cli.out.sheet import Change, Column, Kind, Row, Sheet
from fucai.cli.output import Lang
from fucai.domain.labels import Label
from tests.unit.cli.out.sheets import COLUMNS, ROW, TEXT, rows, sheet_of

_FEW = settings(max_examples=40, deadline=None)
_SOME = settings(max_examples=15, deadline=None)  # a workbook takes a while
_QUIET = pytest.mark.filterwarnings("ignore:Sparkline Group extension:UserWarning")  # openpyxl cannot keep them
_SALES = [column.key for column in COLUMNS].index("sales")


def written(sheet: Sheet, form: Format, *, safe: bool = False, bom: bool = False, lang: Lang = Lang.EN) -> bytes:
    """The sheet in a format."""
    out = io.BytesIO()
    write(sheet, Output(form, lang, csv_safe=safe, bom=bom), out)
    return out.getvalue()


@_FEW
@given(rows())
def test_csv_is_exact(found: list[Row]) -> None:
    """Python's reader gets back every text and every fen; yuan and fen say the same; lines end as RFC 4180 has it."""
    raw = written(sheet_of(found), Format.CSV)
    assert raw.count(b"\r\n") == len(found) + 1 or any("\r\n" in str(cell) for row in found for cell in row)
    read = list(csv.DictReader(io.StringIO(raw.decode(), newline="")))
    assert [row["outlet"] for row in read] == [row[0] for row in found]
    assert [row["remark"] for row in read] == [row[2] or "" for row in found]
    for row, cells in zip(read, found, strict=True):
        fen = cells[_SALES]
        assert row["sales_fen"] == ("" if fen is None else str(fen))
        assert row["sales"] == "" or Decimal(row["sales"]) * 100 == fen
        change = cells[10]
        assert row["growth_ratio"] == (
            repr(change.ratio) if isinstance(change, Change) and change.ratio is not None else ""
        )


@_FEW
@given(rows())
def test_csv_opens_in_polars_as_text(found: list[Row]) -> None:
    """Another reader sees the same cells, with the mark of UTF-8 in front or without."""
    for bom in (False, True):
        read = pl.read_csv(written(sheet_of(found), Format.CSV, bom=bom), infer_schema=False).fill_null("")
        assert read["outlet"].to_list() == [row[0] for row in found]
        assert read["outlet_name"].to_list() == [row[1] or "" for row in found]


@_FEW
@given(rows())
def test_safe_csv_has_no_formula(found: list[Row]) -> None:
    """No text begins as a formula would; what is defused is the old text after an apostrophe; numbers stay."""
    plain = list(csv.DictReader(io.StringIO(written(sheet_of(found), Format.CSV).decode(), newline="")))
    safe = list(csv.DictReader(io.StringIO(written(sheet_of(found), Format.CSV, safe=True).decode(), newline="")))
    for before, after in zip(plain, safe, strict=True):
        for name in before:
            if name in ("outlet", "outlet_name", "remark"):
                assert not after[name].startswith(("=", "+", "-", "@", "\t", "\r"))
                assert after[name] in (before[name], f"'{before[name]}")
            else:
                assert after[name] == before[name]


@_FEW
@given(rows())
def test_json_is_exact(found: list[Row]) -> None:
    """The document read back is the document; integers are integers; every row has every column."""
    sheet = sheet_of(found)
    read = json.loads(written(sheet, Format.JSON))
    assert read == document(sheet, Lang.EN)
    assert [row["sales_fen"] for row in read["rows"]] == [row[_SALES] for row in found]
    assert all(list(row) == [column["name"] for column in read["columns"]] for row in read["rows"])
    assert read["row_count"] == len(found)


@_FEW
@given(rows())
def test_parquet_and_arrow_keep_values_and_types(found: list[Row]) -> None:
    """Polars reads what pyarrow wrote: int64 fen, utf8 ids, date days, and the same values."""
    sheet = sheet_of(found)
    names = [field.name for field in fields(COLUMNS)]
    expected = [dict(zip(names, row, strict=True)) for row in plain_rows(sheet, Lang.EN)]
    for form, reader in ((Format.PARQUET, pl.read_parquet), (Format.ARROW, pl.read_ipc)):
        read = reader(io.BytesIO(written(sheet, form)))
        assert dict(read.schema) | {
            "sales_fen": pl.Int64,
            "outlet": pl.String,
            "opened": pl.Date,
            "growth_ratio": pl.Float64,
            "daily_fen": pl.List(pl.Int64),
        } == dict(read.schema)
        got = read.to_dicts()
        for row, wanted in zip(got, expected, strict=True):
            row["daily_fen"] = None if row["daily_fen"] is None else tuple(row["daily_fen"])
            assert row == wanted


def test_columnar_files_carry_title_and_definitions() -> None:
    """The rest of the answer is the metadata of the file, the meaning of a column that of the column."""
    schema = pyarrow.parquet.read_schema(io.BytesIO(written(sheet_of([ROW]), Format.PARQUET)))
    about = json.loads(schema.metadata[b"fucai"])
    assert about["title"] == {"zh": "样例", "en": "Sample"}
    assert about["definitions"][0]["name"] == "sales"
    assert (about["row_count"], about["total"]["sales_fen"]) == (1, -123_456_705)
    assert schema.field("sales_fen").metadata[b"label_zh"].decode() == "销售额"


@_QUIET
@_SOME
@given(rows())
def test_a_spreadsheet_keeps_types_and_text(found: list[Row]) -> None:
    """Openpyxl reads ids as text, money as the number with two decimals, days as dates, and no cell as a formula."""
    book = openpyxl.load_workbook(io.BytesIO(written(sheet_of(found), Format.XLSX)))
    page = book["sample"]
    for down, row in enumerate(found, start=2):
        assert page.cell(down, 1).data_type != "f"
        assert _text(page.cell(down, 1).value) == row[0]
        assert _text(page.cell(down, 3).value) == (row[2] or "")
        day = page.cell(down, 4).value
        assert (day.date() if day else None) == row[3]
        fen, money = row[_SALES], page.cell(down, _SALES + 1)
        if fen is None:
            assert money.value is None
        elif isinstance(fen, int) and abs(fen) >= 10**15:
            assert money.value == exact(fen)  # more digits than a spreadsheet's numbers have
        else:
            assert isinstance(money.value, int | float)
            assert f"{money.value:.2f}" == exact(fen)  # type: ignore[arg-type]  # a column of money holds int
            assert money.number_format.startswith("#,##0.00")


@_QUIET
def test_a_spreadsheet_can_be_worked_with() -> None:
    """Frozen header, filter over the rows without the total, wide enough for Chinese, definitions and about."""
    book = openpyxl.load_workbook(io.BytesIO(written(sheet_of([ROW, ROW]), Format.XLSX, lang=Lang.ZH)))
    assert book.sheetnames == ["sample", "走势", "定义", "说明"]
    page = book["sample"]
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:N3"
    assert page.cell(1, _SALES + 1).value == "销售额 (元)"
    assert page.column_dimensions["F"].width > 11
    assert page.cell(4, 1).value == "合计"
    assert page.cell(4, _SALES + 1).value == -2469134.10
    assert page.cell(4, _SALES + 1).font.bold
    told = {row[0].value: row[1].value for row in book["说明"].iter_rows() if row[0].value}
    assert told["行数"] == 2
    assert told["合计 销售额 (元)"] == "-2469134.10"
    assert "2021-11-17..2025-03-10" in told["数据时效"]
    meanings = {row[0].value: row[1].value for row in book["定义"].iter_rows()}
    assert meanings["sales"] == "销售额：…"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("=1+1", "=1+1"),
        ("_x0041_", "_x0041_"),
        ("a\x01b", "a_x0001_b"),
        ("\r", "_x000D_"),
        ("x" * 32_767, "x" * 32_767),
    ],
)
def test_a_spreadsheet_takes_any_text(text: str, read: str) -> None:
    """Controls are escaped as the format has it, which openpyxl leaves in place; the longest is whole."""
    sheet = Sheet("s", Label("", ""), [Column("a", Kind.ID, Label("甲", "a"))], [(text,)])
    book = openpyxl.load_workbook(io.BytesIO(written(sheet, Format.XLSX)))
    assert book["s"].cell(2, 1).value == read


def test_a_text_too_long_for_a_cell_is_refused() -> None:
    """It is told, with a format that holds it; xlsxwriter would cut it in silence."""
    sheet = Sheet("s", Label("", ""), [Column("a", Kind.TEXT, Label("甲", "a"))], [("🎰" * 16_384,)])
    with pytest.raises(CliError, match="does not fit into a spreadsheet: a text of 16,384 characters in row 2"):
        written(sheet, Format.XLSX)


@_SOME
@given(st.lists(TEXT, max_size=4))
def test_every_format_has_the_same_rows(names: list[str]) -> None:
    """One sheet feeds all: csv, json, parquet and xlsx agree on every name in its order."""
    column = Column("zone_name", Kind.NAME, Label("区域", "zone"))
    sheet = Sheet("s", Label("", ""), [Column("n", Kind.COUNT, Label("序", "n")), column], list(enumerate(names)))
    lines = list(csv.DictReader(io.StringIO(written(sheet, Format.CSV).decode(), newline="")))
    assert [row["zone_name"] for row in lines] == names
    assert [row["zone_name"] for row in json.loads(written(sheet, Format.JSON))["rows"]] == names
    assert pl.read_parquet(io.BytesIO(written(sheet, Format.PARQUET)))["zone_name"].to_list() == names
    page = openpyxl.load_workbook(io.BytesIO(written(sheet, Format.XLSX)))["s"]
    assert [_text(page.cell(down, 2).value) for down in range(2, len(names) + 2)] == names


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed here")
def test_libreoffice_opens_a_spreadsheet(tmp_path: Path) -> None:
    """Converted headless to csv, Chinese text, leading zeros and money are as they were."""
    (tmp_path / "sample.xlsx").write_bytes(written(sheet_of([ROW]), Format.XLSX, lang=Lang.ZH))
    convert = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to"]
    convert += ["csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir", str(tmp_path), str(tmp_path / "sample.xlsx")]
    subprocess.run(convert, check=True, capture_output=True, timeout=100, env={**os.environ, "HOME": str(tmp_path)})
    read = list(csv.reader(io.StringIO((tmp_path / "sample.csv").read_text("utf-8"), newline="")))
    assert read[0][:3] == ["网点代码", "网点", "备注"]
    assert read[1][:4] == ["0012", '天津"店"', "=1+1", "2025-03-01"]
    assert read[1][_SALES] == "-1,234,567.05"
    assert read[2][0] == "合计"


def _text(value: object) -> str:
    """A text cell as it was written: openpyxl reads an empty text as None."""
    return "" if value is None else str(value)
