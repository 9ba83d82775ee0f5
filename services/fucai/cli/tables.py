"""Tables of trends and headlines for 100 columns, with exact days, explained marks and freshness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fucai.cli.numbers import FEN, MoneyUnit, growth_text, mark_notes, money_unit, percent, sparkline
from fucai.cli.output import Lang
from fucai.domain.labels import BY_DIMENSION, DIMENSIONS, SERIES, Label
from fucai.domain.periods import DayRange, Grain, whole
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import analytics_pb2 as pb

_WORDS = {
    "period": Label("期间", "period"),
    "sales": Label("销售额", "sales"),
    "base": Label("基期", "base"),
    "growth": Label("增长", "growth"),
    "bets": Label("注数", "bets"),
    "payouts": Label("兑奖", "payouts"),
    "outlets": Label("活跃网点", "active"),
    "curve": Label("走势", "by day"),
    "total": Label("全渠道", "whole channel"),
    "unknown": Label("（未登记）", "(none)"),
    "row": Label("行", "row"),
    "rows": Label("行", "rows"),
    "compared": Label("对比", "compared with"),
    "benchmark": Label("基准", "benchmark"),
    "excess": Label("超额", "excess"),
    "points": Label("个百分点", "points"),
    "unit": Label("单位", "unit"),
    "received": Label("数据接收至", "data received until"),
    "stored": Label("已存营业日", "stored business days"),
    "today": Label("今日", "today"),
    "no excess": Label("本渠道增长率无可用基期，不计超额", "our own growth has no whole base, so no excess"),
    "no hours": Label("日汇总没有小时，不在其中", "daily summaries have no hour and are left out"),
    "nothing": Label("库中尚无可显示的销售", "nothing is stored yet that may be shown"),
    "without draw": Label("不含封存中的 {:,} 期", "without {:,} draw that is sealed"),
    "without draws": Label("不含封存中的 {:,} 期", "without {:,} draws that are sealed"),
    "returns": Label("预计恢复显示", "back by"),
    "end open": Label("恢复时间待定（fucai draws list --sealed）", "for how long is open (fucai draws list --sealed)"),
}

_CURVE, _NARROW_CURVE = 16, 12  # characters
_COMMA = {Lang.ZH: "，", Lang.EN: ", "}


def word(name: str, lang: Lang) -> str:
    """A word of the tables in a language."""
    return str(getattr(_WORDS[name], lang))


def group_name(dimension: str, value: str, name: str, lang: Lang) -> str:
    """The name for people of one value of a dimension; the service gives Chinese ones."""
    label = BY_DIMENSION.get(dimension, {}).get(value)
    shown = str(getattr(label, lang)) if label else name
    return shown or word("unknown", lang)


def trend_table(answer: pb.TrendResponse, *, grain: Grain, by: Sequence[str], lang: Lang) -> RenderableType:
    """A trend: one line a row."""
    compared = any(row.HasField("growth") for row in answer.rows)
    unit = money_unit((row.figures.sales_fen for row in answer.rows), answer.currency, lang)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(word("period", lang), no_wrap=True)
    for dimension in by:
        table.add_column(str(getattr(DIMENSIONS[dimension], lang)), overflow="fold")
    numbers = ["sales", *(["base", "growth"] if compared else []), "bets"]
    for name in numbers:
        table.add_column(word(name, lang), justify="right", no_wrap=True)
    for row in answer.rows:
        base = unit.show(row.base.sales_fen) if row.HasField("base") else ""
        names = [group_name(*group, lang) for group in zip(by, row.group, row.group_names, strict=True)]
        change: list[RenderableType] = [base, growth_text(row.growth, lang)] if compared else []
        table.add_row(
            bucket_name(row, grain), *names, unit.show(row.figures.sales_fen), *change, f"{row.figures.bets:,}"
        )
    notes = [f"{word('unit', lang)} {unit.name} · {rows_line(len(answer.rows), lang)}"]
    if grain is Grain.HOUR:
        notes.append(word("no hours", lang))
    if answer.rows:
        notes.append(_days([(row.first_day, row.last_day) for row in answer.rows]))
    if compared:
        bases = [(row.base_first_day, row.base_last_day) for row in answer.rows if row.base_first_day]
        notes.append(f"{word('compared', lang)} {_days(bases)}" if bases else word("compared", lang) + " —")
        notes.append(_half(answer.comparison_rule, lang))
        notes += mark_notes((row.growth for row in answer.rows), lang)
    return Group(table, *_dim([*notes, freshness_line(answer.freshness, lang)]))


def headline_table(
    answer: pb.HeadlineResponse, *, by: str, lang: Lang, today: Mapping[str, int] | None = None
) -> RenderableType:
    """A headline: the whole channel, then its groups, then the benchmark.

    With `today`, today's sales by group in fen, it is for a dashboard: narrower, and in whole yuan.
    """
    groups = [answer.total, *answer.groups]
    sold = [] if today is None else [sum(today.values()), *(today.get(group.group, 0) for group in answer.groups)]
    unit = money_unit([*(group.sales_fen for group in groups), *sold], answer.currency, lang)
    if sold and unit.fen == FEN:
        unit = replace(unit, decimals=0)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(str(getattr(DIMENSIONS[by], lang)) if by else "", overflow="fold")
    for name in ("outlets", "base", "growth", "sales", "base", "growth"):
        table.add_column(word(name, lang), justify="right", no_wrap=True)
    if sold:
        table.add_column(word("today", lang), justify="right", no_wrap=True)
    table.add_column(word("curve", lang), no_wrap=True)
    for place, group in enumerate(groups):
        name = group_name(by, group.group, group.group_name, lang) if place else word("total", lang)
        so_far = [unit.show(sold[place])] if sold else []
        curve = Text(sparkline(group.daily_sales_fen, _NARROW_CURVE if sold else _CURVE), "cyan")
        table.add_row(name, *_headline_cells(group, unit, lang), *so_far, curve, style=None if place else "bold")
    notes = [
        f"{word('unit', lang)} {unit.name}",
        f"{answer.from_day}..{answer.to_day} {word('compared', lang)} {answer.base_from_day}..{answer.base_to_day}",
        *mark_notes((growth for group in groups for growth in (group.scale_growth, group.sales_growth)), lang),
        *(
            str(getattr(definition, f"text_{lang}"))
            for definition in answer.definitions
            if definition.name == "active_outlets"
        ),
    ]
    return Group(table, benchmark_line(answer.benchmark, lang), *_dim([*notes, freshness_line(answer.freshness, lang)]))


def benchmark_line(found: pb.BenchmarkComparison, lang: Lang) -> Text:
    """The benchmark with its own period, and the excess where there is one."""
    text = Text(f"{word('benchmark', lang)} ", "bold")
    if found.HasField("growth"):
        label = SERIES.get(found.series)
        name = f"{getattr(label, lang)} ({found.series})" if label else found.series
        text.append(f"{name} {found.period} {percent(found.growth)} · ", "default")
    if found.HasField("excess_points"):
        points = f"{found.excess_points:+,.1f} {word('points', lang)}".replace("-", "−")
        text.append(f"{word('excess', lang)} {points}", "green" if found.excess_points >= 0 else "red")
        return text
    text.append(found.note_zh if lang is Lang.ZH else found.note_en, "yellow")
    return text.append(f"{_COMMA[lang]}{word('no excess', lang)}", "yellow") if found.published else text


def bucket_name(row: pb.TrendRow, grain: Grain) -> str:
    """A bucket by its shortest name; by its exact days where it is cut."""
    first, last = date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)
    if grain is Grain.HOUR:
        return row.bucket.replace("T", " ") + ":00"
    if DayRange(first, last) != whole(grain, first) or grain is Grain.WEEK:
        return row.first_day if first == last else f"{row.first_day}..{row.last_day[5:]}"
    return {Grain.DAY: row.first_day, Grain.MONTH: row.first_day[:7], Grain.YEAR: row.first_day[:4]}[grain]


def rows_line(count: int, lang: Lang) -> str:
    """How many rows."""
    return f"{count:,} {word('row' if count == 1 else 'rows', lang)}"


def freshness_line(found: pb.DataFreshness, lang: Lang) -> str:
    """How far the data reach; the time in the business time zone."""
    if not found.first_day:
        return f"{word('nothing', lang)}{_withheld(found, lang)}"
    received = local_time(found.latest_received_ms).isoformat(sep=" ", timespec="seconds")
    reach = f"{word('stored', lang)} {found.first_day}..{found.last_day}"
    return f"{word('received', lang)} {received}{_COMMA[lang]}{reach}{_withheld(found, lang)}"


def _withheld(found: pb.DataFreshness, lang: Lang) -> str:
    """How many draws no figure contains because they are sealed, and when the last of them returns; empty for none."""
    if not found.withheld_draws:
        return ""
    one = found.withheld_draws == 1
    text = f"{_COMMA[lang]}{word('without draw' if one else 'without draws', lang).format(found.withheld_draws)}"
    returns = [draw.returns_ms for draw in found.withheld]
    if len(returns) < found.withheld_draws or not all(ms > found.answered_ms for ms in returns):
        return f"{text}{_COMMA[lang]}{word('end open', lang)}"
    return f"{text}{_COMMA[lang]}{word('returns', lang)} {local_time(max(returns)):%Y-%m-%d %H:%M}"


def local_time(unix_ms: int) -> datetime:
    """A moment in the business time zone (FUCAI_TIMEZONE)."""
    return datetime.fromtimestamp(unix_ms / 1000, ServiceSettings.from_env().zone)


def _headline_cells(group: pb.HeadlineGroup, unit: MoneyUnit, lang: Lang) -> Iterable[RenderableType]:
    no_base = pb.GROWTH_MARK_NO_BASE
    return (
        f"{group.active_outlets:,}",
        "" if group.scale_growth.mark == no_base else f"{group.base_active_outlets:,}",
        growth_text(group.scale_growth, lang),
        unit.show(group.sales_fen),
        "" if group.sales_growth.mark == no_base else unit.show(group.base_sales_fen),
        growth_text(group.sales_growth, lang),
    )


def _days(ranges: Sequence[tuple[str, str]]) -> str:
    return f"{min(first for first, _ in ranges)}..{max(last for _, last in ranges)}"


def _half(rule: str, lang: Lang) -> str:
    """The half of a bilingual rule that is in the language."""
    zh, _, en = rule.partition(" / ")
    return zh if lang is Lang.ZH else en


def _dim(lines: Iterable[str]) -> list[Text]:
    return [Text(line, "dim") for line in lines]
