"""The rules of companion spend: visits, attach rate, voids."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.companion import Companion, companion_of
from fucai.v1.sales_pb2 import EVENT_KIND_PAYOUT, EVENT_KIND_SALE, EVENT_KIND_VOID, SalesEvent

EVENTS = st.lists(
    st.builds(
        SalesEvent,
        kind=st.sampled_from([EVENT_KIND_SALE, EVENT_KIND_VOID, EVENT_KIND_PAYOUT]),
        companion_fen=st.one_of(st.just(0), st.integers(0, 10**6)),
        daily_summary=st.booleans(),
    ),
    max_size=30,
)


def test_a_worked_example() -> None:
    """Four sales, two of them with a coffee, one of those voided: half of the visits, 25 yuan, 6.25 a visit."""
    events = [
        SalesEvent(kind=EVENT_KIND_SALE, companion_fen=1_500),
        SalesEvent(kind=EVENT_KIND_SALE, companion_fen=1_000),
        SalesEvent(kind=EVENT_KIND_SALE),
        SalesEvent(kind=EVENT_KIND_SALE),
        SalesEvent(kind=EVENT_KIND_VOID, companion_fen=1_000),
        SalesEvent(kind=EVENT_KIND_SALE, daily_summary=True, bets=400),
    ]
    found = companion_of(events)
    assert found == Companion(4, 2, 2_500)
    assert found.attach_rate == pytest.approx(0.5)
    assert found.attach_bp == 5_000
    assert (found.per_visit.fen, found.per_attached_visit.fen) == (625, 1_250)


@given(EVENTS, EVENTS, st.randoms())
def test_parts_add_up_and_order_does_not_matter(
    left: list[SalesEvent], right: list[SalesEvent], order: random.Random
) -> None:
    """Groups sum to the whole; the rate is within 0 and 1, and without a visit there is none."""
    both = left + right
    order.shuffle(both)
    found = companion_of(both)
    assert found == companion_of(left) + companion_of(right)
    tickets = [event.companion_fen for event in both if event.kind == EVENT_KIND_SALE and not event.daily_summary]
    assert found == Companion(len(tickets), sum(fen > 0 for fen in tickets), sum(tickets))
    if not tickets:
        assert (found.attach_rate, found.attach_bp, found.per_visit.fen) == (None, None, None)
    else:
        assert found.per_visit.exact == Fraction(sum(tickets), len(tickets))
        assert found.attach_rate is not None
        assert 0 <= found.attach_rate <= 1


@given(EVENTS)
def test_voids_and_payouts_change_no_visit(events: list[SalesEvent]) -> None:
    """The figures are those of the sales alone."""
    assert companion_of(events) == companion_of([event for event in events if event.kind == EVENT_KIND_SALE])
