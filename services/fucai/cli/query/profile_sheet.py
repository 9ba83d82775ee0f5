"""Hours by weekday as a sheet: a row for each cell. How a terminal shows it stands in `profile_map`."""

from __future__ import annotations

from collections.abc import Sequence

from fucai.cli.numbers import exact
from fucai.cli.out.reading import days_fact, definitions_of, group_cells, group_columns
from fucai.cli.out.sheet import Cell, Column, Fact, Kind, Note, Row, Sheet, summed
from fucai.domain.labels import DIMENSIONS, Label
from fucai.domain.rounding import BASIS_POINTS, half_even
from fucai.v1 import analytics_pb2 as pb

_ALL = Label("合计", "total")
WEEKDAYS = (
    Label("周一", "Mon"),
    Label("周二", "Tue"),
    Label("周三", "Wed"),
    Label("周四", "Thu"),
    Label("周五", "Fri"),
    Label("周六", "Sat"),
    Label("周日", "Sun"),
)
"""Names of the weekdays 1 to 7."""
_HOUR = Column("hour", Kind.COUNT, Label("时", "hour"))
_WEEKDAY = Column("weekday", Kind.NAME, Label("星期", "weekday"))


def profile_sheet(answer: pb.ProfileResponse, *, by: str) -> Sheet:
    """The answer, grouped `by` a dimension or by none."""
    columns = [
        *(group_columns(by) if by else []),
        Column("weekday", Kind.COUNT, Label("星期", "weekday"), screen=None),
        Column("weekday_name", Kind.NAME, Label("星期", "weekday")),
        Column("hour", Kind.COUNT, Label("时", "hour")),
        Column("days", Kind.COUNT, Label("天数", "days"), "profile", screen=2),
        Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales", adds=True),
        Column("sales_per_day", Kind.MONEY, Label("日均", "a day"), "profile"),
        Column("share", Kind.RATIO, Label("占比", "share"), "share_bp"),
        Column("share_bp", Kind.COUNT, Label("占比（万分）", "share (bp)"), "share_bp", screen=None),
        Column("bets", Kind.COUNT, Label("注数", "bets"), "bets", screen=3, adds=True),
        Column("events", Kind.COUNT, Label("事件", "events"), screen=4, adds=True),
        Column("payouts", Kind.MONEY, Label("兑奖", "payouts"), screen=5, adds=True),
        Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
    ]
    rows = [_row(cell, by, answer.about.currency) for cell in answer.cells]
    period = f"{answer.from_day}..{answer.to_day}"
    name = DIMENSIONS.get(by, Label(by, by))
    return Sheet(
        name="profile",
        title=Label(
            f"时段分布 {period}" + (f"，按{name.zh}" if by else ""),
            f"Hours by weekday {period}" + (f", by {name.en}" if by else ""),
        ),
        columns=columns,
        rows=rows,
        total=summed(columns, rows, _ALL) if len(rows) > 1 else None,
        currency=answer.about.currency,
        facts=[
            days_fact("from_day", Label("起", "from"), answer.from_day),
            days_fact("to_day", Label("止", "to"), answer.to_day),
            Fact("without_hour", Kind.MONEY, Label("日汇总（无小时）", "without hour"), answer.without_hour_fen),
        ],
        notes=_notes(answer, by),
        definitions=definitions_of(answer.about.definitions),
        freshness=answer.about.freshness,
        empty=Label("没有带小时的销售", "no sales with an hour"),
        beside=[
            _shares(name, title, of, found, by)
            for name, title, of, found in (
                ("hours", Label("按小时", "By hour"), _HOUR, answer.hours),
                ("weekdays", Label("按星期", "By weekday"), _WEEKDAY, answer.weekdays),
            )
            if found
        ],
    )


def _notes(answer: pb.ProfileResponse, by: str) -> list[Note]:
    """The days, what daily summaries without an hour sold on them, shares of weekdays, and the definition."""
    days = f"{answer.from_day}…{answer.to_day}"
    told = [Label(days, days)] if answer.from_day else []
    if answer.without_hour_fen:
        amount = f"{exact(answer.without_hour_fen)} {answer.about.currency}".rstrip()
        told.append(
            Label(f"另有日汇总销售额 {amount}，无小时", f"beside these, daily summaries without an hour: {amount}")
        )
    if answer.weekdays and not by:
        told.append(_by_weekday(answer))
    told += [Label(one.text_zh, one.text_en) for one in answer.about.definitions if one.name == "profile"]
    return [Note(one) for one in told]


def _by_weekday(answer: pb.ProfileResponse) -> Label:
    """The share of each weekday in a line."""
    shares = [(WEEKDAYS[one.of - 1], f"{100 * one.share_bp / BASIS_POINTS:.1f}%") for one in answer.weekdays]
    zh, en = (" ".join(f"{getattr(day, lang)} {share}" for day, share in shares) for lang in ("zh", "en"))
    return Label(f"按星期占比（含日汇总）：{zh}", f"share by weekday, with daily summaries: {en}")


def _shares(name: str, title: Label, of: Column, found: Sequence[pb.ProfileShare], by: str) -> Sheet:
    """Sales and share of each hour, or weekday."""
    columns = [
        *(group_columns(by) if by else []),
        of,
        Column("days", Kind.COUNT, Label("天数", "days"), "profile", screen=2),
        Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales"),
        Column("share", Kind.RATIO, Label("占比", "share"), "share_bp"),
        Column("share_bp", Kind.COUNT, Label("占比（万分）", "share (bp)"), "share_bp", screen=None),
    ]
    rows: list[Row] = [
        (
            *(group_cells(by, one.group, one.group_name) if by else ()),
            WEEKDAYS[one.of - 1] if of is _WEEKDAY else one.of,
            one.days,
            one.sales_fen,
            one.share_bp / BASIS_POINTS,
            one.share_bp,
        )
        for one in found
    ]
    return Sheet(name=name, title=title, columns=columns, rows=rows)


def _row(cell: pb.ProfileCell, by: str, currency: str) -> Row:
    group: tuple[Cell, ...] = group_cells(by, cell.group, cell.group_name) if by else ()
    figures = cell.figures
    return (
        *group,
        cell.weekday,
        WEEKDAYS[cell.weekday - 1],
        cell.hour,
        cell.days,
        figures.sales_fen,
        half_even(figures.sales_fen, cell.days) if cell.days else None,
        cell.share_bp / BASIS_POINTS,
        cell.share_bp,
        figures.bets,
        figures.events,
        figures.payouts_fen,
        currency,
    )
