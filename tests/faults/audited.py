"""What ledger and auditor say after a case: no gap, and nothing found between terminals, Kafka and store."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

from clickhouse_connect.driver.client import Client

from fucai.auditor.run import Question, audit
from fucai.domain.silence import build_roster
from fucai.ledger.gaps import find_gaps
from tests.faults.invariants import ZONE, InvariantError


def check_audit(bootstrap: str, client: Client, first: date, last: date) -> None:
    """Ask both.

    Raises:
        InvariantError: a number is missing, or the auditor found something; it says what, by terminal, epoch and seq.
    """
    gaps = find_gaps(client, build_roster([]), last)
    said = [f"terminal {gap.terminal_id} epoch {gap.epoch} seq {gap.first}-{gap.last}: missing" for gap in gaps]
    question = Question(first, last, with_lines=True)
    now_ms = time.time_ns() // 1_000_000
    found = audit(bootstrap, client, question, zone=ZONE, now_ms=lambda: now_ms, stage=_silently)
    said += [
        f"terminal {f.terminal_id} epoch {f.epoch} seq {f.sequences}: {f.kind}, {f.detail}" for f in found.findings
    ]
    said += [f"line {line}" for line in found.lines if line.verdict == "differs"]
    if said:
        raise InvariantError(f"ledger or auditor found {len(said)}:\n" + "\n".join(said[:10]))


def _silently(_name: str, _steps: int) -> Callable[[int], None]:
    """Tell nobody how far it is."""
    return lambda _steps: None
