"""Reading a sales file line by line, and keeping what was rejected."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

from fucai.runtime.errors import FatalError
from fucai.terminal.salesfile import Line, Rejects, open_sales_file


def lines_of(path: Path) -> list[Line]:
    """All lines after the header."""
    with open_sales_file(path) as file:
        return list(file.lines())


@pytest.mark.parametrize("name", ["sales.csv", "sales.csv.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_reads_plain_and_packed_files_whatever_their_name(tmp_path: Path, name: str, *, packed: bool) -> None:
    """The content decides, a byte order mark and Windows line ends do no harm."""
    content = "\ufeffday,outlet\r\n2015-01-01,甲\r\n".encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if packed else content)
    with open_sales_file(path) as file:
        assert file.header == ["day", "outlet"]
        assert list(file.lines()) == [Line(2, ["2015-01-01", "甲"])]
        assert file.position == file.size


def test_malformed_lines_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    """A broken quote costs its own line only; blank lines cost nothing; bytes that are no UTF-8 stay."""
    path = tmp_path / "sales.csv"
    path.write_bytes(b'day,outlet\n\n2015-01-01,"a"b\n2015-01-02,\xff\n2015-01-03,c\n')
    broken, undecoded, good = lines_of(path)
    assert broken.fault.startswith("lines 3 to 3: ")
    assert undecoded.fields == ["2015-01-02", "\udcff"]
    assert good == Line(5, ["2015-01-03", "c"])


def test_a_file_that_breaks_off_is_refused(tmp_path: Path) -> None:
    """Half a gzip file is not taken for a short one."""
    whole = gzip.compress("".join(f"{number}\n" for number in range(100_000)).encode())
    path = tmp_path / "half.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FatalError, match="cannot be read after line") as refused:
        lines_of(path)
    assert refused.value.exit_code == os.EX_DATAERR


@pytest.mark.parametrize(("name", "exit_code"), [("none.csv", os.EX_NOINPUT), (".", os.EX_NOINPUT)])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, name: str, exit_code: int) -> None:
    """No file and a directory end with 66."""
    with pytest.raises(FatalError) as refused:
        lines_of(tmp_path / name)
    assert refused.value.exit_code == exit_code


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """A file without a header ends with 65."""
    path = tmp_path / "empty.csv"
    path.touch()
    with pytest.raises(FatalError, match="is empty") as refused:
        lines_of(path)
    assert refused.value.exit_code == os.EX_DATAERR


def test_rejected_lines_are_kept_with_line_and_reason_and_can_be_read_again(tmp_path: Path) -> None:
    """FILE.rejected.csv holds the file's columns, line and reason; rejecting from it adds no columns."""
    source = tmp_path / "sales.csv.gz"
    with Rejects(source, ["day", "outlet"]) as rejects:
        rejects.add(Line(7, ["2015-01-01"]), "too few fields")
        rejects.add(Line(9, ["2015-01-02", "a", "b"]), "too many fields")
    assert rejects.path == tmp_path / "sales.rejected.csv"
    with open_sales_file(rejects.path) as file:
        header, kept = file.header, [line.fields for line in file.lines()]
    assert header == ["day", "outlet", "line", "reason"]
    assert kept == [
        ["2015-01-01", "", "7", "too few fields"],
        ["2015-01-02", "a", "9", "too many fields; extra: ['b']"],
    ]
    with Rejects(rejects.path, header) as again:
        again.add(Line(2, kept[0]), "still too few")
    with again.path.open(encoding="utf-8") as text:
        assert list(csv.reader(text)) == [["day", "outlet", "line", "reason"], ["2015-01-01", "", "2", "still too few"]]


def test_without_rejects_there_is_no_file(tmp_path: Path) -> None:
    """A clean import leaves nothing behind."""
    with Rejects(tmp_path / "sales.csv", ["day"]):
        pass
    assert not list(tmp_path.iterdir())


def test_a_failed_import_leaves_no_half_file(tmp_path: Path) -> None:
    """What was rejected so far disappears with the failure."""

    def fail() -> None:
        with Rejects(tmp_path / "sales.csv", ["day"]) as rejects:
            rejects.add(Line(2, ["x"]), "bad")
            raise FatalError("the file breaks off")

    with pytest.raises(FatalError, match="breaks off"):
        fail()
    assert not list(tmp_path.iterdir())
