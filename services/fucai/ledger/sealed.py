"""The embargo as the store has it: the registry's snapshot may not have a seal by hand yet, or be cut off for long."""

from __future__ import annotations

from typing import Any

from fucai.adapters.draw_store import read_times
from fucai.domain.embargo import DrawTimes, Embargo


def as_stored(client: Any, known: Embargo) -> Embargo:
    """The embargo of a snapshot with the times of every draw that the store has now.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return known.with_draws({draw: DrawTimes(*times) for draw, times in read_times(client).items()})
