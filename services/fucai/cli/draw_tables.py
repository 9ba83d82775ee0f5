"""Draws for people: tables in Chinese or English, and rows for programs. Asks nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fucai.cli.ledger_tables import cells
from fucai.cli.out.words import local_time
from fucai.cli.output import Lang
from fucai.domain.labels import Label
from fucai.v1 import registry_pb2 as pb

_WORDS = {
    "game": Label("游戏", "game"),
    "draw": Label("期号", "draw"),
    "state": Label("状态", "state"),
    "close": Label("停售", "sales close"),
    "sealed": Label("封存", "sealed"),
    "drawn": Label("开奖", "ended"),
    "by": Label("操作人", "by"),
    "sample": Label("样本", "sample"),
    "scheduled": Label("预定", "scheduled"),
    "late": Label("迟到事件", "late events"),
    "hidden": Label("开奖前不显示", "not told before the draw has ended"),
    "by hand": Label("人工", "by hand"),
    "recorded": Label("记录于", "recorded"),
    "draws": Label("期", "draws"),
    "none": Label("无", "none"),
    "act seal": Label("封存", "seal"),
    "act end": Label("开奖", "end"),
}
_STATES = {
    pb.DRAW_STATE_OPEN: (Label("未封存", "open"), "green"),
    pb.DRAW_STATE_SEALED: (Label("封存中", "sealed"), "yellow"),
    pb.DRAW_STATE_ENDED: (Label("已开奖", "ended"), "default"),
}
_FIELDS = (
    "game",
    "draw_no",
    "state",
    "sales_close_ms",
    "sealed_ms",
    "drawn_ms",
    "scheduled_ms",
    "sealed_by",
    "ended_by",
    "is_sample",
)


def draw_table(found: Sequence[pb.DrawStatus], lang: Lang) -> Table:
    """One line a draw; who acted stands beside it where somebody did. Planned times stand in brackets."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("game", "draw", "state", "close", "sealed", "drawn", "by"):
        table.add_column(_word(name, lang), no_wrap=name != "by", overflow="fold")
    for status in found:
        label, colour = _STATES[status.state]
        table.add_row(
            *cells(status.draw.game, status.draw.draw_no),
            Text(str(getattr(label, lang)), colour),
            _moment(status.draw.sales_close_ms),
            _moment(status.sealed_ms) if status.sealed_ms != status.draw.sales_close_ms else "=",
            _ended(status),
            Text(", ".join(act.acted_by for act in status.acts)),
        )
    return table


def draw_lines(status: pb.DrawStatus, late: int | None, lang: Lang) -> RenderableType:
    """One draw: its line, the acts with who, when and why, and late events once they may be told."""
    lines: list[RenderableType] = [draw_table([status], lang)]
    for act in status.acts:
        note = f": {act.note}" if act.note else ""
        when = f"{_word('recorded', lang)} {_moment(act.recorded_ms)}"
        text = f"{_word(f'act {act.act}', lang)} {_moment(act.at_ms)}, {act.acted_by} ({when}){note}"
        lines.append(Text(text, "dim"))
    if late is not None:
        lines.append(Text(f"{_word('late', lang)} {late:,}"))
    elif status.state == pb.DRAW_STATE_SEALED:
        lines.append(Text(f"{_word('late', lang)}: {_word('hidden', lang)}", "dim"))
    return Group(*lines)


def draw_csv(found: Sequence[pb.DrawStatus]) -> tuple[list[str], list[list[object]]]:
    """Header and rows; times in Unix ms, 0 where there is none."""
    rows: list[list[object]] = []
    for status in found:
        who = {act.act: act.acted_by for act in status.acts}
        draw = status.draw
        rows.append(
            [
                draw.game,
                draw.draw_no,
                str(_STATES[status.state][0].en),
                draw.sales_close_ms,
                status.sealed_ms,
                status.drawn_ms,
                status.scheduled_ms,
                who.get("seal", ""),
                who.get("end", ""),
                str(draw.is_sample).lower(),
            ]
        )
    return list(_FIELDS), rows


def talk(found: Sequence[pb.DrawStatus], lang: Lang) -> str:
    """How many draws there are, by state."""
    counts = Counter(status.state for status in found)
    parts = [f"{getattr(label, lang)} {counts[state]:,}" for state, (label, _) in _STATES.items() if counts[state]]
    return f"{len(found):,} {_word('draws', lang)}" + (f": {', '.join(parts)}" if parts else "")


def state_name(status: pb.DrawStatus, lang: Lang) -> str:
    """The state of a draw for people."""
    return f"{status.draw.game} {status.draw.draw_no}: {getattr(_STATES[status.state][0], lang)}"


def _ended(status: pb.DrawStatus) -> str:
    """When it ended; in brackets when it is to end."""
    if status.state == pb.DRAW_STATE_ENDED:
        return _moment(status.drawn_ms)
    planned = status.drawn_ms or status.scheduled_ms
    return f"({_moment(planned)})" if planned else ""


def _moment(unix_ms: int) -> str:
    return f"{local_time(unix_ms):%Y-%m-%d %H:%M}"


def _word(name: str, lang: Lang) -> str:
    return str(getattr(_WORDS[name], lang))
