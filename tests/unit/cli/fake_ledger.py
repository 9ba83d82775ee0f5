"""A ledger service with fixed answers, for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import grpc

from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import ledger_pb2_grpc, sales_pb2

AT_MS = 1_741_600_000_000

GAPS = [
    pb.Gap(terminal_id="T[1]", outlet_id="12010001", epoch=1_760_000_000, first_seq=5, last_seq=9, since_ms=AT_MS),
    pb.Gap(terminal_id="T2", outlet_id="", epoch=1_760_000_000, first_seq=1, last_seq=1, since_ms=AT_MS),
]
TERMINAL = pb.GetTerminalLedgerResponse(
    terminal_id="T2",
    outlet_id="12010001",
    epochs=[
        pb.EpochLedger(
            epoch=7,
            highest_seq=30,
            ranges=[
                pb.SequenceRange(state=pb.SEQUENCE_STATE_STORED, first_seq=1, last_seq=20),
                pb.SequenceRange(state=pb.SEQUENCE_STATE_MISSING, first_seq=21, last_seq=30, since_ms=AT_MS),
            ],
        )
    ],
    waivers=[pb.Waiver(epoch=7, first_seq=3, last_seq=3, reason="test ticket", waived_by="Li Na", at_ms=AT_MS)],
)
SILENT = pb.ListSilentResponse(
    terminals=[
        pb.SilentTerminal(
            terminal_id="T9",
            outlet_id="12010001",
            last_event_ms=AT_MS,
            silent_hours=40,
            silent_open_hours=30,
            reason="its last event is older than 24 h of open time",
        ),
        pb.SilentTerminal(
            terminal_id="T8",
            silent_hours=4_000,
            expected=True,
            reason="it was withdrawn on 2025-01-01",
            reason_zh="已于 2025-01-01 撤机",
        ),
    ],
    total_expected=1,
    total_unexpected=1,
    total_terminals=124,
)
ENTRIES = [
    pb.QuarantinedEvent(
        terminal_id="T1",
        epoch=7,
        seq=42,
        outlet_id="12010001",
        reason=sales_pb2.QUARANTINE_REASON_WRONG_AMOUNT,
        field="amount_fen",
        event=sales_pb2.SalesEvent(seq=42, game="ssq", draw_no="2025117", sold_at_ms=AT_MS),
        withheld=True,
        state=pb.QUARANTINE_STATE_OPEN,
        in_flood=True,
        received_at_ms=AT_MS,
    ),
    pb.QuarantinedEvent(
        terminal_id="T2",
        epoch=7,
        seq=43,
        reason=sales_pb2.QUARANTINE_REASON_UNKNOWN_GAME,
        field="game",
        detail="'kl9' is not in the catalogue on that day; register it, or correct the code",
        event=sales_pb2.SalesEvent(seq=43, game="kl9", amount_fen=105, bets=1, sold_at_ms=AT_MS),
        state=pb.QUARANTINE_STATE_WAIVED,
        received_at_ms=AT_MS,
    ),
]
BAD = pb.StillBad(
    terminal_id="T1",
    epoch=7,
    seq=42,
    reason=sales_pb2.QUARANTINE_REASON_UNKNOWN_TERMINAL,
    field="terminal_id",
    detail="'T1' is not registered",
)
ROWS = [
    pb.ConservationRow(
        game="ssq",
        draw_no="2025116",
        stored=pb.EventCount(events=1_200, amount_fen=240_005),
        duplicate=pb.EventCount(events=3),
        quarantined_open=pb.EventCount(events=2, amount_fen=400),
    ),
    pb.ConservationRow(game="ssq", draw_no="2025117", withheld=True),
]


class FakeLedger(ledger_pb2_grpc.LedgerServiceServicer):
    """Answers in pages of one, or fails with a status; keeps the last request."""

    def __init__(self, failure: tuple[grpc.StatusCode, str] | None = None) -> None:
        self.failure = failure
        self.asked: Any = None
        self.still_bad = True

    def ListGaps(self, request: pb.ListGapsRequest, context: Any) -> pb.ListGapsResponse:
        """One gap a page."""
        self._note(request, context)
        place = int(request.page_token or 0)
        more = str(place + 1) if place + 1 < len(GAPS) else ""
        return pb.ListGapsResponse(gaps=[GAPS[place]], next_page_token=more, total_gaps=2, total_missing=6)

    def GetTerminalLedger(self, request: Any, context: Any) -> pb.GetTerminalLedgerResponse:
        """Fixed."""
        self._note(request, context)
        return TERMINAL

    def ListSilent(self, request: Any, context: Any) -> pb.ListSilentResponse:
        """Fixed."""
        self._note(request, context)
        return SILENT

    def ListQuarantined(self, request: Any, context: Any) -> pb.ListQuarantinedResponse:
        """One entry a page."""
        self._note(request, context)
        place = int(request.page_token or 0)
        more = str(place + 1) if place + 1 < len(ENTRIES) else ""
        flood = pb.FloodingTerminal(terminal_id="T1", quarantined=300, stored=10)
        return pb.ListQuarantinedResponse(entries=[ENTRIES[place]], next_page_token=more, floods=[flood])

    def GetQuarantined(self, request: Any, context: Any) -> pb.GetQuarantinedResponse:
        """Fixed."""
        self._note(request, context)
        replay = pb.Replay(outcome=pb.REPLAY_OUTCOME_STILL_BAD, reason=BAD.reason, replayed_by="Li Na", at_ms=AT_MS)
        return pb.GetQuarantinedResponse(
            entries=ENTRIES[:1], replays=[replay], waivers=TERMINAL.waivers, remedy="mend the cause"
        )

    def ReplayQuarantined(self, request: Any, context: Any) -> pb.ReplayQuarantinedResponse:
        """Two calls: one good, one bad."""
        self._note(request, context)
        if not request.page_token:
            more = "2"
            return pb.ReplayQuarantinedResponse(replayed=1, waived=1, next_page_token=more, registry_revision=5)
        return pb.ReplayQuarantinedResponse(replayed=1, still_bad=[BAD] * self.still_bad, registry_revision=5)

    def WaiveSequences(self, request: Any, context: Any) -> pb.WaiveSequencesResponse:
        """Fixed."""
        self._note(request, context)
        return pb.WaiveSequencesResponse(missing=8, quarantined=1)

    def GetConservation(self, request: Any, context: Any) -> pb.GetConservationResponse:
        """Fixed."""
        self._note(request, context)
        return pb.GetConservationResponse(rows=ROWS, counted_ms=AT_MS, withheld_draws=1, unreadable_records=4)

    def _note(self, request: Any, context: Any) -> None:
        self.asked = request
        if self.failure:
            context.abort(*self.failure)


@contextmanager
def serving(service: FakeLedger) -> Iterator[str]:
    """The address of a server with that service."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    ledger_pb2_grpc.add_LedgerServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
