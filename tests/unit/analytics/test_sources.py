"""Every figure is read from the view that leaves sealed draws out."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

TEXTS = sorted(
    (entry for entry in files("fucai.analytics").joinpath("sql").iterdir() if entry.name.endswith(".sql")),
    key=lambda entry: entry.name,
)
_RAW = re.compile(r"\b(FROM|JOIN)\s+[`\w.{}$]*\b(sales|sales_seals|sales_duplicates|draw_times)\b", re.IGNORECASE)


def body(text: Traversable) -> str:
    """The SQL without its comments."""
    return re.sub(r"--.*", "", text.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)
def test_no_text_of_analytics_reads_sales_past_the_embargo(text: Traversable) -> None:
    """There is no exception: whoever needs more than the view has extends the view (0006_embargo.sql)."""
    assert not _RAW.search(body(text))


def test_the_guard_would_notice() -> None:
    """The pattern finds the table, bare, quoted, qualified or joined, and lets the view pass."""
    for bad in ("SELECT 1 FROM sales", "from `db`.sales WHERE", "JOIN ${database}.sales_seals", "FROM\n    sales AS s"):
        assert _RAW.search(bad), bad
    assert not _RAW.search("SELECT sales FROM visible_sales")
