"""Which events a question is about: filters, whose attributes, figures as they stood when. Asks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from fucai.analytics.texts import FILTERS, FilterKind
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

MAX_FILTERS = 20
MAX_VALUES = 1_000
_LATEST_MS = 253_402_300_799_000  # the end of the year 9999
_NUMBERS = {"weekday": (1, 7), "hour": (0, 23)}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: the dimension has one of the values, or none of them with `exclude`."""

    dimension: str
    values: tuple[str, ...]
    exclude: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """A checked selection.

    Attributes:
        conditions: all of which hold.
        today: the day whose attributes count for all days; None for those as of the sale.
        as_of_ms: figures as they stood at this moment of storage, Unix ms UTC; 0 for now.
    """

    conditions: tuple[Condition, ...] = ()
    today: date | None = None
    as_of_ms: int = 0

    @property
    def key(self) -> tuple[tuple[str, bool], ...]:
        """What of the conditions stands in a query's text: dimension and exclusion, in order; never a value."""
        return tuple((condition.dimension, condition.exclude) for condition in self.conditions)

    @property
    def switches(self) -> dict[str, bool]:
        """What else of it stands in a query's text: attributes of today, figures as they stood."""
        return {"today": self.today is not None, "as_of": bool(self.as_of_ms)}

    def parameters(self) -> dict[str, object]:
        """The query parameters that the texts made for this selection name."""
        named: dict[str, object] = {}
        for place, condition in enumerate(self.conditions):
            number = FILTERS[condition.dimension].kind is FilterKind.NUMBER
            named[f"filter_{place}"] = [int(value) if number else value for value in condition.values]
        if self.today is not None:
            named["today"] = self.today
        if self.as_of_ms:
            named["as_of_ms"] = self.as_of_ms
        return named

    def of(self, dimension: str) -> Iterable[Condition]:
        """The conditions on one dimension."""
        return (condition for condition in self.conditions if condition.dimension == dimension)


EVERYTHING = Selection()
"""All events, with attributes as of the sale, as they stand now."""


def read_selection(
    request: analytics_pb2.Selection,
    today: date,
    now_ms: int,
    bad: list[Violation],
    *,
    allowed: Iterable[str] = FILTERS,
) -> Selection:
    """The selection of a request; what is wrong goes into `bad`, each with field, value and the valid choices.

    `today` and `now_ms` are the moment of the question; `allowed` are the dimensions that this question can filter by.
    Whether a value exists is not looked at here.
    """
    choices = tuple(allowed)
    if len(request.filters) > MAX_FILTERS:
        text = f"{len(request.filters)} filters: give at most {MAX_FILTERS}; one filter takes several values"
        bad.append(Violation("selection.filters", text))
    found = [
        Condition(one.dimension, tuple(one.values), one.exclude)
        for place, one in enumerate(request.filters)
        if _is_good(one, f"selection.filters[{place}]", choices, bad)
    ]
    if request.attributes not in set(analytics_pb2.AttributeBasis.values()):
        text = f"{request.attributes} is no attribute basis: choose ATTRIBUTE_BASIS_AS_OF_SALE or ATTRIBUTE_BASIS_TODAY"
        bad.append(Violation("selection.attributes", text))
    if request.as_of_ms < 0 or request.as_of_ms > now_ms:
        bad.append(not_up_to_now("selection.as_of_ms", request.as_of_ms, now_ms))
    by_today = request.attributes == analytics_pb2.ATTRIBUTE_BASIS_TODAY
    return Selection(tuple(found), today if by_today else None, request.as_of_ms)


def not_up_to_now(field: str, at_ms: int, now_ms: int) -> Violation:
    """What is told of a moment that is below zero or still to come, in Unix milliseconds and for people."""
    now = _utc(now_ms)
    shown = f"{at_ms} ({_utc(at_ms)})" if 0 <= at_ms <= _LATEST_MS else f"{at_ms}"
    return Violation(field, f"{shown} is not a moment up to now, {now}: give Unix milliseconds UTC, or 0 for now")


def _utc(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _is_good(one: analytics_pb2.Filter, field: str, choices: tuple[str, ...], bad: list[Violation]) -> bool:
    before = len(bad)
    if one.dimension not in choices:
        text = f"{one.dimension!r} is nothing to filter by here: choose {', '.join(choices)}"
        bad.append(Violation(f"{field}.dimension", text))
    if not one.values:
        bad.append(Violation(f"{field}.values", f"no value for {one.dimension!r}: give at least one"))
    if len(one.values) > MAX_VALUES:
        bad.append(Violation(f"{field}.values", f"{len(one.values):,} values: give at most {MAX_VALUES:,}"))
    if bounds := _NUMBERS.get(one.dimension):
        bad += [
            Violation(f"{field}.values[{place}]", f"{value!r} is no {one.dimension}: write {bounds[0]} to {bounds[1]}")
            for place, value in enumerate(one.values)
            if not (value.isascii() and value.isdigit() and bounds[0] <= int(value) <= bounds[1])
        ]
    return len(bad) == before


def merged(*parameters: Mapping[str, object]) -> dict[str, object]:
    """Query parameters of several origins as one mapping.

    Raises:
        ValueError: two of them name the same parameter.
    """
    found: dict[str, object] = {}
    for some in parameters:
        if twice := found.keys() & some.keys():
            raise ValueError(f"parameters given twice: {', '.join(sorted(twice))}")
        found.update(some)
    return found
