"""Channel scale as a sheet: a row for each bucket and group, counts at the end of the bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fucai.cli.out.periods import pairing_facts, period_title
from fucai.cli.out.reading import change_of, day_of, definitions_of, group_cells, group_columns
from fucai.cli.out.sheet import Cell, Column, Kind, Note, Row, Sheet, summed
from fucai.domain.comparison import RULES
from fucai.domain.labels import DIMENSIONS, Label
from fucai.domain.periods import Comparison
from fucai.v1 import analytics_pb2 as pb

_ALL = Label("合计", "total")
_AVERAGES: Final = (
    "sales_per_outlet_fen",
    "sales_per_installed_fen",
    "sales_per_outlet_open_day_fen",
    "sales_per_installed_open_day_fen",
)


def scale_sheet(answer: pb.ScaleResponse, *, by: Sequence[str]) -> Sheet:
    """The answer, grouped `by` these dimensions. Groups of one day add up, for each outlet counts once."""
    one_day = len({row.day for row in answer.rows}) == 1
    compared = bool(answer.pairing.base_from_day) or any(row.HasField("growth") for row in answer.rows)
    terminals = any(row.HasField("terminals") for row in answer.rows)
    columns = _columns(by, one_day=one_day, compared=compared, terminals=terminals)
    rows = [_row(row, by, answer.about.currency, compared=compared, terminals=terminals) for row in answer.rows]
    names = [DIMENSIONS.get(name, Label(name, name)) for name in by]
    zh, en = "、".join(name.zh for name in names), ", ".join(name.en for name in names)
    period = period_title(answer.pairing)
    told = [one for one in answer.about.definitions if one.name in {"active_outlets", "penetration"}]
    return Sheet(
        name="scale",
        title=Label(
            f"渠道规模 {period}" + (f"，按{zh}" if by else ""), f"Channel scale {period}" + (f", by {en}" if by else "")
        ),
        columns=columns,
        rows=rows,
        total=summed(columns, rows, _ALL) if one_day and len(rows) > 1 else None,
        currency=answer.about.currency,
        facts=pairing_facts(answer.pairing),
        notes=[*_compared(answer), *(Note(Label(one.text_zh, one.text_en)) for one in told)],
        definitions=definitions_of(answer.about.definitions),
        freshness=answer.about.freshness,
    )


def _compared(answer: pb.ScaleResponse) -> list[Note]:
    """What the active outlets are compared with: of several buckets, each with its own base."""
    pair = answer.pairing
    if len({row.day for row in answer.rows}) <= 1:
        return [Note(Label(pair.rule_zh, pair.rule_en))]
    if pair.rule == pb.COMPARISON_UNSPECIFIED:
        return []
    rule = RULES[Comparison(pair.rule)]
    return [Note(Label(f"各期末活跃网点对其基期末：{rule.zh}", f"active at the end of each bucket, {rule.en}"))]


def _columns(by: Sequence[str], *, one_day: bool, compared: bool, terminals: bool) -> list[Column]:
    def count(key: str, label: Label, definition: str, screen: int | None = 0) -> Column:
        return Column(key, Kind.COUNT, label, definition, screen, adds=one_day)

    return [
        Column("first_day", Kind.DAY, Label("起", "from"), screen=None),
        Column("day", Kind.DAY, Label("期末", "at the end of"), screen=None if one_day and by else 0),
        *(column for dimension in by for column in group_columns(dimension)),
        count("installed", Label("在册", "installed"), "installed", 1),
        count("active", Label("活跃", "active"), "active_outlets"),
        *(
            [
                count("base_active", Label("基期活跃", "base active"), "active_outlets", 7),
                Column("growth", Kind.GROWTH, Label("增长", "growth"), "growth", 1),
            ]
            if compared
            else []
        ),
        Column("penetration", Kind.RATIO, Label("活跃率", "penetration"), "penetration", 4),
        count("active_not_installed", Label("未在册活跃", "active, not installed"), "penetration", None),
        count("opened", Label("新增", "opened"), "turnover", 6),
        count("closed", Label("退出", "closed"), "turnover", 6),
        *(
            [
                count("terminals", Label("终端", "terminals"), "terminals", 2),
                count("active_terminals", Label("活跃终端", "of them active"), "terminals", 2),
            ]
            if terminals
            else []
        ),
        Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales", 3, adds=one_day),
        Column("sales_per_outlet", Kind.MONEY, Label("站均销量", "per outlet"), "sales_per_outlet", 3),
        Column("sales_per_installed", Kind.MONEY, Label("在册站均", "per installed"), "sales_per_installed", 8),
        Column("sales_per_outlet_open_day", Kind.MONEY, Label("开市日均", "per open day"), "per_open_day", 9),
        Column(
            "sales_per_installed_open_day",
            Kind.MONEY,
            Label("在册开市日均", "per installed, open day"),
            "per_open_day",
            None,
        ),
        *(
            [
                Column(
                    "sales_per_terminal_week",
                    Kind.MONEY,
                    Label("单机周销量", "per terminal, week"),
                    "sales_per_terminal_week",
                    5,
                )
            ]
            if terminals
            else []
        ),
        Column("open_days", Kind.COUNT, Label("开市日", "open days"), "per_open_day", None),
        Column("base_day", Kind.DAY, Label("基期末", "base at the end of"), screen=None),
        Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
    ]


def _row(row: pb.ScaleRow, by: Sequence[str], currency: str, *, compared: bool, terminals: bool) -> Row:
    groups: list[Cell] = [
        cell for group in zip(by, row.group, row.group_names, strict=True) for cell in group_cells(*group)
    ]
    base: list[Cell] = [row.base_active if row.HasField("base_active") else None, change_of(row.growth)]
    return (
        day_of(row.first_day),
        day_of(row.day),
        *groups,
        row.installed,
        row.active,
        *(base if compared else []),
        row.penetration if row.HasField("penetration") else None,
        row.active_not_installed,
        row.opened,
        row.closed,
        *([row.terminals, row.active_terminals] if terminals else []),
        row.sales_fen,
        *(getattr(row, name) if row.HasField(name) else None for name in _AVERAGES),
        *(
            [row.sales_per_terminal_week_fen if row.HasField("sales_per_terminal_week_fen") else None]
            if terminals
            else []
        ),
        row.open_days,
        day_of(row.base_day),
        currency,
    )
