"""The demo's dashboard: what it asks every turn, and how that looks. Starts and stops nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import grpc
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fucai.cli.addresses import Part
from fucai.cli.looking import events_counted, lag_of
from fucai.cli.numbers import exact, growth_text, money_unit
from fucai.cli.out.reading import change_of
from fucai.cli.out.screen import View, show
from fucai.cli.out.words import local_time
from fucai.cli.output import Lang
from fucai.cli.query.headline_sheet import headline_sheet
from fucai.cli.scrape import scrape
from fucai.domain.labels import KINDS, Label
from fucai.runtime.errors import explain
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub

ASK_SECONDS = 10.0
_EVENTS_SHOWN = 6
_TITLE = Label("渠道通 · 福彩渠道规模与销售", "fucai-channel · channel scale and lottery sales")
_SAMPLE = Label(
    "样例数据：网点与销售均为模拟，实时销售远快于真实网点",
    "sample data: outlets and sales are simulated; live ones come far faster than real outlets sell",
)
_STAGES = {
    "history": Label("正在写入历史，以下为已到达部分的数字", "writing the history: figures cover what has arrived"),
    "live": Label("实时销售中", "live sales"),
}
_STARTING = Label("模拟器启动中", "the simulator is starting")
_ENDS = Label("按 Ctrl-C 结束", "Ctrl-C ends it")
_LEFT = Label("剩余", "left")
_LAST = Label("最终一屏", "the last figures")
_STORED = Label("已存事件", "events stored")
_QUARANTINED = Label("隔离", "in quarantine")
_RATE = Label("入库", "storing")
_BEHIND = Label("Kafka 待入库", "in Kafka")
_NEWEST = Label("最新事件", "newest events")
_RECORDS = Label("条", "records")
_TODAY = Label("今日销售", "sold today")
_OUTLETS = Label("活跃网点", "active")
_SALES = Label("销售额", "sales")
_WIDTH = 96  # cells within the panel


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one turn learnt; a message is None where it could not be had, and `problem` says why."""

    headline: pb.HeadlineResponse | None = None
    freshness: pb.FreshnessResponse | None = None
    recent: pb.RecentResponse | None = None
    today: pb.TrendResponse | None = None
    stored_per_second: float | None = None
    lag: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def has_figures(self) -> bool:
        """True once a figure of stored sales can be shown."""
        return self.headline is not None and bool(self.headline.freshness.first_day)

    def sold_today_fen(self) -> dict[str, int]:
        """Today's sales so far by zone type, fen."""
        sold: dict[str, int] = {}
        for row in self.today.rows if self.today else ():
            sold[row.group[0]] = sold.get(row.group[0], 0) + row.figures.sales_fen
        return sold

    def game_names(self) -> dict[str, str]:
        """Names of the games that were sold today."""
        rows = self.today.rows if self.today else ()
        return {code: name for row in rows for code, name in zip(row.group[1:], row.group_names[1:], strict=True)}


class Watch:
    """Asks analytics and the loader every turn, and remembers the last counter for the rate."""

    def __init__(self, channel: grpc.Channel, parts: Sequence[Part]) -> None:
        self._analytics = AnalyticsServiceStub(channel)
        self._zone = ServiceSettings.from_env().zone
        self._loaders = [part for part in parts if part.name.startswith("loader")]
        self._last: tuple[float, float] | None = None

    def turn(self) -> Snapshot:
        """What is there now; it never raises over a part that is away."""
        lag: dict[str, int] = {}
        counted = 0.0
        for loader in self._loaders:
            metrics = scrape(loader)
            lag |= lag_of(metrics)
            counted += events_counted("loader", metrics) or 0.0
        rate = self._rate(counted)
        day = datetime.now(self._zone).date().isoformat()
        try:
            return Snapshot(
                headline=self._analytics.Headline(pb.HeadlineRequest(by="zone_type"), timeout=ASK_SECONDS),
                freshness=self._analytics.Freshness(pb.FreshnessRequest(), timeout=ASK_SECONDS),
                recent=self._analytics.Recent(pb.RecentRequest(limit=_EVENTS_SHOWN), timeout=ASK_SECONDS),
                today=self._analytics.Trend(
                    pb.TrendRequest(from_day=day, to_day=day, by=["zone_type", "game"]), timeout=ASK_SECONDS
                ),
                stored_per_second=rate,
                lag=lag,
            )
        except grpc.RpcError as error:
            return Snapshot(stored_per_second=rate, lag=lag, problem=explain(error))

    def _rate(self, counted: float) -> float | None:
        now = time.monotonic()
        last, self._last = self._last, (now, counted)
        if last is None or counted < last[1]:
            return None
        return (counted - last[1]) / max(now - last[0], 1e-6)


def dashboard(found: Snapshot, *, lang: Lang, doing: str, left_s: float | None, last: bool = False) -> RenderableType:
    """The whole screen; `doing` is the simulator's last line, `left_s` how long the demo goes on."""
    subtitle = str(getattr(_LAST if last else _ENDS, lang))
    if left_s is not None and not last:
        subtitle += f" · {getattr(_LEFT, lang)} {max(left_s, 0):.0f} s"
    stage = _STAGES.get(_stage(doing), _STARTING)
    parts: list[RenderableType] = [flow_line(found, lang)]
    if not last:
        parts.append(Text(str(getattr(stage, lang)), "yellow"))
    if found.headline is not None and found.has_figures:
        sheet = headline_sheet(found.headline, by="zone_type", today=found.sold_today_fen())
        parts.append(show(sheet, View(lang, _WIDTH, curve=12, whole_yuan=True)))
    if found.recent is not None and found.recent.events:
        events = events_table(found.recent, lang, found.game_names())
        parts += [Text(str(getattr(_NEWEST, lang)), "bold"), events]
    if found.problem:
        parts.append(Text(found.problem, "red"))
    parts.append(Text(str(getattr(_SAMPLE, lang)), "yellow"))
    return Panel(Group(*parts), title=str(getattr(_TITLE, lang)), subtitle=subtitle, border_style="red")


def is_live(doing: str) -> bool:
    """Whether the simulator's last line says that the history is written and live sales come."""
    return _stage(doing) == "live"


def snapshot_line(found: Snapshot, lang: Lang) -> Text:
    """What matters of a turn in one line, for a log."""
    line = Text(f"{datetime.now().astimezone():%H:%M:%S} ")
    if found.headline is not None and found.has_figures:
        total = found.headline.total
        line.append(f"{getattr(_OUTLETS, lang)} {total.active_outlets:,} ")
        line.append_text(growth_text(change_of(total.scale_growth), lang))
        line.append(f" · {getattr(_SALES, lang)} ")
        line.append_text(growth_text(change_of(total.sales_growth), lang))
        line.append(" · ")
    return line.append_text(flow_line(found, lang))


def flow_line(found: Snapshot, lang: Lang) -> Text:
    """Throughput and lag in one line."""
    shown: list[str] = []
    if found.freshness is not None:
        shown += [
            f"{getattr(_STORED, lang)} {found.freshness.events:,}",
            f"{getattr(_QUARANTINED, lang)} {found.freshness.quarantined:,}",
        ]
    if found.stored_per_second is not None:
        shown.append(f"{getattr(_RATE, lang)} {found.stored_per_second:,.0f}/s")
    if found.today is not None and found.today.rows:
        sold = sum(found.sold_today_fen().values())
        unit = money_unit([sold], found.today.currency, lang)
        shown.append(f"{getattr(_TODAY, lang)} {unit.show(sold)} {unit.name}")
    if found.lag:
        shown.append(f"{getattr(_BEHIND, lang)} {sum(found.lag.values()):,} {getattr(_RECORDS, lang)}")
    return Text(" · ".join(shown), "bold")


def events_table(recent: pb.RecentResponse, lang: Lang, games: Mapping[str, str]) -> Table:
    """The newest events, one a line; `games` names codes."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for justify in ("left", "left", "left", "left", "left", "right"):
        table.add_column(justify=justify, no_wrap=True)
    for event in recent.events:
        kind = KINDS.get(event.kind)
        table.add_row(
            f"{local_time(event.sold_at_ms):%m-%d %H:%M:%S}",
            event.outlet_name or event.outlet_id,
            event.zone_name,
            games.get(event.game) or event.game,
            str(getattr(kind, lang)) if kind else event.kind,
            exact(event.amount_fen),
        )
    return table


def addresses_table(parts: Sequence[Part]) -> Table:
    """Where everything can be tried."""
    table = Table("part", "gRPC or address", "metrics", box=None, header_style="bold", pad_edge=False)
    for part in parts:
        table.add_row(part.name, part.address, f"http://{part.metrics}/metrics" if part.metrics else "")
    return table


def _stage(doing: str) -> str:
    return doing.partition(":")[0]
