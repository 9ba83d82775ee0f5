"""The `fucai` command itself: help, wrong usage, and where it finds the services."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from fucai.cli.__main__ import app
from fucai.cli.addresses import find, read_endpoints
from fucai.cli.errors import CliError
from tests.unit.cli.fake import FakeAnalytics, run, serving

COMMANDS = [
    ("demo",),
    ("up",),
    ("migrate",),
    ("simulate",),
    ("status",),
    ("import", "registry"),
    ("import", "sales"),
    ("query", "trend"),
    ("query", "headline"),
    ("gaps",),
    ("conservation",),
    ("quarantine", "list"),
    ("quarantine", "show"),
    ("quarantine", "replay"),
    ("quarantine", "waive"),
]

EXAMPLES = ("demo", "status", "query", "gaps", "conservation", "quarantine")


def test_help_names_every_command_without_loading_it() -> None:
    """--help is quick: no command's own module is imported for it."""
    loaded = {name for name in sys.modules if name.startswith("fucai.cli.")}
    ran = run("--help")
    assert ran.exit_code == 0
    for command in ("demo", "up", "migrate", "simulate", "status", "import", "query", "gaps", "quarantine"):
        assert command in ran.out
    assert {name for name in sys.modules if name.startswith("fucai.cli.")} == loaded


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_itself(command: tuple[str, ...]) -> None:
    """Each command exists and explains its options."""
    ran = run(*command, "--help")
    assert ran.exit_code == 0, ran.err
    assert "Usage" in ran.out
    assert len(ran.out.splitlines()) > 5


@pytest.mark.parametrize("command", [command for command in COMMANDS if command[0] in EXAMPLES])
def test_examples_in_the_help_stand_on_lines_of_their_own(command: tuple[str, ...]) -> None:
    """They can be copied: two examples never run into each other."""
    examples = [line for line in run(*command, "--help").out.splitlines() if line.startswith("  fucai ")]
    assert len(examples) > 1
    assert all(example.count("fucai") == 1 for example in examples)


def _commands(group: TyperGroup, *path: str) -> Iterator[tuple[tuple[str, ...], set[str]]]:
    """Every command below a group, with its options."""
    context = typer.Context(group)
    for name in group.list_commands(context):
        _, found, _ = group.resolve_command(context, [name])
        if isinstance(found, TyperGroup):
            yield from _commands(found, *path, name)
        elif found is not None:
            yield (*path, name), {option for parameter in found.params for option in parameter.opts}


def test_every_command_speaks_json_and_those_that_print_tables_every_format() -> None:
    """--json is everywhere; a command with --format has all that belongs to it."""
    found = dict(_commands(cast("TyperGroup", get_command(app))))
    assert len(found) > 35
    assert [path for path, options in found.items() if "--json" not in options] == []
    whole = {"--output", "--force", "--lang", "--unit", "--all", "--bom", "--csv-safe"}
    assert [path for path, options in found.items() if "--format" in options and not whole <= options] == []
    acting = {path for path, options in found.items() if "--format" not in options}
    assert acting == {
        *(("demo",), ("up",), ("migrate",), ("simulate",), ("import", "sales")),
        *(("terminal", "run"), ("terminal", "record"), ("terminal", "key")),
        *(("report", "weekly"), ("report", "monthly")),
        *(("draws", "schedule"), ("quarantine", "waive")),
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ("trends",),
        ("query", "trend", "--grain", "decade"),
        ("query", "headline", "--active-sales", "0"),
        ("--nonsense",),
    ],
)
def test_wrong_usage_exits_with_64(arguments: tuple[str, ...]) -> None:
    """Sysexits' EX_USAGE, not click's 2; stdout stays empty."""
    ran = run(*arguments)
    assert ran.exit_code == 64
    assert ran.out == ""
    assert ran.err


def write(path: Path, analytics: str) -> Path:
    """A stack's directory."""
    part = {"name": "analytics", "address": analytics, "pid": 1, "metrics": None}
    (path / "endpoints.json").write_text(json.dumps({"parts": [part]}), encoding="utf-8")
    return path


def test_data_wins_over_variables(tmp_path: Path) -> None:
    """--data, then FUCAI_ANALYTICS, then FUCAI_DATA."""
    stack = write(tmp_path, "127.0.0.1:1111")
    environ = {"FUCAI_ANALYTICS": "127.0.0.1:2222", "FUCAI_DATA": str(stack)}
    assert find("analytics", stack, environ) == "127.0.0.1:1111"
    assert find("analytics", None, environ) == "127.0.0.1:2222"
    assert find("analytics", None, {"FUCAI_DATA": str(stack)}) == "127.0.0.1:1111"


@pytest.mark.parametrize(
    ("environ", "told", "exit_code"),
    [
        ({}, "nothing says where the analytics service is", 69),
        ({"FUCAI_ANALYTICS": "nowhere"}, "FUCAI_ANALYTICS=nowhere", 64),
        ({"FUCAI_DATA": "/nonexistent"}, "cannot read /nonexistent/endpoints.json", 69),
    ],
)
def test_an_unknown_place_is_told_with_a_remedy(environ: dict[str, str], told: str, exit_code: int) -> None:
    """The error says what was looked at; the hint, or the error, how to set it."""
    with pytest.raises(CliError, match=told) as caught:
        find("analytics", None, environ)
    assert caught.value.exit_code == exit_code
    assert "--data" in caught.value.hint or "host:port" in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", '{"parts": [{"name": "x"}]}'])
def test_a_broken_endpoints_file_is_named(tmp_path: Path, content: str) -> None:
    """Not what `fucai up` writes: exit code 65 and the file's name."""
    (tmp_path / "endpoints.json").write_text(content, encoding="utf-8")
    with pytest.raises(CliError, match=r"endpoints\.json is not a list") as caught:
        read_endpoints(tmp_path)
    assert caught.value.exit_code == 65


def test_a_stack_without_the_part_is_told(tmp_path: Path) -> None:
    """The file is there but names no registry."""
    with pytest.raises(CliError, match="names no registry"):
        find("registry", write(tmp_path, "127.0.0.1:1"))


def test_the_command_asks_the_stack_of_data(tmp_path: Path) -> None:
    """End to end: --data DIR leads to the address in its endpoints.json."""
    with serving(FakeAnalytics()) as address:
        ran = run("query", "headline", "--data", str(write(tmp_path, address)))
    assert ran.exit_code == 0, ran.err
    assert "national_welfare" in ran.out
