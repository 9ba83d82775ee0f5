"""What the till may record: each fault is named with its field; catalogue matters are left to the collector."""

from __future__ import annotations

import pytest

from fucai.terminal.agent.till import faults_of
from fucai.v1.sales_pb2 import EventKind, EventReference, SalesEvent
from fucai.v1.terminal_pb2 import RecordRequest
from tests.unit.terminal.agent.shop import sale, void


def test_good_events_pass() -> None:
    """A sale, a void of it, a payout without reference, and a game that no catalogue knows."""
    payout = SalesEvent(kind=EventKind.EVENT_KIND_PAYOUT, game="no-such-game", amount_fen=1)
    assert faults_of(RecordRequest(events=[sale(), void(1), payout], request_id="x" * 64)) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": 0}, "kind"),
        ({"kind": 9}, "kind"),
        ({"seq": 5}, "seq"),
        ({"game": ""}, "game"),
        ({"amount_fen": 0}, "amount_fen"),
        ({"amount_fen": -200}, "amount_fen"),
        ({"amount_fen": 10**13 + 1}, "amount_fen"),
        ({"companion_fen": -1}, "companion_fen"),
        ({"sold_at_ms": -1}, "sold_at_ms"),
        ({"sold_at_ms": 10**15}, "sold_at_ms"),
        ({"kind": 2}, "refers_to"),
        ({"refers_to": EventReference(epoch=1)}, "refers_to.seq"),
        ({"ticket_serial": "x" * 2_001}, "ticket_serial"),
    ],
)
def test_a_malformed_event_is_named(change: dict[str, object], field: str) -> None:
    """One fault, at its place in the request."""
    event = sale()
    event.MergeFrom(SalesEvent(**change))  # type: ignore[arg-type]
    for name, value in change.items():
        if not value:
            event.ClearField(name)  # type: ignore[arg-type]
    faults = faults_of(RecordRequest(events=[sale(), event]))
    assert [fault.field for fault in faults] == [f"events[1].{field}"]


def test_requests_have_bounds() -> None:
    """No event, too many, too long an id; and at most 20 faults are told."""
    assert [fault.field for fault in faults_of(RecordRequest())] == ["events"]
    assert [fault.field for fault in faults_of(RecordRequest(events=[sale()] * 10_001))] == ["events"]
    assert [fault.field for fault in faults_of(RecordRequest(events=[sale()], request_id="x" * 65))] == ["request_id"]
    assert len(faults_of(RecordRequest(events=[SalesEvent()] * 100))) == 20
