"""What a command that acts says it did: sentences for people, or one JSON object on stdout and the sentences beside."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from fucai.cli.out.document import as_json
from fucai.cli.output import stderr_console

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object, described above, on stdout; talk goes to stderr.")
]


def say(done: Mapping[str, Any], lines: Iterable[str], *, json: bool) -> None:
    """Prints the sentences on stdout; with `json`, the object there and the sentences on stderr."""
    if not json:
        for line in lines:
            typer.echo(line)
        return
    sys.stdout.write(f"{as_json(dict(done))}\n")
    sys.stdout.flush()
    for line in lines:
        stderr_console().print(line, markup=False)
