"""Judging quarantined events again: which become records for the sales topic, under which numbers, as of when."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from fucai.domain import topics
from fucai.domain.batches import Stamper
from fucai.domain.catalogue import build_catalogue
from fucai.domain.quarantine import Entry, Number, judge_again, one_for_each_number
from fucai.domain.record import decode_range
from fucai.domain.validation import Validator, Window
from fucai.v1 import sales_pb2
from tests.support.registry_stub import terminal
from tests.support.tills import HOUR_MS, NOW_MS, TILL, TILL_OUTLET, sale, usual_records

REASONS = sales_pb2.QuarantineReason
UNKNOWN = REASONS.QUARANTINE_REASON_UNKNOWN_TERMINAL


def entry(seq: int, *, event: sales_pb2.SalesEvent | None = None, **spoiled: Any) -> Entry:
    """An entry of a terminal that was not registered in time."""
    fields: dict[str, Any] = {
        "number": Number("T-late", 7, seq),
        "outlet_id": "O-late",
        "reason": UNKNOWN,
        "field": "terminal_id",
        "detail": "",
        "event": event or sale(seq),
        "received_at_ms": NOW_MS,
        "collector_id": "collector-0",
        "place": (1, 0, seq),
    }
    return Entry(**{**fields, **spoiled})


def validator(*more: Any) -> Validator:
    """The rules of today, with the terminal registered since."""
    records = [*usual_records(), terminal("T-late", "O-late"), *more]
    return Validator(build_catalogue(2, records), zone=ZoneInfo("Asia/Shanghai"), window=Window())


def test_good_ones_become_records_with_the_original_receipt() -> None:
    """Runs of good events are split around bad ones; numbers, outlet and time of receipt are the old ones."""
    entries = [entry(3), entry(4), entry(5, event=sale(5, amount_fen=1_300)), entry(6), entry(9)]
    found = judge_again(entries, validator(), Stamper("ledger-0"))
    spans = []
    for record, held in found.good:
        batch = sales_pb2.SalesBatch.FromString(record.value)
        span = decode_range(record.headers[0][1])
        assert record.topic == topics.SALES
        assert span.contiguous
        assert [event.seq for event in batch.events] == [each.number.seq for each in held]
        assert (batch.terminal_id, batch.epoch, batch.outlet_id) == ("T-late", 7, "O-late")
        assert (batch.received_at_ms, batch.collector_id) == (NOW_MS, "ledger-0")
        assert not batch.findings
        spans.append((span.first, span.last))
    assert spans == [(3, 4), (6, 6), (9, 9)]
    assert [bad.entry.number.seq for bad in found.bad] == [5]
    assert found.bad[0].finding.reason == REASONS.QUARANTINE_REASON_WRONG_AMOUNT


def test_age_is_judged_as_of_the_receipt() -> None:
    """An event that was fresh when it was received is not too old because it is replayed late."""
    long_ago = NOW_MS - 300 * 24 * HOUR_MS
    event = sale(1, sold_at_ms=long_ago - HOUR_MS)
    assert len(judge_again([entry(1, event=event, received_at_ms=long_ago)], validator(), Stamper("l")).good) == 1
    (bad,) = judge_again([entry(1, event=event)], validator(), Stamper("l")).bad
    assert bad.finding.reason == REASONS.QUARANTINE_REASON_TOO_OLD


def test_one_entry_is_replayed_for_each_number() -> None:
    """Of several with one number the first received is taken, but rather one that was numbered well."""
    bad_sequence = REASONS.QUARANTINE_REASON_BAD_SEQUENCE
    entries = [
        entry(2, received_at_ms=NOW_MS + 5),
        entry(2, received_at_ms=NOW_MS, reason=bad_sequence),
        entry(1, received_at_ms=NOW_MS + 9),
        entry(1, received_at_ms=NOW_MS + 8),
    ]
    chosen = one_for_each_number(entries)
    assert [(each.number.seq, each.received_at_ms - NOW_MS) for each in chosen] == [(1, 8), (2, 5)]


def test_what_no_collector_takes_is_not_sent() -> None:
    """An entry without an outlet, as somebody may write past the collector, stays where it is."""
    found = judge_again([entry(1, outlet_id="")], validator(terminal("T-late", "")), Stamper("l"))
    assert not found.good
    assert len(found.bad) == 1


def test_moved_terminals_stay_bad_until_registered() -> None:
    """A wrong outlet is still wrong under rules that do not know the move."""
    event = entry(1, number=Number(TILL, 7, 1), outlet_id=f"{TILL_OUTLET}-other")
    (bad,) = judge_again([event], validator(), Stamper("l")).bad
    assert bad.finding.reason == REASONS.QUARANTINE_REASON_WRONG_OUTLET
