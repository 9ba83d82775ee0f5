"""Where an answer goes: files whole or not at all, data on stdout and talk on stderr, options checked first."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import replace
from pathlib import Path
from unittest import mock

import polars as pl
import pytest

from fucai.cli.errors import CliError
from fucai.cli.out.deliver import deliver, new_file
from fucai.cli.out.options import Format, Output, output_of, with_output
from fucai.cli.out.sheet import Column, Kind, Note, Sheet, Tone
from fucai.cli.output import Lang
from fucai.domain.labels import Label
from tests.unit.cli.fake import FakeAnalytics, run, serving
from tests.unit.cli.out.sheets import ROW, sheet_of


class Terminal(io.StringIO):
    """A stdout that is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_data_go_to_stdout_and_talk_to_stderr(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """A binary answer can be redirected; rows, total and freshness are told beside it."""
    deliver(sheet_of([ROW, ROW]), Output(Format.PARQUET, Lang.EN))
    out, err = capsysbinary.readouterr()
    assert pl.read_parquet(io.BytesIO(out)).height == 2
    assert err.decode().startswith("2 rows, total sales -2469134.10; data received until")


def test_defused_cells_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Who asks for safe csv learns how many texts are not as they were."""
    deliver(sheet_of([ROW]), Output(Format.CSV, Lang.EN, csv_safe=True))
    out, err = capsys.readouterr()
    assert "'=1+1" in out
    assert "-1234567.05,-123456705" in out
    assert "--csv-safe: 1 '" in err


@pytest.mark.parametrize("form", [Format.CSV, Format.JSON])
def test_loud_notes_are_told_once_beside_a_file(form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    """Conditions and warnings go to stderr whatever the format, each in one line; quiet notes do not."""
    loud = [
        Note(Label("只计：游戏为ssq", "only: game is ssq"), Tone.STRONG),
        Note(Label("误导", "misleads"), Tone.WARNING),
    ]
    deliver(replace(sheet_of([ROW]), notes=[*loud, Note(Label("轻", "quiet"))]), Output(form, Lang.ZH))
    lines = capsys.readouterr().err.splitlines()
    assert lines[1:] == ["只计：游戏为ssq", "误导"]


@pytest.mark.parametrize("form", list(Format))
def test_every_format_goes_into_a_file(form: Format, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is whole, nothing else is left in the folder, stdout is empty, and stderr says where it is."""
    path = tmp_path / f"answer.{form}"
    deliver(sheet_of([ROW]), Output(form, Lang.ZH, path))
    assert path.stat().st_size > 100
    assert os.listdir(tmp_path) == [path.name]  # noqa: PTH208 (hidden files are what matters)
    out, err = capsys.readouterr()
    assert out == ""
    assert f"已写入 {path}" in err.replace("\n", "")


def test_a_file_is_never_replaced_unasked(tmp_path: Path) -> None:
    """Neither one that was there, nor one that appeared while this one was written; --force replaces it."""
    path = tmp_path / "a.csv"
    sheet = sheet_of([ROW])

    def write(*_: object) -> int:
        return path.write_bytes(b"theirs")

    with mock.patch("fucai.cli.out.deliver.write", write), pytest.raises(CliError, match="there already") as caught:
        deliver(sheet, Output(Format.CSV, Lang.EN, path))
    assert caught.value.exit_code == os.EX_CANTCREAT
    assert "--force" in caught.value.hint
    assert path.read_bytes() == b"theirs"
    with new_file(path, force=True) as file:
        file.write(b"ours")
    assert path.read_bytes() == b"ours"
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_a_format_that_fails_leaves_no_file(tmp_path: Path) -> None:
    """What does not fit into a spreadsheet leaves neither the file nor a part of it."""
    sheet = Sheet("s", Label("", ""), [Column("a", Kind.TEXT, Label("甲", "a"))], [("x" * 40_000,)])
    with pytest.raises(CliError, match="does not fit"):
        deliver(sheet, Output(Format.XLSX, Lang.EN, tmp_path / "a.xlsx"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "told", "exit_code"),
    [
        (("--format", "csv", "--json"), "contradict", 64),
        (("--bom",), "--bom has no meaning for table", 64),
        (("--csv-safe", "--json"), "--csv-safe has no meaning for json", 64),
        (("--plot", "--format", "csv"), "--plot has no meaning for csv", 64),
        (("--output", "answer.doc"), "does not tell a format", 64),
        (("--output", "/"), "that is a folder", 64),
        (("--output", "/nowhere/at/all.csv"), "there is no folder /nowhere/at", 73),
        (("--output", __file__, "--format", "csv"), "is there already", 73),
        (("--format", "docx"), "docx", 64),
    ],
)
def test_wrong_options_are_told_before_anything_is_asked(options: tuple[str, ...], told: str, exit_code: int) -> None:
    """One line and a hint, though nobody is there to be asked."""
    ran = run("query", "headline", *options, FUCAI_ANALYTICS="127.0.0.1:1")
    assert ran.exit_code == exit_code
    assert told in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err


def test_a_binary_format_does_not_go_to_a_terminal() -> None:
    """It would garble it; a file or a redirected stdout takes it."""
    with mock.patch.object(sys, "stdout", Terminal()), pytest.raises(CliError, match="garble") as caught:
        output_of(form=Format.XLSX)
    assert "--output FILE.xlsx" in caught.value.hint


def test_columnar_files_without_their_library_are_told() -> None:
    """The extra is named, and what else there is."""
    with mock.patch.dict(sys.modules, {"pyarrow": None}), pytest.raises(CliError, match="pyarrow") as caught:
        output_of(form=Format.ARROW)
    assert "fucai-channel[columnar]" in caught.value.hint


def test_the_format_is_that_of_the_files_name(tmp_path: Path) -> None:
    """--format wins over it."""
    assert output_of(path=tmp_path / "a.XLSX").form is Format.XLSX
    assert output_of(path=tmp_path / "a.xlsx", form=Format.CSV).form is Format.CSV
    assert output_of().form is Format.TABLE


def test_a_command_cannot_hide_an_option_of_output() -> None:
    """Two options of one name are a mistake of ours, found when the module is imported."""

    def command(*, force: bool, out: Output) -> None:
        raise AssertionError(force, out)

    with pytest.raises(TypeError, match=r"\['force'\] are options of output_of already"):
        with_output(command)


def test_a_long_table_is_cut_on_a_terminal_only() -> None:
    """Piped, every row is there; on a terminal the rest is told, and --all shows it."""
    sheet = Sheet("s", Label("", ""), [Column("n", Kind.COUNT, Label("序", "n"))], [(n,) for n in range(300)])
    shown = {}
    for name, stdout, all_rows in (
        ("piped", io.StringIO(), False),
        ("cut", Terminal(), False),
        ("all", Terminal(), True),
    ):
        with mock.patch.object(sys, "stdout", stdout):
            deliver(sheet, Output(Format.TABLE, Lang.EN, all_rows=all_rows))
        shown[name] = stdout.getvalue()
    assert "299" in shown["piped"]
    assert "100 of 300 rows shown; --all shows every row" in shown["cut"]
    assert "299" not in shown["cut"]
    assert "299" in shown["all"]


def test_a_trend_is_plotted() -> None:
    """`--plot` draws the answer of a question instead of its rows; a headline has no curve over time."""
    with serving(FakeAnalytics()) as address:
        days = ("--from", "2025-02-01", "--to", "2025-03-10", "--grain", "month", "--by", "zone_type")
        ran = run("query", "trend", *days, "--plot", FUCAI_ANALYTICS=address)
        assert ran.exit_code == 0, ran.err
        assert "└──" in ran.out
        assert "night market" in ran.out
        refused = run("query", "headline", "--plot", FUCAI_ANALYTICS=address)
    assert refused.exit_code == 64
    assert "headline has no curve" in refused.err
    assert "hint:" in refused.err
