"""What the till may record: the shape of events, as far as it can be judged without a catalogue. Pure.

What the collector knows better (games, prices, draws, bindings) is quarantined there, and shown in the agent's status.
"""

from __future__ import annotations

from collections.abc import Iterator

from fucai.domain.record import YEAR_2100_MS
from fucai.domain.salerules import MAX_EVENT_FEN
from fucai.domain.validation import EARLIEST_MS, Refusal
from fucai.v1.sales_pb2 import EventKind, SalesEvent
from fucai.v1.terminal_pb2 import RecordRequest

MAX_EVENTS = 10_000
MAX_REQUEST_ID = 64
MAX_EVENT_BYTES = 2_000
_MOST_TOLD = 20
_KINDS = frozenset((EventKind.EVENT_KIND_SALE, EventKind.EVENT_KIND_VOID, EventKind.EVENT_KIND_PAYOUT))


def faults_of(request: RecordRequest) -> list[Refusal]:
    """What makes the request unusable, at most 20 faults; empty for one to record."""
    count = len(request.events)
    found = []
    if not count:
        found.append(Refusal("events", "is empty; record at least one event"))
    if count > MAX_EVENTS:
        found.append(Refusal("events", f"holds {count} events; record at most {MAX_EVENTS} at once"))
    if len(request.request_id) > MAX_REQUEST_ID:
        found.append(Refusal("request_id", f"has {len(request.request_id)} characters; use at most {MAX_REQUEST_ID}"))
    for index, event in enumerate(request.events[:MAX_EVENTS]):
        found += [Refusal(f"events[{index}].{fault.field}", fault.description) for fault in _faults_of_event(event)]
        if len(found) >= _MOST_TOLD:
            break
    return found[:_MOST_TOLD]


def _faults_of_event(event: SalesEvent) -> Iterator[Refusal]:
    if event.seq:
        yield Refusal("seq", f"is {event.seq}; leave it unset, the agent numbers events")
    if event.kind not in _KINDS:
        yield Refusal("kind", f"{event.kind} is none of SALE (1), VOID (2), PAYOUT (3)")
    if not event.game:
        yield Refusal("game", "is missing; give the game's code, such as ssq")
    if not 0 < event.amount_fen <= MAX_EVENT_FEN:
        yield Refusal(
            "amount_fen", f"{event.amount_fen} is not within 1 to {MAX_EVENT_FEN}; it is positive for a void too"
        )
    if not 0 <= event.companion_fen <= MAX_EVENT_FEN:
        yield Refusal("companion_fen", f"{event.companion_fen} is not within 0 to {MAX_EVENT_FEN}")
    if event.sold_at_ms and not EARLIEST_MS <= event.sold_at_ms < YEAR_2100_MS:
        yield Refusal(
            "sold_at_ms", f"{event.sold_at_ms} is no time that a clock shows; give Unix milliseconds, or nothing"
        )
    if event.kind == EventKind.EVENT_KIND_VOID and not event.HasField("refers_to"):
        yield Refusal("refers_to", "is missing; a void names the seq of the sale that it takes back")
    elif event.HasField("refers_to") and not event.refers_to.seq:
        yield Refusal("refers_to.seq", "is 0; give the sequence number of the sale")
    size = event.ByteSize()
    if size > MAX_EVENT_BYTES:
        yield Refusal("ticket_serial", f"the event has {size} bytes; at most {MAX_EVENT_BYTES} are recorded")
