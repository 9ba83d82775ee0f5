"""A collector in a registry of its own, whose clock is set by hand, and questions that are answered by hand."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from fucai.exporter.catalogue import all_questions
from fucai.exporter.figures import FiguresCollector
from fucai.exporter.question import Asking


class Rig:
    """The collector of all questions."""

    def __init__(self, most_zones: int = 0) -> None:
        self.now = 1_741_700_000.0
        self.registry = CollectorRegistry()
        self.questions = all_questions(Asking(ZoneInfo("Asia/Shanghai"), most_zones=most_zones))
        self.collector = FiguresCollector(self.questions, least_sales=1, open_days=7, clock=lambda: self.now)
        self.registry.register(self.collector)

    def publish(self, name: str, answer: Message) -> None:
        """Makes an answer the one that is scraped."""
        self.collector.publish(name, answer)

    def scrape(self) -> list[Sample]:
        """What a standard parser reads from the exposition."""
        text = generate_latest(self.registry).decode()
        return [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def figures(self) -> list[Sample]:
        """Those of them that are no metrics of the exporter itself."""
        return [sample for sample in self.scrape() if not sample.name.startswith("fucai_exporter")]

    def value(self, name: str, /, **labels: str) -> float | None:
        """The one sample of that name and those labels; None where it is absent."""
        found = [sample.value for sample in self.scrape() if sample.name == name and sample.labels == labels]
        assert len(found) <= 1
        return found[0] if found else None

    def values(self, name: str, label: str) -> dict[str, float]:
        """The samples of a name by one label."""
        return {sample.labels[label]: sample.value for sample in self.scrape() if sample.name == name}
