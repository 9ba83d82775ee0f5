"""One audit from end to end: statements, Kafka, store, comparison, lines and roots. Writes nothing."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from fucai.adapters import audit_rows, audit_store, draw_store
from fucai.adapters.clickhouse import Client
from fucai.adapters.logreader import LogReader, committed_offsets
from fucai.auditor.compare import compare, compare_bad
from fucai.auditor.days import DayClock
from fucai.auditor.findings import Finding, Findings, Kind
from fucai.auditor.fold import Scope
from fucai.auditor.keys import Keys, parse_keys
from fucai.auditor.lines import Line, Sealed, make_lines
from fucai.auditor.narrow import Narrower
from fucai.auditor.recount import Window, recount
from fucai.auditor.roots import NO_ROOT, DayRoot, chain_days
from fucai.auditor.statements import Book
from fucai.auditor.stored import scan
from fucai.domain import topics
from fucai.domain.embargo import DrawTimes, Embargo

MARGIN_DAYS = 2
"""Kafka is read from this long before the first day, since clocks of terminals may be ahead."""
_DAY_MS = 86_400_000

Stage = Callable[[str, int], Callable[[int], None]]
"""Begins a stage of that many steps (0: unknown) and returns what to call with steps made."""


@dataclass(frozen=True, slots=True)
class Question:
    """Business days, both included; whether line by line; whose committed offsets tell what is stored."""

    first: date
    last: date
    with_lines: bool
    loader_group: str = "fucai-loader"


@dataclass(slots=True)
class Audit:
    """What an audit found. Counts are of Kafka's records and events, and of rows, within what was read."""

    question: Question
    run_id: str
    run_at_ms: int
    findings: Findings
    lines: list[Line] = field(default_factory=list)
    roots: list[DayRoot] = field(default_factory=list)
    records: int = 0
    events: int = 0
    rows: int = 0
    terminals: int = 0
    statements: int = 0
    bad_records: int = 0
    in_flight: int = 0
    unfollowed: int = 0

    @property
    def is_clean(self) -> bool:
        """True where nothing at all was found."""
        return not len(self.findings) and all(line.verdict != "differs" for line in self.lines)


def audit(
    bootstrap: str,
    client: Client,
    question: Question,
    *,
    zone: ZoneInfo,
    now_ms: Callable[[], int],
    keys: Keys | None = None,
    stage: Stage,
) -> Audit:
    """Audit some business days; `now_ms` tells Unix ms. `keys` replace those of the registry.

    Which draws are sealed is judged when everything was read, for that may take long.

    Raises:
        KafkaError, ClickHouseError: a neighbour is away.
        LookupError: a topic does not exist.
    """
    clock, findings = DayClock(zone), Findings()
    found = Audit(question, secrets.token_hex(8), now_ms(), findings)
    waived: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for terminal, epoch, first, last, _, _ in audit_rows.read_waivers(client):
        waived[terminal, epoch].append((first, last))
    scope = Scope(
        question.first.toordinal(),
        question.last.toordinal(),
        secrets.token_bytes(16),
        question.with_lines,
        waived,
        findings,
    )
    with closing(LogReader(bootstrap)) as left, closing(LogReader(bootstrap)) as right:
        committed = committed_offsets(bootstrap, question.loader_group)
        window = _window(left, clock.start_ms(question.first) - MARGIN_DAYS * _DAY_MS)
        known = keys or Keys((name, since, parse_keys(text)) for name, since, text in audit_rows.read_keys(client))
        book = _read_statements(left, known, clock, question, findings, found, stage)
        total = window.records(topics.SALES) + window.records(topics.QUARANTINE)
        recounted = recount((left, right), scope, book, clock, window, committed, stage("Kafka", total))
        rows = audit_rows.count_sales(client, question.first, question.last)
        stored = scan(
            audit_rows.stream_sales(client, question.first, question.last),
            audit_rows.stream_open_quarantine(
                client, clock.start_ms(question.first), clock.start_ms(question.last + timedelta(days=1))
            ),
            scope,
            clock,
            committed,
            stage("ClickHouse", rows),
        )
        kept_bad = audit_rows.read_bad_places(client)
        narrower = Narrower(left, scope, clock, committed, kept_bad)
        at_fault = compare(narrower, client, recounted, stored, scope, clock, _absolute(stage))
    found.bad_records = compare_bad(recounted, kept_bad, committed, scope)
    found.records, found.events, found.rows = recounted.records, recounted.events, stored.rows
    found.terminals, found.in_flight = len(recounted.folds), at_fault.in_flight
    found.unfollowed = sum(fold.unfollowed for fold in recounted.folds.values())
    if question.with_lines:
        embargo = Embargo({draw: DrawTimes(*times) for draw, times in draw_store.read_times(client).items()})
        found.lines = make_lines(recounted, stored, at_fault, waived, Sealed(embargo, now_ms()))
    before = audit_store.kept_roots(client, question.first - timedelta(days=1))
    found.roots = chain_days(
        question.first, question.last, before[-1][0] if before else NO_ROOT, recounted.folds.values()
    )
    _hold_against_kept(client, found)
    return found


def _window(reader: LogReader, since_ms: int) -> Window:
    """From that time to the end of the topics as it is now."""
    places = reader.places([topics.SALES, topics.QUARANTINE])
    return Window(reader.offsets_at(places, since_ms), reader.ends(places), reader.beginnings(places))


def _read_statements(
    reader: LogReader,
    keys: Keys,
    clock: DayClock,
    question: Question,
    findings: Findings,
    found: Audit,
    stage: Stage,
) -> Book:
    """All statements that Kafka has: numbering and chain begin with the first one."""
    keep_from = (question.first - timedelta(days=MARGIN_DAYS)).isoformat()
    book = Book(keys, clock, findings, keep_from)
    places = reader.places([topics.DAYCLOSE])
    starts, ends = reader.beginnings(places), reader.ends(places)
    told = stage("statements", sum(ends[place] - starts[place] for place in places))
    for place in places:
        for record in reader.read(place, starts[place], ends[place]):
            book.take(record)
            found.statements += 1
            told(1)
    return book


def _absolute(stage: Stage) -> Callable[[int, int], None]:
    """Tell the progress of narrowing, whose total is known only at its beginning."""
    told: list[Callable[[int], None]] = []
    at = [0]

    def tell(done: int, total: int) -> None:
        if total and not told:
            told.append(stage("differences", total))
        if told:
            told[0](done - at[0])
            at[0] = done

    return tell


def _hold_against_kept(client: Client, found: Audit) -> None:
    """A day whose content is not the one kept has changed since, unless later events account for it."""
    for day in found.roots:
        kept = audit_store.kept_roots(client, day.business_day)
        if not kept or any(content == day.content for _, content, _ in kept):
            continue
        _, content, through = kept[-1]
        if day.through <= through:
            detail = f"{day.business_day}: content {day.content.hex()[:16]} now, {content.hex()[:16]} kept"
            found.findings.add(Finding(Kind.ROOT_CHANGED, "", 0, 0, 0, "roots", "", detail))
