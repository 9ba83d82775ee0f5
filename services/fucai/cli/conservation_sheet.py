"""Where all events are as a sheet: by game, outlet or draw, events and amounts of each outcome. Asks nothing."""

from __future__ import annotations

from collections.abc import Sequence

from fucai.cli.definitions import CONSERVATION
from fucai.cli.out.sheet import Cell, Column, Fact, Kind, Note, Row, Sheet, Tone, summed
from fucai.cli.out.words import local_time
from fucai.domain.labels import Label
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import ledger_pb2 as pb

_KEYS = {
    "outlet_id": Label("网点", "outlet"),
    "game": Label("游戏", "game"),
    "draw_no": Label("期号", "draw"),
}
_OUTCOMES = {
    "stored": Label("已入库", "stored"),
    "duplicate": Label("重复", "duplicate"),
    "quarantined_open": Label("隔离待处理", "open"),
    "quarantined_waived": Label("已核销", "waived"),
    "quarantined_stored": Label("后已入库", "stored since"),
}


def conservation_sheet(found: pb.GetConservationResponse, keys: Sequence[str]) -> Sheet:
    """A row for each value of `keys`; a sealed draw's figures are missing, and the total is without them."""
    columns = _columns(keys)
    rows = [_row(row, keys) for row in found.rows]
    shown = [row for row, told in zip(rows, found.rows, strict=True) if not told.withheld]
    return Sheet(
        name="conservation",
        title=Label("事件守恒", "Where events are"),
        columns=columns,
        rows=rows,
        total=summed(columns, shown, Label("合计", "all")),
        currency=ServiceSettings.from_env().currency,
        facts=[
            Fact("counted", Kind.TIME, Label("统计时间", "counted"), local_time(found.counted_ms)),
            Fact("withheld_draws", Kind.COUNT, Label("封存期次", "sealed draws"), found.withheld_draws),
            Fact(
                "unreadable_records",
                Kind.COUNT,
                Label("无法读取的记录", "unreadable records"),
                found.unreadable_records,
            ),
        ],
        notes=_notes(found),
        definitions=[CONSERVATION],
    )


def _columns(keys: Sequence[str]) -> list[Column]:
    counts = [
        column
        for field, label in _OUTCOMES.items()
        for column in (
            Column(f"{field}_events", Kind.COUNT, label, CONSERVATION.name, adds=True),
            Column(
                field,
                Kind.MONEY,
                Label(f"{label.zh}金额", f"amount {label.en}"),
                CONSERVATION.name,
                screen=0 if field == "stored" else None,
                adds=True,
            ),
        )
    ]
    named = [Column(key, Kind.ID, _KEYS[key]) for key in keys]
    return [*named, Column("withheld", Kind.FLAG, Label("封存", "sealed"), screen=1), *counts]


def _row(row: pb.ConservationRow, keys: Sequence[str]) -> Row:
    counts = [getattr(row, field) for field in _OUTCOMES]
    figures: list[Cell] = [figure for count in counts for figure in (count.events, count.amount_fen)]
    named: list[Cell] = [getattr(row, key) for key in keys]
    return (*named, row.withheld, *([None] * len(figures) if row.withheld else figures))


def _notes(found: pb.GetConservationResponse) -> list[Note]:
    """When it was counted, and what stands in no row or without figures."""
    at = f"{local_time(found.counted_ms):%Y-%m-%d %H:%M}"
    notes = [
        Note(
            Label(
                f"统计于 {at}；金额为已入库事件之和，不分类型",
                f"counted {at}; amounts are of stored events, whatever their kind",
            )
        )
    ]
    if found.withheld_draws:
        text = Label(
            f"不含封存中或未登记的 {found.withheld_draws:,} 期",
            f"without {found.withheld_draws:,} draws that are sealed or in no table",
        )
        notes.append(Note(text, Tone.WARNING))
    if found.unreadable_records:
        text = Label(
            f"不含无法读取的 {found.unreadable_records:,} 条记录",
            f"without {found.unreadable_records:,} unreadable records",
        )
        notes.append(Note(text, Tone.WARNING))
    return notes
