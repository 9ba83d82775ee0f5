"""A published series as a sheet: a row for each period, those that are missing with them and marked."""

from __future__ import annotations

from fucai.cli.out.reading import change_of, definitions_of
from fucai.cli.out.sheet import Column, Fact, Kind, Note, Plot, Row, Sheet, Tone
from fucai.domain.labels import SERIES, Label
from fucai.domain.verdict import VERDICTS, Verdict
from fucai.v1 import analytics_pb2 as pb

_MISSING = Label("缺", "gap")
_NOTHING = Label("", "")


def benchmark_sheet(answer: pb.BenchmarkResponse) -> Sheet:
    """The answer: amounts with computed and published growth, our own sales of the same days, excess and verdict."""
    name = SERIES.get(answer.series, Label(answer.series, answer.series))
    days = f"{answer.rows[0].period}..{answer.rows[-1].period}" if answer.rows else ""
    return Sheet(
        name="benchmark",
        title=Label(f"基准 {name.zh} {days}", f"Benchmark {name.en} {days}"),
        columns=_COLUMNS,
        rows=[_row(row, answer) for row in answer.rows],
        currency=answer.about.currency,
        facts=[
            Fact("series", Kind.ID, Label("系列", "series"), answer.series),
            Fact("missing", Kind.TEXT, Label("缺期", "missing periods"), ", ".join(answer.missing)),
            Fact("known_series", Kind.TEXT, Label("全部系列", "all series"), ", ".join(answer.known_series)),
        ],
        notes=_notes(answer),
        definitions=definitions_of(answer.about.definitions),
        freshness=answer.about.freshness,
        plot=Plot("period", ["amount", "base_amount"]),
    )


_COLUMNS = [
    Column("period", Kind.TEXT, Label("期", "period")),
    Column("gap", Kind.TEXT, Label("缺期", "gap"), "benchmark"),
    Column("amount", Kind.MONEY, Label("基准金额", "benchmark"), "benchmark", bars=True),
    Column("base_amount", Kind.MONEY, Label("上年同期", "year before"), "benchmark", screen=5),
    Column("computed_growth", Kind.RATIO, Label("计算同比", "computed"), "benchmark", signed=True),
    Column("published_growth", Kind.RATIO, Label("公布同比", "published"), "benchmark", screen=1, signed=True),
    Column("sales", Kind.MONEY, Label("本渠道销售额", "our sales"), "sales"),
    Column("growth", Kind.GROWTH, Label("增长", "growth"), "growth"),
    Column("excess", Kind.POINTS, Label("超额", "excess"), "excess"),
    Column("verdict", Kind.NAME, Label("评语", "verdict"), "verdict"),
    Column("absent", Kind.TEXT, Label("缺失原因", "why absent"), screen=None),
    Column("basis", Kind.TEXT, Label("来源", "basis"), screen=4),
    Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
]


def _row(row: pb.BenchmarkRow, answer: pb.BenchmarkResponse) -> Row:
    stored, published = row.HasField("sales_fen"), row.HasField("amount_fen")
    judged = row.verdict != pb.VERDICT_UNSPECIFIED
    return (
        row.period,
        _NOTHING if published else _MISSING,
        row.amount_fen if published else None,
        row.base_amount_fen if row.HasField("base_amount_fen") else None,
        row.computed_growth if row.HasField("computed_growth") else None,
        row.published_growth if row.HasField("published_growth") else None,
        row.sales_fen if stored else None,
        change_of(row.growth) if stored else None,
        row.excess_points if row.HasField("excess_points") else None,
        VERDICTS[Verdict(row.verdict)] if judged else None,
        Label(row.absent_zh, row.absent_en) if row.absent_zh else _NOTHING,
        row.basis,
        answer.about.currency,
    )


def _notes(answer: pb.BenchmarkResponse) -> list[Note]:
    notes = []
    if answer.missing:
        listed = ", ".join(answer.missing)
        text = Label(
            f"缺 {len(answer.missing)} 期，未作插补：{listed}",
            f"{len(answer.missing)} missing, none interpolated: {listed}",
        )
        notes.append(Note(text, Tone.WARNING))
    absent = {(row.absent_zh, row.absent_en): row.period for row in reversed(answer.rows) if row.absent_zh}
    for (zh, en), first in absent.items():
        count = sum(row.absent_zh == zh for row in answer.rows)
        more = Label(f"等 {count} 期", f" and {count - 1} more") if count > 1 else _NOTHING
        notes.append(
            Note(Label(f"本渠道 {first} {more.zh}：{zh}".replace("  ", " "), f"ours of {first}{more.en}: {en}"))
        )
    return notes
