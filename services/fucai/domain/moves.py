"""Outlets that moved: same outlets of the whole that sold in a group in one period only. Judges nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from fucai.domain.decomposition import Group, Row


@dataclass(slots=True)
class Moved:
    """Of one group: the change in fen of the outlets that moved to or from it, and their number."""

    fen: int = 0
    outlets: int = 0


def moves(rows: Iterable[Row]) -> dict[Group, Moved]:
    """The moves of all groups, of all groups above them (each prefix of a group) and of the whole, under ().

    Takes the rows of `decomposition.decompose`. An outlet has sales where its sum is above zero. Who moved within a
    group did not move for it, so nobody moved for the whole.
    """
    cells: defaultdict[tuple[Group, str], list[int]] = defaultdict(lambda: [0, 0])
    for group, outlet_id, base, value, *_ in rows:
        for depth in range(len(group) + 1):
            sums = cells[group[:depth], outlet_id]
            sums[0] += base
            sums[1] += value
    found: defaultdict[Group, Moved] = defaultdict(Moved)
    found[()] = Moved()
    for (group, outlet_id), (base, value) in cells.items():
        moved = found[group]
        if min(cells[(), outlet_id]) > 0 and (base > 0) != (value > 0):
            moved.fen += value - base
            moved.outlets += 1
    return dict(found)
