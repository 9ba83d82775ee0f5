"""Silent outlets as a sheet: a row for each, the largest usual sales first, with why it counts as silent."""

from __future__ import annotations

from fucai.cli.out.reading import definitions_of
from fucai.cli.out.sheet import Column, Fact, Kind, Note, Row, Sheet, Tone
from fucai.cli.out.words import local_time
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb

_COLUMNS = [
    Column("outlet", Kind.ID, Label("网点代码", "outlet"), screen=3),
    Column("outlet_name", Kind.NAME, Label("网点", "name")),
    Column("zone_name", Kind.NAME, Label("区域", "zone"), screen=2),
    Column("mgmt_area", Kind.TEXT, Label("分区", "area"), screen=4),
    Column("last_sale", Kind.TIME, Label("最后一笔销售", "last sale")),
    Column("silent_hours", Kind.NUMBER, Label("静默时数", "silent h"), "silence"),
    Column("usual_sales", Kind.MONEY, Label("往常销售额", "usual sales"), "silence"),
    Column("reason", Kind.TEXT, Label("原因", "reason"), screen=5),
    Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
]


def silent_sheet(answer: pb.SilentResponse) -> Sheet:
    """The answer, with the moment it is of, how many outlets were looked at, and what was left out."""
    at = local_time(answer.at_ms) if answer.at_ms else None
    moment = f" {at:%Y-%m-%d %H:%M}" if at else ""
    return Sheet(
        name="silent",
        title=Label(f"静默网点，截至{moment}", f"Silent outlets as of{moment}"),
        columns=_COLUMNS,
        rows=[_row(one, answer) for one in answer.outlets],
        available=answer.total_rows,
        currency=answer.about.currency,
        facts=[
            Fact("at", Kind.TIME, Label("截至", "as of"), at),
            Fact("watched", Kind.COUNT, Label("在看网点", "outlets looked at"), answer.watched),
            Fact("without_pattern", Kind.COUNT, Label("无规律网点", "without a pattern"), answer.without_pattern),
            Fact("games_left_out", Kind.TEXT, Label("未计游戏", "games left out"), ", ".join(answer.games_left_out)),
        ],
        notes=_notes(answer),
        definitions=definitions_of(answer.about.definitions),
        freshness=answer.about.freshness,
        empty=Label("没有静默网点", "no outlet is silent"),
    )


def _row(one: pb.SilentOutlet, answer: pb.SilentResponse) -> Row:
    return (
        one.outlet_id,
        one.outlet_name,
        one.zone_name,
        one.mgmt_area,
        local_time(one.last_sale_ms) if one.last_sale_ms else None,
        one.silent_hours,
        one.usual_sales_fen,
        Label(one.reason_zh, one.reason_en),
        answer.about.currency,
    )


def _notes(answer: pb.SilentResponse) -> list[Note]:
    moment = f"{local_time(answer.at_ms):%Y-%m-%d %H:%M}" if answer.at_ms else ""
    looked = Label(
        (f"截至 {moment}，" if moment else "")
        + f"在看 {answer.watched:,} 个营业网点；其中 {answer.without_pattern:,} 个无法判断：所问时数内无逐笔销售，"
        "也无往常有逐笔销售的时段（如只报日汇总）",
        (f"as of {moment}: " if moment else "")
        + f"{answer.watched:,} open outlets looked at; {answer.without_pattern:,} can not be judged: no single sale in "
        "the hours asked about, and no hour in which single sales are usual (so it is where only daily summaries come)",
    )
    left_out = [Note(Label(answer.note_zh, answer.note_en), Tone.WARNING)] if answer.note_zh else []
    told = [one for one in answer.about.definitions if one.name == "silence"]
    return [*left_out, Note(looked), *(Note(Label(one.text_zh, one.text_en)) for one in told)]
