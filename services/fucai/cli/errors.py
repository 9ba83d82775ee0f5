"""Turns failures into one line, a hint and a sysexits code. Prints to stderr only."""

from __future__ import annotations

import os
import re

import grpc
from rich.console import Console
from rich.text import Text

from fucai.runtime.errors import code_of, explain

_EXIT_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: os.EX_USAGE,
    grpc.StatusCode.OUT_OF_RANGE: os.EX_USAGE,
    grpc.StatusCode.ALREADY_EXISTS: os.EX_DATAERR,
    grpc.StatusCode.FAILED_PRECONDITION: os.EX_DATAERR,
    grpc.StatusCode.NOT_FOUND: os.EX_NOINPUT,
    grpc.StatusCode.UNAVAILABLE: os.EX_UNAVAILABLE,
    grpc.StatusCode.UNIMPLEMENTED: os.EX_PROTOCOL,
    grpc.StatusCode.DEADLINE_EXCEEDED: os.EX_TEMPFAIL,
    grpc.StatusCode.RESOURCE_EXHAUSTED: os.EX_TEMPFAIL,
    grpc.StatusCode.CANCELLED: os.EX_TEMPFAIL,
    grpc.StatusCode.ABORTED: os.EX_TEMPFAIL,
    grpc.StatusCode.PERMISSION_DENIED: os.EX_NOPERM,
    grpc.StatusCode.UNAUTHENTICATED: os.EX_NOPERM,
}

_HINTS = {
    grpc.StatusCode.INVALID_ARGUMENT: "change the value named above; --help shows what is possible",
    grpc.StatusCode.UNAVAILABLE: "`fucai status` tells which part is away; `fucai up --data DIR` starts a stack here",
    grpc.StatusCode.UNIMPLEMENTED: "the service is older than this command: install the same version on both sides",
    grpc.StatusCode.DEADLINE_EXCEEDED: "ask for a shorter period or fewer dimensions, or give it more --timeout",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "the service is busy: try again in a moment",
    grpc.StatusCode.INTERNAL: "the service's log says more under the id above",
}

# What to do where neither the error nor its status says more.
_BY_EXIT_CODE = {
    os.EX_USAGE: "change the value named above; --help shows what is possible",
    os.EX_DATAERR: "look at what is named above: the command can be given again once that has changed",
    os.EX_NOINPUT: "check the name; the commands that list (--help) show what there is",
    os.EX_UNAVAILABLE: "`fucai status` tells which part is away; `fucai up --data DIR` starts a stack here",
    os.EX_SOFTWARE: "the log of the service says more; the same command may be given again",
    os.EX_CANTCREAT: "choose another place with --output, or make room",
    os.EX_IOERR: "look after the disk, then give the same command again",
    os.EX_TEMPFAIL: "try again in a moment",
    os.EX_PROTOCOL: "install the same version on both sides",
    os.EX_NOPERM: "ask those who run the service for access",
    os.EX_CONFIG: "correct the setting named above, such as a FUCAI_ variable",
}

# How a person gives what a request has as a field; a service names the field.
_OPTIONS = {
    "from_day": "--from",
    "to_day": "--to",
    "base_from_day": "--base-from",
    "moving_average": "--moving-average",
    "average_open_days": "--average-open-days",
    "base_to_day": "--base-to",
    "cutoff_day": "--cutoff",
    "active_open_days": "--active-days",
    "active_sales": "--active-sales",
    "selection.as_of_ms": "--as-of",
    "as_of_ms": "--as-of",
}
_FIELD = re.compile(
    r"\bselection\.filters\[\d+\](?:\.dimension|\.values(?:\[\d+\])?)?(?=:)"
    r"|(?:^|(?<=; )|(?<=ARGUMENT: ))(?:by|compare|top|benchmark|day)(?:\[\d+\])?(?=: )"
    r"|\bCOMPARISON_(?P<rule>[A-Z_]+)\b"
    rf"|\b(?:{'|'.join(map(re.escape, _OPTIONS))})\b"
)


class CliError(Exception):
    """Ends the command with `message` and `hint` on stderr and the sysexits code `exit_code`.

    Without a hint of its own it gets that of the exit code.
    """

    def __init__(self, message: str, *, hint: str = "", exit_code: int = os.EX_SOFTWARE) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code


def exit_code_of(error: grpc.RpcError) -> int:
    """The sysexits code that stands for a failed call; 70 where the status says nothing better."""
    return _EXIT_CODES.get(code_of(error), os.EX_SOFTWARE)


def by_options(message: str) -> str:
    """What a service says of the fields of a request, said of the options that filled them."""
    return _FIELD.sub(_option, message)


def _option(found: re.Match[str]) -> str:
    if found["rule"]:
        return f"--compare {found['rule'].lower()}"
    name = found[0].partition("[")[0]
    return "--filter or --not" if name == "selection.filters" else _OPTIONS.get(found[0], f"--{name}")


def report(error: CliError | grpc.RpcError, stderr: Console | None = None) -> int:
    """Prints the failure in one line, its hint in the next, and returns the exit code."""
    console = stderr or Console(stderr=True, soft_wrap=True, highlight=False)
    if isinstance(error, CliError):
        message, hint, exit_code = str(error), error.hint, error.exit_code
    else:
        message, hint, exit_code = by_options(explain(error)), _HINTS.get(code_of(error), ""), exit_code_of(error)
    console.print(Text.assemble(("error: ", "bold red"), message))
    hint = hint or _BY_EXIT_CODE.get(exit_code, "")
    if hint:
        console.print(Text.assemble((" hint: ", "bold cyan"), hint))
    return exit_code
