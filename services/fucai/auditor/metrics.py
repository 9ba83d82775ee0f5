"""What the auditor tells Prometheus. Counts of events only: amounts never."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

from fucai.auditor.lines import Verdict
from fucai.auditor.statements import Verdict as StatementVerdict


class AuditorMetrics:
    """The auditor's metrics, in a registry passed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._shown: set[tuple[str, str]] = set()
        self._until_ms = 0
        self._events = Gauge(
            "fucai_auditor_events",
            "Events in Kafka since the store was made, by game and what became of them: received, stored, duplicate, "
            "quarantined, in_flight; absent for a game while a draw of it is sealed.",
            ["game", "outcome"],
            registry=registry,
        )
        self._unexplained = Gauge(
            "fucai_auditor_unexplained_events",
            "Received minus stored, duplicate, quarantined and in flight; anything but 0 is an alarm.",
            ["game"],
            registry=registry,
        )
        self._findings = Gauge(
            "fucai_auditor_findings", "Different findings kept so far, by kind.", ["kind"], registry=registry
        )
        self._statements = Counter(
            "fucai_auditor_statements", "Statements examined since the start, by verdict.", ["verdict"],
            registry=registry,
        )  # fmt: skip
        for verdict in StatementVerdict:
            self._statements.labels(str(verdict))
        self._lag = Gauge(
            "fucai_auditor_lag_records", "Records in Kafka not yet read by the auditor.", registry=registry
        )
        self._lines = Gauge(
            "fucai_auditor_reconciled_lines", "Lines of the newest daily reconciliation, by verdict.", ["verdict"],
            registry=registry,
        )  # fmt: skip
        self._reconciled = Gauge(
            "fucai_auditor_reconciled_day_timestamp_seconds", "Start of the newest day reconciled.", registry=registry
        )

    def show_events(
        self,
        totals: Mapping[str, tuple[int, int, int, int]],
        in_flight: Mapping[str, int],
        sealed: Collection[str] = (),
        until_ms: int = 0,
    ) -> None:
        """Show what became of events: by game received, stored, duplicates, quarantined of what was compared.

        Of a game in `sealed` only what is unexplained is shown: its other counts, less those that the ledger shows
        without sealed draws, would tell how often a sealed draw was sold. At `until_ms`, Unix ms, the next draw is
        sealed; 0 where none is known.
        """
        self._until_ms = until_ms
        for game in totals.keys() | in_flight.keys():
            received, stored, duplicates, quarantined = totals.get(game, (0, 0, 0, 0))
            flying = in_flight.get(game, 0)
            self._unexplained.labels(game).set(received - stored - duplicates - quarantined)
            shown = {
                "received": received + flying,
                "stored": stored,
                "duplicate": duplicates,
                "quarantined": quarantined,
                "in_flight": flying,
            }
            for outcome, count in shown.items():
                if game not in sealed:
                    self._events.labels(game, outcome).set(count)
                elif (game, outcome) in self._shown:
                    self._events.remove(game, outcome)
                (self._shown.discard if game in sealed else self._shown.add)((game, outcome))

    def hide_outdated(self, now_ms: int) -> None:
        """Show what became of events no longer once a draw is sealed that the counts may contain."""
        if 0 < self._until_ms <= now_ms:
            self.hide_events()

    def hide_events(self) -> None:
        """Show what became of events no longer: nobody can tell now which draws are sealed."""
        for game, outcome in self._shown:
            self._events.remove(game, outcome)
        self._shown.clear()
        self._until_ms = 0

    def show_findings(self, counts: Mapping[str, int]) -> None:
        """Show how many findings are kept, by kind."""
        for kind, count in counts.items():
            self._findings.labels(kind).set(count)

    def count_statement(self, verdict: StatementVerdict) -> None:
        """Count one statement."""
        self._statements.labels(str(verdict)).inc()

    def show_lag(self, records: int) -> None:
        """Show how far reading is behind."""
        self._lag.set(records)

    def show_reconciled(self, day_s: float, verdicts: Mapping[str, int]) -> None:
        """Show the outcome of a day's reconciliation; `day_s` is its start, Unix seconds."""
        self._reconciled.set(day_s)
        counts = Counts(verdicts)
        for verdict in Verdict:
            self._lines.labels(str(verdict)).set(counts[str(verdict)])
