"""Commands that act: one object on stdout with --json, and an exit code with a hint where they cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from fucai.adapters.migrate import SchemaError
from fucai.devstack.stack import StackError
from tests.unit.cli.fake import Ran, run

PART = {"name": "analytics", "address": "127.0.0.1:19020", "pid": 7, "metrics": None}


def test_migrate_names_what_it_created() -> None:
    """As an object, and in sentences on stderr; nothing created is an empty list."""
    with mock.patch("fucai.cli.migrate._migrate", return_value=["topic fucai.sales.v1", "0001_sales"]):
        ran = run("migrate", "--json")
        assert run("migrate").out == ""
    assert json.loads(ran.out) == {"created": ["topic fucai.sales.v1", "0001_sales"]}
    assert "created 0001_sales" in ran.err


def test_migrate_exits_with_78_and_a_hint_on_a_store_that_does_not_fit() -> None:
    """The message says what differs, the hint which settings; stdout stays empty."""
    with mock.patch("fucai.cli.migrate._migrate", side_effect=SchemaError("the store keeps CAD")):
        ran = run("migrate", "--json")
    assert (ran.exit_code, ran.out) == (78, "")
    assert "not migrated: the store keeps CAD" in ran.err
    assert "hint: set the FUCAI_ variables" in ran.err


def up(data: Path, failure: Exception | None = None) -> Ran:
    """Runs `fucai up --json` on a stack that is ready, or fails, at once."""

    def run_stack(_data: Path, _parts: Any, tell: Any) -> None:
        if failure:
            raise failure
        (data / "endpoints.json").write_text(json.dumps({"parts": [PART]}), encoding="utf-8")
        tell("stack", "ready")

    with mock.patch("fucai.cli.up.prepare"), mock.patch("fucai.cli.up.run_stack", run_stack):
        return run("up", "--data", str(data), "--json")


def test_up_says_where_everything_is_when_it_is_ready(tmp_path: Path) -> None:
    """The folder, and each part with its address; the table for people is on stderr."""
    ran = up(tmp_path)
    assert ran.exit_code == 0, ran.err
    assert json.loads(ran.out) == {"data": str(tmp_path), "parts": [PART]}
    assert "127.0.0.1:19020" in ran.err


@pytest.mark.parametrize("failure", [StackError("port 19000 is taken")], ids=str)
def test_a_stack_that_does_not_start_exits_with_69(tmp_path: Path, failure: Exception) -> None:
    """With what is wrong and where the logs are."""
    ran = up(tmp_path, failure)
    assert (ran.exit_code, ran.out) == (69, "")
    assert "not started: port 19000 is taken" in ran.err
    assert f"{tmp_path / 'logs'}" in ran.err.replace("\n", "")
