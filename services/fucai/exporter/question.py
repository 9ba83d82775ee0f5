"""A question that the exporter asks analytics: its request, and the metrics that the answer becomes. Asks nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf.message import Message

from fucai.exporter.family import CHANNEL, Family, Place, Sample
from fucai.v1 import analytics_pb2 as pb

Days = tuple[str, str]
"""First and last business day of the headline's period, YYYY-MM-DD."""
HEADLINE = "headline"


@dataclass(frozen=True, slots=True)
class Asking:
    """What all questions have in common.

    Attributes:
        zone: time zone of business days.
        benchmark: series; empty for the one that analytics takes.
        active_sales: an outlet is active with this many sales in the window.
        active_open_days: length of that window in open days.
        most_zones: zones shown; 0 for none at all.
    """

    zone: ZoneInfo
    benchmark: str = ""
    active_sales: int = 1
    active_open_days: int = 7
    most_zones: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A question.

    Attributes:
        name: the label `question` of the exporter's own metrics.
        method: the RPC of analytics.
        request: what is asked, given the days of the last headline; None where it can not be asked without them.
        families: all metrics that the answer can become.
        samples: those of an answer, at most `place.most` groups of them.
        place: what the answer is broken down by.
        groups: how many groups the answer has in all.
        refusable: whether analytics refuses it where there is nothing to tell, such as a base that is not stored:
            then there is no figure, and that is no failure.
    """

    name: str
    method: str
    request: Callable[[Days | None], Message | None]
    families: tuple[Family, ...]
    samples: Callable[[Any], Iterable[Sample]]
    place: Place = CHANNEL
    groups: Callable[[Any], int] = lambda _: 1
    refusable: bool = False

    def cut(self, answer: Message) -> int:
        """How many groups of an answer are not shown."""
        return max(0, self.groups(answer) - self.place.most)


def freshness_of(answer: Any) -> pb.DataFreshness:
    """How fresh an answer is, whichever it is."""
    found: pb.DataFreshness = answer.freshness if isinstance(answer, pb.HeadlineResponse) else answer.about.freshness
    return found


def currency_of(answer: Any) -> str:
    """The currency of an answer."""
    found: str = answer.currency if isinstance(answer, pb.HeadlineResponse) else answer.about.currency
    return found


def largest(
    rows: Iterable[Any], most: int, *, sales: Callable[[Any], int], group: Callable[[Any], str]
) -> Sequence[Any]:
    """The rows with the largest sales, at most so many; equals by name, so that every scrape has the same ones."""
    return sorted(rows, key=lambda row: (-sales(row), group(row)))[:most]
