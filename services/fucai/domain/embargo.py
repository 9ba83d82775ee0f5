"""Which draws are sealed (封存): nobody may see their figures from the close of sales until the draw has ended.

彩票管理条例 art. 22. Whoever answers with figures asks here first; the view `sales_seals` says the same in SQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fucai.v1 import registry_pb2

SEAL, END = "seal", "end"
"""What people do to a draw, as in DrawAct.act."""


@dataclass(frozen=True, slots=True)
class DrawTimes:
    """When a draw is sealed, and when it ends, in Unix ms; `drawn_ms` is 0 while no end is known."""

    sealed_ms: int
    drawn_ms: int

    def is_sealed(self, now_ms: int) -> bool:
        """Whether the draw is sealed and has not ended."""
        return self.sealed_ms <= now_ms and not self.has_ended(now_ms)

    def has_ended(self, now_ms: int) -> bool:
        """Whether its figures may be seen again."""
        return 0 < self.drawn_ms <= now_ms


def draw_times(draw: registry_pb2.Draw, acts: Iterable[registry_pb2.DrawAct]) -> DrawTimes:
    """A draw's times: sealed at the scheduled close or an earlier act, ended at its act, else as registered.

    `acts` are those of the draw, at most one of each kind.
    """
    at_ms = {act.act: act.at_ms for act in acts}
    sealed_ms = min(draw.sales_close_ms, at_ms.get(SEAL, draw.sales_close_ms))
    return DrawTimes(sealed_ms, at_ms.get(END) or draw.drawn_ms)


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

    def sealed(self, now_ms: int) -> frozenset[tuple[str, str]]:
        """The draws, by game and number, that are sealed at that moment; of those in a table.

        Figures had earlier may contain a draw that was not among them then, so they are not to be shown any more.
        """
        return frozenset(key for key, draw in self.draws.items() if draw.is_sealed(now_ms))

    def with_draws(self, draws: Mapping[tuple[str, str], DrawTimes]) -> Embargo:
        """The same with newer times of some draws."""
        return Embargo({**self.draws, **draws}, self.drawless)

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
    draws: dict[tuple[str, str], registry_pb2.Draw] = {}
    acts: defaultdict[tuple[str, str], list[registry_pb2.DrawAct]] = defaultdict(list)
    has_draws: defaultdict[str, bool] = defaultdict(bool)
    for record in records:
        if record.HasField("draw"):
            draws[record.draw.game, record.draw.draw_no] = record.draw
        elif record.HasField("draw_act"):
            acts[record.draw_act.game, record.draw_act.draw_no].append(record.draw_act)
        elif record.HasField("game"):
            has_draws[record.game.game] |= record.game.has_draws
    times = {key: draw_times(draw, acts.get(key, ())) for key, draw in draws.items()}
    return Embargo(times, frozenset(game for game, drawn in has_draws.items() if not drawn))
