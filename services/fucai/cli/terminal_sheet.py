"""A terminal's close and status as sheets. Asks nothing."""

from __future__ import annotations

from fucai.cli.out.reading import day_of
from fucai.cli.out.sheet import Column, Fact, Kind, Note, Row, Sheet, Tone, summed
from fucai.cli.out.words import time_of
from fucai.domain.labels import KINDS, Label
from fucai.runtime.settings import ServiceSettings
from fucai.v1.sales_pb2 import EventKind, QuarantineReason
from fucai.v1.statement_pb2 import DayClose
from fucai.v1.terminal_pb2 import GetStatusResponse

_LINES = [
    Column("business_day", Kind.DAY, Label("营业日", "day")),
    Column("game", Kind.ID, Label("游戏", "game")),
    Column("kind", Kind.ID, Label("类型代码", "kind code"), screen=None),
    Column("kind_name", Kind.NAME, Label("类型", "kind")),
    Column("events", Kind.COUNT, Label("事件", "events"), adds=True),
    Column("bets", Kind.COUNT, Label("注数", "bets")),
    Column("amount", Kind.MONEY, Label("金额", "amount")),
]
_STATUS = [
    Column("terminal_id", Kind.ID, Label("终端", "terminal")),
    Column("outlet_id", Kind.ID, Label("网点", "outlet")),
    Column("epoch", Kind.ID, Label("纪元", "epoch")),
    Column("connected", Kind.FLAG, Label("已连接采集器", "connected")),
    Column("recorded_through", Kind.COUNT, Label("已记录至", "recorded through")),
    Column("acknowledged_through", Kind.COUNT, Label("已确认至", "acknowledged through")),
    Column("waiting_events", Kind.COUNT, Label("待发事件", "waiting events")),
    Column("waiting_statements", Kind.COUNT, Label("待发声明", "waiting statements")),
    Column("oldest_waiting", Kind.TIME, Label("最早待发", "oldest waiting")),
    Column("accepted_events", Kind.COUNT, Label("已接受", "accepted")),
    Column("quarantined_events", Kind.COUNT, Label("已隔离", "in quarantine")),
    Column("refused_batches", Kind.COUNT, Label("被拒批次", "refused batches")),
    Column("last_close", Kind.DAY, Label("最近日结", "last close")),
    Column("outbox_bytes", Kind.COUNT, Label("发件箱(字节)", "outbox (bytes)")),
    Column("free_bytes", Kind.COUNT, Label("磁盘可用(字节)", "disk free (bytes)")),
    Column("last_error", Kind.TEXT, Label("最近错误", "last error")),
]
_WARNINGS = [Column("warning", Kind.TEXT, Label("需要处理", "look at this"))]
_FINDINGS = [
    Column("seq", Kind.ID, Label("序号", "seq")),
    Column("reason", Kind.ID, Label("原因", "reason")),
    Column("field", Kind.ID, Label("字段", "field")),
    Column("detail", Kind.TEXT, Label("说明", "what is wrong")),
]


def close_sheet(closed: DayClose) -> Sheet:
    """A row for each day, game and kind that the close covers; its numbers and digest are facts."""
    rows: list[Row] = []
    for line in closed.lines:
        kind = EventKind.Name(line.kind).removeprefix("EVENT_KIND_").lower()
        named = KINDS.get(kind, kind)
        rows.append((day_of(line.business_day), line.game, kind, named, line.events, line.bets, line.amount_fen))
    numbers = f"{closed.first_seq}..{closed.last_seq}" if closed.last_seq >= closed.first_seq else ""
    digest = closed.digest.hex()
    told = Label(
        f"已日结 {closed.business_day}，第 {closed.close_no} 次：事件 {numbers or '无'}，摘要 {digest}",
        f"closed {closed.business_day}, close {closed.close_no}: events {numbers or 'none'}, digest {digest}",
    )
    return Sheet(
        name="close",
        title=Label(f"日结 {closed.business_day}", f"Close of {closed.business_day}"),
        columns=_LINES,
        rows=rows,
        total=summed(_LINES, rows, Label("合计", "all")),
        currency=ServiceSettings.from_env().currency,
        facts=[
            Fact("closed_day", Kind.DAY, Label("日结日", "day closed"), day_of(closed.business_day)),
            Fact("close_no", Kind.COUNT, Label("次序", "close"), closed.close_no),
            Fact("first_seq", Kind.ID, Label("起序号", "first no."), str(closed.first_seq)),
            Fact("last_seq", Kind.ID, Label("止序号", "last no."), str(closed.last_seq)),
            Fact("digest", Kind.ID, Label("摘要", "digest"), digest),
        ],
        notes=[Note(told, Tone.STRONG)],
        empty=Label("没有事件", "no events"),
    )


def agent_sheet(told: GetStatusResponse) -> Sheet:
    """One row: what waits, and what became of the rest; beside it warnings, and the newest events in quarantine."""
    findings: list[Row] = [
        (
            str(one.seq),
            QuarantineReason.Name(one.reason).removeprefix("QUARANTINE_REASON_").lower(),
            *(one.field, one.detail),
        )
        for one in told.quarantined
    ]
    warnings: list[Row] = [(warning,) for warning in told.warnings]
    return Sheet(
        name="terminal",
        title=Label(f"终端 {told.terminal_id}", f"Terminal {told.terminal_id}"),
        columns=_STATUS,
        rows=[
            (
                *(told.terminal_id, told.outlet_id, str(told.epoch), told.connected),
                *(told.recorded_through, told.acknowledged_through, told.waiting_events, told.waiting_statements),
                time_of(told.oldest_waiting_ms),
                *(told.accepted_events, told.quarantined_events, told.refused_batches),
                day_of(told.last_close.business_day),
                *(told.outbox_bytes, told.free_bytes, told.last_error),
            )
        ],
        beside=[
            Sheet("warnings", Label("需要处理", "Look at this"), _WARNINGS, warnings),
            Sheet("quarantined", Label("最近隔离", "Newest in quarantine"), _FINDINGS, findings),
        ],
    )
