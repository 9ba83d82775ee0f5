"""Missing numbers, one terminal's whole ledger, and silent terminals as sheets. Asks nothing."""

from __future__ import annotations

from collections.abc import Iterable

from fucai.cli.definitions import MISSING, SILENCE
from fucai.cli.out.sheet import Column, Fact, Kind, Note, Row, Sheet, Tone, summed
from fucai.cli.out.words import time_of
from fucai.domain.labels import Label
from fucai.v1 import ledger_pb2 as pb

TERMINAL = Column("terminal_id", Kind.ID, Label("终端", "terminal"))
OUTLET = Column("outlet_id", Kind.ID, Label("网点", "outlet"), screen=2)
EPOCH = Column("epoch", Kind.ID, Label("纪元", "epoch"))
FIRST = Column("first_seq", Kind.ID, Label("起序号", "first no."))
LAST = Column("last_seq", Kind.ID, Label("止序号", "last no."))
SINCE = Column("since", Kind.TIME, Label("自", "since"))
_GAPS = [
    *(TERMINAL, OUTLET, EPOCH, FIRST, LAST),
    Column("missing", Kind.COUNT, Label("缺失", "missing"), MISSING.name, adds=True),
    SINCE,
    Column("age_hours", Kind.NUMBER, Label("时长(小时)", "age (h)"), MISSING.name, screen=1),
]
_RANGES = [
    *(Column("terminal_id", Kind.ID, Label("终端", "terminal"), screen=None), EPOCH, FIRST, LAST),
    Column("count", Kind.COUNT, Label("数量", "count"), MISSING.name),
    Column("state", Kind.ID, Label("状态代码", "state code"), screen=None),
    Column("state_name", Kind.NAME, Label("状态", "state")),
    SINCE,
]
_SILENT = [
    *(TERMINAL, OUTLET),
    Column("last_event", Kind.TIME, Label("最近事件", "last event")),
    Column("silent_hours", Kind.NUMBER, Label("静默(小时)", "silent (h)"), SILENCE.name, screen=1),
    Column("silent_open_hours", Kind.NUMBER, Label("开市时间内", "in open time"), SILENCE.name),
    Column("expected", Kind.FLAG, Label("预期之内", "expected")),
    Column("reason", Kind.TEXT, Label("原因", "why")),
]
_WAIVERS = [
    *(EPOCH, FIRST, LAST),
    Column("at", Kind.TIME, Label("时间", "at")),
    Column("waived_by", Kind.TEXT, Label("操作人", "by")),
    Column("reason", Kind.TEXT, Label("原因", "reason")),
]
_STATES = {
    pb.SEQUENCE_STATE_STORED: Label("已入库", "stored"),
    pb.SEQUENCE_STATE_QUARANTINED: Label("已隔离", "quarantined"),
    pb.SEQUENCE_STATE_WAIVED: Label("已核销", "waived"),
    pb.SEQUENCE_STATE_MISSING: Label("缺失", "missing"),
}
_HOUR_S = 3_600


def gaps_sheet(found: pb.ListGapsResponse, now: float) -> Sheet:
    """A row for each missing range, with its age at `now` (Unix seconds), and how many events are missing in all."""
    rows: list[Row] = [
        (
            *(gap.terminal_id, gap.outlet_id, str(gap.epoch), str(gap.first_seq), str(gap.last_seq)),
            gap.last_seq - gap.first_seq + 1,
            time_of(gap.since_ms),
            (now - gap.since_ms / 1000) / _HOUR_S if gap.since_ms else None,
        )
        for gap in found.gaps
    ]
    ranges = "range" if found.total_gaps == 1 else "ranges"
    counted = Label(
        f"缺失 {found.total_gaps:,} 段，共 {found.total_missing:,} 条事件",
        f"{found.total_gaps:,} {ranges}, {found.total_missing:,} events missing",
    )
    return Sheet(
        name="gaps",
        title=Label("缺失事件", "Missing events"),
        columns=_GAPS,
        rows=rows,
        total=summed(_GAPS, rows, Label("合计", "all")),
        facts=[
            Fact("total_gaps", Kind.COUNT, Label("缺失段数", "ranges"), found.total_gaps),
            Fact("total_missing", Kind.COUNT, Label("缺失事件", "events missing"), found.total_missing),
        ],
        notes=[Note(counted)] if rows else [],
        definitions=[MISSING],
        empty=Label("无缺失：所有已知最大序号以下的事件均已入库、隔离或核销", "nothing is missing"),
    )


def terminal_sheet(found: pb.GetTerminalLedgerResponse) -> Sheet:
    """A row for each range of numbers, epoch by epoch, missing ones bold; beside them the waivers."""
    spans = [(epoch.epoch, span) for epoch in found.epochs for span in epoch.ranges]
    rows: list[Row] = [
        (
            *(found.terminal_id, str(epoch), str(span.first_seq), str(span.last_seq)),
            span.last_seq - span.first_seq + 1,
            pb.SequenceState.Name(span.state).removeprefix("SEQUENCE_STATE_").lower(),
            _STATES.get(span.state, ""),
            time_of(span.since_ms),
        )
        for epoch, span in spans
    ]
    whose = Label(
        f"终端 {found.terminal_id}，网点 {found.outlet_id}", f"terminal {found.terminal_id} at {found.outlet_id}"
    )
    return Sheet(
        name="terminal_ledger",
        title=Label(f"终端 {found.terminal_id} 账本", f"Ledger of terminal {found.terminal_id}"),
        columns=_RANGES,
        rows=rows,
        facts=[
            Fact("terminal_id", Kind.ID, Label("终端", "terminal"), found.terminal_id),
            Fact("outlet_id", Kind.ID, Label("网点", "outlet"), found.outlet_id),
        ],
        notes=[Note(whose, Tone.STRONG)],
        definitions=[MISSING],
        bold=frozenset(at for at, (_, span) in enumerate(spans) if span.state == pb.SEQUENCE_STATE_MISSING),
        beside=[waivers_sheet(found.waivers)],
    )


def waivers_sheet(waivers: Iterable[pb.Waiver]) -> Sheet:
    """Who waived which numbers, when and why."""
    rows: list[Row] = [
        (*(str(one.epoch), str(one.first_seq), str(one.last_seq)), time_of(one.at_ms), one.waived_by, one.reason)
        for one in waivers
    ]
    return Sheet("waivers", Label("核销", "Waivers"), _WAIVERS, rows)


def silent_terminals_sheet(found: pb.ListSilentResponse) -> Sheet:
    """A row for each silent terminal, the unexpected first and bold."""
    counted = Label(
        f"意外静默 {found.total_unexpected:,} 台，预期静默 {found.total_expected:,} 台，"
        f"登记终端 {found.total_terminals:,} 台",
        f"{found.total_unexpected:,} silent unexpectedly, {found.total_expected:,} expectedly, "
        f"of {found.total_terminals:,} registered terminals",
    )
    return Sheet(
        name="silent_terminals",
        title=Label("静默终端", "Silent terminals"),
        columns=_SILENT,
        rows=[
            (
                *(one.terminal_id, one.outlet_id, time_of(one.last_event_ms)),
                *(
                    one.silent_hours,
                    one.silent_open_hours,
                    one.expected,
                    Label(one.reason_zh or one.reason, one.reason),
                ),
            )
            for one in found.terminals
        ],
        facts=[
            Fact("total_unexpected", Kind.COUNT, Label("意外静默", "silent unexpectedly"), found.total_unexpected),
            Fact("total_expected", Kind.COUNT, Label("预期静默", "silent expectedly"), found.total_expected),
            Fact("total_terminals", Kind.COUNT, Label("登记终端", "registered terminals"), found.total_terminals),
        ],
        notes=[Note(counted)],
        definitions=[SILENCE],
        bold=frozenset(at for at, one in enumerate(found.terminals) if not one.expected),
        empty=Label("无静默终端", "no terminal is silent"),
    )
