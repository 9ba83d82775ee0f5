"""Pages of an answer. A token holds the place and the question it belongs to, so another question refuses it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.message import Message

from fucai.analytics.questions import MAX_ROWS, BadQuestionError
from fucai.runtime.errors import Violation

T = TypeVar("T")
Q = TypeVar("Q", bound=Message)


def page(items: Sequence[T], question: Message) -> tuple[Sequence[T], str]:
    """The page of `items` that a request with page_size and page_token asks for, and the next page's token.

    The token is empty on the last page; page_size 0 stands for all that one message carries.

    Raises:
        BadQuestionError: the token was not given out for this question, or there is more than one message carries.
    """
    size: int = getattr(question, "page_size")  # noqa: B009 (requests of several types have it)
    token: str = getattr(question, "page_token")  # noqa: B009
    if size > MAX_ROWS:
        raise _bad("page_size", f"{size:,} rows: choose 1 to {MAX_ROWS:,}, or 0 for all that one message carries")
    fingerprint = _fingerprint(question)
    start = _read(token, fingerprint) if token else 0
    if not size and len(items) - start > MAX_ROWS:
        text = f"the answer has {len(items):,} rows, one message carries {MAX_ROWS:,}: set page_size, or ask for less"
        raise _bad("page_size", text)
    end = start + (size or MAX_ROWS)
    return items[start:end], _write(end, fingerprint) if end < len(items) else ""


def _fingerprint(question: Message) -> str:
    """A short digest of the question without the place on its pages."""
    bare = type(question)()
    bare.CopyFrom(question)
    for field in ("page_size", "page_token"):
        bare.ClearField(field)
    return hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()[:16]


def _write(place: int, fingerprint: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([place, fingerprint]).encode()).decode()


def _read(token: str, fingerprint: str) -> int:
    try:
        place, of = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError) as error:
        text = f"{token!r} is none that this service gave: take next_page_token of the page before"
        raise _bad("page_token", text) from error
    if of != fingerprint:
        raise _bad("page_token", "belongs to another question: repeat the question it came with, or leave it out")
    if not isinstance(place, int) or place < 1:
        raise _bad("page_token", f"{token!r} is none that this service gave: take next_page_token of the page before")
    return place


def _bad(field: str, text: str) -> BadQuestionError:
    return BadQuestionError([Violation(field, text)])
