"""A count that a seal fell into is no count; it is made again, and given up when that happens time and again."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from fucai.adapters.conservation_store import Scope
from fucai.domain.embargo import DrawTimes, Embargo
from fucai.ledger import conservation
from fucai.ledger.conservation import By, DisturbedError

CLOSE_MS, NOW_MS = 1_000, 2_000


def sealed(count: int) -> Embargo:
    """So many draws that are sealed now."""
    times = {("ssq", f"2026{number:03}"): DrawTimes(CLOSE_MS, 0) for number in range(count)}
    return Embargo(times)


def test_a_count_that_is_always_disturbed_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the store finds one sealed draw more."""
    looks = itertools.count(1)
    monkeypatch.setattr(conservation, "as_stored", lambda *_: sealed(next(looks)))
    monkeypatch.setattr(conservation, "_count", _counted)
    with pytest.raises(DisturbedError, match="ask again"):
        conservation.count(None, sealed(0), lambda: NOW_MS, By.GAME, Scope())


def test_a_count_that_was_disturbed_once_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is of one moment."""
    looks = iter([1, 2, 2, 2])
    monkeypatch.setattr(conservation, "as_stored", lambda *_: sealed(next(looks)))
    monkeypatch.setattr(conservation, "_count", _counted)
    found = conservation.count(None, sealed(0), lambda: NOW_MS, By.GAME, Scope())
    assert len(found.sealed) == 2


def _counted(_client: Any, embargo: Embargo, now_ms: int, by: By, _scope: Scope) -> conservation.Conservation:
    return conservation.Conservation(by, unreadable=0, sealed=embargo.sealed(now_ms))
