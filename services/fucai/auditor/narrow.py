"""From blocks that differ to the events at fault: reads both sides again, only there, and compares event by event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fucai.adapters.audit_rows import BlockKey
from fucai.adapters.consumer import Place
from fucai.adapters.logreader import LogReader
from fucai.auditor.days import DayClock
from fucai.auditor.findings import Finding, Kind
from fucai.auditor.fold import BLOCK_BITS, LineKey, Scope
from fucai.auditor.records import SALES, TOPIC_NUMBERS, BadRecordError, judge
from fucai.auditor.stored import StoredEvent
from fucai.auditor.wire import (
    DRAW,
    FIELDS,
    GAME,
    KIND,
    REFERS,
    SEQ,
    SOLD_AT,
    Event,
    fields_of,
    write_event,
    write_reference,
)

TOPICS = {number: name for name, number in TOPIC_NUMBERS.items()}
_MOST_PLACES = 2_000
"""Single records looked up in Kafka for one set of blocks, for rows that no record of the window accounts for."""


class Version(NamedTuple):
    """An event as one Kafka record has it, in canonical form."""

    event: Event
    raw: bytes
    outlet: bytes
    day: int
    place: tuple[int, int, int]


@dataclass(slots=True)
class AtFault:
    """What narrowing found beside the findings: by terminal and epoch, lines with the numbers at fault.

    `in_flight` counts events in Kafka that may still be on their way into the store.
    """

    sequences: dict[tuple[str, int], dict[LineKey, list[int]]] = field(default_factory=dict)
    in_flight: int = 0

    def blame(self, terminal: str, epoch: int, line: LineKey, seq: int) -> None:
        """A number of a line is at fault."""
        numbers = self.sequences.setdefault((terminal, epoch), {}).setdefault(line, [])
        if not numbers or numbers[-1] != seq:
            numbers.append(seq)


def canonical(event: Event) -> bytes:
    """An event's bytes as they would be written from its fields; the reference in its own canonical form, too."""
    if event[REFERS]:
        parts = dict(fields_of(event[REFERS]))
        terminal, epoch, seq = parts.get(1, b""), parts.get(2, 0), parts.get(3, 0)
        if isinstance(terminal, bytes) and isinstance(epoch, int) and isinstance(seq, int):
            event = [*event[:REFERS], write_reference(terminal, epoch, seq), *event[REFERS + 1 :]]
    return write_event(event)


def line_of(outlet: bytes, day: int, event: Event) -> LineKey:
    """The line that an event stands in."""
    return outlet, day, event[GAME], event[KIND], event[DRAW]


Versions = dict[tuple[str, int, int], list[Version]]
"""By terminal, epoch and number."""


def read_versions(
    reader: LogReader, ranges: Mapping[Place, Sequence[tuple[int, int]]], wanted: set[BlockKey], clock: DayClock
) -> Versions:
    """Read the events of some blocks again; ranges of offsets, both included, by place."""
    found: Versions = defaultdict(list)
    for place, spans in ranges.items():
        for first, last in joined(spans):
            for version, terminal, epoch in _versions_at(reader, place, first, last + 1, clock):
                seq = version.event[SEQ]
                if (terminal, epoch, seq >> BLOCK_BITS) in wanted:
                    found[terminal, epoch, seq].append(version)
    return found


def joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges as the fewest, in order."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return out


def _versions_at(
    reader: LogReader, place: Place, start: int, end: int, clock: DayClock
) -> Iterator[tuple[Version, str, int]]:
    topic = TOPIC_NUMBERS[place[0]]
    for record in reader.read(place, start, end):
        try:
            batch, events = judge(record)
        except BadRecordError:
            continue
        terminal = batch.terminal.decode("utf-8", "replace")
        for event in events:
            at = (topic, record.partition, record.offset)
            version = Version(event, canonical(event), batch.outlet, clock.day(event[SOLD_AT]), at)
            yield version, terminal, batch.epoch


class Narrower:
    """Compares event by event. `committed` is what the loader had committed before the store was read."""

    def __init__(
        self,
        reader: LogReader,
        scope: Scope,
        clock: DayClock,
        committed: Mapping[Place, int],
        bad_places: Mapping[tuple[int, int, int], str],
    ) -> None:
        self.reader, self._scope, self._clock = reader, scope, clock
        self._committed, self._bad_places = committed, bad_places
        self.at_fault = AtFault()

    def compare(self, versions: Versions, sales: Sequence[StoredEvent], held: Sequence[StoredEvent]) -> None:
        """Compare all events of some blocks."""
        stored: defaultdict[tuple[str, int, int], list[StoredEvent]] = defaultdict(list)
        quarantined: defaultdict[tuple[str, int, int], list[StoredEvent]] = defaultdict(list)
        for rows, by_key in ((sales, stored), (held, quarantined)):
            for row in rows:
                by_key[row.terminal, row.epoch, row.seq].append(row)
        self._look_up_strangers(versions, [*sales, *held])
        for key in sorted(versions.keys() | stored.keys() | quarantined.keys()):
            found = versions.get(key, [])
            rows, kept = stored.get(key, []), quarantined.get(key, [])
            days = [version.day for version in found] + [row.day for row in (*rows, *kept)]
            if any(self._scope.first_day <= day <= self._scope.last_day for day in days):
                self._compare_one(key, found, rows, kept)

    def _look_up_strangers(self, versions: Versions, rows: Sequence[StoredEvent]) -> None:
        """Rows that no record of the window accounts for: look at the very record that they name."""
        strangers: dict[tuple[int, int, int], None] = {}
        for row in rows:
            known = versions.get((row.terminal, row.epoch, row.seq), [])
            if row.place not in {version.place for version in known}:
                strangers[row.place] = None
        wanted = {(row.terminal, row.epoch, row.seq) for row in rows}
        by_place: defaultdict[Place, list[int]] = defaultdict(list)
        for topic, partition, offset in list(strangers)[:_MOST_PLACES]:
            by_place[TOPICS.get(topic, ""), partition].append(offset)
        existing = set(self.reader.places(list(TOPICS.values())))
        for place, offsets in by_place.items():
            if place not in existing:
                continue
            begin, end = self.reader.beginnings([place])[place], self.reader.ends([place])[place]
            for offset in sorted(offset for offset in offsets if begin <= offset < end):
                for version, terminal, epoch in _versions_at(self.reader, place, offset, offset + 1, self._clock):
                    key = (terminal, epoch, version.event[SEQ])
                    if key in wanted and version.place not in {known.place for known in versions.get(key, [])}:
                        versions.setdefault(key, []).append(version)

    def _compare_one(
        self, key: tuple[str, int, int], found: list[Version], rows: list[StoredEvent], kept: list[StoredEvent]
    ) -> None:
        first = found[0] if found else None
        for other in found[1:]:
            if first is not None and other.raw != first.raw:
                names = differing(first.event, other.event)
                detail = f"{_place(first.place)} and {_place(other.place)} have other contents; the first one counts"
                self._report(Kind.SEQ_REUSE, key, "kafka", names, detail)
        of_sales = [version for version in found if version.place[0] == SALES]
        if rows:
            self._compare_rows(key, of_sales, found, rows)
        elif of_sales:
            self._expect(key, of_sales, "sales")
        elif found and not kept:
            self._expect(key, found, "quarantine")
        for row in kept:
            if not any(version.raw == row.raw for version in found):
                self._differs(key, row, found, "quarantine")

    def _compare_rows(
        self, key: tuple[str, int, int], of_sales: list[Version], found: list[Version], rows: list[StoredEvent]
    ) -> None:
        """Rows in sales against the records that may account for one of them."""
        contents = {(version.raw, version.outlet) for version in of_sales}
        matching = next((row for row in rows if (row.raw, row.outlet) in contents), None)
        counted = matching or rows[0]
        if matching is None:
            self._differs(key, rows[0], of_sales, "sales", only_quarantined=bool(found) and not of_sales)
        if counted.derived_fault:
            self._report(Kind.CHANGED, key, "sales", counted.derived_fault, "does not follow from sold_at")
            self.at_fault.blame(key[0], key[1], line_of(counted.outlet, counted.day, counted.event), key[2])
        for row in rows:
            if row is not counted:
                self._report(Kind.ADDED, key, "sales", "", f"stored more than once; this row names {_place(row.place)}")
                self.at_fault.blame(key[0], key[1], line_of(row.outlet, row.day, row.event), key[2])

    def _differs(
        self,
        key: tuple[str, int, int],
        row: StoredEvent,
        versions: Sequence[Version],
        where: str,
        *,
        only_quarantined: bool = False,
    ) -> None:
        """A row with a content that no record has."""
        self.at_fault.blame(key[0], key[1], line_of(row.outlet, row.day, row.event), key[2])
        if not versions:
            detail = (
                "Kafka has it in quarantine only" if only_quarantined else f"no record at {_place(row.place)} has it"
            )
            self._report(Kind.ADDED, key, where, "", detail)
            return
        version = next((each for each in versions if each.place == row.place), versions[0])
        names = differing(version.event, row.event)
        if version.outlet != row.outlet:
            names = f"{names}, outlet_id" if names else "outlet_id"
        self.at_fault.blame(key[0], key[1], line_of(version.outlet, version.day, version.event), key[2])
        self._report(Kind.CHANGED, key, where, names, f"is not what {_place(version.place)} has")

    def _expect(self, key: tuple[str, int, int], versions: Sequence[Version], where: str) -> None:
        """Nothing is stored of an event that Kafka has: on its way, or gone."""
        version = versions[0]
        line = line_of(version.outlet, version.day, version.event)
        if all(offset >= self._committed.get((TOPICS[topic], partition), 0) for topic, partition, offset in
               (each.place for each in versions)):  # fmt: skip
            self.at_fault.in_flight += 1
            return
        detail = f"{_place(version.place)} has it"
        if version.place in self._bad_places:
            detail += "; the store keeps that record as a bad one, although nothing is wrong with it"
        self._report(Kind.REMOVED, key, where, "", detail)
        self.at_fault.blame(key[0], key[1], line, key[2])

    def _report(self, kind: Kind, key: tuple[str, int, int], where: str, names: str, detail: str) -> None:
        terminal, epoch, seq = key
        self._scope.findings.add(Finding(kind, terminal, epoch, seq, seq, where, names, detail))


def differing(left: Event, right: Event) -> str:
    """Names of the fields in which two events differ."""
    pairs = zip(FIELDS, left, right, strict=True)
    return ", ".join(name for name, one, other in pairs if name and one != other)


def _place(place: tuple[int, int, int]) -> str:
    topic, partition, offset = place
    return f"{'quarantine' if topic else 'sales'}/{partition} offset {offset}"
