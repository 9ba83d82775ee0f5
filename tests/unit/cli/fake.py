"""An analytics service with fixed answers, and a way to run the command line against it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

import grpc

from fucai.cli.__main__ import main
from fucai.v1 import analytics_pb2 as pb
from fucai.v1 import analytics_pb2_grpc

FRESH = pb.DataFreshness(
    latest_received_ms=1_741_600_000_000, first_day="2021-11-17", last_day="2025-03-10", answered_ms=1_741_600_001_000
)
RATIO = pb.GROWTH_MARK_RATIO

TREND = pb.TrendResponse(
    rows=[
        pb.TrendRow(
            bucket="2025-02-01",
            first_day="2025-02-01",
            last_day="2025-02-28",
            group=["night_market"],
            group_names=["夜市"],
            figures=pb.Figures(sales_fen=107_000_005, bets=500, events=20, payouts_fen=200),
            base=pb.Figures(sales_fen=100_000_000, bets=400),
            base_first_day="2024-02-01",
            base_last_day="2024-02-29",
            growth=pb.Growth(ratio=0.07000005, mark=RATIO),
        ),
        pb.TrendRow(
            bucket="2025-03-01",
            first_day="2025-03-01",
            last_day="2025-03-10",
            group=[""],
            group_names=[""],
            figures=pb.Figures(sales_fen=-105, bets=-1, events=1),
            base=pb.Figures(),
            base_first_day="2024-03-01",
            base_last_day="2024-03-10",
            growth=pb.Growth(mark=pb.GROWTH_MARK_NEW),
        ),
    ],
    freshness=FRESH,
    currency="CNY",
    comparison_rule="同比：与上年同月同日比较 / Year on year: the same calendar days",
)


def _measured(name: str, value: pb.Quantity, base: pb.Quantity, ratio: float) -> pb.Measurement:
    return pb.Measurement(measure=name, value=value, base=base, growth=pb.Growth(ratio=ratio, mark=RATIO))


def _grown(group: list[str], names: list[str], fen: int) -> pb.GrowthRow:
    """A row with sales twice those of its base, and a rate that can not be formed."""
    return pb.GrowthRow(
        group=group,
        group_names=names,
        measurements=[
            _measured("sales", pb.Quantity(fen=fen), pb.Quantity(fen=fen // 2), 1.0),
            pb.Measurement(measure="attach_rate", growth=pb.Growth(mark=pb.GROWTH_MARK_NO_BASE)),
        ],
        same_outlet=_measured("same_outlet_sales", pb.Quantity(fen=fen), pb.Quantity(fen=fen // 2), 1.0),
        same_outlets=7,
    )


GROWTH = pb.GrowthResponse(
    pairing=pb.Pairing(
        from_day="2025-02-01",
        to_day="2025-02-28",
        base_from_day="2024-02-01",
        base_to_day="2024-02-29",
        rule=pb.COMPARISON_YOY,
        rule_zh="2025-02-01..2025-02-28 对 2024-02-01..2024-02-29，同比（按日历）",
        rule_en="2025-02-01..2025-02-28 against 2024-02-01..2024-02-29, year on year (calendar)",
        open_days=28,
        base_open_days=19,
        warning_zh="休市天数不同，直接比较会误导",
        warning_en="closed days differ; the plain comparison misleads",
    ),
    total=_grown([], [], 300_000_000),
    rows=[_grown(["night_market"], ["夜市"], 200_000_000), _grown(["others"], ["其他"], 100_000_000)],
    total_rows=2,
    about=pb.About(
        freshness=FRESH,
        currency="CNY",
        queries=[
            pb.ExplainedQuery(
                sql="SELECT [1] FROM visible_sales", parameters=["rows=3"], rows_read=1_234, projections=["daily"]
            )
        ],
    ),
)

HEADLINE = pb.HeadlineResponse(
    from_day="2025-02-11",
    to_day="2025-03-10",
    base_from_day="2024-02-11",
    base_to_day="2024-03-10",
    total=pb.HeadlineGroup(
        active_outlets=54,
        base_active_outlets=50,
        scale_growth=pb.Growth(ratio=0.08, mark=RATIO),
        sales_fen=107_000_000,
        base_sales_fen=100_000_000,
        sales_growth=pb.Growth(ratio=0.07, mark=RATIO),
        daily_sales_fen=range(28),
    ),
    groups=[
        pb.HeadlineGroup(
            group="night_market",
            group_name="夜市",
            active_outlets=3,
            scale_growth=pb.Growth(mark=pb.GROWTH_MARK_NO_BASE),
            sales_fen=7_000_000,
            sales_growth=pb.Growth(mark=pb.GROWTH_MARK_NO_BASE),
        )
    ],
    benchmark=pb.BenchmarkComparison(
        series="national_welfare", period="2025-02", growth=-0.03, note_zh="不是整月", note_en="no whole months"
    ),
    freshness=FRESH,
    definitions=[pb.Definition(name="active_outlets", text_zh="活跃网点口径", text_en="active outlets are ...")],
    currency="CNY",
)


class FakeAnalytics(analytics_pb2_grpc.AnalyticsServiceServicer):
    """Answers what it was given, or fails with a status; keeps the last request."""

    def __init__(self, failure: tuple[grpc.StatusCode, str] | None = None) -> None:
        self.failure = failure
        self.asked: Any = None

    def Trend(self, request: pb.TrendRequest, context: Any) -> pb.TrendResponse:
        """The fixed trend."""
        self._note(request, context)
        return TREND

    def StreamTrend(self, request: pb.StreamTrendRequest, context: Any) -> Iterator[pb.StreamTrendResponse]:
        """The same, a row in each part."""
        self._note(request, context)
        for row in TREND.rows:
            yield pb.StreamTrendResponse(rows=[row])
        end = pb.TrendResponse()
        end.CopyFrom(TREND)
        del end.rows[:]
        yield pb.StreamTrendResponse(end=end)

    def Headline(self, request: pb.HeadlineRequest, context: Any) -> pb.HeadlineResponse:
        """The fixed headline."""
        self._note(request, context)
        return HEADLINE

    def Growth(self, request: pb.GrowthRequest, context: Any) -> pb.GrowthResponse:
        """The fixed growth."""
        self._note(request, context)
        return GROWTH

    def Freshness(self, _request: pb.FreshnessRequest, _context: Any) -> pb.FreshnessResponse:
        """Fixed."""
        return pb.FreshnessResponse(freshness=FRESH, events=21, quarantined=2)

    def Recent(self, _request: pb.RecentRequest, _context: Any) -> pb.RecentResponse:
        """Fixed."""
        event = pb.RecentEvent(
            sold_at_ms=1_741_600_000_000,
            outlet_id="001",
            outlet_name="网点[1]",
            game="ssq",
            kind="sale",
            amount_fen=205,
        )
        return pb.RecentResponse(events=[event])

    def _note(self, request: object, context: Any) -> None:
        self.asked = request
        if self.failure:
            context.abort(*self.failure)


@contextmanager
def serving(service: FakeAnalytics) -> Iterator[str]:
    """The address of a server with that service."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    analytics_pb2_grpc.add_AnalyticsServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    exit_code: int
    out: str
    err: str


def run(*arguments: str, **environ: str) -> Ran:
    """Runs `fucai ARGUMENTS` in this process, with these environment variables beside PATH and a neutral locale."""
    out, err = io.StringIO(), io.StringIO()
    plain = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "COLUMNS": "100", **environ}
    with (
        mock.patch.dict("os.environ", plain, clear=True),
        mock.patch("sys.argv", ["fucai", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code or 0
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())
