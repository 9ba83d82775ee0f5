"""Records read again after an insert of which any part was stored: in the end each event stands in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from google.protobuf.internal.decoder import _DecodeVarint  # type: ignore[attr-defined]  # the stubs leave it out
from hypothesis import given, settings
from hypothesis import strategies as st

from fucai.adapters.gates import Gate
from fucai.adapters.sequence_store import StoredSequences
from fucai.loader.record import QUARANTINE_TOPIC, SALES_TOPIC, Record
from fucai.loader.store import StoreError
from fucai.loader.worker import Membership, Worker
from fucai.v1 import sales_pb2
from tests.support.batches import batch, rejected_batch, span_of

STORE, DUPLICATE, QUARANTINE = 1, 2, 3
SALES, DUPLICATES, ASIDE = "sales", "sales_duplicates", "quarantine"
PARTITION = 3
LIE = "somebody else"


class Row(NamedTuple):
    """One event in one table, with the record that it came from."""

    table: str
    topic: int
    offset: int
    terminal: str
    epoch: int
    seq: int
    whole_record: bool


def rows_of(frames: bytes) -> Iterator[Row]:
    """Yield what a gate makes of the frames."""
    position = 0
    while position < len(frames):
        size, position = _DecodeVarint(frames, position)
        sent = sales_pb2.SalesBatch.FromString(frames[position : position + size])
        position += size
        place = (sent.kafka_topic, sent.kafka_offset)
        if sent.raw_detail:
            yield Row(ASIDE, *place, sent.record_key, sent.record_epoch, sent.first_seq, whole_record=True)
            continue
        table = {STORE: SALES, DUPLICATE: DUPLICATES, QUARANTINE: ASIDE}[sent.disposition]
        for event in sent.events:
            yield Row(table, *place, sent.terminal_id, sent.epoch, event.seq, whole_record=False)


@dataclass
class ModelStore:
    """Three tables: sales takes every row, the others replace rows of the same place. An insert may fail in part.

    `fates` holds, for each insert to come, None where it succeeds, else which of its rows are stored all the same. A
    record that says another terminal than its key makes the insert fail too, and nothing of itself is stored.
    """

    sales: list[Row] = field(default_factory=list)
    others: set[Row] = field(default_factory=set)
    fates: list[list[bool] | None] = field(default_factory=list)

    def create_gate(self, gate: Gate) -> None:
        """Nothing is kept of gates here: one worker writes, one insert at a time."""

    def list_gates(self) -> list[Gate]:
        """Return none."""
        return []

    def drop_gate(self, gate: Gate) -> None:
        """Nothing is kept of gates."""

    def insert(self, gate: Gate, frames: bytes) -> None:
        """Store what the fate of this insert says."""
        del gate
        fate = self.fates.pop(0) if self.fates else None
        rows = list(rows_of(frames))
        poison = any(row.terminal == LIE for row in rows)
        for number, row in enumerate(rows):
            if row.terminal != LIE and (fate is None or fate[number % len(fate)]):
                if row.table == SALES:
                    self.sales.append(row)
                else:
                    self.others.add(row)
        if poison or fate is not None:
            raise StoreError("refused" if poison else "the connection broke", poison=poison)

    def read_sequences(self, partitions: Sequence[int], committed: Mapping[tuple[int, int], int]) -> StoredSequences:
        """Return what the real one returns."""
        assert list(partitions) == [PARTITION]
        found = StoredSequences()
        for row in [*self.sales, *self.others]:
            key, numbers = (row.terminal.encode(), row.epoch), (row.seq, row.seq)
            place = (row.topic, PARTITION, row.offset)
            uncommitted = row.offset >= committed[row.topic, PARTITION]
            if row.table == SALES:
                found.stored[key].append(numbers)
            elif row.table == ASIDE and not row.whole_record:
                found.quarantined[key].append(numbers)
            if row.table == SALES and uncommitted:
                found.replayed.setdefault(place, []).append(numbers)
            elif row.table == ASIDE and uncommitted:
                (found.condemned if row.whole_record else found.rejected).add(place)
        return found

    def close(self) -> None:
        """Nothing to close."""


class Sent(NamedTuple):
    """A record to be written: of which topic and terminal, which numbers, and whether its header lies."""

    rejected: bool
    terminal: str
    first: int
    events: int
    lies: bool


def as_records(sent: Sequence[Sent]) -> tuple[list[Record], list[Record]]:
    """Return the records of the sales and of the quarantine topic, in the order of their offsets."""
    topics: tuple[list[Record], list[Record]] = ([], [])
    for one in sent:
        topic = QUARANTINE_TOPIC if one.rejected else SALES_TOPIC
        made = (rejected_batch if one.rejected else batch)(one.first, one.events, one.terminal)
        span = span_of(made)
        if one.lies:
            made.terminal_id = LIE
        offset = len(topics[topic])
        value = made.SerializeToString()
        topics[topic].append(Record(topic, PARTITION, offset, one.terminal.encode(), value, 1, span))
    return topics


SENT = st.lists(
    st.builds(
        Sent,
        rejected=st.sampled_from([False, False, True]),
        terminal=st.sampled_from(["T1", "T2"]),
        first=st.integers(1, 12),
        events=st.integers(1, 5),
        lies=st.sampled_from([False] * 6 + [True]),
    ),
    min_size=1,
    max_size=12,
)
FATES = st.one_of(st.none(), st.lists(st.booleans(), min_size=1, max_size=7))


class Life(NamedTuple):
    """One loader until it dies: how the topics mix as it reads, how much goes into a flush, and how inserts fare."""

    mix: list[bool]
    flush_size: int
    fates: list[list[bool] | None]
    commits: bool


LIVES = st.lists(
    st.builds(
        Life,
        mix=st.lists(st.booleans(), min_size=1, max_size=8),
        flush_size=st.integers(1, 12),
        fates=st.lists(FATES, max_size=4),
        commits=st.booleans(),
    ),
    max_size=5,
)


def numbers(record: Record) -> range:
    """Return the numbers that a record's header names."""
    assert record.span is not None
    return range(record.span.first, record.span.last + 1)


def mixed(queues: list[list[Record]], mix: list[bool]) -> list[Record]:
    """Return the records of both topics as one reader may meet them: each topic in its order."""
    left, order = [list(queue) for queue in queues], []
    for turn in range(sum(map(len, left))):
        chosen = int(mix[turn % len(mix)])
        order.append((left[chosen] or left[1 - chosen]).pop(0))
    return order


def lies(record: Record) -> bool:
    """Return whether the value says something else than the key."""
    return LIE.encode() in record.value


@dataclass
class Log:
    """The records of both topics, the committed offsets, and what the loaders suspect by now."""

    topics: tuple[list[Record], list[Record]]
    committed: list[int] = field(default_factory=lambda: [0, 0])
    suspects: dict[tuple[int, int, int], str] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether everything is committed."""
        return self.committed == [len(queue) for queue in self.topics]


def live(store: ModelStore, log: Log, life: Life) -> None:
    """Run a loader from the committed offsets until an insert fails or everything is read."""
    worker = Worker(0, store, iter("abcdef0123456789").__next__)
    worker.open_gate(Membership(1, "loader_0"))
    worker.restore([PARTITION], {(topic, PARTITION): log.committed[topic] for topic in (0, 1)})
    store.fates = list(life.fates)
    order = mixed([log.topics[topic][log.committed[topic] :] for topic in (0, 1)], life.mix)
    for start in range(0, len(order), life.flush_size):
        records = order[start : start + life.flush_size]
        try:
            plan = worker.flush(records, log.suspects)
        except StoreError as error:
            if error.poison:
                log.suspects.update({record.place: "" for record in records})
            return
        if life.commits:
            for (topic, _), offset in plan.next_offsets.items():
                log.committed[topic] = offset


@settings(max_examples=400)
@given(SENT, LIVES)
def test_each_event_of_each_record_ends_in_one_place(sent: list[Sent], lives: list[Life]) -> None:
    """Whatever parts of inserts are stored: at last each event is once in sales, duplicates or quarantine."""
    store, log = ModelStore(), Log(as_records(sent))
    for life in lives:
        live(store, log, life)
    last_lives = 0
    while not log.done:
        live(store, log, Life([False, True], 3, [], commits=True))
        last_lives += 1
        assert last_lives <= 1 + sum(one.lies for one in sent)
    standing = Counter(
        (row.topic, row.offset, "whole" if row.whole_record else row.seq) for row in [*store.sales, *store.others]
    )
    wanted: Counter[tuple[int, int, int | str]] = Counter()
    for record in [*log.topics[0], *log.topics[1]]:
        wanted.update((record.topic, record.offset, seq) for seq in (["whole"] if lies(record) else numbers(record)))
    assert standing == wanted
    good = [record for record in log.topics[SALES_TOPIC] if not lies(record)]
    sold = {(record.key.decode(), seq) for record in good for seq in numbers(record)}
    assert Counter((row.terminal, row.seq) for row in store.sales) == Counter(sold)
