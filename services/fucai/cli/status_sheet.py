"""The parts of a stack as a sheet: ready or why not, lag, events a second; lags by partition beside. Asks nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from rich.console import RenderableType

from fucai.cli.looking import PartStatus
from fucai.cli.out.screen import View, show
from fucai.cli.out.sheet import Cell, Column, Fact, Kind, Row, Sheet
from fucai.cli.out.words import local_time, time_of
from fucai.domain.labels import Label

_PART = Column("part", Kind.ID, Label("部件", "part"))
_COLUMNS = [
    _PART,
    Column("ready", Kind.FLAG, Label("就绪", "ready")),
    Column("address", Kind.ID, Label("地址", "address"), screen=1),
    Column("pid", Kind.ID, Label("进程", "pid"), screen=None),
    Column("events_per_second", Kind.NUMBER, Label("事件/秒", "events/s")),
    Column("lag_records", Kind.COUNT, Label("滞后记录", "lag (records)"), screen=None),
    Column("lag", Kind.TEXT, Label("滞后", "lag")),
    Column("last_event", Kind.TIME, Label("最近事件", "last event")),
    Column("reason", Kind.TEXT, Label("说明", "what it says")),
]
_LAGS = [
    _PART,
    Column("partition", Kind.ID, Label("主题/分区", "topic/partition")),
    Column("lag_records", Kind.COUNT, Label("滞后记录", "lag (records)")),
]
_LAGGING_SHOWN = 6


def status_sheet(found: Sequence[PartStatus]) -> Sheet:
    """A row for each part, those that are not ready bold; beside them the lag of each partition."""
    rows: list[Row] = [
        (
            *(part.name, part.ready, part.address, str(part.pid or "")),
            part.events_per_second,
            sum(part.lag.values()) if part.lag else None,
            lag_text(part.lag),
            None if part.last_event_at is None else time_of(int(1000 * part.last_event_at)),
            part.reason,
        )
        for part in found
    ]
    lags: list[Row] = [(part.name, name, records) for part in found for name, records in part.lag.items()]
    return Sheet(
        name="status",
        title=Label("系统状态", "Status"),
        columns=_COLUMNS,
        rows=rows,
        facts=[Fact("ready", Kind.FLAG, Label("全部就绪", "all ready"), all(part.ready for part in found))],
        bold=frozenset(at for at, part in enumerate(found) if not part.ready),
        beside=[Sheet("lags", Label("各分区滞后", "Lag by partition"), _LAGS, lags)],
    )


def status_look(sheet: Sheet, view: View) -> RenderableType:
    """How people see it: an event of today by its time alone, and without the lags beside, which a column names."""
    at = sheet.place("last_event")
    columns = [replace(column, kind=Kind.TEXT) if place == at else column for place, column in enumerate(sheet.columns)]
    today = local_time(time.time_ns() // 1_000_000).date()
    rows = [(*row[:at], _clock(row[at], today), *row[at + 1 :]) for row in sheet.rows]
    return show(replace(sheet, columns=columns, rows=rows, beside=()), view)


def _clock(at: Cell, today: date) -> str:
    if not isinstance(at, datetime):
        return ""
    return f"{at:%H:%M:%S}" if at.date() == today else f"{at:%Y-%m-%d %H:%M}"


def lag_text(lag: Mapping[str, int]) -> str:
    """The lag of all partitions, and which ones lag."""
    if not lag:
        return ""
    behind = sorted(((records, name) for name, records in lag.items() if records), reverse=True)
    if not behind:
        return f"0 on {len(lag)} partitions"
    named = " ".join(f"{name}:{records:,}" for records, name in behind[:_LAGGING_SHOWN])
    more = " ..." if len(behind) > _LAGGING_SHOWN else ""
    return f"{sum(lag.values()):,} ({named}{more})"
