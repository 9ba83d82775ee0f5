"""Draws as a sheet: their times, who acted, and late events once they may be told. Asks nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from fucai.cli.definitions import SEAL
from fucai.cli.out.sheet import Column, Kind, Note, Row, Sheet
from fucai.cli.out.words import time_of
from fucai.domain.labels import Label
from fucai.v1 import registry_pb2 as pb

_COLUMNS = [
    Column("game", Kind.ID, Label("游戏", "game")),
    Column("draw_no", Kind.ID, Label("期号", "draw")),
    Column("state", Kind.ID, Label("状态代码", "state code"), screen=None),
    Column("state_name", Kind.NAME, Label("状态", "state")),
    Column("sales_close", Kind.TIME, Label("停售", "sales close"), screen=2),
    Column("sealed", Kind.TIME, Label("封存", "seal"), SEAL.name),
    Column("drawn", Kind.TIME, Label("开奖", "end")),
    Column("scheduled", Kind.TIME, Label("预定开奖", "scheduled"), screen=1),
    Column("sealed_by", Kind.TEXT, Label("封存人", "sealed by"), screen=4),
    Column("ended_by", Kind.TEXT, Label("开奖操作人", "ended by"), screen=3),
    Column("is_sample", Kind.FLAG, Label("样本", "sample"), screen=None),
]
_LATE = Column("late_events", Kind.COUNT, Label("迟到事件", "late events"))
_ACTS = [
    Column("act", Kind.ID, Label("操作代码", "act code"), screen=None),
    Column("act_name", Kind.NAME, Label("操作", "act")),
    Column("at", Kind.TIME, Label("时间", "at")),
    Column("acted_by", Kind.TEXT, Label("操作人", "by")),
    Column("recorded", Kind.TIME, Label("记录于", "recorded")),
    Column("note", Kind.TEXT, Label("备注", "note")),
]
_STATES = {
    pb.DRAW_STATE_OPEN: Label("未封存", "open"),
    pb.DRAW_STATE_SEALED: Label("封存中", "sealed"),
    pb.DRAW_STATE_ENDED: Label("已开奖", "ended"),
}
_ACT_NAMES = {"seal": Label("封存", "seal"), "end": Label("开奖", "end")}
_HIDDEN = Note(Label("迟到事件数开奖前不显示", "late events are not told before the draw has ended"))


def draws_sheet(found: Sequence[pb.DrawStatus]) -> Sheet:
    """A row for each draw, sealed ones bold; `drawn` is when it ended, `scheduled` when it is to be drawn."""
    counts = Counter(status.state for status in found)
    parts = [(label, counts[state]) for state, label in _STATES.items() if counts[state]]
    told = Label(
        f"{len(found):,} 期：" + "，".join(f"{label.zh} {count:,}" for label, count in parts),
        f"{len(found):,} draws: " + ", ".join(f"{label.en} {count:,}" for label, count in parts),
    )
    return Sheet(
        name="draws",
        title=Label("期次", "Draws"),
        columns=_COLUMNS,
        rows=[_row(status) for status in found],
        notes=[Note(told)] if found else [],
        definitions=[SEAL],
        bold=frozenset(at for at, status in enumerate(found) if status.state == pb.DRAW_STATE_SEALED),
        empty=Label("没有此类期次", "no such draws"),
    )


def draw_sheet(status: pb.DrawStatus, late: int | None) -> Sheet:
    """One draw, with the number of late events where it may be told; beside it who did what, when and why."""
    acts: list[Row] = [
        (
            *(act.act, _ACT_NAMES.get(act.act, act.act), time_of(act.at_ms), act.acted_by),
            *(time_of(act.recorded_ms), act.note),
        )
        for act in status.acts
    ]
    return Sheet(
        name="draw",
        title=Label(f"{status.draw.game} 第 {status.draw.draw_no} 期", f"{status.draw.game} {status.draw.draw_no}"),
        columns=[*(replace(column, screen=column.screen and 0) for column in _COLUMNS), _LATE],
        rows=[(*_row(status), late)],
        notes=[_HIDDEN] if late is None and status.state == pb.DRAW_STATE_SEALED else [],
        definitions=[SEAL],
        beside=[Sheet("acts", Label("操作记录", "Acts"), _ACTS, acts)],
    )


def _row(status: pb.DrawStatus) -> Row:
    who = {act.act: act.acted_by for act in status.acts}
    draw, label = status.draw, _STATES[status.state]
    return (
        *(draw.game, draw.draw_no, label.en, label),
        *(time_of(draw.sales_close_ms), time_of(status.sealed_ms), time_of(status.drawn_ms)),
        time_of(status.scheduled_ms),
        *(who.get("seal", ""), who.get("end", ""), draw.is_sample),
    )
