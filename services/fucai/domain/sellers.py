"""Who sold in each group in which period: those behind averages, and those that moved. Judges no change by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from fucai.domain.decomposition import Group, Row


@dataclass(frozen=True, slots=True)
class Population:
    """Outlets with sales above zero, their bets and their sales in fen."""

    outlets: int = 0
    bets: int = 0
    fen: int = 0

    def __add__(self, other: Population) -> Population:
        return Population(self.outlets + other.outlets, self.bets + other.bets, self.fen + other.fen)


@dataclass(slots=True)
class Sellers:
    """Of one group: its population in the base and now; the change in fen of the outlets that moved, and their number.

    An outlet moved to or from the group where it sold in both periods, but in this group in one of them only.
    """

    base: Population = field(default_factory=Population)
    value: Population = field(default_factory=Population)
    moved_fen: int = 0
    moved_outlets: int = 0


def sellers(rows: Iterable[Row]) -> dict[Group, Sellers]:
    """The sellers of all groups, of all groups above them (each prefix of a group) and of the whole, under ().

    Takes the rows of `decomposition.decompose`. Those who moved within a group did not move for it: so nobody moved for
    the whole.
    """
    cells: defaultdict[tuple[Group, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for group, outlet_id, *amounts in rows:
        for depth in range(len(group) + 1):
            sums = cells[group[:depth], outlet_id]
            for place, amount in enumerate(amounts):
                sums[place] += amount
    found: defaultdict[Group, Sellers] = defaultdict(Sellers)
    found[()] = Sellers()
    for (group, outlet_id), (base, value, base_bets, bets) in cells.items():
        one, (all_base, all_value, *_) = found[group], cells[(), outlet_id]
        if base > 0:
            one.base += Population(1, base_bets, base)
        if value > 0:
            one.value += Population(1, bets, value)
        if min(all_base, all_value) > 0 and (base > 0) != (value > 0):
            one.moved_fen += value - base
            one.moved_outlets += 1
    return dict(found)
