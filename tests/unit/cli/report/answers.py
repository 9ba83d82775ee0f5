"""A service that answers all that a bulletin asks for, with names that would break a page if they were not escaped."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import grpc

from fucai.cli.report.gather import Bulletin, Sample, Wish, gather
from fucai.cli.report.span import Span
from fucai.runtime.client import connect_blocking
from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.fake import FRESH, HEADLINE, RATIO, FakeAnalytics, serving

HOSTILE = "</table><script>alert('1')</script> & \"夜市\" \x07\u202e"
ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2025, 3, 11, 9, 30, tzinfo=ZONE)
PAIR = pb.Pairing(
    from_day="2025-02-03",
    to_day="2025-02-09",
    base_from_day="2024-02-05",
    base_to_day="2024-02-11",
    rule=pb.COMPARISON_WEEKDAY,
    rule_zh="2025-02-03…2025-02-09 对 2024-02-05…2024-02-11，同比（按星期）",
    rule_en="2025-02-03…2025-02-09 against 2024-02-05…2024-02-11, same weekdays",
    open_days=5,
    base_open_days=3,
    warning_zh="春节休市错位",
    warning_en="the Spring Festival closure moved",
)
ABOUT = pb.About(
    freshness=FRESH,
    currency="CNY",
    definitions=[pb.Definition(name="sales", text_zh="销售额：<甲>", text_en="Sales: <b>less</b> voids")],
)
UP = pb.Growth(ratio=0.25, mark=RATIO)


def money(measure: str, value: int, base: int) -> pb.Measurement:
    """A measure of money with a growth of 25 %."""
    return pb.Measurement(measure=measure, value=pb.Quantity(fen=value), base=pb.Quantity(fen=base), growth=UP)


def share(value: float, base: float) -> pb.Measurement:
    """A share with its base."""
    return pb.Measurement(measure="share", value=pb.Quantity(ratio=value), base=pb.Quantity(ratio=base), growth=UP)


class FullAnalytics(FakeAnalytics):
    """Answers every question of a bulletin; `without` names questions it does not know, `refusing` those it refuses."""

    def __init__(self, *, without: frozenset[str] = frozenset(), refusing: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.without, self.refusing = without, refusing
        self.requests: list[Any] = []

    def Headline(self, request: pb.HeadlineRequest, context: Any) -> pb.HeadlineResponse:
        """The fixed one, with a pairing and a verdict."""
        self._heed("headline", request, context)
        answer = pb.HeadlineResponse()
        answer.CopyFrom(HEADLINE)
        answer.pairing.CopyFrom(PAIR)
        answer.groups[0].group_name = HOSTILE
        answer.groups[0].group = "unheard_of"
        answer.benchmark.CopyFrom(
            pb.BenchmarkComparison(
                series="national_welfare",
                published=True,
                period="2025-02",
                growth=-0.03,
                excess_points=10.0,
                verdict=pb.VERDICT_AGAINST_TREND,
            )
        )
        return answer

    def Growth(self, request: pb.GrowthRequest, context: Any) -> pb.GrowthResponse:
        """One group beside the whole."""
        self._heed("growth", request, context)
        by = list(request.by)
        measures = [money("sales", 500_000_000, 400_000_000), share(0.6, 0.5) if by else money("payouts", 9, 8)]
        whole = pb.GrowthRow(measurements=measures, same_outlet=money("sales", 300, 240), same_outlets=7)
        rows = [pb.GrowthRow(group=["x"], group_names=[HOSTILE], measurements=measures, same_outlets=1)] if by else []
        return pb.GrowthResponse(pairing=PAIR, total=whole, rows=rows, total_rows=len(rows), about=ABOUT)

    def Trend(self, request: pb.TrendRequest, context: Any) -> pb.TrendResponse:
        """Seven days."""
        self._heed("trend", request, context)
        rows = [
            pb.TrendRow(
                bucket=f"2025-02-0{day}",
                first_day=f"2025-02-0{day}",
                last_day=f"2025-02-0{day}",
                figures=pb.Figures(sales_fen=day * 1_000_001),
                base=pb.Figures(sales_fen=day * 900_000),
                base_first_day=f"2024-02-0{day}",
                base_last_day=f"2024-02-0{day}",
                growth=UP,
            )
            for day in range(3, 10)
        ]
        total = pb.Figures(sales_fen=sum(row.figures.sales_fen for row in rows))
        return pb.TrendResponse(rows=rows, total=total, total_rows=7, freshness=FRESH, currency="CNY")

    def Decompose(self, request: pb.DecomposeRequest, context: Any) -> pb.DecomposeResponse:
        """One group that falls."""
        self._heed("decompose", request, context)
        total = pb.Waterfall(
            base_fen=1_000_000,
            new_fen=50_000,
            opened_fen=50_000,
            closed_fen=-80_000,
            same_fen=20_000,
            value_fen=990_000,
            scale_effect_fen=-30_000,
            intensity_effect_fen=15_000,
            price_effect_fen=5_000,
            growth=pb.Growth(ratio=-0.01, mark=RATIO),
        )
        group = pb.Waterfall(group=["x"], group_names=[HOSTILE])
        group.MergeFrom(total)
        return pb.DecomposeResponse(pairing=PAIR, total=total, groups=[group], total_rows=1, about=ABOUT)

    def Rank(self, request: pb.RankRequest, context: Any) -> pb.RankResponse:
        """One place."""
        self._heed("rank", request, context)
        row = pb.RankRow(place=1, id="120", name=HOSTILE, measurement=money("sales", 700, 560), share_bp=10_000)
        row.contribution, row.members = -140 if request.lowest_first else 140, 1
        row.within = row.within_name = "和平一分区" if request.within else ""
        return pb.RankResponse(
            pairing=PAIR,
            rows=[row],
            total_rows=1,
            ranked=1,
            rule_zh="全部",
            rule_en="all",
            concentrations=[pb.Concentration(members=12, top_members=2, top_share=0.25, gini=0.31)],
            about=ABOUT,
        )

    def Scale(self, request: pb.ScaleRequest, context: Any) -> pb.ScaleResponse:
        """One zone type."""
        self._heed("scale", request, context)
        row = pb.ScaleRow(day="2025-02-09", group=["complex"], group_names=["complex"], installed=60, active=54)
        row.base_active, row.sales_fen = 50, 107_000_000
        row.growth.CopyFrom(UP)
        return pb.ScaleResponse(rows=[row], pairing=PAIR, about=ABOUT)

    def Profile(self, request: pb.ProfileRequest, context: Any) -> pb.ProfileResponse:
        """Two hours."""
        self._heed("profile", request, context)
        cells = [
            pb.ProfileCell(weekday=day, hour=hour, days=1, share_bp=5_000, figures=pb.Figures(sales_fen=fen, events=3))
            for day, hour, fen in ((1, 9, 123_400), (7, 21, 876_600))
        ]
        return pb.ProfileResponse(
            from_day="2025-02-03", to_day="2025-02-09", cells=cells, without_hour_fen=77_700, about=ABOUT
        )

    def Silent(self, request: pb.SilentRequest, context: Any) -> pb.SilentResponse:
        """One outlet."""
        self._heed("silent", request, context)
        one = pb.SilentOutlet(
            outlet_id="120", outlet_name=HOSTILE, silent_hours=30.0, usual_sales_fen=1_234_500, reason_en="<i>why</i>"
        )
        return pb.SilentResponse(outlets=[one], total_rows=1, watched=54, at_ms=1_739_116_800_000, about=ABOUT)

    def Alerts(self, request: pb.AlertsRequest, context: Any) -> pb.AlertsResponse:
        """A fall each day."""
        self._heed("alerts", request, context)
        one = pb.Alert(rule="fall", day=request.day, outlet_name=HOSTILE, score=-4.2, text_zh="骤降", text_en="fell")
        rule = pb.AlertRule(rule="fall", text_zh="规则", text_en="the rule", evaluated=50, alerts=1)
        return pb.AlertsResponse(alerts=[one], total_rows=1, rules=[rule], day=request.day, about=ABOUT)

    def _heed(self, what: str, request: object, context: Any) -> None:
        self.requests.append(request)
        if what in self.without:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "unknown method")
        if what in self.refusing:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{what}: no <such> thing")


class BaselessAnalytics(FullAnalytics):
    """Has no stored base."""

    def Headline(self, request: pb.HeadlineRequest, context: Any) -> pb.HeadlineResponse:
        """No base, hence no growth and no verdict."""
        answer = super().Headline(request, context)
        for growth in (answer.total.sales_growth, answer.total.scale_growth):
            growth.CopyFrom(pb.Growth(mark=pb.GROWTH_MARK_NO_BASE))
        answer.base_from_day = answer.base_to_day = ""
        answer.benchmark.ClearField("excess_points")
        answer.benchmark.verdict = pb.VERDICT_UNSPECIFIED
        return answer


class EmptyAnalytics(FullAnalytics):
    """Has daily summaries of one sum, and nothing else to tell."""

    def Trend(self, _request: pb.TrendRequest, _context: Any) -> pb.TrendResponse:
        """No day."""
        return pb.TrendResponse(currency="CNY")

    def Growth(self, request: pb.GrowthRequest, context: Any) -> pb.GrowthResponse:
        """No group."""
        answer = super().Growth(request, context)
        del answer.rows[:]
        answer.total_rows = 0
        return answer

    def Profile(self, _request: pb.ProfileRequest, _context: Any) -> pb.ProfileResponse:
        """No hour."""
        return pb.ProfileResponse(without_hour_fen=5_00)

    def Silent(self, _request: pb.SilentRequest, _context: Any) -> pb.SilentResponse:
        """Nobody."""
        return pb.SilentResponse(watched=54, note_en="3d was left out", note_zh="3d 未计")

    def Alerts(self, request: pb.AlertsRequest, _context: Any) -> pb.AlertsResponse:
        """None."""
        return pb.AlertsResponse(day=request.day)

    def Rank(self, _request: pb.RankRequest, _context: Any) -> pb.RankResponse:
        """Nobody."""
        return pb.RankResponse(rule_en="all", rule_zh="全部", left_out=9)


def bulletin(
    service: FullAnalytics, span: Span, sample: Sample | None = None, selection: pb.Selection | None = None
) -> Bulletin:
    """What is gathered from that service; with that sample, for there is no registry."""
    told: list[str] = []
    wish = Wish(span, ZONE, selection=selection or pb.Selection())
    with serving(service) as address, connect_blocking(address) as opened:
        found = gather(opened, None, wish, now=NOW, timeout=10.0, tell=told.append)
    assert told, "nobody was told how far it is"
    return replace(found, sample=sample)
