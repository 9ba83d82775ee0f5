"""Reads an answer in every format, each with another library than the one that wrote it, and compares them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl

from tests.unit.cli.fake import Ran


def same_in_every_format(
    ask: Callable[..., Ran], tmp_path: Path, *command: str, moving: Sequence[str] = ()
) -> dict[str, Any]:
    """The json document of a command, after csv, parquet, arrow and xlsx were found to have the same rows.

    `ask` runs a command line and fails where its exit code is not the one expected. Columns `moving` are
    not compared: they change from one question to the next, such as an age.
    """
    document: dict[str, Any] = json.loads(ask(*command, "--format", "json").out)
    columns = document["columns"]
    rows = [{name: cell for name, cell in row.items() if name not in moving} for row in document["rows"]]
    ids = [column["name"] for column in columns if column["kind"] == "id"]
    assert all(isinstance(row[name], str) for row in rows for name in ids)
    lines = list(csv.DictReader(io.StringIO(ask(*command, "--format", "csv").out, newline="")))
    assert [{name: line[name] for name in rows[0]} for line in lines if rows] == [
        {name: _text(value) for name, value in row.items()} for row in rows
    ]
    for form, read in (("parquet", pl.read_parquet), ("arrow", pl.read_ipc)):
        path = tmp_path / f"{document['question']}.{form}"
        ask(*command, "--output", str(path), "--force")
        found = read(path)
        assert all(found.schema[name] == pl.String for name in ids)
        assert [_plain(row) for row in found.drop(moving, strict=False).to_dicts()] == [_plain(row) for row in rows]
    path = tmp_path / f"{document['question']}.xlsx"
    ask(*command, "--output", str(path), "--force")
    book = openpyxl.load_workbook(path)
    assert set(document.get("beside", {})) | {document["question"]} <= set(book.sheetnames)
    for name, part in ({document["question"]: document} | document.get("beside", {})).items():
        page = book[name]
        for down, row in enumerate(part["rows"], start=2):
            for across, column in enumerate(part["columns"], start=1):
                if column["kind"] == "id":
                    assert (page.cell(down, across).value or "") == row[column["name"]]
    return document


def _text(value: object) -> str:
    """A value of json as csv writes it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row with moments as instants in Unix milliseconds, whatever zone they are written in."""
    return {name: _instant(value) for name, value in row.items()}


def _instant(value: Any) -> Any:
    if isinstance(value, str) and "T" in value and value[:4].isdigit():
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return value.isoformat() if hasattr(value, "isoformat") else value
