"""Who leads: places, new stars (新星网点), progress (进步网点), shares, the top with the others summed.

Members are outlets, or zones, districts and so on; the rules of eligibility come with the question. How unequally
sales are spread is in `concentration`.
"""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from fucai.domain.growth import Growth, Mark, grow
from fucai.domain.rounding import apportion


class Order(enum.Enum):
    """What members are ranked by, and who may stand there."""

    VALUE = "value"
    GROWTH = "growth"
    CONTRIBUTION = "contribution"
    NEW_STAR = "new_star"
    PROGRESS = "progress"


class LeftOut(enum.Enum):
    """Why a member is not ranked; of several reasons the first in this order."""

    NO_MACHINE = "no_machine"
    """The day of its first machine is not known, and the ranking needs it."""
    NOT_NEW = "not_new"
    NEW = "new"
    NO_BASE = "no_base"
    """No base above zero, so no growth."""
    TOO_LITTLE = "too_little"
    """Less than the least value."""
    TOO_FEW_DAYS = "too_few_days"
    NOT_ABOVE_AVERAGE = "not_above_average"


@dataclass(frozen=True, slots=True)
class Member:
    """What is ranked: value and base of the measure (fen, or bets), and what eligibility asks for.

    Attributes:
        member_id: the outlet's id, or the zone's and so on.
        within: the value of the dimension it is ranked within, such as its management area; "" for the whole city.
        first_machine: the day its first machine was added, None where unknown.
        open_days: days of the period on which it was open, None where unknown; counted only against a least number.
    """

    member_id: str
    value: int
    base: int = 0
    within: str = ""
    first_machine: date | None = None
    open_days: int | None = None


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Who may be ranked.

    Attributes:
        cutoff: new stars had their first machine after it, progress up to it; needed by those two.
        least_value: value to be reached, in the measure's unit; None for none.
        least_open_days: open days to be reached.
        above_average: progress only above the average value of the members with a value above zero of its `within`.
    """

    cutoff: date | None = None
    least_value: int | None = None
    least_open_days: int = 0
    above_average: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a ranking, or the sum of the others (place 0, no id).

    `share_bp` is the share of the value of all that are ranked within, in basis points; with the others they sum to
    10,000. `contribution` is value - base. `members` is 1, or the number of the others.
    """

    place: int
    member_id: str
    value: int
    base: int
    growth: Growth
    share_bp: int
    contribution: int
    members: int = 1


@dataclass(frozen=True, slots=True)
class Ranking:
    """One ranking: the places in order, the others where some are not shown, and who is left out for which reason."""

    within: str
    places: tuple[Place, ...]
    others: Place | None
    ranked: int
    left_out: dict[LeftOut, int]


def rank(
    members: Iterable[Member],
    order: Order = Order.VALUE,
    eligibility: Eligibility | None = None,
    *,
    top: int = 0,
    lowest_first: bool = False,
) -> list[Ranking]:
    """The rankings, one for each `within`, in its order; equals share a place (1, 2, 2, 4) and stand by id.

    `top` is how many rows are shown, the rest is summed as others; 0 for all. Growth is compared exactly.

    Raises:
        ValueError: the order needs a cut-off day and none is given, or `top` is below zero.
    """
    rules = eligibility or Eligibility()
    if order in (Order.NEW_STAR, Order.PROGRESS) and rules.cutoff is None:
        raise ValueError(f"ranking {order.value} without a cut-off day: give the day that parts new outlets from old")
    if top < 0:
        raise ValueError(f"top {top}: must be 0 (all) or more")
    apart: defaultdict[str, list[Member]] = defaultdict(list)
    for member in members:
        apart[member.within].append(member)
    return [
        _ranking(within, apart[within], order, rules, top=top, lowest_first=lowest_first) for within in sorted(apart)
    ]


def places(keys: Sequence[int | Fraction]) -> list[int]:
    """The places of keys that are already in order: equals share one, and the next counts them all (1, 2, 2, 4)."""
    found: list[int] = []
    for index, key in enumerate(keys):
        found.append(found[-1] if index and key == keys[index - 1] else index + 1)
    return found


def _ranking(
    within: str, members: list[Member], order: Order, rules: Eligibility, *, top: int, lowest_first: bool
) -> Ranking:
    selling = [member.value for member in members if member.value > 0]
    average = Fraction(sum(selling), len(selling)) if selling else Fraction(0)
    reasons = [(member, _reason(member, order, rules, average)) for member in members]
    ranked = [member for member, reason in reasons if reason is None]
    key = _KEYS[order]
    sign = 1 if lowest_first else -1
    ranked.sort(key=lambda member: (sign * key(member), member.member_id))
    shares = apportion([member.value for member in ranked])
    rows = [
        Place(
            place,
            member.member_id,
            member.value,
            member.base,
            grow(member.value, member.base),
            share,
            member.value - member.base,
        )
        for member, share, place in zip(ranked, shares, places([key(member) for member in ranked]), strict=True)
    ]
    shown = top or len(rows)
    left_out = Counter(reason for _, reason in reasons if reason is not None)
    return Ranking(within, tuple(rows[:shown]), _others(rows[shown:]), len(rows), dict(left_out))


def _others(rows: list[Place]) -> Place | None:
    if not rows:
        return None
    value, base = sum(row.value for row in rows), sum(row.base for row in rows)
    share = sum(row.share_bp for row in rows)
    return Place(0, "", value, base, grow(value, base), share, value - base, len(rows))


def _reason(member: Member, order: Order, rules: Eligibility, average: Fraction) -> LeftOut | None:
    """Why a member is not ranked; None where it is."""
    needs_base = order in (Order.GROWTH, Order.PROGRESS)
    checks = (
        (LeftOut.NO_MACHINE, order in (Order.NEW_STAR, Order.PROGRESS) and member.first_machine is None),
        (LeftOut.NOT_NEW, order is Order.NEW_STAR and not _is_new(member, rules)),
        (LeftOut.NEW, order is Order.PROGRESS and _is_new(member, rules)),
        (LeftOut.NO_BASE, needs_base and grow(member.value, member.base).mark is not Mark.RATIO),
        (LeftOut.TOO_LITTLE, rules.least_value is not None and member.value < rules.least_value),
        (LeftOut.TOO_FEW_DAYS, (member.open_days or 0) < rules.least_open_days),
        (LeftOut.NOT_ABOVE_AVERAGE, order is Order.PROGRESS and rules.above_average and member.value <= average),
    )
    return next((reason for reason, holds in checks if holds), None)


def _is_new(member: Member, rules: Eligibility) -> bool:
    return member.first_machine is not None and rules.cutoff is not None and member.first_machine > rules.cutoff


def _growth(member: Member) -> Fraction:
    return Fraction(member.value - member.base, member.base)


def _value(member: Member) -> int:
    return member.value


def _contribution(member: Member) -> int:
    return member.value - member.base


_KEYS: dict[Order, Callable[[Member], int | Fraction]] = {
    Order.VALUE: _value,
    Order.GROWTH: _growth,
    Order.CONTRIBUTION: _contribution,
    Order.NEW_STAR: _value,
    Order.PROGRESS: _growth,
}
