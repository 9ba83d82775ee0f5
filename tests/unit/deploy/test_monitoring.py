"""Rules, alerts and boards ask for metrics that exist; promtool, where installed, tests what the rules do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.metrics import PAGE, listed

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = [DEPLOY / "prometheus" / name for name in ("alerts.yml", "channel.yml")]
RULE_TESTS = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))
BOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
METRIC = re.compile(r"\bfucai_[a-z0-9_]+")
RECORDED = re.compile(r"\bfucai:[a-z0-9_:]+")
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: it comes with Prometheus")


def recorded() -> set[str]:
    """The names that rules record."""
    return {name for path in RULES for name in re.findall(r"- record: (\S+)", path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("path", [*RULES, *RULE_TESTS, *BOARDS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_metric_that_is_asked_for_exists(path: Path) -> None:
    """Each name stands in docs/metrics.md, or is recorded by a rule."""
    text = path.read_text(encoding="utf-8")
    names = set(METRIC.findall(text))
    assert names
    assert names - listed(PAGE.read_text(encoding="utf-8")) == set()
    assert set(RECORDED.findall(text)) - recorded() == set()


def test_prometheus_loads_every_file_of_rules() -> None:
    """None lies there unread."""
    loaded = re.search(r"rule_files: \[(.*)\]", (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    assert loaded
    there = {path.name for path in (DEPLOY / "prometheus").glob("*.yml")} - {"prometheus.yml"}
    assert set(loaded[1].split(", ")) == there == {path.name for path in RULES}


def test_every_alert_of_the_channel_has_a_test() -> None:
    """Each is in a promtool test that has it fire."""
    alerts = set(re.findall(r"- alert: (\S+)", RULES[1].read_text(encoding="utf-8")))
    tested = "".join(path.read_text(encoding="utf-8") for path in RULE_TESTS)
    fired = set(re.findall(r"alertname: (\w+)\n\s+eval_time: \w+\n\s+exp_alerts:", tested))
    assert alerts
    assert alerts - fired == set()


@needs_promtool
def test_rules_are_what_prometheus_reads() -> None:
    """Promtool finds no fault in the rules, nor in what is scraped."""
    assert PROMTOOL
    for command in (
        ["check", "rules", *map(str, RULES)],
        ["check", "config", str(DEPLOY / "prometheus/prometheus.yml")],
    ):
        ended = subprocess.run([PROMTOOL, *command], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr


@needs_promtool
@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.name)
def test_rules_fire_when_they_should_and_only_then(path: Path) -> None:
    """The promtool tests hold."""
    assert PROMTOOL
    ended = subprocess.run([PROMTOOL, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def panels() -> Iterator[dict[str, Any]]:
    """All panels of all boards."""
    for path in BOARDS:
        yield from json.loads(path.read_text(encoding="utf-8"))["panels"]


def test_every_panel_asks_something_and_is_told_in_both_languages() -> None:
    """A title begins in Chinese and ends in English; the data source is chosen by whoever looks."""
    for panel in panels():
        assert re.match(r"[\u4e00-\u9fff].*[A-Za-z]$", panel["title"]), panel["title"]
        assert panel["targets"]
        assert all(METRIC.search(target["expr"]) or RECORDED.search(target["expr"]) for target in panel["targets"])
        assert panel["datasource"] == {"type": "prometheus", "uid": "${source}"}


def test_panels_lie_beside_each_other() -> None:
    """No two cover the same place, and the board is 24 wide."""
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        place = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & place
        assert max(x for x, _ in place) < 24
        taken |= place
    assert len({panel["id"] for panel in panels()}) == len([*panels()])


@needs_promtool
def test_every_query_of_a_board_parses(tmp_path: Path) -> None:
    """Promtool reads each as the expression of a rule."""
    assert PROMTOOL
    queries = [target["expr"] for panel in panels() for target in panel["targets"]]
    rules = "".join(
        f"  - {{record: 'q:{number}', expr: {json.dumps(query)}}}\n" for number, query in enumerate(queries)
    )
    path = tmp_path / "board.yml"
    path.write_text(f"groups:\n- name: board\n  rules:\n{rules}", encoding="utf-8")
    ended = subprocess.run([PROMTOOL, "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
