"""Figures taken again and again: quickly until the first, then at their interval; when they count as missing or old."""

from __future__ import annotations

import asyncio
from unittest import mock

import pytest

from fucai.runtime.progress import Progress
from fucai.runtime.refreshing import FIRST_SECONDS, Refreshing


def test_turns_are_quick_until_the_first_figures() -> None:
    """Two turns find nothing, the third does; from then on they come at the interval."""
    ages: list[float | None] = [None, None, 0.0, 0.0]
    slept: list[float] = []
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == len(ages):
            raise asyncio.CancelledError

    found = Refreshing(60.0, lambda: ages[turns - 1], Progress())
    with mock.patch("asyncio.sleep", sleep), pytest.raises(asyncio.CancelledError):
        asyncio.run(found.again(turn))
    assert (turns, slept) == (4, [FIRST_SECONDS, FIRST_SECONDS, 60.0, 60.0])


@pytest.mark.parametrize(
    ("age_s", "ready", "told"),
    [(None, False, "no figures yet: away"), (180.0, True, "fresh"), (180.5, False, "figures are 180 s old: away")],
)
def test_a_failure_counts_once_the_last_figures_are_older_than_three_intervals(
    age_s: float | None,
    ready: bool,  # noqa: FBT001 (a value of the table)
    told: str,
) -> None:
    """Before the first ones at once; while they are young a failure changes nothing."""
    progress = Progress()
    progress.idle("fresh")
    Refreshing(60.0, lambda: age_s, progress).failed("away")
    assert (progress.readiness().ready, progress.readiness().reason) == (ready, told)
