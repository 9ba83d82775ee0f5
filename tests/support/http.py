"""A request by the plainest of clients, for tests that look at status and headers. Decodes nothing."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes


def post(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Post a body and return the whole answer."""
    return _ask("POST", url, body, headers)


def get(url: str) -> Answer:
    """Get a page whole."""
    return _ask("GET", url, None, None)


def _ask(method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None) -> Answer:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    try:
        connection.request(method, f"{address.path or '/'}?{address.query}", body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()
