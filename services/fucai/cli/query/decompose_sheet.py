"""A decomposition as a sheet: a row for each step of the waterfall, or, where it is drilled, for each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fucai.cli.out.periods import pairing_facts, pairing_notes, period_title
from fucai.cli.out.reading import change_of, definitions_of, group_cells
from fucai.cli.out.sheet import Cell, Column, Kind, Note, Row, Sheet
from fucai.cli.query.conditions import WHOLE
from fucai.domain.labels import DIMENSIONS, Label
from fucai.v1 import analytics_pb2 as pb

_INDENT = "  "
_WATERFALL = ("waterfall", Label("瀑布图", "waterfall"))
_FACTORS = ("factors", Label("因素", "factors"))
_AVERAGES = ("averages", Label("均值", "averages"))
_UNKNOWN = Label("（未登记）", "(none)")


def decompose_sheet(answer: pb.DecomposeResponse, *, by: Sequence[str], factors: bool = False) -> Sheet:
    """The answer, drilled `by` these dimensions; with `factors` a narrow table has the effects instead of the parts."""
    grouped = "、".join(DIMENSIONS[name].zh for name in by), ", ".join(DIMENSIONS[name].en for name in by)
    days = period_title(answer.pairing)
    rows = list(_groups(answer, by) if by else _steps(answer.total))
    return Sheet(
        name="decompose",
        title=Label(
            f"销售变动分解 {days}" + (f"，按{grouped[0]}" if by else ""),
            f"Why sales changed {days}" + (f", by {grouped[1]}" if by else ""),
        ),
        columns=_group_columns(by, factors=factors) if by else _STEP_COLUMNS,
        rows=rows,
        available=answer.total_rows + 1 if by else None,
        currency=answer.about.currency,
        facts=pairing_facts(answer.pairing),
        notes=[*pairing_notes(answer.pairing), *_notes(by)],
        definitions=definitions_of(answer.about.definitions),
        freshness=answer.about.freshness,
        bold=frozenset({0}) if by else frozenset({0, _VALUE_STEP}),
    )


_STEP_COLUMNS = [
    Column("reading", Kind.ID, Label("口径代码", "reading code"), screen=None),
    Column("reading_name", Kind.NAME, Label("口径", "reading"), screen=1),
    Column("step", Kind.ID, Label("项目代码", "step code"), screen=None),
    Column("step_name", Kind.NAME, Label("项目", "step")),
    Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales"),
    Column("change", Kind.MONEY, Label("增减", "change"), "sales", signed=True, bars=True),
    Column("outlets", Kind.COUNT, Label("网点", "outlets"), "waterfall"),
    Column("growth", Kind.GROWTH, Label("增长", "growth"), "growth"),
]
_VALUE_STEP = 6  # the row of the value, below the parts


def _steps(total: pb.Waterfall) -> Iterator[Row]:
    base, value = total.closed_outlets + total.same_outlets, total.new_outlets + total.same_outlets
    yield (*_WATERFALL, "base", Label("基期", "base"), total.base_fen, None, base, None)
    yield _step(_WATERFALL, "new", Label("新增网点", "new outlets"), total.new_fen, total.new_outlets)
    yield _step(_WATERFALL, "opened", Label("  其中 新开业", "  of them opened"), total.opened_fen)
    yield _step(_WATERFALL, "first_sales", Label("  其中 首次销售", "  of them first sales"), total.first_sales_fen)
    yield _step(_WATERFALL, "closed", Label("退出网点", "closed outlets"), total.closed_fen, total.closed_outlets)
    yield _step(_WATERFALL, "same", Label("同店", "same outlets"), total.same_fen, total.same_outlets)
    change, growth = total.value_fen - total.base_fen, change_of(total.growth)
    yield (*_WATERFALL, "value", Label("本期", "period"), total.value_fen, change, value, growth)
    yield _step(_FACTORS, "scale", Label("网点数", "number of outlets"), total.scale_effect_fen)
    yield _step(_FACTORS, "intensity", Label("单店注数", "bets per outlet"), total.intensity_effect_fen)
    yield _step(_FACTORS, "price", Label("单注金额", "amount per bet"), total.price_effect_fen)
    yield _step(_FACTORS, "other", Label("其他", "other"), total.other_effect_fen)
    if total.HasField("by_averages"):
        found = total.by_averages
        yield _step(_AVERAGES, "scale", Label("网点数", "number of outlets"), found.scale_effect_fen)
        yield _step(_AVERAGES, "intensity", Label("店均注数", "average bets per outlet"), found.intensity_effect_fen)
        yield _step(_AVERAGES, "price", Label("注均金额", "average amount per bet"), found.price_effect_fen)


def _step(reading: tuple[str, Label], code: str, label: Label, change: int, outlets: int | None = None) -> Row:
    return (*reading, code, label, None, change, outlets, None)


def _group_columns(by: Sequence[str], *, factors: bool) -> list[Column]:
    part, effect = (None, 0) if factors else (0, None)
    return [
        Column("level", Kind.ID, Label("层级", "level"), screen=None),
        *(
            column
            for name in by
            for column in (
                Column(name, Kind.ID, Label(f"{DIMENSIONS[name].zh}代码", f"{DIMENSIONS[name].en} code"), screen=None),
                Column(f"{name}_name", Kind.NAME, DIMENSIONS[name], screen=None),
            )
        ),
        Column("group", Kind.NAME, Label("分组", "group")),
        Column("base", Kind.MONEY, Label("基期", "base"), "sales", screen=2),
        Column("new", Kind.MONEY, Label("新增", "new"), "sales", screen=part, signed=True),
        Column("closed", Kind.MONEY, Label("退出", "closed"), "sales", screen=part, signed=True),
        Column("same", Kind.MONEY, Label("同店", "same"), "sales", screen=part, signed=True),
        Column("scale_effect", Kind.MONEY, Label("网点数", "outlets"), "sales", screen=effect, signed=True),
        Column("intensity_effect", Kind.MONEY, Label("单店注数", "bets/outlet"), "sales", screen=effect, signed=True),
        Column("price_effect", Kind.MONEY, Label("单注金额", "per bet"), "sales", screen=effect, signed=True),
        Column("other_effect", Kind.MONEY, Label("其他", "other"), "sales", screen=effect, signed=True),
        Column("value", Kind.MONEY, Label("本期", "period"), "sales"),
        Column("growth", Kind.GROWTH, Label("增长", "growth"), "growth", screen=1),
        Column("change", Kind.MONEY, Label("增减", "change"), "sales", signed=True, bars=True),
        Column("opened", Kind.MONEY, Label("新开业", "opened"), "sales", screen=None, signed=True),
        Column("first_sales", Kind.MONEY, Label("首次销售", "first sales"), "sales", screen=None, signed=True),
        Column("moved", Kind.MONEY, Label("同店中迁入迁出", "moved, of same"), "sales", screen=None, signed=True),
        Column("new_outlets", Kind.COUNT, Label("新增网点", "new outlets"), "waterfall", screen=None),
        Column("closed_outlets", Kind.COUNT, Label("退出网点", "closed outlets"), "waterfall", screen=None),
        Column("same_outlets", Kind.COUNT, Label("同店网点", "same outlets"), "waterfall", screen=None),
        Column("moved_outlets", Kind.COUNT, Label("迁入迁出网点", "moved outlets"), "waterfall", screen=None),
        Column("others", Kind.COUNT, Label("合并组数", "groups summed"), screen=None),
        Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
    ]


def _groups(answer: pb.DecomposeResponse, by: Sequence[str]) -> Iterator[Row]:
    for line in (answer.total, *answer.groups):
        depth = len(line.group)
        cells: list[Cell] = []
        shown: Label | str = WHOLE
        for place, name in enumerate(by):
            if place >= depth:
                cells += [None, None]
                continue
            code, shown = group_cells(name, line.group[place], line.group_names[place])
            if line.others and place == depth - 1:
                shown = Label(f"其他 {line.others:,} 组", "1 other" if line.others == 1 else f"{line.others:,} others")
            cells += [code, shown]
        yield (
            by[depth - 1] if depth else "channel",
            *cells,
            _indented(shown, depth - 1),
            line.base_fen,
            line.new_fen,
            line.closed_fen,
            line.same_fen,
            line.scale_effect_fen,
            line.intensity_effect_fen,
            line.price_effect_fen,
            line.other_effect_fen,
            line.value_fen,
            change_of(line.growth),
            line.value_fen - line.base_fen,
            line.opened_fen,
            line.first_sales_fen,
            line.moved_fen,
            line.new_outlets,
            line.closed_outlets,
            line.same_outlets,
            line.moved_outlets,
            line.others,
            answer.about.currency,
        )


def _indented(name: Label | str, levels: int) -> Label:
    """The name behind two blanks for each level above; one that is unknown is told as such."""
    known = name or _UNKNOWN
    label = known if isinstance(known, Label) else Label(known, known)
    return Label(_INDENT * levels + label.zh, _INDENT * levels + label.en)


def _notes(by: Sequence[str]) -> Iterator[Note]:
    yield Note(
        Label(
            "基期＋新增＋退出＋同店＝本期，精确到分；网点按全部所问销售归类一次",
            "base + new + closed + same = period, to the fen; an outlet is judged once, by all its sales asked about",
        )
    )
    if not by:
        yield Note(
            Label(
                "因素：网点数＝新增＋退出，同店变动按对数平均（LMDI）分为单店注数与单注金额；均值：把新网点当作平均网点",
                "factors: outlets = new + closed, the same outlets' change by logarithmic mean (LMDI); averages: a new "
                "outlet counts as an average one",
            )
        )
