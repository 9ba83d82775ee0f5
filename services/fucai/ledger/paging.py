"""Page tokens: where the next page of a list begins, as the last key of the page before."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

MAX_PAGE = 1_000
T = TypeVar("T")
TokenKey = tuple[str | int, ...]


class BadTokenError(ValueError):
    """The token is none that was given out."""

    def __init__(self) -> None:
        super().__init__("is none that this service gave; take next_page_token of the page before")


def write(key: Sequence[str | int] | None) -> str:
    """The token that stands for a key; empty for None."""
    return "" if key is None else base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode()


def read(token: str, kinds: Sequence[type]) -> TokenKey | None:
    """The key that a token stands for, with values of these kinds; None for an empty token.

    Raises:
        BadTokenError: see there.
    """
    if not token:
        return None
    try:
        key = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadTokenError from error
    if not isinstance(key, list) or [type(value) for value in key] != list(kinds):
        raise BadTokenError
    if any(isinstance(value, int) and not 0 <= value < 1 << 64 for value in key):
        raise BadTokenError
    return tuple(key)


def cut(items: Sequence[T], key: Callable[[T], TokenKey], *, size: int, token: str) -> tuple[Sequence[T], str]:
    """The items, in the order of their keys, after the token, at most `size`; and the token of the next page.

    Raises:
        BadTokenError: see there.
    """
    start = 0
    if token:
        kinds = [type(value) for value in key(items[0])] if items else []
        after = read(token, kinds) if items else None
        start = bisect_right(items, after, key=key) if after is not None else 0
    chosen = items[start : start + size]
    return chosen, write(key(chosen[-1])) if start + size < len(items) else ""
