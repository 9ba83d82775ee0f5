"""The desk for quarantine and the count of all events, over the real engine: lists, waivers, floods, sealed draws."""

from __future__ import annotations

import time

import grpc
import pytest

from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import sales_pb2
from fucai.v1.registry_pb2 import Closure, Draw, Outlet, RegistryRecord
from tests.integration.ledger.serving import Rows, Running
from tests.support.registry_stub import SnapshotRegistry, terminal
from tests.support.tills import NOW_MS, TILL
from tests.support.waiting import eventually

T0 = NOW_MS
HOUR_MS = 3_600_000
SEALED, DRAWN = "2025117", "2025116"


def draws() -> list[RegistryRecord]:
    """Two draws whose sales have closed; one has ended."""
    return [
        RegistryRecord(draw=Draw(game="ssq", draw_no=SEALED, sales_close_ms=T0)),
        RegistryRecord(draw=Draw(game="ssq", draw_no=DRAWN, sales_close_ms=T0, drawn_ms=T0 + 1)),
    ]


def listed(ledger: Running, request: pb.ListQuarantinedRequest | None = None) -> list[pb.QuarantinedEvent]:
    """Entries of all pages."""
    request = request or pb.ListQuarantinedRequest()
    found: list[pb.QuarantinedEvent] = []
    while True:
        page = ledger.stub.ListQuarantined(request)
        found += page.entries
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def select(**selection: object) -> pb.ListQuarantinedRequest:
    """A question for entries in every state."""
    return pb.ListQuarantinedRequest(selection=pb.QuarantineSelection(**selection), any_state=True)  # type: ignore[arg-type]


def test_entries_are_listed_by_what_is_asked(ledger: Running, rows: Rows) -> None:
    """Newest first, over pages, by reason, outlet, terminal and time; each in its state; raw bytes say what to do."""
    rows.quarantine(TILL, 1, 3, at_ms=T0)
    rows.quarantine("T-2", 5, 5, at_ms=T0 + HOUR_MS, reason="UNKNOWN_TERMINAL", outlet_id="O-2")
    rows.quarantine("T-3", 9, 9, at_ms=T0 + 2 * HOUR_MS, reason="BAD_RECORD", raw_record="garbage", game="")
    rows.store(TILL, 2, 2, at_ms=T0 + 3 * HOUR_MS)
    ledger.stub.WaiveSequences(
        pb.WaiveSequencesRequest(terminal_id=TILL, epoch=7, first_seq=3, last_seq=3, reason="test", waived_by="Li")
    )
    ledger.stub.WaiveSequences(
        pb.WaiveSequencesRequest(terminal_id="T-3", epoch=7, first_seq=9, last_seq=9, reason="seen", waived_by="Li")
    )
    rows.quarantine("T-4", 9, 9, at_ms=T0 + 4 * HOUR_MS, reason="BAD_RECORD", raw_record="garbage", game="")
    assert [(e.terminal_id, e.seq) for e in listed(ledger)] == [("T-4", 9), ("T-2", 5), (TILL, 1)]
    everything = listed(ledger, pb.ListQuarantinedRequest(any_state=True, page_size=2))
    assert [(e.terminal_id, e.seq, e.state) for e in everything] == [
        ("T-4", 9, pb.QUARANTINE_STATE_UNREADABLE),
        ("T-3", 9, pb.QUARANTINE_STATE_WAIVED),
        ("T-2", 5, pb.QUARANTINE_STATE_OPEN),
        (TILL, 3, pb.QUARANTINE_STATE_WAIVED),
        (TILL, 2, pb.QUARANTINE_STATE_STORED),
        (TILL, 1, pb.QUARANTINE_STATE_OPEN),
    ]
    reason = sales_pb2.QUARANTINE_REASON_UNKNOWN_TERMINAL
    assert [e.terminal_id for e in listed(ledger, select(reason=reason))] == ["T-2"]
    assert [e.terminal_id for e in listed(ledger, select(outlet_id="O-2"))] == ["T-2"]
    assert [e.terminal_id for e in listed(ledger, select(from_ms=T0 + HOUR_MS, before_ms=T0 + 2 * HOUR_MS))] == ["T-2"]
    assert len(listed(ledger, select(terminal_id=TILL, first_seq=2, last_seq=3))) == 2
    raw = ledger.stub.GetQuarantined(pb.GetQuarantinedRequest(terminal_id="T-4", epoch=7, seq=9))
    assert raw.entries[0].raw_bytes == len("garbage")
    assert not raw.entries[0].HasField("event")
    assert "raw_record" in raw.remedy
    waived = ledger.stub.GetQuarantined(pb.GetQuarantinedRequest(terminal_id=TILL, epoch=7, seq=3))
    assert [(waiver.reason, waiver.waived_by) for waiver in waived.waivers] == [("test", "Li")]
    with pytest.raises(grpc.RpcError, match="never stood in quarantine"):
        ledger.stub.GetQuarantined(pb.GetQuarantinedRequest(terminal_id=TILL, epoch=7, seq=99))
    with pytest.raises(grpc.RpcError, match="replayed_by"):
        ledger.stub.ReplayQuarantined(pb.ReplayQuarantinedRequest())


def test_sealed_draws_show_no_figures(ledger: Running, rows: Rows, registry: SnapshotRegistry) -> None:
    """Neither list nor show tell amounts of a sealed draw, nor details that spell them out; an ended draw shows all."""
    registry.publish(*draws())
    wrong = {"reason": "WRONG_AMOUNT", "field": "amount_fen", "detail": "1300 is not 1200"}
    rows.quarantine(TILL, 1, 1, at_ms=T0, draw_no=SEALED, **wrong)
    rows.quarantine(TILL, 2, 2, at_ms=T0 + 1, draw_no=DRAWN, **wrong)
    rows.quarantine(TILL, 3, 3, at_ms=T0 + 2, draw_no="", **wrong)
    rows.quarantine(TILL, 4, 4, at_ms=T0 + 3, draw_no="", game="instant", **wrong)
    eventually(lambda: not listed(ledger)[2].withheld, what="the draw's end")
    fourth, third, second, first = listed(ledger)
    for hidden in (
        first,
        third,
        *ledger.stub.GetQuarantined(pb.GetQuarantinedRequest(terminal_id=TILL, epoch=7, seq=1)).entries,
    ):
        assert hidden.withheld
        assert not hidden.detail
        assert (hidden.event.amount_fen, hidden.event.bets, hidden.event.multiplier) == (0, 0, 0)
        assert hidden.event.game == "ssq"
    for shown in (second, fourth):
        assert not shown.withheld
        assert (shown.event.amount_fen, shown.detail) == (1_300, "1300 is not 1200")


def test_all_events_are_counted_where_they_stand(ledger: Running, rows: Rows, registry: SnapshotRegistry) -> None:
    """Stored, duplicate and quarantined, told apart, add up by game, outlet and draw; sealed draws have no figures."""
    registry.publish(*draws())
    rows.store(TILL, 1, 5, at_ms=T0, draw_no=DRAWN)
    rows.store("T-2", 1, 3, at_ms=T0, outlet_id="O-2", draw_no=DRAWN)
    rows.store("T-2", 4, 4, at_ms=T0, outlet_id="O-2", draw_no=SEALED, amount_fen=77)
    rows.store("T-2", 5, 5, at_ms=T0, outlet_id="O-2", game="instant", draw_no="", amount_fen=500)
    rows.duplicate(TILL, 1, times=2, game="ssq", draw_no=DRAWN, amount_fen=1_200, kafka_topic=0)
    rows.quarantine(TILL, 5, 8, at_ms=T0, draw_no=DRAWN)
    rows.quarantine(TILL, 9, 9, at_ms=T0, draw_no=SEALED)
    rows.quarantine("T-4", 9, 9, at_ms=T0, reason="BAD_RECORD", raw_record="garbage", game="", draw_no="")
    ledger.stub.WaiveSequences(
        pb.WaiveSequencesRequest(terminal_id=TILL, epoch=7, first_seq=8, last_seq=8, reason="test", waived_by="Li")
    )

    def rows_by(by: pb.ConservationBy.ValueType, **scope: str) -> dict[tuple[str, str, str], tuple[int, ...] | None]:
        answer = ledger.stub.GetConservation(pb.GetConservationRequest(by=by, **scope))  # type: ignore[arg-type]
        assert answer.unreadable_records == 1
        return {
            (row.outlet_id, row.game, row.draw_no): None
            if row.withheld
            else (
                *(row.stored.events, row.stored.amount_fen, row.duplicate.events, row.quarantined_open.events),
                *(row.quarantined_waived.events, row.quarantined_stored.events),
            )
            for row in answer.rows
        }

    eventually(lambda: rows_by(pb.CONSERVATION_BY_GAME).get(("", "ssq", "")), what="the draw's end")
    ssq = (8, 9_600, 1, 2, 1, 1)
    instant = (1, 500, 0, 0, 0, 0)
    assert rows_by(pb.CONSERVATION_BY_GAME) == {("", "ssq", ""): ssq, ("", "instant", ""): instant}
    assert rows_by(pb.CONSERVATION_BY_DRAW) == {
        ("", "ssq", DRAWN): ssq,
        ("", "ssq", SEALED): None,
        ("", "instant", ""): instant,
    }
    assert rows_by(pb.CONSERVATION_BY_OUTLET) == {
        ("O-01", "", ""): (5, 6_000, 1, 2, 1, 1),
        ("O-2", "", ""): (4, 4_100, 0, 0, 0, 0),
    }
    assert rows_by(pb.CONSERVATION_BY_OUTLET_AND_DRAW, outlet_id="O-2") == {
        ("", "ssq", SEALED): None,
        ("O-2", "ssq", DRAWN): (3, 3_600, 0, 0, 0, 0),
        ("O-2", "instant", ""): instant,
    }
    answer = ledger.stub.GetConservation(pb.GetConservationRequest(by=pb.CONSERVATION_BY_OUTLET))
    assert answer.withheld_draws == 1
    with pytest.raises(grpc.RpcError, match="name an outlet or a draw"):
        rows_by(pb.CONSERVATION_BY_OUTLET_AND_DRAW)
    metric = "fucai_conservation_events"
    eventually(lambda: ledger.value(metric, game="ssq", outcome="quarantined") == 2, what="the count in a scrape")
    assert ledger.value(metric, game="ssq", outcome="stored") == 8
    assert ledger.value("fucai_conservation_withheld_draws") == 1


def test_a_flood_is_told_and_nothing_is_dropped(ledger: Running, rows: Rows) -> None:
    """Too many bad events in the last hour, or too large a share, mark the terminal; older ones do not."""
    now_ms = time.time_ns() // 1_000_000
    rows.quarantine("T-share", 1, 30, at_ms=now_ms - 60_000)
    rows.store("T-share", 31, 50, at_ms=now_ms - 60_000)
    rows.quarantine("T-count", 1, 200, at_ms=now_ms - 60_000)
    rows.store("T-count", 201, 500, at_ms=now_ms - 60_000)
    rows.quarantine("T-calm", 1, 30, at_ms=now_ms - 60_000)
    rows.store("T-calm", 31, 100, at_ms=now_ms - 60_000)
    rows.quarantine("T-old", 1, 300, at_ms=now_ms - 2 * HOUR_MS)
    answer = ledger.stub.ListQuarantined(pb.ListQuarantinedRequest(page_size=1_000))
    floods = [(flood.terminal_id, flood.quarantined, flood.stored) for flood in answer.floods]
    assert floods == [("T-count", 200, 300), ("T-share", 30, 20)]
    assert {entry.terminal_id for entry in answer.entries if entry.in_flood} == {"T-count", "T-share"}
    assert len(answer.entries) == 560
    eventually(lambda: ledger.value("fucai_ledger_flood_terminals") == 2, what="the flood in a scrape")


def test_silence_is_told_with_its_reason(ledger: Running, rows: Rows, registry: SnapshotRegistry) -> None:
    """Quarantined events break a silence too; withdrawn terminals and closed outlets are expected to be silent."""
    now_ms = time.time_ns() // 1_000_000
    closed = Outlet(outlet_id="O-closed", valid_from="2020-01-01", opened="2020-01-01", closed="2025-01-01")
    registry.publish(
        RegistryRecord(outlet=closed),
        terminal("T-closed", "O-closed"),
        terminal("T-loud", "O-01"),
        terminal("T-bad", "O-01"),
        terminal("T-quiet", "O-01"),
    )
    rows.store("T-loud", 1, 1, at_ms=now_ms - HOUR_MS)
    rows.quarantine("T-bad", 1, 1, at_ms=now_ms - HOUR_MS)
    rows.store("T-quiet", 1, 1, at_ms=now_ms - 48 * HOUR_MS)

    def silent(hours: float = 0, *, unexpected: bool = False) -> dict[str, tuple[bool, str]]:
        asked = pb.ListSilentRequest(threshold_hours=hours, unexpected_only=unexpected)
        return {t.terminal_id: (t.expected, t.reason) for t in ledger.stub.ListSilent(asked).terminals}

    eventually(lambda: "T-closed" in silent(), what="the new terminals")
    found = silent()
    assert not {"T-loud", "T-bad"} & set(found)
    assert found["T-quiet"][0] is False
    assert found["T-closed"] == (True, "outlet O-closed was closed for good on 2025-01-01")
    assert found["T-withdrawn"][0] is True
    assert set(silent(unexpected=True)) == {"T-quiet", TILL}
    assert "T-quiet" not in silent(72)
    eventually(lambda: ledger.value("fucai_ledger_silent_terminals", expected="false") == 2, what="two in a scrape")
    year = time.gmtime().tm_year
    holiday = Closure(first_day=f"{year - 1}-12-31", last_day=f"{year + 1}-01-01", scope="all", name="holiday")
    registry.publish(RegistryRecord(closure=holiday))
    eventually(lambda: silent(unexpected=True) == {}, what="the market closure")
    assert "market closure: holiday" in silent()["T-quiet"][1]
