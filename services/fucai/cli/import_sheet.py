"""What an import of master data changed, or every line to mend, as sheets. Imports nothing."""

from __future__ import annotations

from collections.abc import Sequence

from fucai.cli.out.sheet import Column, Fact, Kind, Note, Row, Sheet, Tone, summed
from fucai.domain.labels import Label
from fucai.v1 import registry_pb2 as pb

_CHANGES = [
    Column("table", Kind.ID, Label("登记表", "table")),
    Column("added", Kind.COUNT, Label("新增", "added"), adds=True),
    Column("corrected", Kind.COUNT, Label("更正", "corrected"), adds=True),
    Column("unchanged", Kind.COUNT, Label("未变", "unchanged"), adds=True),
]
_PROBLEMS = [
    Column("file", Kind.ID, Label("文件", "file")),
    Column("line", Kind.COUNT, Label("行", "line")),
    Column("column", Kind.ID, Label("列", "column")),
    Column("value", Kind.ID, Label("值", "value")),
    Column("remedy", Kind.TEXT, Label("处理", "remedy")),
]


def changes_sheet(summary: pb.ImportSummary, sample_draws: int) -> Sheet:
    """Rows added, corrected and unchanged in each table, and what the import is known by."""
    rows: list[Row] = [
        (
            pb.RegistryTable.Name(part.table).removeprefix("REGISTRY_TABLE_").lower(),
            *(part.added, part.corrected, part.unchanged),
        )
        for part in summary.tables
    ]
    notes = [Note(_known_by(summary), Tone.STRONG)]
    if sample_draws:
        text = Label(
            f"已登记样本期次 {sample_draws:,} 期，到预定时间自行开奖",
            f"{sample_draws:,} sample draws registered, which end by themselves at their scheduled time",
        )
        notes.append(Note(text))
    return Sheet(
        name="import",
        title=Label("登记表导入", "Import into the registry"),
        columns=_CHANGES,
        rows=rows,
        total=summed(_CHANGES, rows, Label("合计", "all")),
        facts=[
            Fact("import_id", Kind.ID, Label("导入编号", "import"), str(summary.import_id or "")),
            Fact("revision", Kind.COUNT, Label("登记表版本", "registry revision"), summary.revision),
            Fact("sample_draws", Kind.COUNT, Label("样本期次", "sample draws"), sample_draws),
        ],
        notes=notes,
    )


def problems_sheet(problems: Sequence[pb.ImportProblem]) -> Sheet:
    """Every problem: where, which column, the value found, what to do; a problem of a whole file has no line."""
    rows: list[Row] = [(one.file, one.line or None, one.field, one.value, one.remedy) for one in problems]
    return Sheet("problems", Label("需修改的行", "Lines to mend"), _PROBLEMS, rows)


def _known_by(summary: pb.ImportSummary) -> Label:
    """What the import is known by."""
    if not summary.import_id:
        return Label(
            f"没有变化；登记表仍为版本 {summary.revision}",
            f"nothing changed; the registry stays at revision {summary.revision}",
        )
    return Label(
        f"导入 {summary.import_id} 已存；登记表为版本 {summary.revision}",
        f"import {summary.import_id} is stored; the registry is at revision {summary.revision}",
    )
