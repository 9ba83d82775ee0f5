"""Growth as metrics: each measure of the period with its growth, and same-outlet growth (同店), by place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fucai.exporter.family import FEN, GROWTH, WITH_RATIO, Family, Place, Sample, marked, marks, period_label
from fucai.exporter.question import Days, Question
from fucai.v1 import analytics_pb2 as pb

SALES = "sales"
MONEY = frozenset({SALES, "sales_per_outlet", "companion", "welfare_fund", "commission"})
MEASURES = {
    SALES: "Sales of the period: SALE less VOID events, each on its own business day.",
    "bets": "Bets of the period, those of SALE less those of VOID events (tickets for instant games).",
    "selling_outlets": "Outlets with at least one sale in the period; places may add up to more than the channel.",
    "sales_per_outlet": "Sales of the period per selling outlet (站均销量); absent without selling outlets.",
    "companion": "Spend of the period on the other trade in the same visit.",
    "attach_rate": "Visits with companion spend over visits; absent without visits.",
    "welfare_fund": "Welfare fund raised by the sales of the period; absent where a game has no rate.",
    "commission": "Commission of outlets for the sales of the period; absent where a game has no rate.",
}
OF_ZONES = (SALES, "selling_outlets", "sales_per_outlet", "companion")
"""The measures told for each zone: fewer, for zones are many."""

_NAMES = {"attach_rate": "attach_ratio"}
_SAME = "same_outlet_sales"


def _value(place: Place, measure: str) -> Family:
    name = _NAMES.get(measure, measure)
    return place.family(name, MEASURES[measure], money=measure in MONEY, period=True)


def _growth(place: Place, measure: str) -> Family:
    return place.family(f"{measure}_growth_ratio", GROWTH, period=True)


def _same_sales(place: Place) -> Family:
    text = "Sales of the period of outlets that sold in its base too; absent without a stored base."
    return place.family(_SAME, text, money=True, period=True)


def _same_growth(place: Place) -> Family:
    text = (
        "Same-outlet growth (同店): change of the sales of outlets that sold both now and in the base, one year before."
    )
    return place.family(f"{_SAME}_growth_ratio", text, period=True)


def _same_outlets(place: Place) -> Family:
    return place.family("same_outlets", "Outlets that sold both in the period and in its base.", period=True)


def _names(place: Place) -> Family:
    return place.family("info", "Always 1; the label `name` tells what people call the place.", ("name",))


def growth_question(place: Place, *, in_headline: bool, measures: tuple[str, ...]) -> Question:
    """Growth of a place over the days of the headline; where it stands in the headline, sales are told there."""
    told = [measure for measure in measures if not (in_headline and measure == SALES)]
    families = [
        *(kind(place, measure) for measure in told for kind in (_value, _growth)),
        *(kind(place) for kind in (_same_sales, _same_growth, _same_outlets, marks)),
        *((_names(place),) if place.dimension else ()),
    ]

    def request(days: Days | None) -> pb.GrowthRequest | None:
        return pb.GrowthRequest(from_day=days[0], to_day=days[1], by=place.by, measures=measures) if days else None

    return Question(
        f"growth_{place.dimension or 'channel'}",
        "Growth",
        request,
        tuple(families),
        partial(_samples, place, frozenset(told)),
        place,
        lambda answer: answer.total_rows,
    )


def _samples(place: Place, told: frozenset[str], answer: pb.GrowthResponse) -> Iterator[Sample]:
    period = period_label(answer.pairing.from_day, answer.pairing.to_day)
    for row in answer.rows[: place.most] if place.dimension else [answer.total]:
        values = place.values(row.group)
        for measurement in row.measurements:
            if measurement.measure in told:
                yield from _measured(place, values, period, measurement)
        if row.same_outlet.HasField("base"):
            yield Sample(_same_sales(place), (*values, period), row.same_outlet.value.fen / FEN)
            yield Sample(_same_outlets(place), (*values, period), row.same_outlets)
        if row.same_outlet.growth.mark in WITH_RATIO:
            yield Sample(_same_growth(place), (*values, period), row.same_outlet.growth.ratio)
        yield from marked(place, values, _SAME, row.same_outlet.growth)
        if place.dimension:
            yield Sample(_names(place), (*values, row.group_names[0] or values[0]), 1)


def _measured(place: Place, values: tuple[str, ...], period: str, found: pb.Measurement) -> Iterator[Sample]:
    kind = found.value.WhichOneof("value")
    if kind is not None:
        value = float(getattr(found.value, kind))
        yield Sample(_value(place, found.measure), (*values, period), value / FEN if kind == "fen" else value)
    if found.growth.mark in WITH_RATIO:
        yield Sample(_growth(place, found.measure), (*values, period), found.growth.ratio)
    yield from marked(place, values, found.measure, found.growth)
