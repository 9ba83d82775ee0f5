"""Readiness by progress, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.runtime.progress import Progress, Readiness, combine


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds since the start."""
        return self.now


@pytest.mark.parametrize(
    ("report", "after_s", "expected"),
    [
        (lambda _: None, 0, Readiness(ready=False, reason="starting")),
        (lambda p: p.idle(), 0, Readiness(ready=True, reason="nothing to do")),
        (lambda p: p.idle("no terminals"), 1e9, Readiness(ready=True, reason="no terminals")),
        (lambda p: p.working("offset 7"), 30, Readiness(ready=True, reason="offset 7")),
        (lambda p: p.working("offset 7"), 31, Readiness(ready=False, reason="no progress for 31 s since: offset 7")),
        (lambda p: p.blocked("broker away"), 0, Readiness(ready=False, reason="broker away")),
    ],
)
def test_readiness_follows_the_last_report(
    report: Callable[[Progress], None], after_s: float, expected: Readiness
) -> None:
    """Idle is ready, work is ready while it moves, blocked and silent starts are not."""
    clock = Clock()
    progress = Progress(stalled_after_s=30, clock=clock)
    report(progress)
    clock.now = after_s
    assert progress.readiness() == expected


def test_a_polling_loop_must_be_heard_of_even_when_idle() -> None:
    """With silent_after_s an idle loop that stopped reporting is not ready."""
    clock = Clock()
    progress = Progress(silent_after_s=5, clock=clock)
    progress.idle("caught up")
    clock.now = 5
    assert progress.readiness().ready
    clock.now = 6
    assert progress.readiness() == Readiness(ready=False, reason="not heard of for 6 s since: caught up")


@given(st.lists(st.floats(0, 29.9), min_size=1, max_size=20))
def test_steady_work_never_stalls(pauses: list[float]) -> None:
    """However long the work takes in all, steps closer together than the limit keep it ready."""
    clock = Clock()
    progress = Progress(stalled_after_s=30, clock=clock)
    progress.working("step 0")
    for pause in pauses:
        clock.now += pause
        assert progress.readiness().ready
        progress.working("next step")


@given(st.dictionaries(st.sampled_from("abcdef"), st.booleans()))
def test_a_process_is_ready_when_all_its_parts_are(parts: dict[str, bool]) -> None:
    """The whole is the conjunction of the parts, and the reason names every part that is not ready."""
    whole = combine({name: Readiness(ready=ready, reason=f"because of {name}") for name, ready in parts.items()})
    assert whole.ready == all(parts.values())
    if not whole.ready:
        named = {name for name in parts if f"{name}: because of {name}" in whole.reason}
        assert named == {name for name, ready in parts.items() if not ready}
