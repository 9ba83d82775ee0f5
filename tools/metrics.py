"""Keeps docs/metrics.md in step with the code: `generate` writes it, `check` fails when it is stale or not complete.

Not part of the product; called by make.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import difflib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry

from fucai.auditor.metrics import AuditorMetrics
from fucai.collector.metrics import CollectorMetrics
from fucai.domain.embargo import Embargo
from fucai.exporter.__main__ import ExporterSettings
from fucai.exporter.catalogue import all_questions
from fucai.exporter.family import DISTRICT, GAME, ZONE_TYPE
from fucai.exporter.figures import families
from fucai.exporter.question import Asking
from fucai.exporter.schedule import QueryMetrics
from fucai.ledger.metrics import SurveyCollector, SurveyMetrics
from fucai.ledger.survey import Survey
from fucai.loader.metrics import LoaderMetrics
from fucai.runtime.rpc import RpcMetrics
from fucai.runtime.service import Service
from fucai.runtime.settings import ServiceSettings
from fucai.terminal.agent.metrics import AgentMetrics

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "metrics.md"
SOURCES = ROOT / "services" / "fucai"
NAME = re.compile(r"fucai_[a-z0-9_]*[a-z0-9]")
EVERYWHERE = "every service"
SUFFIXES = {"counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_sum", "_count")}
"""What the exposition format appends to a metric's name, by type; nothing to that of a gauge."""

_NO_SERVICE = {"cli", "devstack", "adapters", "domain", "v1"}
_INTRODUCTION = """# Metrics

Made by `python tools/metrics.py generate` from the code; do not edit. Each service shows its metrics on `/metrics`
(FUCAI_METRICS); besides these there are those of the Python client: `process_*`, `python_*`.

Counters and times only: no amount of money leaves any service but the exporter. Names of money end in the store's
currency, here yuan. A figure that nobody measured, or that can not be formed, is absent, never zero; so are all figures
of the exporter from the moment a draw is sealed until analytics has answered without it. What figures mean stands in
[definitions.md](definitions.md), rules and alerts in `deploy/prometheus`, a board in `deploy/grafana`.

The exporter's series are bounded by code, never by outlet:
at most {zone_types} zone types, {districts} districts, {games} games,
and, with FUCAI_EXPORT_ZONES=true only, FUCAI_EXPORT_MAX_ZONES zones ({zones}).
Those with the largest sales stay, and `fucai_exporter_groups_cut` tells how many are left out.
`period` is the length of the period that ends with `fucai_channel_period_end_timestamp_seconds`: four weeks, where so
much is stored.
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the page; `name` is as it is scraped, that of a histogram without its suffixes."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names that a query can use."""
        return (
            tuple(self.name + suffix for suffix in SUFFIXES["histogram"]) if self.kind == "histogram" else (self.name,)
        )


def everything() -> dict[str, list[Metric]]:
    """The metrics of each service, by name."""
    found = {EVERYWHERE: asyncio.run(_of_every_service())}
    found["collector"] = _of(_collector)
    found["loader"] = _of(LoaderMetrics)
    found["registry"], found["analytics"] = [], []
    found["exporter"] = sorted([*_of(QueryMetrics), *_of_exporter()], key=lambda one: one.name)
    found["ledger"] = _of(_ledger)
    found["auditor"] = _of(AuditorMetrics)
    found["terminal agent"] = _of(AgentMetrics)
    return found


async def _of_every_service() -> list[Metric]:
    service = Service("any", ServiceSettings(), structlog.get_logger())
    RpcMetrics(service.metrics)
    return _read(service.metrics)


def _of(register: Callable[[CollectorRegistry], object]) -> list[Metric]:
    registry = CollectorRegistry()
    register(registry)
    return _read(registry)


def _collector(registry: CollectorRegistry) -> None:
    metrics = CollectorMetrics(registry)
    metrics.show_backlog(float)
    metrics.show_leases(float)
    metrics.show_snapshot(float, float)


def _ledger(registry: CollectorRegistry) -> None:
    SurveyMetrics(registry)
    surveyed = SurveyCollector(Embargo)
    surveyed.publish(Survey(0, 0, 0, 0, 0, (), {}, 0, 0))
    registry.register(surveyed)


def _of_exporter() -> Iterator[Metric]:
    asking = Asking(ZoneInfo("UTC"), most_zones=1)
    words = {"sales": asking.active_sales, "days": asking.active_open_days}
    for family in families(all_questions(asking)):
        yield Metric(family.named("CNY"), "gauge", family.labels, family.text.format_map(words))


def _read(registry: CollectorRegistry) -> list[Metric]:
    """The suite's own metrics in a registry. A collector that describes nothing in advance is collected."""
    found = []
    for collector in registry._collector_to_names:  # noqa: SLF001 (a registry lists its samples only, not its metrics)
        for metric in [*getattr(collector, "describe", tuple)()] or [*collector.collect()]:
            if NAME.fullmatch(metric.name):
                suffix = "" if metric.type == "histogram" else "".join(SUFFIXES.get(metric.type, ()))
                labels = getattr(collector, "_labelnames", ()) or getattr(metric, "_labelnames", ())
                found.append(Metric(metric.name + suffix, metric.type, tuple(labels), metric.documentation))
    return sorted(found, key=lambda one: one.name)


def page(found: Mapping[str, Sequence[Metric]]) -> str:
    """The page, in Markdown."""
    zones = ExporterSettings.model_fields["export_max_zones"].default
    bounds = {"zone_types": ZONE_TYPE.most, "districts": DISTRICT.most, "games": GAME.most, "zones": zones}
    lines = [_INTRODUCTION.format_map(bounds)]
    for service, metrics in found.items():
        lines += [f"## {service[0].upper()}{service[1:]}", ""]
        if metrics:
            lines += ["| name | type | labels | meaning |", "|---|---|---|---|"]
            lines += [f"| `{one.name}` | {one.kind} | {', '.join(one.labels)} | {one.text} |" for one in metrics]
        else:
            lines += ["None besides those of every service."]
        lines += [""]
    return "\n".join(lines)


def listed(text: str) -> set[str]:
    """The names that a query can use, as the page lists them."""
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| ([a-z]+) \|", text, re.MULTILINE)
    return {series for name, kind in rows for series in Metric(name, kind, (), "").series}


def unlisted(found: Mapping[str, Sequence[Metric]], sources: Path) -> list[str]:
    """Names of metrics that stand in the sources of a service and in no table, with their places."""
    known = {one.name for metrics in found.values() for one in metrics}
    known |= {name.removesuffix(suffix) for name in known for suffix in ("_total", "_info", "_yuan")}
    problems = []
    for path in sorted(sources.rglob("*.py")):
        if path.relative_to(sources).parts[0] in _NO_SERVICE:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            named = node.value
            if NAME.fullmatch(named) and named not in known:
                problems.append(
                    f"{path.relative_to(sources)}:{node.lineno}: {named} is missing: add it to tools/metrics.py"
                )
    return problems


def stale(fresh: str, committed: str) -> list[str]:
    """How the committed page differs from the code, in words; empty where it does not."""
    changed = difflib.unified_diff(committed.splitlines(), fresh.splitlines(), lineterm="", n=0)
    lines = [line for line in changed if not line.startswith(("---", "+++", "@@"))]
    return [f"{len(lines)} lines of difference, first {lines[0]!r}"] if lines else []


def main(arguments: Sequence[str]) -> int:
    """Runs one of the commands; 0 when the page is right, 65 when it is stale or a metric is in no table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["generate", "check"])
    command = parser.parse_args(arguments).command
    found = everything()
    problems = unlisted(found, SOURCES)
    fresh = page(found)
    if command == "generate":
        PAGE.write_text(fresh, encoding="utf-8")
    else:
        committed = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
        problems += [f"{PAGE.relative_to(ROOT)}: {line}; run `make docs`" for line in stale(fresh, committed)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return os.EX_DATAERR if problems else os.EX_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
