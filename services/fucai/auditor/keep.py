"""What an audit found, as rows of the tables: sums of sealed draws stay out. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from fucai.adapters import audit_store
from fucai.adapters.clickhouse import Client
from fucai.auditor.findings import Finding
from fucai.auditor.lines import Line
from fucai.auditor.run import Audit
from fucai.auditor.statements import Sums
from fucai.runtime.telemetry import version

_HIDDEN: Sums = (0, 0, 0)


def keep(client: Client, audit: Audit, source: str, today: date) -> None:
    """Write an audit's lines, findings and, for days that are over, roots.

    Raises:
        ClickHouseError: the server is away; a part may be written, which does no harm.
    """
    audit_store.keep_findings(client, finding_rows(audit.findings), source, audit.run_id)
    at = audit_store.moment(audit.run_at_ms)
    audit_store.keep_lines(client, [_line_row(line, audit.run_id, at) for line in audit.lines])
    rows = [
        {
            "business_day": day.business_day,
            "root": day.root.hex(),
            "previous": day.previous.hex(),
            "content": day.content.hex(),
            "through": day.through,
            "closes": day.closes,
            "chains": day.chains,
            "run_id": audit.run_id,
            "version": version(),
        }
        for day in audit.roots
        if day.business_day < today
    ]
    audit_store.keep_roots(client, rows)


def finding_rows(findings: Iterable[Finding]) -> list[tuple[str, str, int, int, int, str, str, str]]:
    """Findings as rows of audit_findings."""
    return [
        (str(each.kind), each.terminal_id, each.epoch, each.first_seq, each.last_seq, each.where, each.field,
         each.detail)
        for each in findings
    ]  # fmt: skip


def _line_row(line: Line, run_id: str, at: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "run_id": run_id,
        "run_at": at,
        "business_day": date.fromisoformat(line.business_day),
        "outlet_id": line.outlet_id,
        "terminal_id": line.terminal_id,
        "epoch": line.epoch,
        "game": line.game,
        "kind": line.kind,
        "has_close": line.stated is not None,
        "verdict": str(line.verdict),
        "withheld": line.withheld,
        "sequences": line.sequences,
        "detail": line.detail,
    }
    accounts = {
        "stated": line.stated or _HIDDEN,
        "closed": line.closed,
        "kafka": line.kafka,
        "stored": line.stored,
        "quarantined": line.quarantined,
    }
    for name, sums in accounts.items():
        shown = _HIDDEN if line.withheld else sums
        row |= {f"{name}_events": shown[0], f"{name}_bets": shown[1], f"{name}_fen": shown[2]}
    return row
