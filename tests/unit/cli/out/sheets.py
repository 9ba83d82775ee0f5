"""A sheet with a column of every kind, and rows of nasty values drawn at random."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import strategies as st

from fucai.cli.out.sheet import Change, Column, Definition, Fact, Kind, Mark, Note, Row, Sheet, Tone, summed
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb

FRESH = pb.DataFreshness(
    latest_received_ms=1_741_600_000_000, first_day="2021-11-17", last_day="2025-03-10", answered_ms=1_741_600_001_000
)
COLUMNS = (
    Column("outlet", Kind.ID, Label("网点代码", "outlet code")),
    Column("outlet_name", Kind.NAME, Label("网点", "outlet"), screen=4),
    Column("remark", Kind.TEXT, Label("备注", "remark"), screen=5),
    Column("opened", Kind.DAY, Label("开业", "opened"), screen=3),
    Column("seen", Kind.TIME, Label("最近", "last seen"), screen=6),
    Column("sales", Kind.MONEY, Label("销售额", "sales"), "sales", adds=True),
    Column("bets", Kind.COUNT, Label("注数", "bets"), "bets", screen=2, adds=True),
    Column("hours", Kind.NUMBER, Label("时长", "hours"), screen=7),
    Column("share", Kind.RATIO, Label("占比", "share"), "share", screen=8),
    Column("excess", Kind.POINTS, Label("超额", "excess"), "excess", screen=9),
    Column("growth", Kind.GROWTH, Label("增长", "growth"), "growth", screen=1),
    Column("open", Kind.FLAG, Label("营业", "open"), screen=10),
    Column("daily", Kind.CURVE, Label("走势", "by day"), "sales", screen=11),
)
_NASTY = [
    *("0012", "00000", "1234567890123456789", "-5", "+1", "=1+1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x";"点")'),
    *('a"b', "a,b", "line\nbreak", "福彩3D·刮刮乐", "𝟛🎰👩‍👩‍👧", "", " ", "'", "NULL", "TRUE", "1e5", "2025-03-01"),
    *("_x0041_", "[red]x[/red]"),
]
# Characters that XML and hence a spreadsheet has; other controls have a test of their own.
TEXT = st.sampled_from(_NASTY) | st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn"), include_characters="\n\t"), max_size=30
)
_FEN = st.integers(-(10**16), 10**16) | st.sampled_from([0, 1, -1, 10**15 - 1, 10**15, 99])
_RATIO = st.floats(-1e6, 1e6, allow_nan=False)
_ZONE = timezone(timedelta(hours=8))


def changes() -> st.SearchStrategy[Change]:
    """A growth figure: with a ratio, or with a mark instead."""
    return st.builds(Change, _RATIO, st.sampled_from([Mark.RATIO, Mark.PARTIAL_BASE])) | st.builds(
        Change, st.none(), st.sampled_from([Mark.NEW, Mark.NO_BASE, Mark.BOTH_ZERO, Mark.NEGATIVE_BASE])
    )


def rows() -> st.SearchStrategy[list[Row]]:
    """Rows under COLUMNS; any value may be missing but the id."""
    cells: list[st.SearchStrategy[object]] = [
        TEXT,
        TEXT,
        TEXT,
        st.dates(date(1990, 1, 1), date(2090, 1, 1)),
        st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(  # noqa: DTZ001 (given its zone in the next line)
            lambda at: at.replace(microsecond=0, tzinfo=_ZONE)
        ),
        _FEN,
        st.integers(-(10**12), 10**12),
        _RATIO,
        _RATIO,
        _RATIO,
        changes(),
        st.booleans(),
        st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=5).map(tuple),
    ]
    return st.lists(st.tuples(cells[0], *(st.none() | cell for cell in cells[1:])), max_size=5)


def sheet_of(found: list[Row]) -> Sheet:
    """A sheet with these rows and everything that may belong to one."""
    return Sheet(
        name="sample",
        title=Label("样例", "Sample"),
        columns=COLUMNS,
        rows=found,
        total=summed(COLUMNS, found, Label("合计", "total")),
        currency="CNY",
        facts=[Fact("from_day", Kind.DAY, Label("起", "from"), date(2025, 3, 1))],
        notes=[Note(Label("对比规则", "the rule")), Note(Label("封存 1 期", "1 draw withheld"), Tone.WARNING)],
        definitions=[Definition("sales", Label("销售额：…", "Sales: ..."))],
        freshness=FRESH,
    )


ROW: Row = (
    *("0012", '天津"店"', "=1+1", date(2025, 3, 1), datetime(2025, 3, 1, 8, tzinfo=UTC), -123_456_705, 20, 1.5),
    *(0.25, -3.25, Change(0.07, Mark.RATIO), True, (1, 2, 3)),
)
