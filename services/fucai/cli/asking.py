"""The options that questions share: period, comparison, which events count, explanation; read into a request."""

from __future__ import annotations

import enum
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from fucai.cli.errors import CliError
from fucai.cli.output import stderr_console
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import analytics_pb2 as pb

_PANEL = "Selection"
_DIMENSIONS = "game, zone, zone_type, district, mgmt_area, format, channel_class, outlet, draw, weekday, hour"


class Compare(enum.StrEnum):
    """What a period is compared with."""

    YOY = "yoy"
    PREVIOUS = "previous"
    WEEKDAY = "weekday"
    OPEN_DAY = "open_day"
    LUNAR = "lunar"
    BASE_PERIOD = "base_period"


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked about; `fields` are those of a request with two periods."""

    first: str
    last: str
    compare: Compare | None
    base_first: str
    base_last: str
    selection: pb.Selection
    data: Path | None
    timeout: float

    @property
    def fields(self) -> dict[str, Any]:
        """from_day, to_day, compare, base_from_day, base_to_day and selection for a request."""
        given = Compare.BASE_PERIOD if self.base_first and self.compare is None else self.compare
        return {
            "from_day": self.first,
            "to_day": self.last,
            "compare": pb.Comparison.Value(f"COMPARISON_{given.name if given else 'UNSPECIFIED'}"),
            "base_from_day": self.base_first,
            "base_to_day": self.base_last,
            "selection": self.selection,
        }


def question_of(  # noqa: PLR0913 (an option each)
    *,
    first: Annotated[
        str,
        typer.Option("--from", help="First business day, YYYY-MM-DD; else the first of --to's month."),
    ] = "",
    last: Annotated[str, typer.Option("--to", help="Last business day; else the last whole stored one.")] = "",
    compare: Annotated[
        Compare | None,
        typer.Option(
            help="Base: a year before (yoy 同比, the default), the period before (previous 环比), 364 days before "
            "(weekday), per open day, aligned on lunar new year (lunar), or the days of --base-from.",
        ),
    ] = None,
    base_first: Annotated[str, typer.Option("--base-from", help="First day of a base of your own.")] = "",
    base_last: Annotated[str, typer.Option("--base-to", help="Its last day; else it is as long as the period.")] = "",
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="DIM=VALUE,...",
            help=f"Count these only; again for further conditions. DIM: {_DIMENSIONS}.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option("--not", metavar="DIM=VALUE,...", help="Leave these out.", rich_help_panel=_PANEL),
    ] = None,
    today: Annotated[
        bool,
        typer.Option(
            "--today", help="Zones, formats and so on as registered today, for all days.", rich_help_panel=_PANEL
        ),
    ] = False,
    as_of: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Figures as they stood then: 2025-03-31T18:00, or Unix milliseconds. The embargo is that of now.",
            rich_help_panel=_PANEL,
        ),
    ] = "",
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Tell the queries on stderr: SQL, rows read, time.", rich_help_panel=_PANEL),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the stack that `fucai up` runs; else FUCAI_ANALYTICS or FUCAI_DATA says where.",
            rich_help_panel=_PANEL,
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, max=60, help="Seconds to wait; ClickHouse stops the query then.", rich_help_panel=_PANEL),
    ] = 30.0,
) -> Question:
    """The question asked.

    Raises:
        CliError: a condition or a moment cannot be read.
    """
    selection = pb.Selection(
        filters=[
            *(_filter("--filter", text, exclude=False) for text in only or ()),
            *(_filter("--not", text, exclude=True) for text in leave_out or ()),
        ],
        attributes=pb.ATTRIBUTE_BASIS_TODAY if today else pb.ATTRIBUTE_BASIS_AS_OF_SALE,
        as_of_ms=_moment(as_of) if as_of else 0,
        explain=explain,
    )
    return Question(first, last, compare, base_first, base_last, selection, data, timeout)


def with_question(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of a question: its keyword `question` gets the `Question` that they make."""
    own, shared = _parameters(command), _parameters(question_of)
    parameters = [one for one in own if one.name not in ("question", "out")] + shared
    parameters += [one for one in own if one.name == "out"]

    def asked(**values: Any) -> None:
        question = question_of(**{one.name: values.pop(one.name) for one in shared})
        command(**values, question=question)

    asked.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    asked.__annotations__ = {one.name: one.annotation for one in parameters}
    asked.__name__, asked.__doc__, asked.__module__ = command.__name__, command.__doc__, command.__module__
    return asked


def names_in(text: str) -> list[str]:
    """Names joined with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def tell_queries(queries: Sequence[pb.ExplainedQuery]) -> None:
    """Tells stderr the queries of an answer, where they were asked for."""
    console = stderr_console()
    for number, query in enumerate(queries, start=1):
        read = f"{query.rows_read:,} rows, {query.bytes_read:,} bytes, {query.seconds:.3f} s"
        source = ", ".join(query.projections) or "the events themselves"
        console.print(f"-- query {number}: {read}, from {source}\n{query.sql}", markup=False)
        console.print("".join(f"--   {parameter}\n" for parameter in query.parameters), markup=False)


def _filter(option: str, text: str, *, exclude: bool) -> pb.Filter:
    dimension, equals, values = text.partition("=")
    if not equals or not dimension.strip():
        raise CliError(
            f"{option} {text}: is no condition",
            hint=f"write {option} DIM=VALUE,..., for example game=ssq,3d",
            exit_code=os.EX_USAGE,
        )
    return pb.Filter(
        dimension=dimension.strip(), values=[value.strip() for value in values.split(",")], exclude=exclude
    )


def _moment(text: str) -> int:
    """Unix ms of a time; in the business time zone unless it says another."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CliError(
            f"--as-of {text}: is no time",
            hint="write YYYY-MM-DDTHH:MM, for example 2025-03-31T18:00",
            exit_code=os.EX_USAGE,
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ServiceSettings.from_env().zone)
    return int(moment.timestamp() * 1000)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters with their annotations as objects."""
    hints = get_type_hints(function, include_extras=True)
    return [
        one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for one in inspect.signature(function).parameters.values()
    ]
