"""A ranking as a sheet: a row for each place, and one for the others where not all are shown."""

from __future__ import annotations

from collections.abc import Iterator

from fucai.cli.out.periods import pairing_facts, pairing_notes, period_title
from fucai.cli.out.reading import change_of, definitions_of, group_cells, group_columns
from fucai.cli.out.sheet import Cell, Column, Fact, Kind, Note, Row, Sheet
from fucai.domain.labels import DIMENSIONS, Label
from fucai.v1 import analytics_pb2 as pb

_BP = 10_000
_MEASURES = {
    "sales": Label("销售额", "sales"),
    "bets": Label("注数", "bets"),
    "companion": Label("同店其他消费", "companion spend"),
}
_RANKINGS = {
    pb.RANKING_UNSPECIFIED: Label("排名", "Ranking"),
    pb.RANKING_MEASURE: Label("排名", "Ranking"),
    pb.RANKING_GROWTH: Label("增长率排名", "Ranking by growth"),
    pb.RANKING_CONTRIBUTION: Label("贡献排名", "Ranking by contribution"),
    pb.RANKING_NEW_STAR: Label("新星网点", "New stars"),
    pb.RANKING_PROGRESS: Label("进步网点", "Progress"),
}


def rank_sheet(answer: pb.RankResponse, request: pb.RankRequest) -> Sheet:
    """The answer to a request: place, name, area, value, base, growth, share, change; ids and areas as codes too."""
    of, within, measure = request.of or "outlet", request.within, request.measure or "sales"
    title, area = _RANKINGS[request.ranking], DIMENSIONS.get(within)
    days = period_title(answer.pairing)
    return Sheet(
        name="rank",
        title=Label(
            f"{title.zh}：{DIMENSIONS[of].zh} {days}" + (f"，各{area.zh}内" if area else ""),
            f"{title.en}: {DIMENSIONS[of].en} {days}" + (f", within each {area.en}" if area else ""),
        ),
        columns=_columns(of, within, measure),
        rows=[_row(row, of, within, measure, answer.about.currency) for row in answer.rows],
        available=answer.total_rows,
        currency=answer.about.currency,
        facts=[
            *pairing_facts(answer.pairing),
            Fact("eligibility", Kind.TEXT, Label("入榜规则", "eligibility"), Label(answer.rule_zh, answer.rule_en)),
            Fact("ranked", Kind.COUNT, Label("入榜", "ranked"), answer.ranked),
            Fact("left_out", Kind.COUNT, Label("未入榜", "left out"), answer.left_out),
        ],
        notes=list(_notes(answer)),
        definitions=definitions_of(answer.about.definitions),
        freshness=answer.about.freshness,
        beside=_concentrations(answer, within),
        empty=Label("无一入榜", "nobody is ranked"),
    )


def _columns(of: str, within: str, measure: str) -> list[Column]:
    kind = Kind.COUNT if measure == "bets" else Kind.MONEY
    label = DIMENSIONS[of]
    return [
        Column("place", Kind.COUNT, Label("名次", "place"), "places"),
        Column("id", Kind.ID, Label(f"{label.zh}代码", f"{label.en} code"), screen=None),
        Column("name", Kind.NAME, label),
        *(
            [Column(f"within_{one.key}", one.kind, one.label, screen=one.screen) for one in group_columns(within)]
            if within
            else []
        ),
        Column("value", kind, _MEASURES[measure], measure),
        Column("base", kind, Label("基期", "base"), measure, screen=2),
        Column("growth", Kind.GROWTH, Label("增长", "growth"), "growth"),
        Column("share", Kind.RATIO, Label("占比", "share"), "places", screen=1),
        Column("contribution", kind, Label("增减", "change"), measure, screen=3, signed=True),
        Column("members", Kind.COUNT, Label("个数", "members"), screen=None),
        Column("measure", Kind.ID, Label("指标", "measure"), screen=None),
        Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
    ]


def _row(row: pb.RankRow, of: str, within: str, measure: str, currency: str) -> Row:
    measured = row.measurement
    _, name = group_cells(of, row.id, row.name)
    others = Label(f"其他 {row.members:,} 个", "1 other" if row.members == 1 else f"{row.members:,} others")
    based = measured.HasField("base")
    return (
        row.place or None,
        row.id if row.place else None,
        name if row.place else others,
        *(group_cells(within, row.within, row.within_name) if within else ()),
        _amount(measured.value),
        _amount(measured.base) if based else None,
        change_of(measured.growth),
        row.share_bp / _BP,
        row.contribution if based else None,
        row.members,
        measure,
        currency,
    )


def _concentrations(answer: pb.RankResponse, within: str) -> list[Sheet]:
    """How unequally the measure is spread in each ranking, as a table beside the places."""
    columns = [
        *(
            [Column(f"within_{one.key}", one.kind, one.label, screen=one.screen) for one in group_columns(within)]
            if within
            else []
        ),
        Column("members", Kind.COUNT, Label("大于零者", "above zero"), "concentration"),
        Column("top_members", Kind.COUNT, Label("最大 10% 个数", "largest 10 %"), "concentration"),
        Column("top_share", Kind.RATIO, Label("最大 10% 占比", "their share"), "concentration"),
        Column("gini", Kind.NUMBER, Label("基尼系数", "Gini"), "concentration"),
    ]
    rows: list[Row] = [
        (
            *(group_cells(within, one.within, one.within_name) if within else ()),
            one.members,
            one.top_members,
            one.top_share if one.HasField("top_share") else None,
            one.gini if one.HasField("gini") else None,
        )
        for one in answer.concentrations
    ]
    if not rows:
        return []
    return [Sheet(name="concentration", title=Label("集中度", "Concentration"), columns=columns, rows=rows)]


def _amount(value: pb.Quantity) -> Cell:
    return value.count if value.HasField("count") else value.fen


def _notes(answer: pb.RankResponse) -> Iterator[Note]:
    yield from pairing_notes(answer.pairing)
    yield Note(Label(answer.rule_zh, answer.rule_en))
    zh = "；".join(f"{one.text_zh} {one.members:,}" for one in answer.reasons)
    en = "; ".join(f"{one.text_en} {one.members:,}" for one in answer.reasons)
    yield Note(
        Label(
            f"入榜 {answer.ranked:,}，未入榜 {answer.left_out:,}" + (f"：{zh}" if zh else ""),
            f"{answer.ranked:,} ranked, {answer.left_out:,} left out" + (f": {en}" if en else ""),
        )
    )
