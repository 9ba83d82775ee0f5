"""The gRPC face of analytics: reads the request, asks, and turns refusals into gRPC statuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import grpc
from google.protobuf.message import Message

from fucai.analytics import questions
from fucai.analytics.alerts import alerts
from fucai.analytics.asked import Asked
from fucai.analytics.decompose import decompose
from fucai.analytics.growth import growth
from fucai.analytics.headline import headline
from fucai.analytics.kept import Kept
from fucai.analytics.known import SealedDrawError, check_values
from fucai.analytics.outlet import UnknownOutletError, outlet
from fucai.analytics.profile import profile
from fucai.analytics.published import published
from fucai.analytics.rank import rank
from fucai.analytics.scale import scale
from fucai.analytics.silent import silent
from fucai.analytics.store import Ran, Store, StoreAwayError, StoreSlowError
from fucai.analytics.stored import freshness, recent
from fucai.analytics.together import Together
from fucai.analytics.trend import stream_trend, trend
from fucai.analytics.turned import DrawTurnedError, Turning
from fucai.runtime.errors import Context, abort, failed_precondition, invalid_argument, not_found, unavailable
from fucai.v1 import analytics_pb2, analytics_pb2_grpc

LONGEST_SECONDS = 60.0
_ANSWERING_SECONDS = 0.1
_RETRY_MS = 2_000
_TURNED_MS = 100
_TRIES = 3

Clock = Callable[[], datetime]
Question = TypeVar("Question", bound=Message)
Answer = TypeVar("Answer", bound=Message)


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


class AnalyticsService(analytics_pb2_grpc.AnalyticsServiceServicer):
    """Answers from one store, in its business time zone and currency."""

    def __init__(self, store: Store, *, zone: ZoneInfo, currency: str, clock: Clock = utc_now) -> None:
        self._store = store
        self._zone = zone
        self._currency = currency
        self._clock = clock
        self._kept = Kept(store.asking)
        self._together = Together[Message]()

    async def Trend(self, request: analytics_pb2.TrendRequest, context: Context) -> analytics_pb2.TrendResponse:
        """Sales over time, by any dimensions, with a comparison."""
        return await self._answered(context, trend, request)

    async def StreamTrend(
        self, request: analytics_pb2.StreamTrendRequest, context: Context
    ) -> AsyncIterator[analytics_pb2.StreamTrendResponse]:
        """The same rows in parts, without a bound on their number; begun anew only while no part was given."""
        async with _refusing(context):
            given = False
            for tries_left in reversed(range(_TRIES)):
                try:
                    asked = await self._asked(_seconds(context), request.question.selection)
                    async for part in stream_trend(asked, request.question):
                        await asked.turning.check(asked.ask)
                        given = True
                        yield part
                    return
                except DrawTurnedError:
                    if given or not tries_left:
                        raise

    async def Headline(
        self, request: analytics_pb2.HeadlineRequest, context: Context
    ) -> analytics_pb2.HeadlineResponse:
        """Channel scale and sales of a period, year on year, beside a benchmark."""
        return await self._answered(context, headline, request)

    async def Decompose(
        self, request: analytics_pb2.DecomposeRequest, context: Context
    ) -> analytics_pb2.DecomposeResponse:
        """Why sales changed: parts that sum exactly to the change."""
        return await self._answered(context, decompose, request)

    async def Rank(self, request: analytics_pb2.RankRequest, context: Context) -> analytics_pb2.RankResponse:
        """Who leads, within areas too, and by the rules of new stars and progress."""
        return await self._answered(context, rank, request)

    async def Benchmark(
        self, request: analytics_pb2.BenchmarkRequest, context: Context
    ) -> analytics_pb2.BenchmarkResponse:
        """A published series beside our own figures."""
        return await self._answered(context, published, request)

    async def Silent(self, request: analytics_pb2.SilentRequest, context: Context) -> analytics_pb2.SilentResponse:
        """Outlets that should be selling and are not."""
        return await self._answered(context, silent, request)

    async def Alerts(self, request: analytics_pb2.AlertsRequest, context: Context) -> analytics_pb2.AlertsResponse:
        """Alerts of the rule set, and how many each rule has."""
        return await self._answered(context, alerts, request)

    async def Growth(self, request: analytics_pb2.GrowthRequest, context: Context) -> analytics_pb2.GrowthResponse:
        """A period against its base, by any dimensions, several measures at once."""
        return await self._answered(context, growth, request)

    async def Scale(self, request: analytics_pb2.ScaleRequest, context: Context) -> analytics_pb2.ScaleResponse:
        """Channel scale: installed, active, new and closed outlets, penetration, sales per outlet."""
        return await self._answered(context, scale, request)

    async def Profile(self, request: analytics_pb2.ProfileRequest, context: Context) -> analytics_pb2.ProfileResponse:
        """When sales happen: hour by weekday."""
        return await self._answered(context, profile, request)

    async def Outlet(self, request: analytics_pb2.OutletRequest, context: Context) -> analytics_pb2.OutletResponse:
        """One outlet's card."""
        return await self._answered(context, outlet, request)

    async def Freshness(
        self, request: analytics_pb2.FreshnessRequest, context: Context
    ) -> analytics_pb2.FreshnessResponse:
        """How fresh the figures are."""
        return await self._answered(context, freshness, request)

    async def Recent(self, request: analytics_pb2.RecentRequest, context: Context) -> analytics_pb2.RecentResponse:
        """The newest events stored, for a dashboard."""
        return await self._answered(context, recent, request)

    async def _answered(
        self, context: Context, answer: Callable[[Asked, Question], Awaitable[Answer]], request: Question
    ) -> Answer:
        """The answer of a question; those who ask the same at once are given the same one, see `together`."""
        key = type(request).__name__, request.SerializeToString(deterministic=True)
        async with _refusing(context):
            asking = partial(self._tried, answer, request)
            return cast("Answer", await self._together.get(key, _seconds(context), asking))

    async def _tried(
        self, answer: Callable[[Asked, Question], Awaitable[Answer]], request: Question, seconds: float
    ) -> Answer:
        """The answer, begun anew, a few times, where a draw was sealed or ended meanwhile."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        selection: analytics_pb2.Selection | None = getattr(request, "selection", None)
        for tries_left in reversed(range(_TRIES)):
            try:
                asked = await self._asked(ends - loop.time(), selection)
                found = await answer(asked, request)
                await asked.turning.check(asked.ask)
                return found
            except DrawTurnedError:
                if not tries_left:
                    raise
        raise AssertionError("the last try gives an answer or raises")

    async def _asked(self, seconds: float, selection: analytics_pb2.Selection | None) -> Asked:
        """How to ask within so many seconds; raises what is wrong with the values of the filters."""
        moment = self._clock()
        ran: list[Ran] = []
        explain = selection is not None and selection.explain
        turning = Turning()
        ask = turning.over(self._store.asking(seconds, ran) if explain else self._kept.over(seconds))
        if selection is not None and selection.filters:
            await check_values(ask, selection, self._zone)
        return Asked(
            ask=ask,
            today=moment.astimezone(self._zone).date(),
            now_ms=int(moment.timestamp() * 1000),
            currency=self._currency,
            zone=self._zone,
            turning=turning,
            ran=ran,
        )


def _seconds(context: Context) -> float:
    """How long the caller waits, less what it takes to answer him."""
    remaining = cast("float | None", context.time_remaining())  # None without a deadline
    return LONGEST_SECONDS if remaining is None else min(LONGEST_SECONDS, remaining - _ANSWERING_SECONDS)


@asynccontextmanager
async def _refusing(context: Context) -> AsyncIterator[None]:
    """What goes wrong ends the RPC with its status."""
    try:
        yield
    except questions.BadQuestionError as error:
        await invalid_argument(context, error.violations)
    except UnknownOutletError as error:
        await not_found(context, "outlet", error.outlet_id, str(error))
    except SealedDrawError as error:
        await failed_precondition(context, str(error))
    except DrawTurnedError as error:
        await unavailable(context, str(error), retry_after_ms=_TURNED_MS)
    except StoreAwayError as error:
        await unavailable(context, str(error), retry_after_ms=_RETRY_MS)
    except StoreSlowError as error:
        await abort(context, grpc.StatusCode.DEADLINE_EXCEEDED, str(error))
