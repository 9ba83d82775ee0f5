"""The options that say what a period is compared with, read into the fields of a request. The service checks them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from fucai.cli.query.selecting import Compare, CompareName, given_comparison
from fucai.cli.sharing import sharing
from fucai.v1 import analytics_pb2 as pb


@dataclass(frozen=True, slots=True)
class Base:
    """What a period is compared with."""

    compare: CompareName
    first: str
    last: str

    @property
    def fields(self) -> dict[str, Any]:
        """compare, base_from_day and base_to_day of a request; no comparison is one, too."""
        return {"compare": self.compare.number, "base_from_day": self.first, "base_to_day": self.last}

    @property
    def given(self) -> dict[str, Any]:
        """The same for a question that always has a base.

        Raises:
            CliError: nothing is no comparison here.
        """
        return self.fields | {"compare": given_comparison(self.compare)}


def base_of(
    *,
    compare: Compare = CompareName.YOY,
    base_first: Annotated[str, typer.Option("--base-from", help="First day of the base, with base_period.")] = "",
    base_last: Annotated[str, typer.Option("--base-to", help="Last day of it; else as many days as asked for.")] = "",
) -> Base:
    """The base asked for."""
    return Base(compare, base_first, base_last)


with_base = sharing("base", base_of)
"""Gives a command the options of a base: its keyword `base` gets the `Base` that they make."""


class Rule(enum.StrEnum):
    """What two periods are compared by, where they always are."""

    YOY = "yoy"
    PREVIOUS = "previous"
    WEEKDAY = "weekday"
    OPEN_DAY = "open_day"
    LUNAR = "lunar"
    BASE_PERIOD = "base_period"


@dataclass(frozen=True, slots=True)
class Periods:
    """Two periods: that asked about, and its base; a base of its own needs no rule."""

    first: str
    last: str
    compare: Rule | None
    base_first: str
    base_last: str

    @property
    def fields(self) -> dict[str, Any]:
        """from_day, to_day, compare, base_from_day and base_to_day of a request."""
        given = Rule.BASE_PERIOD if self.base_first and self.compare is None else self.compare
        return {
            "from_day": self.first,
            "to_day": self.last,
            "compare": pb.Comparison.Value(f"COMPARISON_{given.name if given else 'UNSPECIFIED'}"),
            "base_from_day": self.base_first,
            "base_to_day": self.base_last,
        }


def periods_of(
    *,
    first: Annotated[
        str,
        typer.Option("--from", help="First business day, YYYY-MM-DD; else the first of --to's month."),
    ] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    compare: Annotated[
        Rule | None,
        typer.Option(
            help="Base: a year before (yoy 同比, the default), the period before (previous 环比), 364 days before "
            "(weekday), per open day, aligned on lunar new year (lunar), or the days of --base-from.",
        ),
    ] = None,
    base_first: Annotated[str, typer.Option("--base-from", help="First day of a base of your own.")] = "",
    base_last: Annotated[str, typer.Option("--base-to", help="Its last day; else it is as long as the period.")] = "",
) -> Periods:
    """The periods asked about."""
    return Periods(first, last, compare, base_first, base_last)


with_periods = sharing("periods", periods_of)
"""Gives a command the options of two periods: its keyword `periods` gets the `Periods` that they make."""
