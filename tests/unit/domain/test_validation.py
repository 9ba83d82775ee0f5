"""What counts as a good event, and how a batch is cut into runs."""

from __future__ import annotations

from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.validation import DAY_MS, Run, Validator, Window, refusals
from fucai.v1 import sales_pb2
from fucai.v1.sales_pb2 import EVENT_KIND_PAYOUT, EVENT_KIND_VOID, EventReference, Finding, SalesEvent
from tests.support.tills import (
    HOUR_MS,
    IMPORTER,
    NOW_MS,
    batch,
    instant,
    sale,
    summary,
    usual_catalogue,
    usual_validator,
)

REFERENCE = EventReference(terminal_id="T-01", epoch=1_700_000_000, seq=1)


def reasons(*runs: Run) -> list[tuple[str, str]]:
    """Reason and field of each finding."""
    return [
        (sales_pb2.QuarantineReason.Name(finding.reason).removeprefix("QUARANTINE_REASON_"), finding.field)
        for run in runs
        for finding in run.findings
    ]


def verdict(event: SalesEvent, **spoiled: object) -> list[tuple[str, str]]:
    """What is wrong with a batch of this one event."""
    return reasons(*usual_validator().examine(batch(event, **spoiled), now_ms=NOW_MS))


@pytest.mark.parametrize(
    "event",
    [
        sale(1),
        sale(1, multiplier=0, amount_fen=600),
        sale(1, multiplier=99, bets=1, amount_fen=19_800),
        sale(1, bets=10_000, multiplier=1, amount_fen=2_000_000),
        sale(1, sold_at_ms=NOW_MS + 5 * 60_000),
        sale(1, sold_at_ms=NOW_MS - 30 * DAY_MS, companion_fen=3_500),
        instant(1),
        instant(1, multiplier=1),
        sale(1, kind=EVENT_KIND_VOID, refers_to=REFERENCE),
        sale(1, kind=EVENT_KIND_PAYOUT, amount_fen=500_000_000, bets=0, multiplier=0),
        sale(1, kind=EVENT_KIND_PAYOUT, amount_fen=500, refers_to=REFERENCE),
        instant(1, kind=EVENT_KIND_PAYOUT, amount_fen=12_345, bets=0, face_value_fen=0),
    ],
    ids=map(str, count()),
)
def test_good_event_of_a_till_is_accepted(event: SalesEvent) -> None:
    """An event that keeps every rule has no finding."""
    assert verdict(event) == []


@pytest.mark.parametrize(
    ("event", "reason", "field"),
    [
        (sale(1, kind=0), "UNKNOWN_KIND", "kind"),
        (sale(1, kind=257), "UNKNOWN_KIND", "kind"),
        (sale(1, game="lotto649"), "UNKNOWN_GAME", "game"),
        (sale(1, game=""), "UNKNOWN_GAME", "game"),
        (sale(1, game="on_daily", draw_no=""), "UNKNOWN_GAME", "game"),
        (sale(1, amount_fen=0), "AMOUNT_NOT_POSITIVE", "amount_fen"),
        (sale(1, amount_fen=-1_200), "AMOUNT_NOT_POSITIVE", "amount_fen"),
        (sale(1, companion_fen=-1), "AMOUNT_NOT_POSITIVE", "companion_fen"),
        (sale(1, companion_fen=10**13 + 1), "OVER_LIMIT", "companion_fen"),
        (sale(1, kind=EVENT_KIND_PAYOUT, amount_fen=2**63 - 1), "OVER_LIMIT", "amount_fen"),
        (sale(1, amount_fen=1_000), "WRONG_AMOUNT", "amount_fen"),
        (instant(1, amount_fen=1_999), "WRONG_AMOUNT", "amount_fen"),
        (sale(1, kind=EVENT_KIND_VOID, refers_to=REFERENCE, amount_fen=1_000), "WRONG_AMOUNT", "amount_fen"),
        (sale(1, multiplier=100, amount_fen=60_000), "OVER_LIMIT", "multiplier"),
        (sale(1, bets=10_001, multiplier=1, amount_fen=2_000_200), "OVER_LIMIT", "amount_fen"),
        (sale(1, bets=0, amount_fen=200), "OVER_LIMIT", "bets"),
        (sale(1, face_value_fen=1_000), "OVER_LIMIT", "face_value_fen"),
        (instant(1, face_value_fen=0), "OVER_LIMIT", "face_value_fen"),
        (instant(1, face_value_fen=700, amount_fen=1_400), "OVER_LIMIT", "face_value_fen"),
        (instant(1, bets=0), "OVER_LIMIT", "bets"),
        (instant(1, multiplier=2), "OVER_LIMIT", "multiplier"),
        (sale(1, draw_no=""), "BAD_DRAW_NUMBER", "draw_no"),
        (sale(1, draw_no="25117"), "BAD_DRAW_NUMBER", "draw_no"),
        (sale(1, draw_no="2025000"), "BAD_DRAW_NUMBER", "draw_no"),
        (sale(1, draw_no="2025117 "), "BAD_DRAW_NUMBER", "draw_no"),
        (sale(1, draw_no="２０２５１１７"), "BAD_DRAW_NUMBER", "draw_no"),
        (sale(1, draw_no="1025117"), "BAD_DRAW_NUMBER", "draw_no"),
        (instant(1, draw_no="2025117"), "BAD_DRAW_NUMBER", "draw_no"),
        (sale(1, kind=EVENT_KIND_PAYOUT, draw_no=""), "BAD_DRAW_NUMBER", "draw_no"),
        (sale(1, sold_at_ms=NOW_MS + 7 * DAY_MS), "IN_THE_FUTURE", "sold_at_ms"),
        (sale(1, sold_at_ms=NOW_MS + 5 * 60_000 + 1), "IN_THE_FUTURE", "sold_at_ms"),
        (sale(1, sold_at_ms=2**63 - 1), "IN_THE_FUTURE", "sold_at_ms"),
        (sale(1, sold_at_ms=NOW_MS - 62 * DAY_MS - 1), "TOO_OLD", "sold_at_ms"),
        (sale(1, sold_at_ms=0), "TOO_OLD", "sold_at_ms"),
        (sale(1, sold_at_ms=-(2**63)), "TOO_OLD", "sold_at_ms"),
        (sale(1, sold_at_ms=NOW_MS - 45 * DAY_MS), "WRONG_OUTLET", "outlet_id"),
        (sale(0), "BAD_SEQUENCE", "seq"),
        (sale(2**63, sold_at_ms=NOW_MS), "BAD_SEQUENCE", "seq"),
        (sale(2**64 - 1, sold_at_ms=NOW_MS), "BAD_SEQUENCE", "seq"),
        (sale(1, kind=EVENT_KIND_VOID), "BAD_REFERENCE", "refers_to"),
        (
            sale(1, kind=EVENT_KIND_VOID, refers_to=EventReference(terminal_id="T-01", seq=4)),
            "BAD_REFERENCE",
            "refers_to",
        ),
        (sale(1, kind=EVENT_KIND_PAYOUT, refers_to=EventReference(epoch=1, seq=4)), "BAD_REFERENCE", "refers_to"),
        (sale(1, daily_summary=True), "NOT_A_SUMMARY_TERMINAL", "daily_summary"),
    ],
    ids=map(str, count()),
)
def test_bad_event_is_found_with_reason_and_field(event: SalesEvent, reason: str, field: str) -> None:
    """Each broken rule has its reason, names the field, and says something to people."""
    assert verdict(event) == [(reason, field)]
    (run,) = usual_validator().examine(batch(event), now_ms=NOW_MS)
    assert run.findings[0].seq == event.seq
    assert run.findings[0].detail


@pytest.mark.parametrize(
    ("terminal_id", "outlet_id", "expected"),
    [
        ("T-99", "O-01", [("UNKNOWN_TERMINAL", "terminal_id")]),
        ("T-01", "O-00", [("WRONG_OUTLET", "outlet_id")]),
        ("T-withdrawn", "O-01", [("WRONG_OUTLET", "outlet_id")]),
        ("T-01", "O-01", []),
    ],
)
def test_terminal_must_stand_where_it_says(terminal_id: str, outlet_id: str, expected: list[tuple[str, str]]) -> None:
    """A terminal is known, and bound to the batch's outlet on the day of the event."""
    assert verdict(sale(1), terminal_id=terminal_id, outlet_id=outlet_id) == expected


def test_binding_of_the_day_counts() -> None:
    """A sale from before a move belongs to the outlet that the terminal stood in then."""
    before_the_move = sale(1, sold_at_ms=NOW_MS - 45 * DAY_MS)
    assert verdict(before_the_move, outlet_id="O-00") == []


def test_business_day_is_that_of_the_zone() -> None:
    """The day of a move starts at midnight in the business time zone, not in UTC."""
    midnight_ms = 1_756_656_000_000  # 2025-09-01 00:00 in Shanghai
    assert verdict(sale(1, sold_at_ms=midnight_ms)) == []
    assert verdict(sale(1, sold_at_ms=midnight_ms - 1)) == [("WRONG_OUTLET", "outlet_id")]
    utc = Validator(usual_catalogue(), zone=ZoneInfo("UTC"), window=Window())
    assert reasons(*utc.examine(batch(sale(1, sold_at_ms=midnight_ms)), now_ms=NOW_MS)) == [
        ("WRONG_OUTLET", "outlet_id")
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (summary(1), []),
        (summary(1, bets=0), []),
        (summary(1, game="ssq"), []),
        (sale(1), [("NOT_A_SUMMARY_TERMINAL", "daily_summary")]),
        (summary(1, draw_no="2015001"), [("BAD_DRAW_NUMBER", "draw_no")]),
        (summary(1, sold_at_ms=DAY_MS - 1), [("TOO_OLD", "sold_at_ms")]),
        (summary(1, sold_at_ms=NOW_MS + DAY_MS), [("IN_THE_FUTURE", "sold_at_ms")]),
        (summary(1, amount_fen=0), [("AMOUNT_NOT_POSITIVE", "amount_fen")]),
        (summary(1, amount_fen=10**13), []),
        (summary(1, amount_fen=10**13 + 1), [("OVER_LIMIT", "amount_fen")]),
    ],
    ids=map(str, count()),
)
def test_import_terminal_sends_summaries_of_any_age(event: SalesEvent, expected: list[tuple[str, str]]) -> None:
    """Import terminals send daily summaries only, however old, without draw numbers and price rule."""
    assert verdict(event, terminal_id=IMPORTER) == expected


def test_good_batch_is_one_run() -> None:
    """A healthy batch makes one record."""
    assert usual_validator().examine(batch(*(sale(seq) for seq in range(5, 205))), now_ms=NOW_MS) == [Run(0, 200)]


def test_gap_splits_the_batch() -> None:
    """A hole in the numbering starts another record."""
    runs = usual_validator().examine(batch(sale(1), sale(2), sale(9), sale(10)), now_ms=NOW_MS)
    assert runs == [Run(0, 2), Run(2, 4)]


def test_bad_events_stand_in_records_of_their_own() -> None:
    """Good neighbours of bad events are kept, bad ones that follow each other share a record."""
    events = [sale(1), sale(2, amount_fen=0), sale(3, game="x"), sale(4)]
    runs = usual_validator().examine(batch(*events), now_ms=NOW_MS)
    assert [(run.start, run.stop, bool(run.findings)) for run in runs] == [(0, 1, False), (1, 3, True), (3, 4, False)]
    assert reasons(*runs) == [("AMOUNT_NOT_POSITIVE", "amount_fen"), ("UNKNOWN_GAME", "game")]


def test_numbers_that_do_not_rise_stand_apart() -> None:
    """Repeated and falling numbers go into a record of their own, by number, and cut nothing else apart."""
    events = [sale(4), sale(4), sale(3), sale(5)]
    bad, good = usual_validator().examine(batch(*events), now_ms=NOW_MS)
    assert reasons(bad) == [("BAD_SEQUENCE", "seq")] * 2
    assert [event.seq for event in bad.of(events)] == [finding.seq for finding in bad.findings] == [3, 4]
    assert (good.findings, [event.seq for event in good.of(events)]) == ((), [4, 5])


EVENTS = st.lists(
    st.one_of(
        st.builds(sale, st.integers(0, 12)),
        st.builds(instant, st.integers(0, 12)),
        st.builds(sale, st.integers(0, 12), amount_fen=st.integers(-2, 2)),
        st.builds(sale, st.integers(0, 12), sold_at_ms=st.integers(NOW_MS - 70 * DAY_MS, NOW_MS + HOUR_MS)),
        st.builds(sale, st.integers(0, 12), draw_no=st.sampled_from(["2025001", "", "x"])),
        st.builds(sale, st.integers(0, 12), kind=st.integers(0, 4)),
    ),
    min_size=1,
    max_size=30,
)


@given(EVENTS)
def test_runs_cover_the_batch_in_order(events: list[SalesEvent]) -> None:
    """Every event is in one run, wholly good or bad; findings stand beside their events; bad numbers come first."""
    runs = usual_validator().examine(batch(*events), now_ms=NOW_MS)
    covered = [id(event) for run in runs for event in run.of(events)]
    assert sorted(covered) == sorted(map(id, events))
    highest = 0
    for run in runs:
        seqs = [event.seq for event in run.of(events)]
        if run.findings:
            assert [finding.seq for finding in run.findings] == seqs
        if any(finding.reason == sales_pb2.QUARANTINE_REASON_BAD_SEQUENCE for finding in run.findings):
            assert highest == 0
            assert seqs == sorted(set(seqs))
        else:
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
            assert seqs[0] > highest
            highest = seqs[-1]


@given(EVENTS, EVENTS)
def test_memory_changes_no_verdict(earlier: list[SalesEvent], events: list[SalesEvent]) -> None:
    """A validator that has seen other batches judges as a fresh one does."""
    used = usual_validator()
    used.examine(batch(*earlier), now_ms=NOW_MS - HOUR_MS)
    used.examine(batch(*earlier, terminal_id=IMPORTER), now_ms=NOW_MS)
    assert used.examine(batch(*events), now_ms=NOW_MS) == usual_validator().examine(batch(*events), now_ms=NOW_MS)


@given(EVENTS)
def test_verdict_of_an_event_does_not_depend_on_its_neighbours(events: list[SalesEvent]) -> None:
    """Apart from its number, an event is judged alone."""
    for number, event in enumerate(events, 1):
        event.seq = number
    together = usual_validator().examine(batch(*events), now_ms=NOW_MS)
    found = {finding.seq: finding.reason for run in together for finding in run.findings}
    alone = {
        finding.seq: finding.reason
        for event in events
        for run in usual_validator().examine(batch(event), now_ms=NOW_MS)
        for finding in run.findings
    }
    assert found == alone


@pytest.mark.parametrize(
    ("spoiled", "fields"),
    [
        ({"terminal_id": ""}, ["terminal_id"]),
        ({"terminal_id": "票" * 100}, ["terminal_id"]),
        ({"outlet_id": ""}, ["outlet_id"]),
        ({"epoch": 0}, ["epoch"]),
        ({"digest": b"d" * 65}, ["digest"]),
        ({"events": []}, ["events"]),
        ({"events": [sale(seq) for seq in range(1, 12)]}, ["events"]),
        ({"received_at_ms": 1}, ["received_at_ms"]),
        ({"findings": [Finding(seq=1)]}, ["findings"]),
        ({"kafka_offset": 3, "record_key": "T"}, ["kafka_offset", "record_key"]),
        ({"kafka_topic": 1}, ["kafka_topic"]),
        ({"terminal_id": "", "epoch": 0}, ["terminal_id", "epoch"]),
        ({}, []),
    ],
    ids=map(str, count()),
)
def test_unusable_batch_is_refused_with_its_fields(spoiled: dict[str, object], fields: list[str]) -> None:
    """What makes a batch unusable as a whole is named, all of it at once."""
    found = refusals(batch(**{"events": [sale(1)], **spoiled}), max_events=10)
    assert [refusal.field for refusal in found] == fields
    assert all(refusal.description for refusal in found)
