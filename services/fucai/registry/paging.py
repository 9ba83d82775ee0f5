"""Page tokens: where the next page of a list begins. A token stays good when records are added."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Sequence

from fucai.domain.registry.tables import Key

MAX_PAGE = 1_000


class BadTokenError(ValueError):
    """The token is none that was given out."""


def page(keys: Sequence[Key], size: int, token: str) -> tuple[Sequence[Key], str]:
    """The keys (in order) after the token, at most `size`, and the token of the next page, empty on the last.

    Raises:
        BadTokenError: see there.
    """
    start = bisect_right(keys, _read(token)) if token else 0
    chosen = keys[start : start + size]
    return chosen, _write(chosen[-1]) if start + size < len(keys) else ""


def _write(key: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, ensure_ascii=False).encode()).decode()


def _read(token: str) -> Key:
    try:
        key = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadTokenError("is none that this service gave; take next_page_token of the page before") from error
    if not isinstance(key, list) or not all(isinstance(part, str) for part in key):
        raise BadTokenError("is none that this service gave; take next_page_token of the page before")
    return tuple(key)
