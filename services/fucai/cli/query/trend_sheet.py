"""A trend as a sheet: a row for each bucket and group, the exact days of both sides, and a curve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from fucai.cli.out.reading import both_of, change_of, day_of, definitions_of, group_cells, group_columns
from fucai.cli.out.sheet import Cell, Column, Fact, Kind, Note, Plot, Row, Sheet, Tone, summed
from fucai.cli.query.growth_sheet import measurement_cells
from fucai.cli.query.measured import MEASURES, measure_kind
from fucai.cli.query.notes import caution_notes, unrated_notes
from fucai.domain.labels import DIMENSIONS, Label
from fucai.domain.periods import DayRange, Grain, whole
from fucai.v1 import analytics_pb2 as pb

_GRAINS = {
    Grain.HOUR: Label("按小时", "by hour"),
    Grain.DAY: Label("按日", "by day"),
    Grain.WEEK: Label("按周", "by week"),
    Grain.MONTH: Label("按月", "by month"),
    Grain.YEAR: Label("按年", "by year"),
}
_NO_HOURS = Label("日汇总没有小时，不在其中", "daily summaries have no hour and are left out")
_ALL = Label("合计", "total")


def trend_sheet(answer: pb.TrendResponse, *, grain: Grain, by: Sequence[str], first: str, last: str) -> Sheet:
    """The answer to a question from `first` to `last` (YYYY-MM-DD); grouped `by` these dimensions, in their order.

    Columns: period (for people), bucket, first_day, last_day, then for each dimension its value and its name, then
    sales, base_sales, growth, bets and what only exports have.
    """
    compared = any(row.HasField("growth") for row in answer.rows)
    measures = [one.measure for one in answer.rows[0].measurements] if answer.rows else []
    averaged = any(row.HasField("moving_average_fen") for row in answer.rows)
    columns = [*_columns(by, compared=compared), *_further(measures, compared=compared, averaged=averaged)]
    rows = [(*_row(row, grain, by, answer.currency), *_further_cells(row, averaged=averaged)) for row in answer.rows]
    return Sheet(
        name="trend",
        title=_title(grain, by, first, last),
        columns=columns,
        rows=rows,
        total=_total(answer, columns, rows),
        available=answer.total_rows or None,
        currency=answer.currency,
        facts=[
            Fact("from_day", Kind.TEXT, Label("起", "from"), first),
            Fact("to_day", Kind.TEXT, Label("止", "to"), last),
            Fact("grain", Kind.TEXT, Label("粒度", "grain"), grain.name.lower()),
            Fact("comparison_rule", Kind.TEXT, Label("对比规则", "comparison rule"), both_of(answer.comparison_rule)),
        ],
        notes=_notes(answer, grain, compared=compared),
        definitions=definitions_of(answer.definitions),
        freshness=answer.freshness,
        plot=_plot(by, compared=compared),
    )


def bucket_name(row: pb.TrendRow, grain: Grain) -> str:
    """A bucket by its shortest name; by its exact days where it is cut."""
    first, last = date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)
    if grain is Grain.HOUR:
        return row.bucket.replace("T", " ") + ":00"
    if DayRange(first, last) != whole(grain, first) or grain is Grain.WEEK:
        return row.first_day if first == last else f"{row.first_day}..{row.last_day[5:]}"
    return {Grain.DAY: row.first_day, Grain.MONTH: row.first_day[:7], Grain.YEAR: row.first_day[:4]}[grain]


def _columns(by: Sequence[str], *, compared: bool) -> list[Column]:
    base = 2 if compared else None
    return [
        Column("period", Kind.TEXT, Label("期间", "period")),
        Column("bucket", Kind.TEXT, Label("期", "bucket"), screen=None),
        Column("first_day", Kind.DAY, Label("首日", "first day"), screen=None),
        Column("last_day", Kind.DAY, Label("末日", "last day"), screen=None),
        *(column for dimension in by for column in group_columns(dimension)),
        Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales", adds=True),
        Column("base_sales", Kind.MONEY, Label("基期", "base"), "sales", screen=base, adds=compared),
        Column("growth", Kind.GROWTH, Label("增长", "growth"), "growth", screen=1 if compared else None),
        Column("bets", Kind.COUNT, Label("注数", "bets"), "bets", screen=3, adds=True),
        Column("events", Kind.COUNT, Label("事件数", "events"), "events", screen=None, adds=True),
        Column("payouts", Kind.MONEY, Label("兑奖", "payouts"), "payouts", screen=None, adds=True),
        Column("running_sum", Kind.MONEY, Label("累计", "running sum"), "running_sum", screen=None),
        Column("base_first_day", Kind.DAY, Label("基期首日", "base first day"), screen=None),
        Column("base_last_day", Kind.DAY, Label("基期末日", "base last day"), screen=None),
        Column("base_bets", Kind.COUNT, Label("基期注数", "base bets"), "bets", screen=None, adds=compared),
        Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
    ]


def _row(row: pb.TrendRow, grain: Grain, by: Sequence[str], currency: str) -> Row:
    figures, base = row.figures, row.base if row.HasField("base") else None
    groups = zip(by, row.group, row.group_names, strict=True)
    return (
        bucket_name(row, grain),
        row.bucket,
        day_of(row.first_day),
        day_of(row.last_day),
        *(cell for group in groups for cell in group_cells(*group)),
        figures.sales_fen,
        base.sales_fen if base else None,
        change_of(row.growth) if row.HasField("growth") else None,
        figures.bets,
        figures.events,
        figures.payouts_fen,
        row.running_sum_fen,
        day_of(row.base_first_day),
        day_of(row.base_last_day),
        base.bets if base else None,
        currency,
    )


def _further(measures: Sequence[str], *, compared: bool, averaged: bool) -> list[Column]:
    """The columns of measures asked for beside the figures, each with base and growth, and of the moving average."""
    found = []
    for measure in measures:
        label, kind = MEASURES.get(measure, Label(measure, measure)), measure_kind(measure)
        found += [
            Column(f"measured_{measure}", kind, label, measure, screen=4),
            Column(f"base_measured_{measure}", kind, Label("基期", "base"), measure, screen=None),
            Column(
                f"measured_{measure}_growth",
                Kind.GROWTH,
                Label("增长", "growth"),
                "growth",
                screen=5 if compared else None,
            ),
        ]
    if averaged:
        found.append(Column("moving_average", Kind.MONEY, Label("移动平均", "moving average"), "sales", screen=6))
    return found


def _further_cells(row: pb.TrendRow, *, averaged: bool) -> Row:
    average = row.moving_average_fen if row.HasField("moving_average_fen") else None
    cells = [cell for one in row.measurements for cell in measurement_cells(one)]
    return (*cells, *([average] if averaged else []))


def _total(answer: pb.TrendResponse, columns: Sequence[Column], rows: Sequence[Row]) -> Row | None:
    """The sums of a whole answer with more than one row; a page of one has the figures that the service gives."""
    if len(rows) > 1 and answer.total_rows in (0, len(rows)):
        return summed(columns, rows, _ALL)
    if not rows or answer.total_rows <= len(rows) or not answer.HasField("total"):
        return None
    figures: dict[str, Cell] = {
        "period": _ALL,
        "sales": answer.total.sales_fen,
        "bets": answer.total.bets,
        "events": answer.total.events,
        "payouts": answer.total.payouts_fen,
    }
    return tuple(figures.get(column.key) for column in columns)


def _notes(answer: pb.TrendResponse, grain: Grain, *, compared: bool) -> list[Note]:
    notes = [Note(_NO_HOURS, Tone.PLAIN)] if grain is Grain.HOUR else []
    if answer.rows:
        days = _days((row.first_day, row.last_day) for row in answer.rows)
        notes.append(Note(Label(days, days)))
    if compared:
        bases = [(row.base_first_day, row.base_last_day) for row in answer.rows if row.base_first_day]
        days = _days(bases) if bases else "—"
        notes.append(Note(Label(f"对比 {days}", f"compared with {days}")))
        notes.append(Note(both_of(answer.comparison_rule)))
    return [*notes, *caution_notes(answer.cautions), *unrated_notes(answer.unrated, answer.currency)]


def _days(ranges: Iterable[tuple[str, str]]) -> str:
    found = list(ranges)
    return f"{min(first for first, _ in found)}..{max(last for _, last in found)}"


def _title(grain: Grain, by: Sequence[str], first: str, last: str) -> Label:
    groups = [DIMENSIONS.get(name, Label(name, name)) for name in by]
    zh = "".join(f"，按{group.zh}" for group in groups)
    en = "".join(f", by {group.en}" for group in groups)
    return Label(
        f"销售趋势 {first}..{last}，{_GRAINS[grain].zh}{zh}", f"Sales trend {first}..{last}, {_GRAINS[grain].en}{en}"
    )


def _plot(by: Sequence[str], *, compared: bool) -> Plot | None:
    """Without groups this period and its base; with one dimension a line a group; more would be a thicket."""
    if not by:
        return Plot("period", ["sales", *(["base_sales"] if compared else [])])
    return Plot("period", ["sales"], split=f"{by[0]}_name") if len(by) == 1 else None
