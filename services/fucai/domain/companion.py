"""Spend on the outlet's other trade in a sale's visit (福彩+多业态): spend, attach rate. No customer is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fucai.domain.rounding import BASIS_POINTS, half_even
from fucai.domain.scale import Average
from fucai.v1.sales_pb2 import EVENT_KIND_SALE, SalesEvent


@dataclass(frozen=True, slots=True)
class Companion:
    """Visits, those of them with spend on the other trade, and that spend in fen."""

    visits: int = 0
    attached: int = 0
    spend_fen: int = 0

    def __add__(self, other: Companion) -> Companion:
        return Companion(self.visits + other.visits, self.attached + other.attached, self.spend_fen + other.spend_fen)

    @property
    def attach_rate(self) -> float | None:
        """Attached visits over all; 0.3 for 30 %; None without a visit."""
        return self.attached / self.visits if self.visits else None

    @property
    def attach_bp(self) -> int | None:
        """The same in basis points, rounded half to even."""
        return half_even(self.attached * BASIS_POINTS, self.visits) if self.visits else None

    @property
    def per_visit(self) -> Average:
        """Spend over all visits."""
        return Average(self.spend_fen, self.visits)

    @property
    def per_attached_visit(self) -> Average:
        """Spend over the visits that have any."""
        return Average(self.spend_fen, self.attached)


def companion_of(events: Iterable[SalesEvent]) -> Companion:
    """What events say of visits: each SALE that is no daily summary is one, its companion_fen was spent in it.

    A void takes back the ticket, not the visit nor what else was bought: VOID and PAYOUT events count for nothing.
    """
    visits = attached = spend = 0
    for event in events:
        if event.kind == EVENT_KIND_SALE and not event.daily_summary:
            visits += 1
            attached += event.companion_fen > 0
            spend += max(event.companion_fen, 0)
    return Companion(visits, attached, spend)
