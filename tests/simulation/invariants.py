"""What must hold in every history: looked at with every step where it can be, and over all once it has healed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from kafka import TopicPartition

from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, decode_range
from fucai.v1.sales_pb2 import SalesEvent
from tests.simulation.log import Log, LogRecord
from tests.simulation.outbox import Kept
from tests.simulation.store import Engine, Insert
from tests.simulation.views import BAD_RECORD, Key, Row, Spot
from tests.simulation.world import ViolationError

NUMBERS = {topics.SALES: 0, topics.QUARANTINE: 1}


class Truth:
    """Knows what every till recorded, and watches log, store and agents."""

    def __init__(self, log: Log, engine: Engine) -> None:
        self.recorded: dict[Key, bytes] = {}
        """Every event that an outbox kept, as it was serialised."""
        self.acknowledged: set[Key] = set()
        """Those that the till knows to be kept."""
        self.lost: set[Key] = set()
        """Those that went with a damaged outbox, as it told."""
        self.mixed: set[str] = set()
        """Terminals that had events judged bad: these reach the log in two topics, in no order between them."""
        self.liars: set[tuple[int, int, int]] = set()
        """Topic, partition and offset of records that no collector wrote."""
        self._log, self._engine = log, engine
        self._in_log: set[Key] = set()
        self._highest: dict[tuple[str, int], int] = defaultdict(int)
        self._checked: dict[TopicPartition, int] = defaultdict(int)
        log.on_append.append(self._appended)
        log.on_commit.append(self._committed)
        engine.on_row.append(self._written)
        engine.on_answer.append(self._answered)

    def record(self, terminal: str, epoch: int, event: SalesEvent) -> None:
        """An outbox kept an event."""
        key = (terminal, epoch, event.seq)
        content = event.SerializeToString(deterministic=True)
        if key in self._in_log and self.recorded[key] != content:
            raise ViolationError(f"{key} is given to another event, though the first was sent")
        self.recorded[key] = content

    def answer(self, terminal: str, epoch: int, first: int, last: int) -> None:
        """The till was told that events are kept."""
        self.acknowledged.update((terminal, epoch, seq) for seq in range(first, last + 1))

    def settle(self, terminal: str, settled: Sequence[Kept]) -> None:
        """An agent forgets events, which must be in the log."""
        for kept in settled:
            key = (terminal, *kept.position)
            if key not in self._in_log:
                raise ViolationError(f"the agent settles {key}, which the log does not have")

    def check_all(self) -> None:
        """Everything has healed: every event has its one place.

        An event in quarantine counts once by terminal, epoch and seq: two records of the quarantine topic that overlap
        each stand there whole.
        """
        in_quarantine = {row.key for row in self._engine.quarantine.values() if row.reason != BAD_RECORD}
        for key in sorted(self.acknowledged - self.lost):
            if key not in self._engine.sales and key not in in_quarantine:
                raise ViolationError(f"{key} was acknowledged to the till and is nowhere")
        for place, records in self._log.records.items():
            for record in records:
                self._check_record(place, record)

    def _check_record(self, place: TopicPartition, record: LogRecord) -> None:
        number = NUMBERS[place.topic]
        here = (number, place.partition, record.offset)
        key, span = record.key.decode(), decode_range(dict(record.headers)[HEADER_NAME])
        if here in self.liars:
            if (*here, span.first) not in self._engine.quarantine:
                raise ViolationError(f"record {here}, which no collector wrote, is not in quarantine")
            return
        for seq in range(span.first, span.last + 1):
            spot = (*here, seq)
            found = self._places(spot, (key, span.epoch, seq))
            if number == 0 and (key, span.epoch, seq) not in self._engine.sales:
                raise ViolationError(f"event {seq} of record {here} ({key}, {span.epoch}) is good and not in sales")
            if len(found) != 1:
                raise ViolationError(
                    f"event {seq} of record {here} ({key}, {span.epoch}) stands in {found or 'no table'}"
                )

    def _places(self, spot: Spot, key: Key) -> list[str]:
        found = ["sales" for row in self._engine.sales.get(key, ()) if row.spot == spot]
        if spot in self._engine.duplicates:
            found.append("sales_duplicates")
        if spot in self._engine.quarantine:
            found.append("quarantine")
        return found

    def _appended(self, record: LogRecord) -> None:
        terminal, span = record.key.decode(), decode_range(dict(record.headers)[HEADER_NAME])
        self._log.world.note(
            "log",
            f"{record.topic}/{record.partition} {record.offset}: {terminal} {span.epoch}: {span.first}-{span.last}",
        )
        if terminal.startswith("liar"):
            self.liars.add((NUMBERS[record.topic], record.partition, record.offset))
            return
        for seq in range(span.first, span.last + 1):
            key = (terminal, span.epoch, seq)
            if key not in self.recorded:
                raise ViolationError(f"the log has {key}, which no till recorded")
            if key not in self._in_log:
                if seq < self._highest[terminal, span.epoch] and terminal not in self.mixed:
                    raise ViolationError(f"{key} comes into the log behind {self._highest[terminal, span.epoch]}")
                self._in_log.add(key)
                self._highest[terminal, span.epoch] = max(self._highest[terminal, span.epoch], seq)

    def _committed(self, place: TopicPartition, offset: int) -> None:
        records = self._log.records[place]
        if offset > len(records):
            raise ViolationError(f"offset {offset} is committed, {place} ends at {len(records)}")
        for record in records[self._checked[place] : offset]:
            self._check_record(place, record)
        self._checked[place] = max(self._checked[place], offset)

    def _written(self, view: str, row: Row) -> None:
        if row.reason == BAD_RECORD:
            if row.spot[:3] not in self.liars:
                raise ViolationError(f"record {row.spot[:3]}, which a collector wrote, is put into quarantine as bad")
            return
        sent = self.recorded.get(row.key)
        if sent is None:
            raise ViolationError(f"{row.key} is stored, and no terminal sent it")
        if sent != row.content:
            raise ViolationError(f"{row.key} is stored with another content than was recorded")
        if view == "to_sales" and row.key in self._engine.sales:
            raise ViolationError(
                f"{row.key} is stored twice: from {self._engine.sales[row.key][0].spot} and {row.spot}"
            )

    def _answered(self, insert: Insert) -> None:
        if insert.error is not None:
            return
        for piece in insert.pieces:
            for row in piece.rows:
                if not self._places(row.spot, row.key):
                    raise ViolationError(f"an insert into {insert.gate} succeeded without {row.spot}")
