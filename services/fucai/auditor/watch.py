"""The auditor's standing watch: reads all topics in a group of its own, and compares runs of offsets with the store.

After a restart it goes on behind what it compared last (table conservation). Statements are read from their beginning
each time, since their numbering is checked from the first; rows and findings written twice are the same rows.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from structlog.typing import FilteringBoundLogger

from fucai.adapters import audit_rows, audit_store, audit_windows
from fucai.adapters.clickhouse import ClickHouseError, Client
from fucai.adapters.consumer import FetchedRecord, GroupConsumer, KafkaError, Place, RebalancingError
from fucai.adapters.logreader import LogReader, committed_offsets
from fucai.auditor.conservation import Run, Tally, events_by_game, outcomes
from fucai.auditor.days import DayClock
from fucai.auditor.findings import Finding, Findings, Kind
from fucai.auditor.keep import finding_rows
from fucai.auditor.keys import Keys, parse_keys
from fucai.auditor.metrics import AuditorMetrics
from fucai.auditor.records import TOPIC_NUMBERS
from fucai.auditor.statements import Book, Examined
from fucai.domain import topics
from fucai.domain.calendar import parse_day
from fucai.runtime.progress import Progress

ALL_TOPICS = (topics.SALES, topics.QUARANTINE, topics.DAYCLOSE)
_POLL_MS = 200
_NEVER_KEPT = "9999-12-31"
_NO_DAY = parse_day("1970-01-02")


class Watch:
    """Reads, compares and keeps until told to stop. Use it from one thread."""

    def __init__(
        self,
        consumer: GroupConsumer,
        client: Client,
        *,
        bootstrap: str,
        loader_group: str,
        settle_s: float,
        clock: DayClock,
        metrics: AuditorMetrics,
        progress: Progress,
        log: FilteringBoundLogger,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer, self._client = consumer, client
        self._bootstrap, self._loader_group, self._settle_s = bootstrap, loader_group, settle_s
        self._clock, self._metrics, self._progress, self._log, self._now = clock, metrics, progress, log, now
        self._seen = -1
        self._settle_at = 0.0
        self._tally = Tally({})
        self._findings = Findings()
        self._book = Book(Keys([]), clock, self._findings, _NEVER_KEPT)
        self._rows: list[dict[str, Any]] = []
        self._read_through: dict[Place, int] = {}
        self._position: dict[Place, int] = {}

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set.

        Raises:
            MembershipLostError: end the process; a new one starts clean.
        """
        while not stopping.is_set():
            try:
                records = self._consumer.poll(_POLL_MS)
                if self._consumer.assignments != self._seen:
                    self._start_over()
                    continue
                self._take(records)
                self._metrics.hide_outdated(time.time_ns() // 1_000_000)
                if self._now() >= self._settle_at:
                    self._settle()
                    self._settle_at = self._now() + self._settle_s
            except (ClickHouseError, KafkaError, RebalancingError) as error:
                said = (str(error) or type(error).__name__).splitlines()[0][:300]
                self._progress.blocked(f"waiting for Kafka: {said}" if isinstance(error, KafkaError) else said)
                self._metrics.hide_events()
                self._log.warning("auditing is held up", error=said)
                self._seen = -1
                stopping.wait(1.0)

    def _start_over(self) -> None:
        """Take up an assignment, or start again after a failure: from what is on disk."""
        assignments, assigned = self._consumer.assignments, self._consumer.assigned()
        compared = audit_windows.compared_through(self._client)
        starts = self._consumer.committed(assigned)
        with closing(LogReader(self._bootstrap)) as reader:
            statements = [place for place in assigned if place[0] == topics.DAYCLOSE]
            starts |= reader.beginnings(statements) if statements else {}
        for place in assigned:
            if place[0] in TOPIC_NUMBERS:
                starts[place] = compared.get((TOPIC_NUMBERS[place[0]], place[1]), starts[place])
        self._consumer.seek(starts)
        self._position = dict(starts)
        self._tally = Tally({place: offset for place, offset in starts.items() if place[0] in TOPIC_NUMBERS})
        self._findings, self._rows, self._read_through = Findings(), [], {}
        self._book = Book(self._registered(), self._clock, self._findings, _NEVER_KEPT)
        self._seen, self._settle_at = assignments, 0.0
        self._progress.working(f"{len(assigned)} partitions assigned")
        self._log.info("assigned", partitions=len(assigned), records_before=len(compared))

    def _registered(self) -> Keys:
        """The keys that the registry has now."""
        return Keys((name, since, parse_keys(text)) for name, since, text in audit_rows.read_keys(self._client))

    def _take(self, records: Sequence[FetchedRecord]) -> None:
        """Count sales and quarantine, examine statements."""
        for record in records:
            self._position[record.topic, record.partition] = record.offset + 1
            if record.topic != topics.DAYCLOSE:
                self._tally.take(record)
                continue
            if self._book.lacks_key(record):
                self._book.keys = self._registered()
            examined = self._book.take(record)
            self._metrics.count_statement(examined.verdict)
            if examined.statement is not None:
                self._rows.append(statement_row(record, examined))
            self._read_through[record.topic, record.partition] = record.offset + 1
        if records:
            self._progress.working(f"{len(records)} records read")

    def _settle(self) -> None:
        """Compare what the loader has committed, and keep everything found so far."""
        committed = committed_offsets(self._bootstrap, self._loader_group)
        runs = self._tally.due(committed)
        self._tally.seal()
        if runs:
            self._compare(runs)
        audit_store.keep_statements(self._client, self._rows)
        audit_store.keep_findings(self._client, finding_rows(self._findings), "watch", "")
        self._rows = []
        self._findings.clear()
        if self._read_through:
            self._consumer.commit(self._read_through)
            self._read_through = {}
        if runs:
            self._consumer.commit({run.place: run.end for run in runs})
        self._show()

    def _compare(self, runs: Sequence[Run]) -> None:
        spans = [(TOPIC_NUMBERS[run.place[0]], run.place[1], run.first, run.end) for run in runs]
        held = audit_windows.read_held(self._client, spans)
        for topic, partition, value in held.raw:
            for game, count in events_by_game(value).items():
                held.quarantined[topic, partition, game] += count
        names = {number: name for name, number in TOPIC_NUMBERS.items()}

        def by_place(counts: Mapping[tuple[int, int, str], int]) -> dict[tuple[Place, str], int]:
            return {((names[topic], partition), game): count for (topic, partition, game), count in counts.items()}

        found = outcomes(runs, by_place(held.stored), by_place(held.duplicates), by_place(held.quarantined))
        for terminal, epoch, seq, fields, partition, offset in held.reused:
            detail = f"the record at partition {partition} offset {offset} has another content than the stored event"
            self._findings.add(Finding(Kind.SEQ_REUSE, terminal, epoch, seq, seq, "duplicates", fields, detail))
        rows = [
            (TOPIC_NUMBERS[each.run.place[0]], each.run.place[1], each.run.first, each.run.end, each.game,
             each.received, each.stored, each.duplicates, each.quarantined)
            for each in found
        ]  # fmt: skip
        audit_windows.keep_compared(self._client, rows)
        self._tally.settled(runs)
        unexplained = Counter({each.game: each.unexplained for each in found if each.unexplained})
        if unexplained:
            self._log.error("events unexplained", runs=[f"{run.place}:{run.first}-{run.end}" for run in runs],
                            by_game=dict(unexplained))  # fmt: skip

    def _show(self) -> None:
        flying = self._tally.in_flight()
        until_ms = audit_windows.next_seal_ms(self._client)  # before, and what is sealed after, what is counted
        totals = audit_windows.totals(self._client)
        self._metrics.show_events(totals, flying, audit_windows.sealed_games(self._client), until_ms)
        self._metrics.show_findings(audit_store.count_findings(self._client))
        marks = {place: self._consumer.high_water(place) for place in self._consumer.assigned()}
        lag = sum(max((mark or 0) - self._position.get(place, 0), 0) for place, mark in marks.items() if mark)
        self._metrics.show_lag(lag)
        if not lag:
            waiting = flying.total()
            self._progress.idle(f"{waiting} events wait for the loader" if waiting else "all received is accounted for")


def statement_row(record: FetchedRecord, examined: Examined) -> dict[str, Any]:
    """A statement as a row of the table."""
    signed, statement = examined.signed, examined.statement
    assert statement is not None  # noqa: S101 (the caller leaves out what could not be read)
    close = statement.close
    try:
        day = parse_day(close.business_day)
    except ValueError:
        day = _NO_DAY
    return {
        "terminal_id": statement.terminal_id,
        "outlet_id": statement.outlet_id,
        "epoch": statement.epoch,
        "number": statement.number,
        "kind": statement.WhichOneof("statement") or "",
        "business_day": day,
        "close_no": close.close_no,
        "first_seq": close.first_seq,
        "last_seq": close.last_seq,
        "digest": close.digest,
        "content": signed.content,
        "signature": signed.signature,
        "public_key": signed.public_key,
        "verdict": str(examined.verdict),
        "detail": examined.detail,
        "stated_at": audit_store.moment(statement.stated_at_ms),
        "received_at": audit_store.moment(signed.received_at_ms),
        "kafka_partition": record.partition,
        "kafka_offset": record.offset,
    }
