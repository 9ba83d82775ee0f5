"""A command group whose commands are imported when they are called, so that --help stays fast."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


def group(targets: Mapping[str, tuple[str, str]], **attributes: Any) -> typer.Typer:
    """A group of commands: name to ("package.module:function", one line of help).

    The function carries its own options and its docstring is the command's full help.
    """

    class Lazy(TyperGroup):
        """Lists stubs, and swaps in the real command when one is called."""

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            name, command, rest = super().resolve_command(ctx, args)
            if name is not None and name in targets:
                command = _load(name, targets[name][0])
            return name, command, rest

    app = typer.Typer(cls=Lazy, **attributes)
    for name, (_, summary) in targets.items():
        app.command(name, help=summary)(_stub)
    return app


def _stub() -> None:
    """Never called: the group swaps it for the real command."""


def _load(name: str, target: str) -> Any:
    module, _, function = target.partition(":")
    single = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    single.command(name)(getattr(import_module(module), function))
    return typer.main.get_command(single)
