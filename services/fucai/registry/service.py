"""The registry's gRPC service: translates requests, calls, translates back. The rules are in `domain.registry`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from itertools import islice
from typing import NoReturn, TypeVar
from zoneinfo import ZoneInfo

import grpc

from fucai.adapters.draw_store import count_late, read_now_ms
from fucai.domain.calendar import parse_day
from fucai.domain.draw_acts import DrawRefusedError
from fucai.domain.embargo import END, SEAL
from fucai.domain.registry.changes import Entry, Plan, check, plan
from fucai.domain.registry.intake import Intake, take_in
from fucai.domain.registry.tables import BY_NUMBER, Table, newest, unwrap, version_on, wrap
from fucai.registry.answers import import_problem, opened_history, record_violations, summary
from fucai.registry.draws import Draws, UnknownDrawError, faults_of_request
from fucai.registry.history import ClaimError, Claiming, open_history
from fucai.registry.mirror import Current, Mirror
from fucai.registry.paging import MAX_PAGE, BadTokenError, page
from fucai.registry.store import Store, StoreAwayError
from fucai.runtime.errors import (
    Context,
    Violation,
    abort,
    failed_precondition,
    invalid_argument,
    not_found,
    unavailable,
)
from fucai.v1 import registry_pb2 as pb
from fucai.v1 import registry_pb2_grpc

T = TypeVar("T")
Request = pb.SealDrawRequest | pb.EndDrawRequest

SNAPSHOT_PART = 2_000
MAX_IMPORT_BYTES = 64 * 1024 * 1024
MAX_PROBLEMS = 20_000
_RETRY_MS = 1_000


class RegistryService(registry_pb2_grpc.RegistryServiceServicer):
    """Serves the registry of one store. Draws are sealed and end by the store's clock, as its view judges them."""

    def __init__(self, mirror: Mirror, store: Store) -> None:
        self._mirror = mirror
        self._store = store

    async def ListRecords(self, request: pb.ListRecordsRequest, context: Context) -> pb.ListRecordsResponse:
        """See registry.proto."""
        table = await _table(request.table, context)
        if request.page_size > MAX_PAGE:
            await invalid_argument(context, [Violation("page_size", f"{request.page_size} is above {MAX_PAGE}")])
        current = await self._ask(self._mirror.current(), context)
        records = current.snapshot.of(table)
        keys = sorted(records) if request.history else newest(table, records)
        try:
            chosen, next_token = page(keys, request.page_size or MAX_PAGE, request.page_token)
        except BadTokenError as error:
            await invalid_argument(context, [Violation("page_token", str(error))])
        return pb.ListRecordsResponse(records=[wrap(table, records[key]) for key in chosen], next_page_token=next_token)

    async def GetRecord(self, request: pb.GetRecordRequest, context: Context) -> pb.GetRecordResponse:
        """See registry.proto."""
        table = await _table(request.table, context)
        if request.day:
            try:
                parse_day(request.day)
            except ValueError as error:
                await invalid_argument(context, [Violation("day", f"{request.day!r} {error}")])
        current = await self._ask(self._mirror.current(), context)
        parts = len(table.id_of(table.key_fields))
        wanted = tuple(request.id.split("/", parts - 1)) if parts > 1 else (request.id,)
        found = version_on(table, current.snapshot.of(table), wanted, request.day)
        if found is None:
            when = f" on {request.day}" if request.day else ""
            await not_found(context, table.kind, request.id, f"no {table.kind} {request.id!r}{when}")
        return pb.GetRecordResponse(record=wrap(table, found))

    async def UpsertRecords(self, request: pb.UpsertRecordsRequest, context: Context) -> pb.UpsertRecordsResponse:
        """See registry.proto."""
        entries: list[Entry[int]] = []
        empty: list[Violation] = []
        for place, record in enumerate(request.records):
            held = unwrap(record)
            if held is None:
                empty.append(Violation(f"records[{place}]", "holds no record; set one of zone, outlet, terminal ..."))
            elif not held[0].imported:
                remedy = "is recorded by SealDraw and EndDraw only, for ever; leave it out"
                empty.append(Violation(f"records[{place}].{held[0].kind}", remedy))
            else:
                entries.append(Entry(place, *held))
        if empty:
            await invalid_argument(context, empty[:MAX_PAGE])
        planned: list[Plan] = []

        def decide(current: Current) -> Plan | None:
            check(entries, current.snapshot, ZoneInfo(current.settings.timezone))
            if any(entry.faults for entry in entries):
                return None
            planned.append(plan(entries, current.snapshot))
            return planned[0]

        outcome = await self._ask(self._mirror.change(decide, request.source), context)
        if not planned:
            message, violations = record_violations(entries)
            await invalid_argument(context, violations, message)
        return pb.UpsertRecordsResponse(summary=summary(outcome, planned[0]))

    async def ImportFiles(
        self, requests: AsyncIterator[pb.ImportFilesRequest], context: Context
    ) -> pb.ImportFilesResponse:
        """See registry.proto."""
        files = await _gather(requests, context)
        taken: list[Intake] = []
        planned: list[Plan] = []

        def decide(current: Current) -> Plan | None:
            intake = take_in(files, current.snapshot, ZoneInfo(current.settings.timezone))
            taken.append(intake)
            if intake.problems:
                return None
            planned.append(plan(intake.entries, current.snapshot))
            return planned[0]

        outcome = await self._ask(self._mirror.change(decide, ", ".join(files)), context)
        if planned:
            return pb.ImportFilesResponse(summary=summary(outcome, planned[0]))
        problems = taken[0].problems
        told = [import_problem(problem) for problem in problems[:MAX_PROBLEMS]]
        if len(problems) > MAX_PROBLEMS:
            rest = f"and {len(problems) - MAX_PROBLEMS:,} more problems; mend these first"
            told.append(pb.ImportProblem(remedy=rest))
        return pb.ImportFilesResponse(problems=told)

    async def GetSnapshot(
        self, request: pb.GetSnapshotRequest, context: Context
    ) -> AsyncIterator[pb.GetSnapshotResponse]:
        """See registry.proto."""
        current = await self._ask(self._mirror.current(), context)
        revision, settings = current.snapshot.revision, current.settings
        first = pb.GetSnapshotResponse(revision=revision, timezone=settings.timezone, currency=settings.currency)
        if request.known_revision == revision:
            yield first
            return
        records = current.snapshot.everything()
        first.records.extend(islice(records, SNAPSHOT_PART))
        yield first
        while part := list(islice(records, SNAPSHOT_PART)):
            yield pb.GetSnapshotResponse(revision=revision, records=part)

    async def OpenHistory(
        self, requests: AsyncIterator[pb.OpenHistoryRequest], context: Context
    ) -> pb.OpenHistoryResponse:
        """See registry.proto."""
        claiming = Claiming()
        try:
            async for request in requests:
                claiming.add(request)
            claiming.check((await self._ask(self._mirror.current(), context)).snapshot)
            opened = await self._ask(open_history(self._store, claiming), context)
        except ClaimError as error:
            await invalid_argument(context, error.violations)
        return opened_history(opened)

    async def ListDraws(self, request: pb.ListDrawsRequest, context: Context) -> pb.ListDrawsResponse:
        """See registry.proto."""
        if request.page_size > MAX_PAGE:
            await invalid_argument(context, [Violation("page_size", f"{request.page_size} is above {MAX_PAGE}")])
        draws = await self._draws(context)
        keys = draws.keys(game=request.game, sealed_only=request.sealed_only)
        try:
            chosen, next_token = page(keys, request.page_size or MAX_PAGE, request.page_token)
        except BadTokenError as error:
            await invalid_argument(context, [Violation("page_token", str(error))])
        return pb.ListDrawsResponse(draws=[draws.status(key) for key in chosen], next_page_token=next_token)

    async def GetDraw(self, request: pb.GetDrawRequest, context: Context) -> pb.GetDrawResponse:
        """See registry.proto."""
        key = (request.game, request.draw_no)
        draws = await self._draws(context)
        try:
            answer = pb.GetDrawResponse(draw=draws.status(key))
        except UnknownDrawError as error:
            await not_found(context, "draw", "/".join(key), str(error))
        if answer.draw.state == pb.DRAW_STATE_ENDED:
            counting = self._store.run(count_late, *key, *draws.sold_days(key))
            answer.late_events = await self._ask(counting, context)
        return answer

    async def SealDraw(self, request: pb.SealDrawRequest, context: Context) -> pb.SealDrawResponse:
        """See registry.proto."""
        return pb.SealDrawResponse(draw=await self._act(SEAL, request, context))

    async def EndDraw(self, request: pb.EndDrawRequest, context: Context) -> pb.EndDrawResponse:
        """See registry.proto."""
        return pb.EndDrawResponse(draw=await self._act(END, request, context))

    async def _act(self, act: str, request: Request, context: Context) -> pb.DrawStatus:
        """Records an act, and returns the draw when the store shows it no longer, or again."""
        wanted = pb.DrawAct(
            game=request.game,
            draw_no=request.draw_no,
            act=act,
            acted_by=request.acted_by,
            note=request.note,
            at_ms=request.at_ms,
        )
        faults = faults_of_request(wanted)
        if faults:
            await invalid_argument(context, [Violation(f.field, f"{f.value!r} {f.remedy}") for f in faults])
        now_ms = await self._ask(self._store.run(read_now_ms), context)
        refused: list[UnknownDrawError | DrawRefusedError] = []

        def decide(current: Current) -> Plan | None:
            try:
                return Draws(current, now_ms).act(wanted)
            except (UnknownDrawError, DrawRefusedError) as error:
                refused.append(error)
                return None

        source = f"{act} {wanted.game} {wanted.draw_no} by {wanted.acted_by}"
        await self._ask(self._mirror.change(decide, source), context)
        if refused:
            await _refuse(refused[0], wanted, context)
        return (await self._draws(context)).status((wanted.game, wanted.draw_no))

    async def _draws(self, context: Context) -> Draws:
        current = await self._ask(self._mirror.current(), context)
        return Draws(current, await self._ask(self._store.run(read_now_ms), context))

    async def _ask(self, answer: Awaitable[T], context: Context) -> T:
        try:
            return await answer
        except StoreAwayError as error:
            await unavailable(context, str(error), retry_after_ms=_RETRY_MS)


async def _refuse(error: UnknownDrawError | DrawRefusedError, wanted: pb.DrawAct, context: Context) -> NoReturn:
    if isinstance(error, UnknownDrawError):
        await not_found(context, "draw", f"{wanted.game}/{wanted.draw_no}", str(error))
    if error.field:
        await invalid_argument(context, [Violation(error.field, str(error))])
    await failed_precondition(context, str(error))


async def _table(number: int, context: Context) -> Table:
    table = BY_NUMBER.get(number)
    if table is None:
        await invalid_argument(context, [Violation("table", f"{number} is no table; name one of RegistryTable")])
    return table


async def _gather(requests: AsyncIterator[pb.ImportFilesRequest], context: Context) -> dict[str, bytes]:
    """The files of an import, whole."""
    pieces: dict[str, list[bytes]] = {}
    size = 0
    async for request in requests:
        if not request.file:
            await invalid_argument(context, [Violation("file", "is empty; every piece names its file")])
        pieces.setdefault(request.file, []).append(request.content)
        size += len(request.content)
        if size > MAX_IMPORT_BYTES:
            await _too_large(context)
    if not pieces:
        await invalid_argument(context, [Violation("file", "is missing; send at least one file")])
    return {file: b"".join(parts) for file, parts in pieces.items()}


async def _too_large(context: Context) -> NoReturn:
    message = f"the files hold more than {MAX_IMPORT_BYTES // 1024 // 1024} MB; import them in parts"
    await abort(context, grpc.StatusCode.INVALID_ARGUMENT, message)
