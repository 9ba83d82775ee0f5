"""The options that questions share: period, comparison, which events count, explanation; read into a request."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from fucai.cli.query.selecting import AsOf, Explain, LeaveOut, Only, Today, selection_of
from fucai.v1 import analytics_pb2 as pb

_PANEL = "Selection"


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
    only: Only = None,
    leave_out: LeaveOut = None,
    today: Today = False,
    as_of: AsOf = "",
    explain: Explain = False,
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
    selection = selection_of(only, leave_out, today=today, as_of=as_of, explain=explain)
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


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters with their annotations as objects."""
    hints = get_type_hints(function, include_extras=True)
    return [
        one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for one in inspect.signature(function).parameters.values()
    ]
