"""Draws that stand in no figure because they are sealed, as metrics; and which kept answers a new seal makes unfit."""

from __future__ import annotations

from collections.abc import Iterator

from fucai.exporter.family import CHANNEL, Sample
from fucai.v1 import analytics_pb2 as pb

_COUNT = CHANNEL.family(
    "withheld_draws", "Draws with stored sales that stand in no figure now: sealed, or in no table."
)
_OVERDUE = CHANNEL.family(
    "withheld_draw_overdue_seconds",
    "For how long the most overdue of the 20 draws sealed last should be back in the figures; 0 without one.",
)
FAMILIES = (_COUNT, _OVERDUE)


def withheld(fresh: pb.DataFreshness, now_s: float) -> Iterator[Sample]:
    """The samples of an answer's freshness at a moment, Unix seconds."""
    late = [now_s - draw.returns_ms / 1000 for draw in fresh.withheld if draw.returns_ms]
    yield Sample(_COUNT, (), fresh.withheld_draws)
    yield Sample(_OVERDUE, (), max([0.0, *late]))


def may_hold_sealed(kept: pb.DataFreshness, newest: pb.DataFreshness, now_s: float) -> bool:
    """Whether a kept answer may contain a draw that is sealed by now.

    So it is once its next draw by schedule is sealed, and when a newer answer leaves out a draw that it did not: that
    one was sealed by hand meanwhile. A draw in no table has always counted as sealed.
    """
    if kept.next_seal_ms and now_s >= kept.next_seal_ms / 1000:
        return True
    known = {(draw.game, draw.draw_no) for draw in kept.withheld}
    return newest.answered_ms > kept.answered_ms and any(
        draw.sealed_ms and (draw.game, draw.draw_no) not in known for draw in newest.withheld
    )
