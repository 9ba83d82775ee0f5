"""What commands that list things of ledger and registry share: where these are, how long to wait, all pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

PAGE = 1_000
LedgerData = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder of the stack that `fucai up` runs; else FUCAI_LEDGER or FUCAI_DATA says where."
    ),
]
RegistryData = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder of the stack that `fucai up` runs; else FUCAI_REGISTRY or FUCAI_DATA says where."
    ),
]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, max=60, help="Seconds to wait for each answer.")]


def whole(call: Callable[..., Any], request: Any, field: str, timeout: float) -> Any:
    """All pages of a list as one answer; totals are those of the first page.

    Raises:
        grpc.RpcError: a page cannot be had.
    """
    answer = page = call(request, timeout=timeout)
    while page.next_page_token:
        request.page_token = page.next_page_token
        page = call(request, timeout=timeout)
        getattr(answer, field).extend(getattr(page, field))
    answer.next_page_token = ""
    return answer


def numbers(first: int, last: int) -> str:
    """A range for people."""
    return f"{first}" if first == last else f"{first}..{last}"
