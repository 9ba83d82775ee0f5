"""A headline as a sheet: the whole channel, then its groups, with the benchmark as facts and a note."""

from __future__ import annotations

from collections.abc import Mapping

from fucai.cli.numbers import percent
from fucai.cli.out.reading import change_of, day_of, days_fact, definitions_of, group_cells
from fucai.cli.out.sheet import Cell, Change, Column, Fact, Kind, Mark, Note, Row, Sheet, Tone
from fucai.cli.query.conditions import WHOLE
from fucai.domain.labels import DIMENSIONS, SERIES, Label
from fucai.v1 import analytics_pb2 as pb

_NOTHING = Label("", "")
_SCOPE = Label("范围", "scope")
_NO_EXCESS = Label("本渠道增长率无可用基期，不计超额", "our own growth has no whole base, so no excess")


def headline_sheet(answer: pb.HeadlineResponse, *, by: str, today: Mapping[str, int] | None = None) -> Sheet:
    """The answer, grouped `by` a dimension or by none; with `today`, today's sales so far by group in fen.

    The first row is the whole channel (level `channel`), beside which the benchmark stands; those of the groups follow.
    """
    dimension = DIMENSIONS.get(by, Label(by, by)) if by else _SCOPE
    sold = [] if today is None else [Column("today", Kind.MONEY, Label("今日", "today"), "sales")]
    rows = [
        _row(answer, group, by if place else "", today) for place, group in enumerate((answer.total, *answer.groups))
    ]
    days, base = f"{answer.from_day}..{answer.to_day}", f"{answer.base_from_day}..{answer.base_to_day}"
    grouped = Label(f"，按{dimension.zh}", f", by {dimension.en}") if by else _NOTHING
    return Sheet(
        name="headline",
        title=Label(f"总览 {days}{grouped.zh}", f"Headline {days}{grouped.en}"),
        columns=[
            *_columns(dimension),
            *sold,
            Column("daily_sales", Kind.CURVE, Label("走势", "by day"), "sales"),
            *_BESIDE,
        ],
        rows=rows,
        currency=answer.currency,
        facts=[
            days_fact("from_day", Label("起", "from"), answer.from_day),
            days_fact("to_day", Label("止", "to"), answer.to_day),
            days_fact("base_from_day", Label("基期起", "base from"), answer.base_from_day),
            days_fact("base_to_day", Label("基期止", "base to"), answer.base_to_day),
            *_benchmark_facts(answer.benchmark),
        ],
        notes=[
            benchmark_note(answer.benchmark),
            *_comparison(answer.pairing, Label(f"{days} 对比 {base}", f"{days} compared with {base}")),
            *(Note(Label(each.text_zh, each.text_en)) for each in answer.definitions if each.name == "active_outlets"),
        ],
        definitions=definitions_of(answer.definitions),
        freshness=answer.freshness,
        bold=frozenset({0}),
    )


def _comparison(pair: pb.Pairing, days: Label) -> list[Note]:
    """Both periods with their rule, and the warning where the comparison misleads; the periods alone without a rule."""
    notes = [Note(Label(pair.rule_zh, pair.rule_en) if pair.rule_en else days)]
    if pair.warning_en:
        notes.append(Note(Label(pair.warning_zh, pair.warning_en), Tone.WARNING))
    return notes


def benchmark_note(found: pb.BenchmarkComparison) -> Note:
    """The benchmark with its own period, and the excess, or why there is none."""
    zh, en = "基准 ", "benchmark "
    if found.HasField("growth"):
        label = SERIES.get(found.series)
        told = f"{found.period} {percent(found.growth)} · "
        zh += f"{label.zh} ({found.series}) {told}" if label else f"{found.series} {told}"
        en += f"{label.en} ({found.series}) {told}" if label else f"{found.series} {told}"
    if found.HasField("excess_points"):
        points = f"{found.excess_points:+,.1f}".replace("-", "−")
        return Note(Label(f"{zh}超额 {points} 个百分点", f"{en}excess {points} points"), Tone.STRONG)
    zh, en = zh + found.note_zh, en + found.note_en
    if found.published:
        zh, en = f"{zh}，{_NO_EXCESS.zh}", f"{en}, {_NO_EXCESS.en}"
    return Note(Label(zh, en), Tone.WARNING)


_BESIDE = (
    Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
    Column("benchmark", Kind.ID, Label("基准", "benchmark"), screen=None),
    Column("benchmark_period", Kind.TEXT, Label("基准期间", "benchmark period"), screen=None),
    Column("benchmark_published", Kind.FLAG, Label("基准同期已公布", "benchmark published"), screen=None),
    Column("benchmark_growth_ratio", Kind.RATIO, Label("基准增长", "benchmark growth"), "growth", screen=None),
    Column("excess_points", Kind.POINTS, Label("超额（百分点）", "excess (points)"), "excess", screen=None),
)


def _columns(dimension: Label) -> list[Column]:
    return [
        Column("level", Kind.TEXT, Label("层级", "level"), screen=None),
        Column("group", Kind.ID, Label(f"{dimension.zh}代码", f"{dimension.en} code".strip()), screen=None),
        Column("group_name", Kind.NAME, dimension),
        Column("from_day", Kind.DAY, Label("起", "from"), screen=None),
        Column("to_day", Kind.DAY, Label("止", "to"), screen=None),
        Column("base_from_day", Kind.DAY, Label("基期起", "base from"), screen=None),
        Column("base_to_day", Kind.DAY, Label("基期止", "base to"), screen=None),
        Column("active_outlets", Kind.COUNT, Label("活跃网点", "active"), "active_outlets"),
        Column("base_active_outlets", Kind.COUNT, Label("基期", "base"), "active_outlets", screen=3),
        Column("scale_growth", Kind.GROWTH, Label("增长", "growth"), "growth", screen=1),
        Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales"),
        Column("base_sales", Kind.MONEY, Label("基期", "base"), "sales", screen=3),
        Column("sales_growth", Kind.GROWTH, Label("增长", "growth"), "growth", screen=1),
    ]


def _row(answer: pb.HeadlineResponse, group: pb.HeadlineGroup, by: str, today: Mapping[str, int] | None) -> Row:
    scale, sales = change_of(group.scale_growth), change_of(group.sales_growth)
    code, name = group_cells(by, group.group, group.group_name) if by else ("", WHOLE)
    so_far = sum(today.values()) if today is not None and not by else (today or {}).get(group.group, 0)
    return (
        by or "channel",
        code,
        name,
        *map(day_of, (answer.from_day, answer.to_day, answer.base_from_day, answer.base_to_day)),
        group.active_outlets,
        None if _missing(scale) else group.base_active_outlets,
        scale,
        group.sales_fen,
        None if _missing(sales) else group.base_sales_fen,
        sales,
        *([] if today is None else [so_far]),
        tuple(group.daily_sales_fen),
        answer.currency,
        *(_beside(answer.benchmark) if not by else [None] * (len(_BESIDE) - 1)),
    )


def _missing(change: Change | None) -> bool:
    """Whether the base is not stored, so that its zero is no figure."""
    return change is not None and change.mark is Mark.NO_BASE


def _beside(found: pb.BenchmarkComparison) -> list[Cell]:
    return [fact.value for fact in _benchmark_facts(found)[: len(_BESIDE) - 1]]


def _benchmark_facts(found: pb.BenchmarkComparison) -> list[Fact]:
    growth = found.growth if found.HasField("growth") else None
    excess = found.excess_points if found.HasField("excess_points") else None
    values: list[Cell] = [found.series, found.period, found.published, growth, excess]
    return [
        Fact(column.key, column.kind, column.label, value) for column, value in zip(_BESIDE[1:], values, strict=True)
    ]
