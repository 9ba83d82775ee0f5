"""A page that an auditor can keep: one self-contained HTML file in Chinese and English, and the lines as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, TextIO

from fucai.auditor.findings import LABELS
from fucai.auditor.lines import Line, Verdict
from fucai.auditor.run import Audit
from fucai.auditor.statements import Sums
from fucai.domain.labels import Label
from fucai.runtime.telemetry import version

VERDICTS: dict[Verdict, Label] = {
    Verdict.AGREES: Label("一致", "agrees"),
    Verdict.DIFFERS: Label("不一致", "differs"),
    Verdict.NO_CLOSE: Label("无日结", "no close"),
    Verdict.IN_FLIGHT: Label("入库中", "in flight"),
    Verdict.WAIVED: Label("已核销", "waived"),
}
HEADER = [
    "business_day", "outlet_id", "terminal_id", "epoch", "game", "kind", "verdict", "withheld",
    *(f"{account}_{what}" for account in ("stated", "closed", "kafka", "stored", "quarantined")
      for what in ("events", "bets", "fen")),
    "in_flight_events", "sequences", "detail",
]  # fmt: skip
_MOST_ROWS = 2_000
_COMPARED = Label(
    "终端签名日结、Kafka 原始记录、ClickHouse 明细，三方逐事件核对；Kafka 由审计程序以自有解析代码重新清点。",
    "The terminals' signed closes, Kafka's records and the stored rows, event by event; Kafka was recounted with "
    "parsing code of the auditor's own.",
)
_STYLE = """
body{font:13px/1.5 "Noto Sans SC","PingFang SC","Microsoft YaHei",system-ui,sans-serif;margin:2em;color:#111}
h1{font-size:20px;margin:0 0 .2em}h2{font-size:15px;margin:1.4em 0 .3em}
table{border-collapse:collapse;width:100%}
th,td{border:1px solid #bbb;padding:2px 6px;text-align:left;vertical-align:top;overflow-wrap:anywhere}
.ok{color:#0a6b2d;font-weight:600}.bad{color:#b00020;font-weight:600}thead{display:table-header-group}
@media print{@page{size:A4 landscape;margin:12mm}body{margin:0}tr{break-inside:avoid}}
"""


def line_values(line: Line) -> list[Any]:
    """A line as a row under HEADER; None where there is no close, or where sums are withheld."""
    sums: list[int | None] = []
    for account in (line.stated, line.closed, line.kafka, line.stored, line.quarantined):
        sums += [None] * 3 if account is None or line.withheld else account
    flying = None if line.withheld else line.in_flight
    return [line.business_day, line.outlet_id, line.terminal_id, line.epoch, line.game, line.kind, str(line.verdict),
            line.withheld, *sums, flying, line.sequences, line.detail]  # fmt: skip


def write_lines(lines: Iterable[Line], out: TextIO) -> None:
    """Write lines as RFC 4180 CSV."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(["" if value is None else value for value in line_values(line)] for line in lines)


def write_report(audit: Audit, folder: Path, sources: Sequence[tuple[str, str]]) -> list[Path]:
    """Write the page, the lines and the findings into a folder and return their paths; `sources` says what was read.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    question = audit.question
    span = f"{question.first}" if question.first == question.last else f"{question.first}_{question.last}"
    page = folder / f"audit-{span}-{audit.run_id}.html"
    page.write_text(html(audit, sources), encoding="utf-8")
    lines, findings = page.with_suffix(".csv"), page.with_suffix(".findings.csv")
    with lines.open("w", encoding="utf-8-sig", newline="") as out:
        write_lines(audit.lines, out)
    with findings.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["kind", "terminal_id", "epoch", "first_seq", "last_seq", "place", "field", "detail"])
        writer.writerows(
            [each.kind, each.terminal_id, each.epoch, each.first_seq, each.last_seq, each.where, each.field,
             each.detail]
            for each in audit.findings
        )  # fmt: skip
    return [page, lines, findings]


def html(audit: Audit, sources: Sequence[tuple[str, str]]) -> str:
    """The page; it loads nothing from anywhere."""
    question = audit.question
    at = datetime.fromtimestamp(audit.run_at_ms / 1000, UTC).isoformat(sep=" ", timespec="seconds")
    outcome = (
        '<p class="ok">未发现不一致 · Nothing differs</p>'
        if audit.is_clean
        else f'<p class="bad">发现 {len(audit.findings):,} 项 · {len(audit.findings):,} findings</p>'
    )
    facts = [
        ("营业日 · Business days", f"{question.first} – {question.last}"),
        ("对账时间 · Run at", f"{at} UTC"),
        ("运行编号 · Run", audit.run_id),
        ("软件版本 · Software", f"fucai {version()}"),
        *sources,
        ("声明 · Statements", f"{audit.statements:,}"),
        ("Kafka 记录、事件 · Kafka records, events", f"{audit.records:,} · {audit.events:,}"),
        ("库中行数 · Stored rows", f"{audit.rows:,}"),
        ("终端与纪元 · Terminals and epochs", f"{audit.terminals:,}"),
        ("无法采信而隔离的记录 · Bad records in quarantine", f"{audit.bad_records:,}"),
        ("入库中事件 · Events in flight", f"{audit.in_flight:,}"),
        ("无法核对的摘要 · Digests not followed", f"{audit.unfollowed:,}"),
    ]
    return "".join((
        '<!doctype html><html lang="zh"><head><meta charset="utf-8">',
        f"<title>对账报告 Audit {question.first}</title><style>{_STYLE}</style></head><body>",
        "<h1>福彩渠道对账报告 · Audit of lottery channel figures</h1>", outcome,
        _table(("", ""), facts),
        f"<h2>比较范围 · What was compared</h2><p>{_COMPARED.zh}<br>{_COMPARED.en}</p>",
        "<h2>根哈希 · Root hashes</h2>",
        _table(("营业日 day", "根哈希 root", "前一日 previous", "日结 closes", "自算链 chains"),
               [(str(day.business_day), day.root.hex(), day.previous.hex(), str(day.closes), str(day.chains))
                for day in audit.roots]),
        "<h2>发现 · Findings</h2>", _findings(audit),
        "<h2>分项对账 · Lines</h2>" + _lines(audit.lines) if question.with_lines else "",
        "<h2>签字 · Signature</h2><p>审计人 Auditor ________________ 日期 Date ________________</p></body></html>\n",
    ))  # fmt: skip


def _findings(audit: Audit) -> str:
    if not len(audit.findings):
        return "<p>无 · none</p>"
    rows = [
        (f"{LABELS[each.kind].zh} · {LABELS[each.kind].en}", each.terminal_id, str(each.epoch or ""), each.sequences,
         each.where, each.field, each.detail)
        for each in list(audit.findings)[:_MOST_ROWS]
    ]  # fmt: skip
    names = ("类别 kind", "终端 terminal", "纪元 epoch", "序号 seqs", "位置 where", "字段 field", "说明 detail")
    more = len(audit.findings) - len(rows)
    return _table(names, rows) + (f"<p>另有 {more:,} 项 · and {more:,} more</p>" if more > 0 else "")


def _lines(lines: Sequence[Line]) -> str:
    shown = sorted(lines, key=lambda line: line.verdict is not Verdict.DIFFERS)[:_MOST_ROWS]
    names = ("网点 outlet", "终端 terminal", "游戏 game", "事件 kind", "日结 close", "Kafka", "库 stored",
             "隔离 quarantine", "结论 verdict", "序号 seqs", "说明 detail")  # fmt: skip
    rows = [
        (line.outlet_id, f"{line.terminal_id} / {line.epoch}", line.game, line.kind, sums_text(line.stated, line),
         sums_text(line.kafka, line), sums_text(line.stored, line), sums_text(line.quarantined, line),
         f"{VERDICTS[line.verdict].zh} · {VERDICTS[line.verdict].en}", line.sequences, line.detail)
        for line in shown
    ]  # fmt: skip
    more = len(lines) - len(shown)
    note = "笔数 / 注数 / 元；期次封存期间不显示金额 · events / bets / yuan; withheld while a draw is sealed"
    rest = f"；另有 {more:,} 行见 CSV · {more:,} more in the CSV" if more > 0 else ""
    return f"<p>{note}{rest}</p>" + _table(names, rows)


def sums_text(sums: Sums | None, line: Line) -> str:
    """An account of a line for people: events / bets / yuan."""
    if sums is None:
        return "—"
    if line.withheld:
        return "***"
    return f"{sums[0]:,} / {sums[1]:,} / {sums[2] // 100:,}.{sums[2] % 100:02}"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if any(names) else ''}<tbody>{body}</tbody></table>"
