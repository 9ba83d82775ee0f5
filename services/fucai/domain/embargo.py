"""Which draws are sealed (封存): nobody may see their figures from the close of sales until the draw has ended.

彩票管理条例 art. 22. Whoever answers with figures asks here first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fucai.v1 import registry_pb2


@dataclass(frozen=True, slots=True)
class DrawTimes:
    """When sales of a draw close, and when it ended, in Unix ms; `drawn_ms` is 0 while it has not."""

    sales_close_ms: int
    drawn_ms: int

    def is_sealed(self, now_ms: int) -> bool:
        """Whether sales have closed and the draw has not ended."""
        return self.sales_close_ms <= now_ms and not 0 < self.drawn_ms <= now_ms


@dataclass(frozen=True, slots=True)
class Embargo:
    """The draws of the registry by game and number, and the games that have no draws."""

    draws: Mapping[tuple[str, str], DrawTimes] = field(default_factory=dict)
    drawless: frozenset[str] = frozenset()

    def is_sealed(self, game: str, draw_no: str, now_ms: int) -> bool:
        """Whether figures of a draw are withheld. An empty number stands for no draw, which is never sealed.

        A number that stands in no table counts as sealed.
        """
        if not draw_no:
            return False
        draw = self.draws.get((game, draw_no))
        return draw is None or draw.is_sealed(now_ms)

    def hides_event(self, game: str, draw_no: str, now_ms: int, *, daily_summary: bool) -> bool:
        """Whether figures of an event that nobody has found good are withheld.

        As `is_sealed`; but an event that names no draw may belong to any, unless its game is known to have none or
        it is a daily summary.
        """
        if draw_no:
            return self.is_sealed(game, draw_no, now_ms)
        return not daily_summary and game not in self.drawless


def build_embargo(records: Iterable[registry_pb2.RegistryRecord]) -> Embargo:
    """Builds the lookup from registry records; those of other tables are passed over."""
    draws = {}
    has_draws: defaultdict[str, bool] = defaultdict(bool)
    for record in records:
        if record.HasField("draw"):
            draw = record.draw
            draws[draw.game, draw.draw_no] = DrawTimes(draw.sales_close_ms, draw.drawn_ms)
        elif record.HasField("game"):
            has_draws[record.game.game] |= record.game.has_draws
    return Embargo(draws, frozenset(game for game, drawn in has_draws.items() if not drawn))
