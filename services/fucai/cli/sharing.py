"""Options that several commands share: a function makes one value of them, and a decorator gives them to commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias, get_type_hints

Command: TypeAlias = Callable[..., None]


def sharing(
    keyword: str, make: Callable[..., object], *, without: frozenset[str] = frozenset()
) -> Callable[[Command], Command]:
    """A decorator: the command has the options of `make`, after its own, and gets what they make as `keyword`.

    Options whose parameters `without` names are left out. What is wrong with them is told before the command begins.
    Several may stand above one command; the uppermost is made first, and its options come last.

    Raises:
        TypeError: the command has an option of that name already.
    """

    def decorate(command: Command) -> Command:
        shared = [one for one in _parameters(make) if one.name not in without]
        own = [one for one in _parameters(command) if one.name != keyword]
        clash = {one.name for one in own} & {one.name for one in shared}
        if clash:
            raise TypeError(f"{command.__name__}: {sorted(clash)} are options of {make.__name__} already")

        def asked(**values: Any) -> None:
            made = make(**{one.name: values.pop(one.name) for one in shared})
            command(**values, **{keyword: made})

        everything = [*own, *shared]
        asked.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]  # what typer reads
        asked.__annotations__ = {one.name: one.annotation for one in everything}
        asked.__name__, asked.__doc__, asked.__module__ = command.__name__, command.__doc__, command.__module__
        return asked

    return decorate


def _parameters(function: Callable[..., object]) -> list[inspect.Parameter]:
    """The parameters with their annotations as objects."""
    hints = get_type_hints(function, include_extras=True)
    return [
        one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for one in inspect.signature(function).parameters.values()
    ]
