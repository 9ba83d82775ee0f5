"""How unequally sales are spread over outlets (集中度) as metrics: share of the largest tenth and Gini, by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from fucai.exporter.family import Family, Place, Sample, period_label
from fucai.exporter.question import Days, Question, largest
from fucai.v1 import analytics_pb2 as pb


def _selling(place: Place) -> Family:
    text = "Outlets with sales above zero in the period, over which the concentration is measured."
    return place.family("concentration_outlets", text, period=True)


def _top_share(place: Place) -> Family:
    text = "Share of the sales of the period that the largest 10 % of these outlets make, their number rounded up."
    return place.family("largest_tenth_share_ratio", text, period=True)


def _gini(place: Place) -> Family:
    text = "Gini coefficient of the sales of these outlets: 0 where all have the same, nearing 1 where one has all."
    return place.family("sales_gini_ratio", text, period=True)


_KINDS = (_selling, _top_share, _gini)


def concentration_question(place: Place) -> Question:
    """The spread over the outlets of a place; an outlet stands in one place, that of its last sale or void."""

    def request(days: Days | None) -> pb.RankRequest | None:
        return pb.RankRequest(from_day=days[0], to_day=days[1], within=place.dimension, top=1) if days else None

    return Question(
        f"concentration_{place.dimension or 'channel'}",
        "Rank",
        request,
        tuple(kind(place) for kind in _KINDS),
        partial(_samples, place),
        place,
        lambda answer: len(answer.concentrations),
    )


def _samples(place: Place, answer: pb.RankResponse) -> Iterator[Sample]:
    period = period_label(answer.pairing.from_day, answer.pairing.to_day)
    sales = Counter[str]()
    for row in answer.rows:
        sales[row.within] += row.measurement.value.fen
    shown = largest(
        answer.concentrations, place.most, sales=lambda found: sales[found.within], group=lambda found: found.within
    )
    for found in shown:
        labels = (*place.values([found.within]), period)
        yield Sample(_selling(place), labels, found.members)
        if found.HasField("top_share"):
            yield Sample(_top_share(place), labels, found.top_share)
        if found.HasField("gini"):
            yield Sample(_gini(place), labels, found.gini)
