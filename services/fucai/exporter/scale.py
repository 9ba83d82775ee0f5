"""Channel scale as metrics: outlets installed, opened and closed, penetration, sales of each, terminals, by place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from fucai.exporter.family import CHANNEL, FEN, WITH_RATIO, Family, Place, Sample, marked, marks, period_label
from fucai.exporter.headline import active, active_growth
from fucai.exporter.question import Asking, Question, largest
from fucai.v1 import analytics_pb2 as pb

_TERMINALS = CHANNEL.family("terminals", "Terminals bound to installed outlets at the end of the period.")
_ACTIVE_TERMINALS = CHANNEL.family(
    "active_terminals", "Those of the terminals with a sale in the last {days} open days up to the end of the period."
)
_PER_TERMINAL_WEEK = CHANNEL.family(
    "sales_per_terminal_week",
    "Sales of the period per terminal bound to an installed outlet and seven days; absent without terminals.",
    money=True,
    period=True,
)


def _installed(place: Place) -> Family:
    return place.family("installed_outlets", "Outlets registered and not closed at the end of the period.")


def _unregistered(place: Place) -> Family:
    text = "Active outlets that were not installed at the end of the period; they stand in no penetration."
    return place.family("active_not_installed_outlets", text)


def _opened(place: Place) -> Family:
    return place.family("opened_outlets", "Outlets opened in the period.", period=True)


def _closed(place: Place) -> Family:
    return place.family("closed_outlets", "Outlets closed in the period.", period=True)


def _penetration(place: Place) -> Family:
    text = "Outlets both active and installed over those installed; absent without installed outlets."
    return place.family("penetration_ratio", text)


def _per_active(place: Place) -> Family:
    text = "Sales of the period per active outlet; absent without active outlets."
    return place.family("sales_per_active_outlet", text, money=True, period=True)


def _per_installed(place: Place) -> Family:
    text = "Sales of the period per installed outlet; absent without installed outlets."
    return place.family("sales_per_installed_outlet", text, money=True, period=True)


def _per_active_day(place: Place) -> Family:
    text = "Sales of the period per active outlet and open day; absent without either."
    return place.family("sales_per_active_outlet_open_day", text, money=True, period=True)


def _per_installed_day(place: Place) -> Family:
    text = "Sales of the period per installed outlet and open day; absent without either."
    return place.family("sales_per_installed_outlet_open_day", text, money=True, period=True)


_SALES_PER = (_per_active, _per_installed, _per_active_day, _per_installed_day)
_OF_PLACE = (_installed, _unregistered, _opened, _closed, _penetration, *_SALES_PER)
_ACTIVE = (active, active_growth, marks)


def scale_question(asking: Asking, place: Place, *, in_headline: bool) -> Question:
    """Scale of a place; where it stands in the headline, active outlets are told there."""
    request = pb.ScaleRequest(
        by=place.by,
        active_sales=asking.active_sales,
        active_open_days=asking.active_open_days,
        with_terminals=place is CHANNEL,
    )
    if not in_headline:
        request.compare = pb.COMPARISON_YOY
    families = [kind(place) for kind in (*_OF_PLACE, *(() if in_headline else _ACTIVE))]
    if place is CHANNEL:
        families += [_TERMINALS, _ACTIVE_TERMINALS, _PER_TERMINAL_WEEK]
    return Question(
        f"scale_{place.dimension or 'channel'}",
        "Scale",
        lambda _: request,
        tuple(families),
        partial(_samples, place, in_headline),
        place,
        lambda answer: len(answer.rows),
    )


def _samples(place: Place, in_headline: bool, answer: pb.ScaleResponse) -> Iterator[Sample]:  # noqa: FBT001 (bound above)
    shown = largest(answer.rows, place.most, sales=lambda row: row.sales_fen, group=lambda row: "".join(row.group))
    for row in shown:
        yield from _of_place(place, row)
        if not in_headline:
            yield from _active(place, row)


def _of_place(place: Place, row: pb.ScaleRow) -> Iterator[Sample]:
    values = place.values(row.group)
    of_period = (*values, period_label(row.first_day, row.day))
    yield Sample(_installed(place), values, row.installed)
    yield Sample(_unregistered(place), values, row.active_not_installed)
    yield Sample(_opened(place), of_period, row.opened)
    yield Sample(_closed(place), of_period, row.closed)
    if row.HasField("penetration"):
        yield Sample(_penetration(place), values, row.penetration)
    for kind, fen in zip(_SALES_PER, _sales_per(row), strict=True):
        if fen is not None:
            yield Sample(kind(place), of_period, fen / FEN)
    if row.HasField("terminals"):
        yield Sample(_TERMINALS, values, row.terminals)
    if row.HasField("active_terminals"):
        yield Sample(_ACTIVE_TERMINALS, values, row.active_terminals)
    if row.HasField("sales_per_terminal_week_fen"):
        yield Sample(_PER_TERMINAL_WEEK, of_period, row.sales_per_terminal_week_fen / FEN)


def _sales_per(row: pb.ScaleRow) -> tuple[int | None, ...]:
    """Sales per active and installed outlet, then both per open day, in fen."""
    return (
        row.sales_per_outlet_fen if row.HasField("sales_per_outlet_fen") else None,
        row.sales_per_installed_fen if row.HasField("sales_per_installed_fen") else None,
        row.sales_per_outlet_open_day_fen if row.HasField("sales_per_outlet_open_day_fen") else None,
        row.sales_per_installed_open_day_fen if row.HasField("sales_per_installed_open_day_fen") else None,
    )


def _active(place: Place, row: pb.ScaleRow) -> Iterator[Sample]:
    values = place.values(row.group)
    yield Sample(active(place), values, row.active)
    if row.HasField("growth"):
        if row.growth.mark in WITH_RATIO:
            yield Sample(active_growth(place), values, row.growth.ratio)
        yield from marked(place, values, "active_outlets", row.growth)
