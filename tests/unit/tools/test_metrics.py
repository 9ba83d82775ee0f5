"""The guard of docs/metrics.md: every metric of every service stands in it, as the code has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import metrics
from tools.metrics import Metric, everything, listed, page, stale, unlisted


def test_the_committed_page_is_what_the_code_says() -> None:
    """Generating again gives the committed page."""
    assert stale(page(everything()), metrics.PAGE.read_text(encoding="utf-8")) == []


def test_a_change_of_name_labels_or_help_is_told() -> None:
    """Whatever of a metric changes makes the page stale."""
    one = Metric("fucai_loader_gaps", "gauge", ("game",), "Gaps.")
    others = (
        Metric("fucai_loader_holes", "gauge", ("game",), "Gaps."),
        Metric("fucai_loader_gaps", "counter", ("game",), "Gaps."),
        Metric("fucai_loader_gaps", "gauge", (), "Gaps."),
        Metric("fucai_loader_gaps", "gauge", ("game",), "Holes."),
    )
    for other in others:
        (told,) = stale(page({"loader": [other]}), page({"loader": [one]}))
        assert told.startswith("2 lines of difference")


def test_a_metric_that_no_table_has_is_found(tmp_path: Path) -> None:
    """One that a service makes and the tool does not know is named with its place; the command line makes none."""
    for folder in ("loader", "cli"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "new.py").write_text(
            'Counter("fucai_loader_new", "Made.")\nGauge("fucai_loader_old", "")\n'
        )
    known = {"loader": [Metric("fucai_loader_old", "gauge", (), "")]}
    assert unlisted(known, tmp_path) == ["loader/new.py:1: fucai_loader_new is missing: add it to tools/metrics.py"]


def test_a_query_can_use_what_is_scraped() -> None:
    """A histogram is asked for by its suffixes, a counter by its own."""
    histogram, counter = Metric("fucai_a", "histogram", (), ""), Metric("fucai_b_total", "counter", ("code",), "")
    names = listed(page({"loader": [histogram, counter]}))
    assert names == {"fucai_a_bucket", "fucai_a_sum", "fucai_a_count", "fucai_b_total"}


def test_a_stale_page_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check` ends with 65 and says what to do, `generate` repairs it."""
    monkeypatch.setattr(metrics, "ROOT", tmp_path)
    monkeypatch.setattr(metrics, "PAGE", tmp_path / "metrics.md")
    assert metrics.main(["check"]) == 65
    assert "make docs" in capsys.readouterr().err
    assert metrics.main(["generate"]) == 0
    assert metrics.main(["check"]) == 0
