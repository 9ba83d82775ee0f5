"""A service names fields of a request; a person is told of the options that filled them."""

from __future__ import annotations

import grpc
import pytest

from fucai.cli.errors import by_options
from tests.unit.cli.fake import FakeAnalytics, run, serving


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("from_day: '2026/10/01' is no day of the calendar", "--from: '2026/10/01' is no day of the calendar"),
        ("to_day: 2026-10-01 is before from_day 2026-10-31", "--to: 2026-10-01 is before --from 2026-10-31"),
        ("base_from_day: is empty", "--base-from: is empty"),
        ("selection.filters[0].values[2]: no game 'x'", "--filter or --not: no game 'x'"),
        ("selection.filters[1].dimension: 'x' is none", "--filter or --not: 'x' is none"),
        ("selection.as_of_ms: lies ahead", "--as-of: lies ahead"),
        ("by: 'zonetype' is no dimension; by[1]: twice", "--by: 'zonetype' is no dimension; --by: twice"),
        ("ask with COMPARISON_OPEN_DAY", "ask with --compare open_day"),
        ("this is no day: sort by day; nothing in today: none", "this is no day: sort by day; nothing in today: none"),
    ],
)
def test_fields_are_told_as_options(said: str, told: str) -> None:
    """Each field by its option, wherever it stands; other words stay."""
    assert by_options(said) == told


def test_a_refusal_names_the_option() -> None:
    """What stands on stderr is what was typed."""
    with serving(FakeAnalytics((grpc.StatusCode.INVALID_ARGUMENT, "from_day: is no day: write YYYY-MM-DD"))) as address:
        ran = run("query", "headline", "--from", "1.3.2025", FUCAI_ANALYTICS=address)
    assert ran.exit_code == 64
    assert "--from: is no day" in ran.err
    assert "from_day" not in ran.err
