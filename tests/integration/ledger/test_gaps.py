"""Missing numbers over the real engine: where, since when, and how they close."""

from __future__ import annotations

import grpc
import pytest
from clickhouse_connect.driver.client import Client

from fucai.adapters import arrivals_store, ledger_store
from fucai.v1 import ledger_pb2 as pb
from tests.integration.ledger.serving import Rows, Running
from tests.support.registry_stub import SnapshotRegistry, terminal
from tests.support.tills import NOW_MS, TILL
from tests.support.waiting import eventually

T0 = NOW_MS


def gaps(ledger: Running, **asked: str) -> list[tuple[str, int, int, int, int]]:
    """Missing ranges as (terminal, epoch, first, last, seconds after T0 since when)."""
    found = ledger.stub.ListGaps(pb.ListGapsRequest(**asked)).gaps  # type: ignore[arg-type]  # names of fields
    return [(g.terminal_id, g.epoch, g.first_seq, g.last_seq, (g.since_ms - T0) // 1000) for g in found]


def waive(ledger: Running, first: int, last: int, name: str = TILL, epoch: int = 7) -> pb.WaiveSequencesResponse:
    """Waives numbers."""
    return ledger.stub.WaiveSequences(
        pb.WaiveSequencesRequest(
            terminal_id=name, epoch=epoch, first_seq=first, last_seq=last, reason="lost", waived_by="Li Na"
        )
    )


def test_holes_are_found_wherever_they_lie(ledger: Running, rows: Rows) -> None:
    """At the beginning, inside a block of 1,024, across blocks, a whole block, before a quarantined one, by epoch."""
    rows.store(TILL, 4, 1_000, at_ms=T0 + 1_000)
    rows.store(TILL, 1_002, 1_020, at_ms=T0 + 2_000)
    rows.store(TILL, 1_030, 1_500, at_ms=T0 + 5_000)
    rows.store(TILL, 3_500, 3_600, at_ms=T0 + 4_000)
    rows.quarantine(TILL, 3_603, 3_603, at_ms=T0 + 9_000)
    rows.store(TILL, 2, 3, epoch=8, at_ms=T0 + 7_000)
    rows.store("T-whole", 1, 3_000, at_ms=T0)
    assert gaps(ledger) == [
        (TILL, 7, 1, 3, 1),
        (TILL, 7, 1_001, 1_001, 2),
        (TILL, 7, 1_021, 1_029, 4),
        (TILL, 7, 1_501, 3_499, 4),
        (TILL, 7, 3_601, 3_602, 9),
        (TILL, 8, 1, 1, 7),
    ]


def test_late_arrivals_and_waivers_close_gaps(ledger: Running, rows: Rows) -> None:
    """What arrives late is missing no more; a waiver closes the rest, and is shown with name and reason."""
    rows.store(TILL, 1, 10, at_ms=T0)
    rows.store(TILL, 21, 30, at_ms=T0 + 1_000)
    rows.store(TILL, 14, 16, at_ms=T0 + 2_000)
    assert [gap[2:4] for gap in gaps(ledger)] == [(11, 13), (17, 20)]
    rows.store(TILL, 17, 20, at_ms=T0 + 3_000)
    assert [gap[2:4] for gap in gaps(ledger)] == [(11, 13)]
    answer = waive(ledger, 10, 13)
    assert (answer.missing, answer.stored) == (3, 1)
    assert gaps(ledger) == []
    found = ledger.stub.GetTerminalLedger(pb.GetTerminalLedgerRequest(terminal_id=TILL))
    (epoch,) = found.epochs
    assert [(span.state, span.first_seq, span.last_seq) for span in epoch.ranges] == [
        (pb.SEQUENCE_STATE_STORED, 1, 10),
        (pb.SEQUENCE_STATE_WAIVED, 11, 13),
        (pb.SEQUENCE_STATE_STORED, 14, 30),
    ]
    assert (epoch.stored, epoch.waived, epoch.missing) == (27, 3, 0)
    assert [(waiver.waived_by, waiver.reason) for waiver in found.waivers] == [("Li Na", "lost")]


def test_a_waiver_covers_only_what_is_known(ledger: Running, rows: Rows) -> None:
    """Numbers to come, those all stored, and terminals that nobody heard of are refused with the reason."""
    rows.store(TILL, 1, 3, at_ms=T0)
    rows.store(TILL, 5, 5, at_ms=T0)
    for first, last, name, code, told in (
        (4, 6, TILL, grpc.StatusCode.FAILED_PRECONDITION, "beyond 5"),
        (1, 3, TILL, grpc.StatusCode.FAILED_PRECONDITION, "nothing to waive"),
        (1, 1, "T-nobody", grpc.StatusCode.NOT_FOUND, "nothing is known"),
    ):
        with pytest.raises(grpc.RpcError, match=told) as caught:
            waive(ledger, first, last, name)
        assert caught.value.code() == code
    with pytest.raises(grpc.RpcError, match="waived_by"):
        ledger.stub.WaiveSequences(
            pb.WaiveSequencesRequest(terminal_id=TILL, epoch=7, first_seq=4, last_seq=4, reason="lost", waived_by=" ")
        )
    assert len(gaps(ledger)) == 1


def test_pages_and_filters_lead_to_every_gap_once(ledger: Running, rows: Rows, registry: SnapshotRegistry) -> None:
    """Pages of two hold each gap once; an outlet's gaps are those of its terminals, registered or only heard of."""
    registry.publish(terminal("T-2", "O-02"))
    for name in (TILL, "T-2", "T-3"):
        rows.store(name, 2, 2, at_ms=T0)
        rows.store(name, 4, 4, at_ms=T0)
    rows.quarantine("T-3", 5, 5, at_ms=T0, outlet_id="O-claimed")
    every = gaps(ledger)
    assert len(every) == 6
    paged = []
    token = ""
    while True:
        page = ledger.stub.ListGaps(pb.ListGapsRequest(page_size=2, page_token=token))
        assert (page.total_gaps, page.total_missing) == (6, 6)
        paged += [(gap.terminal_id, gap.first_seq) for gap in page.gaps]
        token = page.next_page_token
        if not token:
            break
    assert paged == [(gap[0], gap[2]) for gap in every]
    eventually(lambda: len(gaps(ledger, outlet_id="O-02")) == 2, what="the newly registered terminal")
    assert {gap[0] for gap in gaps(ledger, outlet_id="O-claimed")} == {"T-3"}
    assert gaps(ledger, outlet_id="O-02", terminal_id="T-3") == []
    with pytest.raises(grpc.RpcError, match="page_token"):
        ledger.stub.ListGaps(pb.ListGapsRequest(page_token="nonsense"))  # noqa: S106 (a page, no password)


def test_gaps_are_metrics(ledger: Running, rows: Rows) -> None:
    """Ranges, numbers and the age of the oldest; the figures tell their own age."""
    rows.store(TILL, 5, 6, at_ms=T0)
    rows.store(TILL, 8, 8, at_ms=T0 + 60_000)
    eventually(lambda: ledger.value("fucai_ledger_open_gaps") == 2, what="two gaps in a scrape")
    assert ledger.value("fucai_ledger_missing_events") == 5
    age = ledger.value("fucai_ledger_oldest_gap_age_seconds")
    at = ledger.value("fucai_ledger_last_success_timestamp_seconds")
    assert age is not None
    assert at is not None
    assert abs(age - (at - T0 / 1000)) < 5
    assert ledger.value("fucai_ledger_figures_age_seconds") is not None


def test_the_channel_is_asked_through_projections(client: Client, rows: Rows) -> None:
    """No question about all terminals reads events, but for those around holes: the engine is forbidden to."""
    rows.store(TILL, 1, 2_000, at_ms=T0)
    rows.store("T-2", 1, 1_024, at_ms=T0)
    rows.store("T-2", 2_049, 2_100, at_ms=T0)
    client.set_client_setting("force_optimize_projection", 1)
    accounts = ledger_store.read_accounts(client)
    assert [(gap.first, gap.last) for gap in accounts["T-2", 7].gaps()] == [(1_025, 2_048)]
    assert set(accounts) == {("T-2", 7)}
    assert arrivals_store.since_when(client, [("T-2", 7, 2_047)]) == {("T-2", 7, 2_047): T0}
    assert arrivals_store.last_events(client) == {TILL: T0, "T-2": T0}
