"""Freshness as a sheet of one row: how far the data reach, how far behind they are, what is withheld or quarantined."""

from __future__ import annotations

from datetime import datetime

from fucai.cli.out.reading import day_of
from fucai.cli.out.sheet import Column, Kind, Note, Sheet, Tone
from fucai.cli.out.words import local_time
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb

_MINUTE_MS = 60_000
_COLUMNS = [
    Column("first_day", Kind.DAY, Label("首日", "first day")),
    Column("last_day", Kind.DAY, Label("末日", "last day")),
    Column("latest_received", Kind.TIME, Label("最近接收", "latest received")),
    Column("lag_minutes", Kind.NUMBER, Label("滞后(分钟)", "lag (min)")),
    Column("events", Kind.COUNT, Label("事件数", "events")),
    Column("withheld_draws", Kind.COUNT, Label("封存期次", "sealed draws")),
    Column("quarantined", Kind.COUNT, Label("隔离", "quarantined")),
    Column("next_seal", Kind.TIME, Label("下次封存", "next seal"), screen=1),
    Column("answered", Kind.TIME, Label("查询时间", "answered"), screen=2),
]


def freshness_sheet(answer: pb.FreshnessResponse) -> Sheet:
    """The answer, with each sealed draw that it names as a note."""
    found = answer.freshness
    received = found.latest_received_ms
    lag = max(0, found.answered_ms - received) / _MINUTE_MS if received else None
    return Sheet(
        name="freshness",
        title=Label("数据时效", "Freshness"),
        columns=_COLUMNS,
        rows=[
            (
                day_of(found.first_day),
                day_of(found.last_day),
                _time(received),
                lag,
                answer.events,
                found.withheld_draws,
                answer.quarantined,
                _time(found.next_seal_ms),
                _time(found.answered_ms),
            )
        ],
        notes=[*_notes(answer), *map(_draw, found.withheld)],
        freshness=found,
    )


def _notes(answer: pb.FreshnessResponse) -> list[Note]:
    notes = []
    if answer.quarantined:
        text = Label(
            f"{answer.quarantined:,} 条在隔离中，不计入任何数字：fucai quarantine list",
            f"{answer.quarantined:,} in quarantine stand in no figure: fucai quarantine list",
        )
        notes.append(Note(text, Tone.WARNING))
    more = answer.freshness.withheld_draws - len(answer.freshness.withheld)
    if more > 0:
        text = Label(
            f"另有 {more:,} 期封存：fucai draws list --sealed", f"{more:,} more sealed: fucai draws list --sealed"
        )
        notes.append(Note(text))
    return notes


def _draw(one: pb.WithheldDraw) -> Note:
    """Since when a draw is withheld and until when; a draw in no table is sealed until it is registered."""
    if not one.sealed_ms:
        return Note(
            Label(
                f"{one.game} {one.draw_no} 未登记，视为封存：fucai draws schedule",
                f"{one.game} {one.draw_no} is not registered, so it counts as sealed: fucai draws schedule",
            )
        )
    since = f"{local_time(one.sealed_ms):%Y-%m-%d %H:%M}"
    until = f"{local_time(one.returns_ms):%Y-%m-%d %H:%M}" if one.returns_ms else ""
    return Note(
        Label(
            f"{one.game} {one.draw_no} 自 {since} 封存" + (f"，预计 {until} 恢复" if until else "，恢复时间待定"),
            f"{one.game} {one.draw_no} sealed since {since}, " + (f"back by {until}" if until else "return not known"),
        )
    )


def _time(unix_ms: int) -> datetime | None:
    return local_time(unix_ms) if unix_ms else None
