"""An audit as sheets: the lines of a day or the roots of a period, with what was found beside. Compares nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from rich.console import RenderableType

from fucai.auditor.lines import Line, Verdict
from fucai.auditor.report import VERDICTS
from fucai.auditor.run import Audit
from fucai.auditor.statements import Sums
from fucai.cli.definitions import RECONCILIATION, ROOT
from fucai.cli.numbers import exact
from fucai.cli.out.reading import day_of
from fucai.cli.out.screen import View, show
from fucai.cli.out.sheet import Cell, Column, Fact, Kind, Row, Sheet
from fucai.domain.labels import Label
from fucai.runtime.settings import ServiceSettings

_ORDER = (Verdict.DIFFERS, Verdict.AGREES, Verdict.IN_FLIGHT, Verdict.WAIVED, Verdict.NO_CLOSE)
_ACCOUNTS = {
    "stated": Label("日结", "close"),
    "closed": Label("日结所涵", "covered by closes"),
    "kafka": Label("Kafka", "Kafka"),
    "stored": Label("入库", "stored"),
    "quarantined": Label("隔离", "quarantine"),
}
_SHOWN = ("stated", "kafka", "stored")
_DAY = Column("business_day", Kind.DAY, Label("营业日", "day"))
_TERMINAL = Column("terminal_id", Kind.ID, Label("终端", "terminal"))
_EPOCH = Column("epoch", Kind.ID, Label("纪元", "epoch"), screen=None)
_LINE = [
    replace(_DAY, screen=None),
    Column("outlet_id", Kind.ID, Label("网点", "outlet"), screen=None),
    _TERMINAL,
    _EPOCH,
    Column("game", Kind.ID, Label("游戏", "game")),
    Column("kind", Kind.ID, Label("事件", "kind")),
    Column("withheld", Kind.FLAG, Label("封存", "sealed"), screen=None),
    *(
        column
        for account, label in _ACCOUNTS.items()
        for column in (
            Column(f"{account}_events", Kind.COUNT, Label(f"{label.zh}事件", f"{label.en} events")),
            Column(f"{account}_bets", Kind.COUNT, Label(f"{label.zh}注数", f"{label.en} bets")),
            Column(account, Kind.MONEY, label),
        )
    ),
    Column("in_flight_events", Kind.COUNT, Label("在途", "in flight")),
    Column("verdict", Kind.ID, Label("结论代码", "verdict code"), screen=None),
    Column("verdict_name", Kind.NAME, Label("结论", "verdict"), RECONCILIATION.name),
    Column("sequences", Kind.ID, Label("序号", "seqs")),
    Column("detail", Kind.TEXT, Label("说明", "detail"), screen=None),
]
_ROOTS = [
    _DAY,
    Column("root", Kind.ID, Label("根哈希", "root hash"), ROOT.name),
    Column("previous", Kind.ID, Label("前一日", "previous"), screen=None),
    Column("closes", Kind.COUNT, Label("日结", "closes")),
    Column("chains", Kind.COUNT, Label("自算链", "chains")),
]
_FINDINGS = [
    Column("kind", Kind.ID, Label("类别", "kind")),
    _TERMINAL,
    replace(_EPOCH, screen=0),
    Column("first_seq", Kind.ID, Label("起序号", "first no.")),
    Column("last_seq", Kind.ID, Label("止序号", "last no.")),
    Column("place", Kind.ID, Label("位置", "where")),
    Column("field", Kind.ID, Label("字段", "field")),
    Column("detail", Kind.TEXT, Label("说明", "detail")),
]


def lines_sheet(found: Audit) -> Sheet:
    """A row for each line, those that need a look first; figures with a sealed draw are missing. Findings beside."""
    lines = sorted(found.lines, key=lambda line: _ORDER.index(line.verdict))
    counts = Counter(line.verdict for line in lines)
    return Sheet(
        name="reconciliation",
        title=Label(f"对账 {found.question.first}", f"Reconciliation {found.question.first}"),
        columns=_LINE,
        rows=[_line(line) for line in lines],
        currency=ServiceSettings.from_env().currency,
        facts=[
            *_facts(found),
            *(Fact(f"{verdict}_lines", Kind.COUNT, label, counts[verdict]) for verdict, label in VERDICTS.items()),
        ],
        definitions=[RECONCILIATION],
        bold=frozenset(at for at, line in enumerate(lines) if line.verdict is Verdict.DIFFERS),
        beside=[_findings(found)],
        empty=Label("当日没有事件与日结", "no events and no closes on that day"),
    )


def roots_sheet(found: Audit) -> Sheet:
    """A row for each day with its root hash; findings beside."""
    first, last = found.question.first, found.question.last
    return Sheet(
        name="roots",
        title=Label(f"根哈希 {first} 至 {last}", f"Root hashes {first} to {last}"),
        columns=_ROOTS,
        rows=[(day.business_day, day.root.hex(), day.previous.hex(), day.closes, day.chains) for day in found.roots],
        facts=_facts(found),
        definitions=[ROOT],
        beside=[_findings(found)],
    )


def accounts(sheet: Sheet, view: View) -> RenderableType:
    """How people see the lines: events and amount of an account in one cell, *** where they are withheld."""
    kept = [
        column
        for column in sheet.columns
        if column.screen is not None and column.key.split("_")[0] not in (*_ACCOUNTS, "in")
    ]
    at = len(kept) - 2
    columns = [*kept[:at], *(Column(name, Kind.TEXT, _ACCOUNTS[name]) for name in _SHOWN)]
    columns += [Column("quarantined_events", Kind.COUNT, _ACCOUNTS["quarantined"]), *kept[at:]]
    keys = [column.key for column in sheet.columns]
    named = [dict(zip(keys, row, strict=True)) for row in sheet.rows]
    width = {name: max((len(_account(cells, name)) for cells in named), default=0) for name in _SHOWN}
    several = _several_epochs(sheet)
    rows: list[Row] = []
    for cells in named:
        texts: dict[str, Cell] = {name: _account(cells, name).rjust(width[name]) for name in _SHOWN}
        texts["quarantined_events"] = cells["quarantined_events"] or None
        if cells["terminal_id"] in several:
            texts["terminal_id"] = f"{cells['terminal_id']}/{cells['epoch']}"
        rows.append(tuple((cells | texts)[column.key] for column in columns))
    return plainly(replace(sheet, columns=columns, rows=rows), view)


def plainly(sheet: Sheet, view: View) -> RenderableType:
    """How people see it without the findings, which stderr tells in sentences."""
    return show(replace(sheet, beside=()), view)


def _several_epochs(sheet: Sheet) -> set[Cell]:
    """Terminals with lines of more than one epoch."""
    terminal, epoch = sheet.place("terminal_id"), sheet.place("epoch")
    epochs = {(row[terminal], row[epoch]) for row in sheet.rows}
    return {name for name, count in Counter(name for name, _ in epochs).items() if count > 1}


def _account(cells: dict[str, Cell], name: str) -> str:
    events, fen = cells[f"{name}_events"], cells[name]
    if not isinstance(events, int) or not isinstance(fen, int):
        return "***" if cells["withheld"] else "—"
    sign = "-" if fen < 0 else ""
    yuan, _, rest = exact(abs(fen)).partition(".")
    return f"{events:,}   {sign}{int(yuan):,}.{rest}"


def _line(line: Line) -> Row:
    given: list[Sums | None] = [line.stated, line.closed, line.kafka, line.stored, line.quarantined]
    sums: list[Cell] = []
    for account in given:
        sums += (None, None, None) if account is None or line.withheld else account
    return (
        *(day_of(line.business_day), line.outlet_id, line.terminal_id, str(line.epoch), line.game, line.kind),
        line.withheld,
        *sums,
        None if line.withheld else line.in_flight,
        *(str(line.verdict), VERDICTS[line.verdict], line.sequences, line.detail),
    )


def _facts(found: Audit) -> list[Fact]:
    """What was read, and whether anything was found."""
    counts = {
        "records": (Label("Kafka 记录", "records in Kafka"), found.records),
        "events": (Label("Kafka 事件", "events in Kafka"), found.events),
        "stored_rows": (Label("库中行数", "stored rows"), found.rows),
        "statements": (Label("声明", "statements"), found.statements),
        "in_flight": (Label("在途事件", "events in flight"), found.in_flight),
        "findings": (Label("发现", "findings"), len(found.findings)),
    }
    return [
        Fact("run_id", Kind.ID, Label("运行编号", "run"), found.run_id),
        Fact("first_day", Kind.DAY, Label("首日", "first day"), found.question.first),
        Fact("last_day", Kind.DAY, Label("末日", "last day"), found.question.last),
        Fact("clean", Kind.FLAG, Label("无不一致", "nothing differs"), found.is_clean),
        *(Fact(key, Kind.COUNT, label, count) for key, (label, count) in counts.items()),
    ]


def _findings(found: Audit) -> Sheet:
    """What was found, whose it is, and where."""
    return Sheet(
        name="findings",
        title=Label("发现", "Findings"),
        columns=_FINDINGS,
        rows=[
            (
                *(str(each.kind), each.terminal_id, str(each.epoch or ""), str(each.first_seq or "")),
                *(str(each.last_seq or ""), each.where, each.field, each.detail),
            )
            for each in found.findings
        ],
        available=len(found.findings),
    )
