"""LedgerService over gRPC: reads requests, has them answered, and turns refusals into gRPC statuses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fucai.adapters.arrivals_store import since_when
from fucai.adapters.producer import BrokerAwayError
from fucai.domain.calendar import instant_ms
from fucai.domain.completeness import State
from fucai.domain.flood import FloodRule
from fucai.domain.quarantine import Number
from fucai.ledger import answers, conservation, desk, gaps, paging, requests
from fucai.ledger.metrics import SurveyMetrics
from fucai.ledger.registry import CurrentRegistry
from fucai.ledger.replay import CannotReplayError, Replayer, UnconfirmedError
from fucai.ledger.sealed import as_stored
from fucai.ledger.store import Store, StoreAwayError
from fucai.ledger.survey import silent_terminals
from fucai.runtime.errors import Context, Violation, failed_precondition, invalid_argument, not_found, unavailable
from fucai.runtime.snapshot import RegistryAwayError
from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import ledger_pb2_grpc

_RETRY_MS = 2_000

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Rules:
    """The business time zone, and when a terminal is in flood."""

    zone: ZoneInfo
    flood: FloodRule


class LedgerService(ledger_pb2_grpc.LedgerServiceServicer):
    """Answers from one store and the registry's newest snapshot."""

    def __init__(
        self,
        store: Store,
        registry: CurrentRegistry,
        replayer: Replayer,
        *,
        rules: Rules,
        metrics: SurveyMetrics,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._registry = registry
        self._replayer = replayer
        self._rules = rules
        self._metrics = metrics
        self._clock = clock

    async def ListGaps(self, request: pb.ListGapsRequest, context: Context) -> pb.ListGapsResponse:
        """Missing ranges."""
        async with _refusing(context):
            size = requests.read_page_size(request.page_size)
            found = await self._store.run(
                gaps.find_gaps,
                self._registry.known.roster,
                self._now().date(),
                outlet_id=request.outlet_id,
                terminal_id=request.terminal_id,
            )
            page, token = paging.cut(found, lambda gap: gap.place, size=size, token=request.page_token)
            since_ms = await self._store.run(since_when, [gap.end for gap in page])
            return pb.ListGapsResponse(
                gaps=[answers.gap_message(gap, since_ms.get(gap.end, 0)) for gap in page],
                next_page_token=token,
                total_gaps=len(found),
                total_missing=sum(gap.numbers for gap in found),
            )

    async def GetTerminalLedger(
        self, request: pb.GetTerminalLedgerRequest, context: Context
    ) -> pb.GetTerminalLedgerResponse:
        """All ranges of one terminal."""
        async with _refusing(context):
            roster = self._registry.known.roster
            found = await self._store.run(gaps.terminal_ledger, roster, self._now().date(), request.terminal_id)
            if not found.accounts and request.terminal_id not in roster.terminals:
                raise desk.UnknownNumberError(f"nothing is known of terminal {request.terminal_id!r}")
            return answers.terminal_message(request.terminal_id, found)

    async def ListSilent(self, request: pb.ListSilentRequest, context: Context) -> pb.ListSilentResponse:
        """Silent terminals."""
        async with _refusing(context):
            hours = requests.read_hours(request)
            size = requests.read_page_size(request.page_size)
            known = self._registry.known
            found = await self._store.run(silent_terminals, known, self._now(), threshold_hours=hours)
            at_outlet = [silence for silence in found if request.outlet_id in ("", silence.outlet_id)]
            listed = [silence for silence in at_outlet if not (request.unexpected_only and silence.expected)]
            start = requests.read_start(request.page_token)
            token = paging.write([start + size]) if start + size < len(listed) else ""
            return pb.ListSilentResponse(
                terminals=[answers.silence_message(silence) for silence in listed[start : start + size]],
                next_page_token=token,
                total_expected=sum(silence.expected for silence in at_outlet),
                total_unexpected=sum(not silence.expected for silence in at_outlet),
                total_terminals=len(known.roster.terminals),
            )

    async def ListQuarantined(self, request: pb.ListQuarantinedRequest, context: Context) -> pb.ListQuarantinedResponse:
        """Entries in quarantine."""
        async with _refusing(context):
            selection, standings, rows, after = requests.read_listing(request)
            floods = await self._store.run(desk.floods, self._rules.flood, self._now_ms())
            found, after = await self._store.run(desk.list_entries, selection, standings, rows=rows, after=after)
            flooding = frozenset(traffic.terminal_id for traffic in floods)
            message = await self._answers(flooding)
            return pb.ListQuarantinedResponse(
                entries=[message.entry(listed) for listed in found],
                next_page_token=paging.write(after),
                floods=[
                    pb.FloodingTerminal(
                        terminal_id=traffic.terminal_id, quarantined=traffic.quarantined, stored=traffic.stored
                    )
                    for traffic in floods
                ],
            )

    async def GetQuarantined(self, request: pb.GetQuarantinedRequest, context: Context) -> pb.GetQuarantinedResponse:
        """One number in quarantine."""
        async with _refusing(context):
            number = Number(request.terminal_id, request.epoch, request.seq)
            found = await self._store.run(desk.dossier, number)
            floods = await self._store.run(desk.floods, self._rules.flood, self._now_ms())
            flooding = frozenset(traffic.terminal_id for traffic in floods)
            return (await self._answers(flooding)).dossier(found)

    async def ReplayQuarantined(
        self, request: pb.ReplayQuarantinedRequest, context: Context
    ) -> pb.ReplayQuarantinedResponse:
        """Judges entries again, and has the good ones stored."""
        async with _refusing(context):
            result = await self._replayer.replay(requests.read_replay(request))
            self._metrics.replayed.labels("replayed").inc(result.replayed)
            self._metrics.replayed.labels("still_bad").inc(len(result.still_bad))
            message = await self._answers()
            return message.replayed(result, paging.write(result.after))

    async def WaiveSequences(self, request: pb.WaiveSequencesRequest, context: Context) -> pb.WaiveSequencesResponse:
        """Keeps a waiver."""
        async with _refusing(context):
            result = await self._store.run(desk.waive, requests.read_waiver(request))
            self._metrics.waivers.inc()
            return pb.WaiveSequencesResponse(
                waiver=answers.waiver_message(result.waiver),
                quarantined=result.before[State.QUARANTINED],
                missing=result.before[State.MISSING],
                stored=result.before[State.STORED],
                waived_before=result.before[State.WAIVED],
            )

    async def GetConservation(self, request: pb.GetConservationRequest, context: Context) -> pb.GetConservationResponse:
        """The count of all events."""
        async with _refusing(context):
            by, scope = requests.read_count(request)
            size = requests.read_page_size(request.page_size)
            found = await self._store.run(conservation.count, self._registry.known.embargo, self._now_ms, by, scope)
            rows = sorted(found.rows.items())
            page, token = paging.cut(
                rows, lambda row: (*row[0][:3], int(row[0].withheld)), size=size, token=request.page_token
            )
            return pb.GetConservationResponse(
                rows=[answers.conservation_message(*row) for row in page],
                next_page_token=token,
                withheld_draws=0 if "draw_no" in by.value else len(found.withheld),
                unreadable_records=found.unreadable,
                counted_ms=self._now_ms(),
            )

    async def _answers(self, flooding: frozenset[str] = frozenset()) -> answers.Answers:
        """What withholds as of now; ask for it last, when what is to be told was read."""
        embargo = await self._store.run(as_stored, self._registry.known.embargo)
        return answers.Answers(embargo, self._now_ms(), flooding)

    def _now(self) -> datetime:
        return self._clock().astimezone(self._rules.zone)

    def _now_ms(self) -> int:
        return instant_ms(self._now())


@asynccontextmanager
async def _refusing(context: Context) -> AsyncIterator[None]:
    """What goes wrong inside ends the RPC with its status."""
    try:
        yield
    except requests.BadRequestError as error:
        await invalid_argument(context, error.violations)
    except paging.BadTokenError as error:
        await invalid_argument(context, [Violation("page_token", str(error))])
    except desk.UnknownNumberError as error:
        await not_found(context, "sequence number", "", str(error))
    except (desk.NothingToWaiveError, CannotReplayError) as error:
        await failed_precondition(context, str(error))
    except (StoreAwayError, BrokerAwayError, UnconfirmedError, conservation.DisturbedError) as error:
        await unavailable(context, str(error), retry_after_ms=_RETRY_MS)
    except RegistryAwayError as error:
        await unavailable(context, f"the registry is away: {error}", retry_after_ms=_RETRY_MS)
