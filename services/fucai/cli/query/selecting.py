"""The options that say which events a question is about, and what --explain prints. The service checks the values."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from fucai.cli.errors import CliError
from fucai.cli.output import stderr_console
from fucai.cli.sharing import sharing
from fucai.domain.labels import BY_DIMENSION, DIMENSIONS, code_called
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import analytics_pb2 as pb

_PANEL = "Selection"
_DIMENSIONS = "game, zone, zone_type, district, mgmt_area, format, channel_class, outlet, draw, weekday, hour"

Only = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="DIM=VALUE,...",
        help=f"Count these only; again for further conditions. DIM: {_DIMENSIONS}. Names do, too: 区域类型=夜市.",
        rich_help_panel=_PANEL,
    ),
]
LeaveOut = Annotated[
    list[str] | None,
    typer.Option("--not", metavar="DIM=VALUE,...", help="Leave these out.", rich_help_panel=_PANEL),
]
Today = Annotated[
    bool,
    typer.Option("--today", help="Zones, formats and so on as registered today, for all days.", rich_help_panel=_PANEL),
]
AsOf = Annotated[
    str,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="Figures as they stood then: 2025-03-10T18:00, or Unix milliseconds. The embargo is that of now.",
        rich_help_panel=_PANEL,
    ),
]
Explain = Annotated[
    bool,
    typer.Option("--explain", help="Tell the queries on stderr: SQL, rows read, projections.", rich_help_panel=_PANEL),
]

OneDimension = Annotated[
    str, typer.Option(help="One of game, zone, zone_type, district, mgmt_area, format, channel_class, outlet.")
]

Data = Annotated[
    Path | None,
    typer.Option(help="Folder of the stack that `fucai up` runs; else FUCAI_ANALYTICS or FUCAI_DATA says where."),
]
Timeout = Annotated[
    float, typer.Option(min=0.1, max=60, help="Seconds to wait; ClickHouse stops the query when they are over.")
]


class CompareName(enum.StrEnum):
    """What to compare with."""

    YOY = "yoy"
    PREVIOUS = "previous"
    WEEKDAY = "weekday"
    OPEN_DAY = "open_day"
    LUNAR = "lunar"
    BASE_PERIOD = "base_period"
    NONE = "none"

    @property
    def number(self) -> pb.Comparison.ValueType:
        """As it goes over the wire."""
        return pb.COMPARISON_UNSPECIFIED if self is CompareName.NONE else pb.Comparison.Value(f"COMPARISON_{self.name}")


Compare = Annotated[
    CompareName,
    typer.Option(
        help="A year before (同比), the period before (环比), 364 days before, per open day (开市日均), "
        "aligned on lunar new year (春节), the days of --base-from, or nothing."
    ),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events a question is about, where it is asked, and for how many seconds at most."""

    selection: pb.Selection
    data: Path | None
    timeout: float


def asked_of(
    *,
    only: Only = None,
    leave_out: LeaveOut = None,
    today: Today = False,
    as_of: AsOf = "",
    explain: Explain = False,
    data: Data = None,
    timeout: Timeout = 30.0,
) -> Asked:
    """What the options ask for.

    Raises:
        CliError: a condition is not of the form dimension=value, or the time is none.
    """
    selection = pb.Selection(
        filters=[*_conditions("--filter", only, exclude=False), *_conditions("--not", leave_out, exclude=True)],
        attributes=pb.ATTRIBUTE_BASIS_TODAY if today else pb.ATTRIBUTE_BASIS_UNSPECIFIED,
        as_of_ms=moment_of("--as-of", as_of),
        explain=explain,
    )
    return Asked(selection, data, timeout)


with_selection = sharing("asked", asked_of)
"""Gives a command the options that choose events: its keyword `asked` gets the `Asked` that they make."""


def given_comparison(name: CompareName) -> pb.Comparison.ValueType:
    """The number of a comparison for a question that always has one.

    Raises:
        CliError: nothing is no comparison here.
    """
    if name is CompareName.NONE:
        raise CliError("--compare none: growth needs a base; choose yoy, or ask `fucai query trend`", exit_code=64)
    return name.number


def moment_of(option: str, text: str) -> int:
    """The moment given to an option as Unix ms, 0 for none; without an offset in the business time zone.

    Raises:
        CliError: the text is no time.
    """
    if not text:
        return 0
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CliError(
            f"{option} {text!r} is no time: write 2025-03-10T18:00, or Unix milliseconds", exit_code=64
        ) from error
    zone = ServiceSettings.from_env().zone
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)


def listed(text: str) -> list[str]:
    """The names joined with commas in an option."""
    return [name.strip() for name in text.split(",") if name.strip()]


def dimensions_of(text: str) -> list[str]:
    """The codes of the dimensions joined with commas, each given by its code or its name."""
    return [code_called(name, DIMENSIONS) for name in listed(text)]


def tell(queries: Iterable[pb.ExplainedQuery]) -> None:
    """The queries of an answer, on stderr."""
    console = stderr_console()
    for number, query in enumerate(queries, 1):
        read = ", ".join(query.projections) or "events"
        cost = f"{query.rows_read:,} rows, {query.bytes_read:,} bytes, {query.seconds:.3f} s"
        console.print(f"-- query {number}: {cost}, from {read}", markup=False, highlight=False)
        for parameter in query.parameters:
            console.print(f"--   {parameter}", markup=False, highlight=False)
        console.print(query.sql, markup=False, highlight=False, soft_wrap=True)


def _conditions(option: str, texts: Iterable[str] | None, *, exclude: bool) -> Iterator[pb.Filter]:
    for text in texts or ():
        dimension, equals, values = text.partition("=")
        if not equals or not dimension.strip():
            raise CliError(
                f"{option} {text!r} is no condition: write {option} zone_type=night_market,complex", exit_code=64
            )
        code = code_called(dimension.strip(), DIMENSIONS)
        parts = [code_called(value.strip(), BY_DIMENSION.get(code, {})) for value in values.split(",")]
        yield pb.Filter(dimension=code, values=parts, exclude=exclude)
