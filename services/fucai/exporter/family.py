"""What a figure becomes: a metric's name, unit, labels and help, and one sample of it. Holds no figure itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from fucai.v1 import analytics_pb2 as pb

PERIOD = "period"
FEN = 100.0
POINTS = 100.0
WITH_RATIO = frozenset({pb.GROWTH_MARK_RATIO, pb.GROWTH_MARK_PARTIAL_BASE})
NOWHERE = "none"
"""The label of what has no value of a dimension, such as an outlet outside any zone."""

GROWTH = "(value - base) / base, the base being the same calendar days one year before; absent where there is no ratio."

_UNITS = {"CNY": "yuan"}
_MARKS = tuple(name.removeprefix("GROWTH_MARK_").lower() for name, number in pb.GrowthMark.items() if number)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric.

    Attributes:
        name: without the unit of money.
        text: its help; {sales} and {days} stand for the parameters of active outlets.
        labels: names of its labels, in order.
        money: whether it is an amount of money; its unit then ends the name.
    """

    name: str
    text: str
    labels: tuple[str, ...] = ()
    money: bool = False

    def named(self, currency: str) -> str:
        """The full name in a store of that currency, ISO 4217: fucai_channel_sales_yuan."""
        return f"{self.name}_{_UNITS.get(currency, currency.lower())}" if self.money else self.name


@dataclass(frozen=True, slots=True)
class Sample:
    """One value: `labels` are in the order of the family's, money is in units of the currency."""

    family: Family
    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Place:
    """What figures are told by: the whole channel, or each value of one dimension, and at most how many of them.

    `all_marks` shows each mark of a growth as 0 or 1; else only the one that holds is there, to keep the series few.
    """

    dimension: str
    most: int
    all_marks: bool = False

    @property
    def prefix(self) -> str:
        """How its metrics begin."""
        return f"fucai_{self.dimension or 'channel'}"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that all its metrics have."""
        return (self.dimension,) if self.dimension else ()

    @property
    def by(self) -> tuple[str, ...]:
        """The dimensions to ask for."""
        return self.labels

    def values(self, group: Sequence[str]) -> tuple[str, ...]:
        """The values of those labels for a group of an answer."""
        return (group[0] or NOWHERE,) if self.dimension else ()

    def family(
        self, name: str, text: str, more: Iterable[str] = (), *, money: bool = False, period: bool = False
    ) -> Family:
        """A metric of this place; with `period` the length of the period is its last label."""
        return Family(f"{self.prefix}_{name}", text, (*self.labels, *more, *((PERIOD,) if period else ())), money)


CHANNEL = Place("", 1, all_marks=True)
ZONE_TYPE = Place("zone_type", 20, all_marks=True)
DISTRICT = Place("district", 50)
GAME = Place("game", 50)


def zones(most: int) -> Place:
    """Each zone, at most that many of them."""
    return Place("zone", most)


def marks(place: Place) -> Family:
    """How each growth of a place is to be read."""
    text = (
        "1 for how the growth is to be read (ratio, new, both_zero, negative_base, no_base, partial_base, small_base)"
    )
    return place.family(
        "growth_mark", f"{text}{', else 0.' if place.all_marks else '; others absent.'}", ("figure", "mark")
    )


def marked(place: Place, values: tuple[str, ...], figure: str, growth: pb.Growth) -> Iterator[Sample]:
    """The samples that say how a growth is to be read."""
    current = pb.GrowthMark.Name(growth.mark).removeprefix("GROWTH_MARK_").lower()
    for name in _MARKS:
        if place.all_marks or name == current:
            yield Sample(marks(place), (*values, figure, name), float(name == current))


def period_label(first_day: str, last_day: str) -> str:
    """The length of a period as a label: 28d."""
    return f"{(date.fromisoformat(last_day) - date.fromisoformat(first_day)).days + 1}d"
