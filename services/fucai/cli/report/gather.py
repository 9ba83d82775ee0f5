"""Asks analytics for all that a bulletin shows; what has no answer is kept with the reason. Lays out nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import grpc

from fucai.cli.report.span import Span
from fucai.cli.report.texts import TEXTS
from fucai.domain.labels import Label
from fucai.runtime.errors import code_of, explain
from fucai.v1 import analytics_pb2 as pb
from fucai.v1 import registry_pb2
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from fucai.v1.registry_pb2_grpc import RegistryServiceStub

MEASURES = ("sales", "bets", "visits", "selling_outlets", "sales_per_outlet", "payouts", "welfare_fund", "companion")
"""Measures of the whole channel, in the order shown."""
TOP, TOP_IN_AREA, MOVERS, GROUPS, SILENT, ALERT_DAYS = 10, 3, 5, 20, 30, 7

_MS = 1_000
_REFUSALS = frozenset(
    {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND}
)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a section has no answer."""

    why: Label


@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranking with what was asked for."""

    request: pb.RankRequest
    answer: pb.RankResponse


@dataclass(frozen=True, slots=True)
class Alerts:
    """Alerts of the last days of the period, a day an answer."""

    answers: Sequence[pb.AlertsResponse]


@dataclass(frozen=True, slots=True)
class Sample:
    """How many outlets are registered, and how many of them as samples."""

    outlets: int
    samples: int


@dataclass(frozen=True, slots=True)
class Bulletin:
    """All that a bulletin shows. `sample` is None where the registry could not be asked."""

    span: Span
    made_at: datetime
    headline: pb.HeadlineResponse
    freshness: pb.FreshnessResponse
    totals: pb.GrowthResponse | Missing
    games: pb.GrowthResponse | Missing
    zone_types: pb.GrowthResponse | Missing
    scale: pb.ScaleResponse | Missing
    curve: pb.TrendResponse | Missing
    why_by_type: pb.DecomposeResponse | Missing
    why_by_district: pb.DecomposeResponse | Missing
    rankings: Mapping[str, Ranked | Missing]
    profile: pb.ProfileResponse | Missing
    silent: pb.SilentResponse | Missing
    alerts: Alerts | Missing
    sample: Sample | None
    selection: pb.Selection


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: the span, the benchmark series, the cut-off of new stars, which events and outlets count.

    `zone` is that of business days.
    """

    span: Span
    zone: ZoneInfo
    benchmark: str = ""
    cutoff: date | None = None
    selection: pb.Selection = field(default_factory=pb.Selection)

    @property
    def fields(self) -> dict[str, Any]:
        """from_day, to_day, compare and selection of a request."""
        return {
            "from_day": self.span.days.first.isoformat(),
            "to_day": self.span.days.last.isoformat(),
            "compare": pb.Comparison.Value(f"COMPARISON_{self.span.rule.name}"),
            "selection": self.selection,
        }

    @property
    def cutoff_day(self) -> str:
        """The day after which an outlet is new: the one given, else the end of the year before."""
        return (self.cutoff or date(self.span.days.last.year - 1, 12, 31)).isoformat()


Tell: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Asking:
    """Calls of one service; what it refuses is kept, what it cannot do now ends all."""

    timeout: float
    tell: Tell

    def __call__(self, what: str, call: Callable[..., _Answer], request: object) -> _Answer | Missing:
        self.tell(what)
        try:
            return call(request, timeout=self.timeout)
        except grpc.RpcError as error:
            code = code_of(error)
            if code is grpc.StatusCode.UNIMPLEMENTED:
                return Missing(TEXTS["not known"])
            if code not in _REFUSALS:
                raise
            told = TEXTS["not answered"]
            return Missing(Label(told.zh.format(why=explain(error)), told.en.format(why=explain(error))))


def gather(
    opened: grpc.Channel, registry: grpc.Channel | None, wish: Wish, *, now: datetime, timeout: float, tell: Tell
) -> Bulletin:
    """All answers; `tell` is told what is asked for next.

    Raises:
        grpc.RpcError: analytics is away or too slow, or it refuses the period itself.
    """
    analytics = AnalyticsServiceStub(opened)
    ask = _Asking(timeout, tell)
    tell("headline")
    request = pb.HeadlineRequest(**wish.fields, by="zone_type", benchmark=wish.benchmark)
    headline = analytics.Headline(request, timeout=timeout)
    based = headline.total.sales_growth.mark != pb.GROWTH_MARK_NO_BASE
    growth = [pb.GrowthRequest(**wish.fields, measures=MEASURES)]
    growth += [pb.GrowthRequest(**wish.fields, by=[by], measures=["sales", "share"]) for by in ("game", "zone_type")]
    totals, games, zone_types = (ask("growth", analytics.Growth, one) for one in growth)
    return Bulletin(
        span=wish.span,
        made_at=now,
        headline=headline,
        totals=totals,
        games=games,
        zone_types=zone_types,
        scale=ask("scale", analytics.Scale, pb.ScaleRequest(**wish.fields, by=["zone_type"])),
        curve=ask("trend", analytics.Trend, pb.TrendRequest(**wish.fields, grain=pb.GRAIN_DAY)),
        why_by_type=_why(ask, analytics, wish, "zone_type", based=based),
        why_by_district=_why(ask, analytics, wish, "district", based=based),
        rankings=_rankings(ask, analytics, wish, based=based),
        profile=ask("profile", analytics.Profile, _without_base(wish)),
        silent=ask("silent", analytics.Silent, _silent(wish, now)),
        alerts=_alerts(ask, analytics, wish, now),
        sample=_sample(registry, timeout, tell),
        selection=wish.selection,
        freshness=analytics.Freshness(pb.FreshnessRequest(), timeout=timeout),
    )


def _why(
    ask: _Asking, analytics: AnalyticsServiceStub, wish: Wish, by: str, *, based: bool
) -> pb.DecomposeResponse | Missing:
    if not based:
        return Missing(TEXTS["needs base"])
    return ask("decompose", analytics.Decompose, pb.DecomposeRequest(**wish.fields, by=[by], top=GROUPS))


def _rankings(ask: _Asking, analytics: AnalyticsServiceStub, wish: Wish, *, based: bool) -> dict[str, Ranked | Missing]:
    """Rankings by the name of their section. Where no outlet has a management area they are of the whole city."""

    def rank(**fields: Any) -> Ranked | Missing:
        request = pb.RankRequest(**wish.fields, **fields)
        answer = ask("rank", analytics.Rank, request)
        return answer if isinstance(answer, Missing) else Ranked(request, answer)

    areas = rank(within="mgmt_area", top=TOP_IN_AREA)
    known = isinstance(areas, Ranked) and any(row.within for row in areas.answer.rows)
    within = {"within": "mgmt_area", "top": TOP_IN_AREA} if known else {"top": TOP}
    cutoff = {"cutoff_day": wish.cutoff_day}
    needs_base = Missing(TEXTS["needs base"])
    return {
        "top": rank(top=TOP),
        "areas": areas if known or isinstance(areas, Missing) else Missing(TEXTS["no areas"]),
        "new stars": rank(ranking=pb.RANKING_NEW_STAR, **cutoff, **within),
        "progress": rank(ranking=pb.RANKING_PROGRESS, **cutoff, **within) if based else needs_base,
        "rises": rank(ranking=pb.RANKING_CONTRIBUTION, top=MOVERS) if based else needs_base,
        "falls": rank(ranking=pb.RANKING_CONTRIBUTION, top=MOVERS, lowest_first=True) if based else needs_base,
    }


def _without_base(wish: Wish) -> pb.ProfileRequest:
    days = wish.span.days
    return pb.ProfileRequest(from_day=days.first.isoformat(), to_day=days.last.isoformat(), selection=wish.selection)


def _silent(wish: Wish, now: datetime) -> pb.SilentRequest:
    return pb.SilentRequest(at_ms=_end_ms(wish, now), page_size=SILENT, selection=wish.selection)


def _end_ms(wish: Wish, now: datetime) -> int:
    """The moment that ends the period; 0, which is now, where it is not over."""
    end = datetime.combine(wish.span.days.last + timedelta(days=1), time(), wish.zone)
    return int(end.timestamp() * _MS) if end <= now else 0


def _alerts(ask: _Asking, analytics: AnalyticsServiceStub, wish: Wish, now: datetime) -> Alerts | Missing:
    """Alerts of the last days of the period that are over: a page has room for no more."""
    answers: list[pb.AlertsResponse] = []
    days = [day for day in wish.span.days if day < now.astimezone(wish.zone).date()][-ALERT_DAYS:]
    for day in days:
        answer = ask("alerts", analytics.Alerts, pb.AlertsRequest(day=day.isoformat(), selection=wish.selection))
        if isinstance(answer, Missing):
            return answer
        answers.append(answer)
    return Alerts(answers)


def _sample(registry: grpc.Channel | None, timeout: float, tell: Tell) -> Sample | None:
    if registry is None:
        return None
    tell("registry")
    stub, found, token = RegistryServiceStub(registry), Sample(0, 0), ""
    while True:
        request = registry_pb2.ListRecordsRequest(table=registry_pb2.REGISTRY_TABLE_OUTLETS, page_token=token)
        try:
            page = stub.ListRecords(request, timeout=timeout)
        except grpc.RpcError:
            return None  # the page says that it could not be checked
        samples = sum(record.outlet.is_sample for record in page.records)
        found = replace(found, outlets=found.outlets + len(page.records), samples=found.samples + samples)
        token = page.next_page_token
        if not token:
            return found
