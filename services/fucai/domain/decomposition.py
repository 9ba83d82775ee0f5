"""Why sales changed: new, closed and same outlets, and again by factors (LMDI). Parts are whole fen and sum exactly.

Each outlet is judged once, by its totals over all rows; each row (a group and an outlet) is split by itself. So a
group's parts are the sums of its children's, and new, closed and same of the whole do not depend on the grouping.
"""

from __future__ import annotations

import enum
import math
import operator
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Group = tuple[str, ...]
Row = tuple[Group, str, int, int, int, int]
"""Group, outlet id, base fen, current fen, base bets, current bets."""

_NEAR = 2.0
_AMOUNTS = (
    "base",
    "value",
    "opened",
    "first_sales",
    "closed",
    "same",
    "intensity",
    "price",
    "other",
    "base_bets",
    "value_bets",
)


class Standing(enum.Enum):
    """What an outlet is to a change; an outlet has sales in a period when its total there is above zero."""

    SAME = enum.auto()
    NEW = enum.auto()
    CLOSED = enum.auto()
    NEITHER = enum.auto()
    """Sales in neither period; it may have voids."""


@dataclass(frozen=True, slots=True)
class Line:
    """The change of one group. All amounts in fen, all counts in outlets.

    Attributes:
        group: values of the dimensions; () for the whole.
        base_fen, value_fen: sales of the two periods. base + new + closed + same = value.
        new_fen: change of outlets with sales now and none in the base; opened_fen + first_sales_fen = new_fen.
        opened_fen: those of them that the registry has as opened.
        first_sales_fen: the others: long registered, or unknown to the registry.
        closed_fen: change of outlets without sales now, and of those that have voids only.
        same_fen: change of outlets with sales in both periods.
        new_outlets, closed_outlets, same_outlets: outlets of each standing that appear in the group.
        scale_effect_fen: effect of the number of outlets, = new + closed.
        intensity_effect_fen: effect of bets per outlet.
        price_effect_fen: effect of fen per bet.
        other_effect_fen: change that can not stand in a logarithm. base + the four effects = value.
        base_bets, value_bets: bets of the two periods.
        base_outlets, value_outlets: outlets with sales above zero in the group, in the two periods.
    """

    group: Group
    base_fen: int = 0
    value_fen: int = 0
    opened_fen: int = 0
    first_sales_fen: int = 0
    closed_fen: int = 0
    same_fen: int = 0
    intensity_effect_fen: int = 0
    price_effect_fen: int = 0
    other_effect_fen: int = 0
    base_bets: int = 0
    value_bets: int = 0
    new_outlets: int = 0
    closed_outlets: int = 0
    same_outlets: int = 0
    base_outlets: int = 0
    value_outlets: int = 0

    @property
    def change_fen(self) -> int:
        """Sales less those of the base."""
        return self.value_fen - self.base_fen

    @property
    def new_fen(self) -> int:
        """Change of outlets with sales now and none in the base."""
        return self.opened_fen + self.first_sales_fen

    @property
    def scale_effect_fen(self) -> int:
        """Effect of the number of outlets: what new ones brought and closed ones took."""
        return self.new_fen + self.closed_fen

    @property
    def averages(self) -> Averages | None:
        """The change again by the group's averages, see `by_averages`; it can not be drilled."""
        base = (self.base_outlets, self.base_bets, self.base_fen)
        return by_averages(base, (self.value_outlets, self.value_bets, self.value_fen))


def decompose(rows: Iterable[Row], opened: Collection[str] = ()) -> dict[Group, Line]:
    """The lines of all groups, of all groups above them (each prefix of a group) and of the whole, under ().

    Groups are equally long. Rows of one group and outlet are added up first; order does not matter. `opened` has the
    outlets that the registry has as opened since the base began, to tell openings from first sales.

    Raises:
        ValueError: the groups differ in length.
    """
    cells: dict[tuple[Group, str], tuple[int, int, int, int]] = {}
    outlets: dict[str, tuple[int, int]] = {}
    for group, outlet_id, base, value, base_bets, bets in rows:
        cell = cells.get((group, outlet_id), (0, 0, 0, 0))
        cells[group, outlet_id] = (cell[0] + base, cell[1] + value, cell[2] + base_bets, cell[3] + bets)
        total = outlets.get(outlet_id, (0, 0))
        outlets[outlet_id] = (total[0] + base, total[1] + value)
    depths = {len(group) for group, _ in cells}
    if len(depths) > 1:
        raise ValueError(f"groups of {sorted(depths)} values: give every row the same dimensions")
    known_opened = frozenset(opened)
    tallies: defaultdict[Group, _Tally] = defaultdict(_Tally)
    tallies[()] = _Tally()
    for (group, outlet_id), cell in cells.items():
        standing = _standing(*outlets[outlet_id])
        tallies[group].add((*_part(standing, *cell, opened=outlet_id in known_opened), cell[2], cell[3]))
        if cell[0] or cell[1]:
            tallies[group].members[standing].add(outlet_id)
        for side, fen in enumerate(cell[:2]):
            if fen > 0:
                tallies[group].sellers[side].add(outlet_id)
    for depth in range(max(depths, default=0), 0, -1):
        for group in [group for group in tallies if len(group) == depth]:
            tallies[group[:-1]].take(tallies[group])
    return {group: tally.line(group) for group, tally in tallies.items()}


def children(lines: Mapping[Group, Line], group: Group = ()) -> list[Line]:
    """The lines one dimension below `group`, the largest change (up or down) first; equals by group."""
    below = [line for key, line in lines.items() if len(key) == len(group) + 1 and key[: len(group)] == group]
    return sorted(below, key=lambda line: (-abs(line.change_fen), line.group))


def logarithmic_mean(left: int, right: int) -> float:
    """L(a, b) = (a - b) / ln(a / b), and a where both are equal: the weight of LMDI. Symmetric.

    Source: Ang, "LMDI decomposition approach: a guide for implementation", Energy Policy 86 (2015).

    Raises:
        ValueError: a value is not above zero.
    """
    if left <= 0 or right <= 0:
        raise ValueError(f"logarithmic mean of {left} and {right}: both must be above zero")
    if left == right:
        return float(left)
    return (left - right) / log_ratio(left, right)


def log_ratio(value: int, base: int) -> float:
    """ln(value / base) of two integers above zero, precise for near ones too; swapping them changes the sign alone."""
    if value < base:
        return -log_ratio(base, value)
    ratio = value / base
    return math.log1p((value - base) / base) if ratio < _NEAR else math.log(ratio)


@dataclass(frozen=True, slots=True)
class Averages:
    """The change of one group by its averages, in fen; the three effects sum to it exactly."""

    scale_effect_fen: int
    intensity_effect_fen: int
    price_effect_fen: int


def by_averages(base: tuple[int, int, int], value: tuple[int, int, int]) -> Averages | None:
    """The change of one population read as outlets x bets per outlet x fen per bet, by LMDI on its totals.

    Each side is (outlets with sales, their bets, their fen). A new outlet counts here as one at the average, and what
    it sells above or below that as intensity. Such effects of groups do not sum to those of the whole; those of
    `decompose` do. None where a number is not above zero.
    """
    if min(base) <= 0 or min(value) <= 0:
        return None
    change = value[2] - base[2]
    weight = logarithmic_mean(value[2], base[2])
    scale = round(weight * log_ratio(value[0], base[0]))
    intensity = round(weight * log_ratio(value[1] * base[0], base[1] * value[0]))
    return Averages(scale, intensity, change - scale - intensity)


def _standing(base: int, value: int) -> Standing:
    if value > 0:
        return Standing.SAME if base > 0 else Standing.NEW
    return Standing.CLOSED if base > 0 else Standing.NEITHER


def _part(standing: Standing, base: int, value: int, base_bets: int, bets: int, *, opened: bool) -> tuple[int, ...]:
    """One outlet's part in one group, in the order of `_AMOUNTS`, without the bets."""
    change = value - base
    if standing is Standing.NEW:
        return (base, value, change, 0, 0, 0, 0, 0, 0) if opened else (base, value, 0, change, 0, 0, 0, 0, 0)
    if standing is not Standing.SAME:
        return (base, value, 0, 0, change, 0, 0, 0, 0)
    if min(base, value, base_bets, bets) <= 0:
        return (base, value, 0, 0, 0, change, 0, 0, change)
    intensity = round(logarithmic_mean(value, base) * log_ratio(bets, base_bets))
    return (base, value, 0, 0, 0, change, intensity, change - intensity, 0)


class _Tally:
    """What a line is made of while it grows."""

    __slots__ = ("amounts", "members", "sellers")

    def __init__(self) -> None:
        self.amounts: tuple[int, ...] = (0,) * len(_AMOUNTS)
        self.members: dict[Standing, set[str]] = {standing: set() for standing in Standing}
        self.sellers: tuple[set[str], set[str]] = (set(), set())

    def add(self, amounts: Iterable[int]) -> None:
        self.amounts = tuple(map(operator.add, self.amounts, amounts))

    def take(self, child: _Tally) -> None:
        """Counts an outlet of several children once."""
        self.add(child.amounts)
        for standing, outlets in child.members.items():
            self.members[standing] |= outlets
        for mine, others in zip(self.sellers, child.sellers, strict=True):
            mine.update(others)

    def line(self, group: Group) -> Line:
        counted = (Standing.NEW, Standing.CLOSED, Standing.SAME)
        members = [len(self.members[standing]) for standing in counted]
        return Line(group, *self.amounts, *members, *map(len, self.sellers))
