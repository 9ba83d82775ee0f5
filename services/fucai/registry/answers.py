"""Puts what the registry found into the words of the contract. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from fucai.domain.registry.changes import Entry, Plan
from fucai.domain.registry.csvfile import Problem
from fucai.registry.history import Opened
from fucai.registry.mirror import Outcome
from fucai.runtime.errors import Violation
from fucai.v1 import registry_pb2 as pb

MAX_VIOLATIONS = 12
_MAX_DESCRIPTION = 160


def summary(outcome: Outcome, plan: Plan) -> pb.ImportSummary:
    """What an import changed."""
    return pb.ImportSummary(
        import_id=outcome.import_id,
        revision=outcome.revision,
        added=plan.added,
        corrected=plan.corrected,
        unchanged=plan.unchanged,
        tables=[
            pb.TableSummary(
                table=change.table.number,
                added=change.added,
                corrected=change.corrected,
                unchanged=change.unchanged,
            )
            for change in plan.changes
        ],
    )


def record_violations(entries: Sequence[Entry[int]]) -> tuple[str, list[Violation]]:
    """Why records cannot be stored: a message, and the first violations; details of a status are limited to 8 KB."""
    found = [
        Violation(
            f"records[{entry.origin}].{entry.table.kind}.{fault.field}",
            f"{fault.value!r} {fault.remedy}"[:_MAX_DESCRIPTION],
        )
        for entry in entries
        for fault in entry.faults
    ]
    records = sum(bool(entry.faults) for entry in entries)
    more = f", of which the first {MAX_VIOLATIONS} are named" if len(found) > MAX_VIOLATIONS else ""
    message = f"nothing was stored: {records} of {len(entries)} records have {len(found)} faults{more}"
    return message, found[:MAX_VIOLATIONS]


def import_problem(problem: Problem) -> pb.ImportProblem:
    """A problem of a file."""
    return pb.ImportProblem(
        file=problem.file, line=problem.line, field=problem.field, value=problem.value, remedy=problem.remedy
    )


def opened_history(opened: Opened) -> pb.OpenHistoryResponse:
    """Whether a file of history may be sent."""
    return pb.OpenHistoryResponse(
        epoch=opened.epoch,
        conflicts=[
            pb.HistoryConflict(
                outlet_id=conflict.place.outlet_id,
                game=conflict.place.game,
                day=conflict.day.isoformat(),
                file=conflict.file,
            )
            for conflict in opened.conflicts
        ],
        stored=[pb.StoredThrough(terminal_id=terminal, seq=seq) for terminal, seq in opened.stored.items()],
    )
