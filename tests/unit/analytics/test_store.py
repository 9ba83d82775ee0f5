"""A store that was away for a moment is asked again by the same thread."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from fucai.adapters.clickhouse import OperationalError
from fucai.analytics import store
from fucai.analytics.store import Store, StoreAwayError


class Client:
    """Fails at its first query, whoever made it; then answers with one row."""

    def __init__(self, failures: list[Exception]) -> None:
        self._failures = failures

    def query(self, _text: str, **_: Any) -> Any:
        """One row of one number."""
        if self._failures:
            raise self._failures.pop()
        return SimpleNamespace(first_row=(2,), result_rows=[(2,)], summary={})


def test_a_connection_lost_at_its_first_query_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the question that met it hears of it."""
    failures: list[Exception] = [OperationalError("connection refused")]
    monkeypatch.setattr(store, "connect", lambda *_, **__: Client(failures))

    async def questions() -> list[Any]:
        asked = Store("http://127.0.0.1:1", "fucai", threads=1)
        with pytest.raises(StoreAwayError, match="is away"):
            await asked.asking(5.0)("SELECT 2", {})
        rows = await asked.asking(5.0)("SELECT 2", {})
        await asked.close()
        return [tuple(row) for row in rows]

    assert asyncio.run(questions()) == [(2,)]
