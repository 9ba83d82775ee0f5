"""CollectorService over gRPC: bytes in, receipts out. Translates between RPCs and the parts that do the work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import grpc
from grpc import aio

from fucai.adapters.producer import BrokerAwayError
from fucai.collector.delivery import Deliveries, Delivery, OverloadedError
from fucai.collector.leases import (
    Identity,
    Lease,
    Leases,
    SupersededError,
    TakenError,
    identity_of,
    refuse_other_terminals,
)
from fucai.collector.line import ReceiptLine
from fucai.collector.metrics import CollectorMetrics
from fucai.collector.rules import CurrentRules
from fucai.collector.statements import examine, is_cured_by_newer_keys, make_statement_record, read_statement
from fucai.domain.batches import (
    BatchRefusedError,
    CheckedBatch,
    Limits,
    ParsedBatch,
    Stamper,
    is_cured_by_newer_snapshot,
    make_records,
    parse,
)
from fucai.domain.record import YEAR_2100_MS
from fucai.runtime import errors
from fucai.runtime.failpoints import failpoint
from fucai.v1 import collector_pb2, sales_pb2

Context = aio.ServicerContext[Any, Any]

SERVICE_NAME = collector_pb2.DESCRIPTOR.services_by_name["CollectorService"].full_name


WRITTEN_MS = 1_735_689_600_000
"""2025-01-01: no clock is right that shows less, for this was written later."""


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """What one collector takes, from a batch and from a stream; how long it asks terminals to wait for Kafka."""

    batch: Limits
    stream_batches: int = 256
    stream_bytes: int = 4 * 1024 * 1024
    away_delay_ms: int = 1_000


def unix_ms() -> int:
    """The wall clock, in Unix milliseconds: what events are held against, and stamped with."""
    return time.time_ns() // 1_000_000


class CollectorService:
    """The servicer. Its methods get each request as raw bytes, so that a malformed one is refused like any other."""

    def __init__(
        self,
        *,
        rules: CurrentRules,
        deliveries: Deliveries,
        metrics: CollectorMetrics,
        limits: ServiceLimits,
        collector_id: str,
        now_ms: Callable[[], int] = unix_ms,
    ) -> None:
        self._rules = rules
        self._deliveries = deliveries
        self._metrics = metrics
        self._limits = limits
        self._collector_id = collector_id
        self._now_ms = now_ms
        self._stamper = Stamper(collector_id)
        self._leases = Leases()
        metrics.show_leases(lambda: len(self._leases))
        self._readings: set[asyncio.Task[None]] = set()

    async def Collect(self, _requests: object, context: Context) -> None:
        """Takes batches, many on their way at once, and writes one receipt for each, in order.

        A stream that names its agent has its terminal to itself: another agent's is refused, and an older one of the
        same agent, which may hang on a dead connection, ends. The answer's initial metadata comes at once, so that the
        agent knows before it sends.
        """
        line = ReceiptLine(max_batches=self._limits.stream_batches, max_bytes=self._limits.stream_bytes)
        reading: asyncio.Task[None] | None = None
        lease: Lease | None = None

        def superseded() -> None:
            line.end(SupersededError())
            if reading is not None:
                reading.cancel()

        try:
            identity = identity_of(context.invocation_metadata() or ())
            if identity is not None:
                lease = self._lease(identity, superseded)
                await context.send_initial_metadata(())
            reading = asyncio.create_task(self._read(context, line, identity))
            self._readings.add(reading)
            while (delivery := await line.take()) is not None:
                await context.write(self._receipt(delivery))
                line.answered(delivery)
        except _REFUSALS as error:
            await self._refuse(context, error)
        finally:
            if lease is not None:
                self._leases.release(lease)
            if reading is not None:
                self._readings.discard(reading)
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading

    async def Submit(self, raw: bytes, context: Context) -> bytes:
        """Takes one batch."""
        settled = asyncio.Event()
        try:
            checked = await self._check(parse(raw, self._limits.batch))
            delivery = self._deliveries.dispatch(checked, settled.set)
            await settled.wait()
            return self._receipt(delivery)
        except _REFUSALS as error:
            await self._refuse(context, error)

    async def SubmitStatement(self, raw: bytes, context: Context) -> bytes:
        """Takes one statement."""
        settled = asyncio.Event()
        rules = self._rules
        try:
            signed, statement = read_statement(raw)
            answer = examine(signed, statement, rules.validator.catalogue, rules.zone)
            if is_cured_by_newer_keys(answer) and await rules.refresh():
                answer = examine(signed, statement, rules.validator.catalogue, rules.zone)
            checked = make_statement_record(
                signed, statement, answer, received_at_ms=self._plausible_ms(), collector_id=self._collector_id
            )
            delivery = self._deliveries.dispatch(checked, settled.set)
            await settled.wait()
            receipt = _confirmed(delivery)
            self._metrics.stated(answer.verdict)
            return receipt
        except _REFUSALS as error:
            await self._refuse(context, error)

    def _lease(self, identity: Identity, superseded: Callable[[], None]) -> Lease:
        """Gives a stream its terminal.

        Raises:
            TakenError: another agent has it.
        """
        lease, is_newer = self._leases.take(identity, superseded)
        self._metrics.streams_superseded.inc(is_newer)
        return lease

    async def _read(self, context: Context, line: ReceiptLine, identity: Identity | None) -> None:
        """Reads, checks and dispatches batches until the terminal ends the stream, or one cannot be taken."""
        end = cast("Any", aio).EOF  # missing from the stubs
        try:
            while True:
                if not line.has_room:
                    await line.room()
                raw: Any = await context.read()
                if raw is end:
                    break
                parsed = parse(raw, self._limits.batch)
                if identity is not None:
                    refuse_other_terminals(parsed.batch.terminal_id, identity)
                checked = await self._check(parsed)
                line.put(self._deliveries.dispatch(checked, line.settled))
        except Exception as error:  # noqa: BLE001 (the writer raises it, after the receipts of earlier batches)
            line.end(error)
        except asyncio.CancelledError:
            line.end(StoppingError())
            raise
        else:
            line.end(None)

    async def drain(self, stopping: asyncio.Event) -> None:
        """When the process stops, reads no further batch; streams end with the receipts of those already taken.

        A terminal that goes on sending may miss the last of them all the same: gRPC resets its stream.
        """
        await stopping.wait()
        for reading in self._readings:
            reading.cancel()

    async def _check(self, parsed: ParsedBatch) -> CheckedBatch:
        """The batch's records. What the snapshot does not know is looked up in a newer one before it counts as bad."""
        now_ms = self._plausible_ms()
        rules = self._rules
        runs = rules.validator.examine(parsed.batch, now_ms=now_ms)
        if is_cured_by_newer_snapshot(runs) and await rules.refresh():
            runs = rules.validator.examine(parsed.batch, now_ms=now_ms)
        return make_records(parsed, runs, self._stamper.stamp(now_ms))

    def _plausible_ms(self) -> int:
        """The wall clock. One that shows nonsense would put every event into quarantine.

        Raises:
            ClockError: it does.
        """
        now_ms = self._now_ms()
        if not WRITTEN_MS < now_ms < YEAR_2100_MS:
            raise ClockError(now_ms)
        return now_ms

    def _receipt(self, delivery: Delivery) -> bytes:
        """The receipt of a settled delivery, with a delay for the terminal where Kafka is behind.

        Raises:
            _LostError: Kafka did not confirm all of it.
        """
        receipt = _confirmed(delivery)
        delay_ms = self._deliveries.retry_after_ms
        if not delay_ms:
            return receipt
        return receipt + sales_pb2.Receipt(retry_after_ms=delay_ms).SerializeToString()

    async def _refuse(self, context: Context, error: Exception) -> NoReturn:
        if isinstance(error, BatchRefusedError):
            self._metrics.refused.labels("INVALID_ARGUMENT").inc()
            violations = [errors.Violation(refusal.field, refusal.description) for refusal in error.refusals]
            await errors.invalid_argument(context, violations, str(error))
        if isinstance(error, OverloadedError):
            self._metrics.refused.labels("RESOURCE_EXHAUSTED").inc()
            await errors.resource_exhausted(context, str(error), retry_after_ms=error.retry_after_ms)
        if isinstance(error, TakenError):
            self._metrics.streams_refused.inc()
            await errors.abort(context, grpc.StatusCode.ALREADY_EXISTS, str(error))
        if isinstance(error, SupersededError):
            await errors.abort(context, grpc.StatusCode.ABORTED, str(error))
        self._metrics.refused.labels("UNAVAILABLE").inc()
        message = f"not durable, send it again: {error}"
        await errors.unavailable(context, message, retry_after_ms=self._limits.away_delay_ms)


class StoppingError(Exception):
    """The process ends; another collector, or the next process, takes the rest."""

    def __init__(self) -> None:
        super().__init__("the collector is stopping")


class ClockError(Exception):
    """The collector's own clock cannot be right; it takes nothing until that is mended."""

    def __init__(self, now_ms: int) -> None:
        super().__init__(f"the collector's clock shows {now_ms} ms since 1970, which cannot be; set it")


class _LostError(Exception):
    """Kafka did not confirm a batch in time; whether it has it is not known."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"Kafka did not confirm the batch: {cause!r}")


_REFUSALS = (
    BatchRefusedError,
    OverloadedError,
    BrokerAwayError,
    ClockError,
    StoppingError,
    SupersededError,
    TakenError,
    _LostError,
)
"""Everything that ends a call with a status of its own; see `CollectorService._refuse`."""


def _confirmed(delivery: Delivery) -> bytes:
    if delivery.error is not None:
        raise _LostError(delivery.error)
    failpoint("collector.before-receipt")
    return delivery.receipt


def register(servicer: CollectorService, server: Any) -> None:
    """Adds the servicer to a server, as the generated function would, but with bytes instead of messages."""
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Collect": grpc.stream_stream_rpc_method_handler(servicer.Collect),
        "Submit": grpc.unary_unary_rpc_method_handler(servicer.Submit),
        "SubmitStatement": grpc.unary_unary_rpc_method_handler(servicer.SubmitStatement),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE_NAME, methods),))
