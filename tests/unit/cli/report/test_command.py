"""`fucai report` on the command line: file, progress, language, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import grpc
import pytest

from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import Ran, run, serving
from tests.unit.cli.report.answers import FullAnalytics
from tests.unit.cli.report.reading import read, text


def _report(service: FullAnalytics, *arguments: str, **environ: str) -> Ran:
    with serving(service) as address:
        return run("report", *arguments, FUCAI_ANALYTICS=address, **environ)


def test_the_file_is_named_after_period_and_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data end on Monday 2025-03-10, so the last whole week is the tenth; its path is all that stdout has."""
    monkeypatch.chdir(tmp_path)
    ran = _report(FullAnalytics(), "weekly", LANG="zh_CN.UTF-8")
    assert (ran.exit_code, ran.out) == (0, "fucai-weekly-2025-W10-zh.html\n")
    assert "2025-W10: question 1, headline" in ran.err
    assert "数据接收至" in ran.err
    page = read((tmp_path / "fucai-weekly-2025-W10-zh.html").read_text(encoding="utf-8"))
    assert "周报 2025-W10" in text(next(page.iter("h1")))
    assert [path.name for path in tmp_path.iterdir()] == ["fucai-weekly-2025-W10-zh.html"]


def test_a_file_is_replaced_by_force_only(tmp_path: Path) -> None:
    """Without --force nothing is asked and the file stays as it was."""
    path = tmp_path / "page.html"
    path.write_text("kept")
    service = FullAnalytics()
    ran = _report(service, "monthly", "--month", "2025-02", "--output", str(path))
    assert (ran.exit_code, path.read_text()) == (73, "kept")
    assert "--force" in ran.err
    assert not service.requests
    written = _report(service, "monthly", "--month", "2025-02", "--output", str(path), "--force", "--json")
    told = json.loads(written.out)
    assert (told["path"], told["from_day"], told["to_day"]) == (str(path), "2025-02-01", "2025-02-28")
    assert told["bytes"] == path.stat().st_size
    assert "month 2025-02" in path.read_text()


def test_conditions_are_those_of_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go into the questions, into the file's name and into what programs are told; nonsense is refused."""
    monkeypatch.chdir(tmp_path)
    service = FullAnalytics()
    words = ("weekly", "--filter", "zone_type=night_market", "--not", "game=ssq", "--lang", "en", "--json")
    told = json.loads(_report(service, *words).out)
    assert told["path"] == "fucai-weekly-2025-W10-filtered-en.html"
    assert told["filter"] == "zone type is night market; game is not ssq"
    headline = next(one for one in service.requests if isinstance(one, pb.HeadlineRequest))
    assert [(one.dimension, one.exclude) for one in headline.selection.filters] == [
        ("zone_type", False),
        ("game", True),
    ]
    assert _report(service, "weekly", "--filter", "night_market").exit_code == 64


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("weekly", "--week", "2025-10"), "write YYYY-Www"),
        (("monthly", "--month", "2025-13"), "01 to 12"),
        (("weekly", "--cutoff", "yesterday"), "write YYYY-MM-DD"),
    ],
)
def test_a_wrong_value_is_refused_with_its_form(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    """Exit code 64, one line that says how to write it, and no file."""
    ran = _report(FullAnalytics(), *arguments, "--output", str(tmp_path / "page.html"))
    assert ran.exit_code == 64
    assert says in ran.err
    assert not list(tmp_path.iterdir())


def test_a_service_that_goes_away_leaves_no_file(tmp_path: Path) -> None:
    """A bulletin with holes where the service failed would mislead: it is not written."""

    class Failing(FullAnalytics):
        def Rank(self, _request: object, context: grpc.ServicerContext) -> object:  # type: ignore[override]
            context.abort(grpc.StatusCode.UNAVAILABLE, "the store is away")
            raise AssertionError("abort raises")

    ran = _report(Failing(), "weekly", "--output", str(tmp_path / "page.html"))
    assert ran.exit_code == 69
    assert "the store is away" in ran.err
    assert not list(tmp_path.iterdir())


def test_help_teaches_by_example() -> None:
    """Both commands say what they compare, and show lines to try."""
    for name, says in (("weekly", "364 days before"), ("monthly", "the year before")):
        ran = run("report", name, "--help")
        assert f"fucai report {name}" in ran.out
        assert says in " ".join(ran.out.split())
