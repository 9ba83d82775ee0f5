"""The guard of released migrations: what it lets pass and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.migrations import SCHEMA, checksums, problems, released


def test_the_repository_passes() -> None:
    """The committed migrations keep the rules, and there is at least one."""
    present = checksums(SCHEMA)
    assert present
    assert problems(present, released(SCHEMA)) == []


@pytest.mark.parametrize(
    ("present", "recorded", "told"),
    [
        ({"0001_a.sql": "x", "0003_b.sql": "y"}, {}, "numbers are [1, 3]"),
        ({"0001_a.sql": "x", "0001_b.sql": "y"}, {}, "numbers are [1, 1]"),
        ({"1_a.sql": "x"}, {}, "1_a.sql: write it as NNNN_name.sql"),
        ({"0001_a.sql": "changed"}, {"0001_a.sql": "x"}, "0001_a.sql: was released and is changed"),
        ({"0001_b.sql": "x"}, {"0001_a.sql": "x"}, "0001_a.sql: was released and is gone"),
    ],
)
def test_broken_rule_is_told(present: dict[str, str], recorded: dict[str, str], told: str) -> None:
    """Each way to break the order or the past is named with its file."""
    assert any(told in problem for problem in problems(present, recorded))


def test_new_migration_after_a_release_is_welcome(tmp_path: Path) -> None:
    """What is not released yet may come and change; templates beside the migrations too."""
    (tmp_path / "0001_sales.sql").write_text("SELECT 1")
    (tmp_path / "gate.sql").write_text("SELECT 2")
    recorded = checksums(tmp_path)
    (tmp_path / "0002_draws.sql").write_text("SELECT 3")
    assert set(recorded) == {"0001_sales.sql"}
    assert problems(checksums(tmp_path), recorded) == []
