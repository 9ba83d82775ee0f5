"""Which draws are sealed, for the auditor's tables: of those only agrees or differs is shown. Tells no amounts."""

from __future__ import annotations

from collections.abc import Mapping

DrawTimes = Mapping[tuple[str, str], tuple[int, int]]
"""By game and draw number: when its sales close, and when it was drawn (0 if it was not), Unix milliseconds."""


def sealed(game: str, draw_no: str, draws: DrawTimes, now_ms: int) -> bool:
    """Whether figures of a draw are withheld: from its scheduled sales close until it is recorded as drawn.

    A draw in no table counts as sealed. Events without a draw (instant games, daily summaries) never are.
    """
    if not draw_no:
        return False
    known = draws.get((game, draw_no))
    if known is None:
        return True
    close_ms, drawn_ms = known
    return now_ms >= close_ms and not 0 < drawn_ms <= now_ms
