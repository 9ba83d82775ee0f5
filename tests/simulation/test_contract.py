"""The models of log and store against the real broker and the real engine: the same script, the same outcome."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol
from unittest.mock import patch

import pytest
from kafka import TopicPartition
from kafka.errors import UnknownTopicOrPartitionError
from kafka.structs import OffsetAndMetadata

from fucai.adapters import consumer as consumer_adapter
from fucai.adapters.consumer import GroupConsumer, GroupSettings, MembershipLostError, RebalancingError
from fucai.adapters.gates import Gate
from fucai.adapters.topics import TopicLayout
from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, RecordRange, encode_range
from fucai.loader.framing import frame, raw_frame
from fucai.loader.record import QUARANTINE_TOPIC, SALES_TOPIC, Record
from fucai.loader.store import ClickHouseStore, GateStore, StoreError
from fucai.v1 import sales_pb2
from tests.simulation.consumer import ModelConsumer
from tests.simulation.log import Coordinator, Log, Outgoing
from tests.simulation.store import Engine, ModelStore
from tests.simulation.world import Host, World
from tests.support.batches import EPOCH, Writer, batch, rejected_batch, span_of
from tests.support.clickhouse import Database
from tests.support.kafka import renew_topics
from tests.support.waiting import eventually

GATE = Gate(3, "loader_0", 0, "ab12")
STORE, DUPLICATE, QUARANTINE = 1, 2, 3


class ImmediateStore(ModelStore):
    """The model, with an insert that returns when it is answered."""

    def insert(self, gate: Gate, frames: bytes) -> None:
        """Inserts, and lets the time pass that it takes."""
        self.under_way = []
        super().insert(gate, frames)
        self._host.sleep(1_000)
        error = self.under_way[0].error
        if error is not None:
            raise error


class Store(Protocol):
    """A store, and how many rows its tables have."""

    @property
    def gates(self) -> GateStore:
        """The way in."""

    def rows(self) -> tuple[int, int, int]:
        """Rows of sales, and distinct places of duplicates and quarantine."""


class TheModel:
    """The simulation's."""

    def __init__(self) -> None:
        self._engine = Engine(World(1))
        host = Host(self._engine.world, "loader-0")
        host.begin()
        self.gates = ImmediateStore(self._engine, host)

    def rows(self) -> tuple[int, int, int]:
        """Counted."""
        engine = self._engine
        return sum(map(len, engine.sales.values())), len(engine.duplicates), len(engine.quarantine)


class TheEngine:
    """ClickHouse's."""

    def __init__(self, database: Database) -> None:
        self._client = database.client()
        self.gates = ClickHouseStore(database.client(), "Asia/Shanghai")

    def rows(self) -> tuple[int, int, int]:
        """Queried."""
        place = "uniqExact(kafka_topic, kafka_partition, kafka_offset, seq)"
        queries = ("count() FROM sales", f"{place} FROM sales_duplicates", f"{place} FROM quarantine")
        found = [int(self._client.query(f"SELECT {query}").result_rows[0][0]) for query in queries]
        return found[0], found[1], found[2]

    def close(self) -> None:
        """Disconnects."""
        self._client.close()
        self.gates.close()


@pytest.fixture(params=["model", "engine"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each of the two."""
    if request.param == "model":
        yield TheModel()
        return
    engine = TheEngine(request.getfixturevalue("clickhouse_database"))
    yield engine
    engine.close()


def record(offset: int, made: sales_pb2.SalesBatch, topic: int = SALES_TOPIC) -> Record:
    """A record of partition 1."""
    return Record(
        topic, 1, offset, made.terminal_id.encode(), made.SerializeToString(), 1_760_000_000_000, span_of(made)
    )


def framed(offset: int, made: sales_pb2.SalesBatch, disposition: int = STORE, topic: int = SALES_TOPIC) -> bytes:
    """Its frame."""
    found = record(offset, made, topic)
    return b"".join(frame(found, found.value, span_of(made), disposition))


def test_what_goes_through_a_gate_is_there(store: Store) -> None:
    """Sales, duplicates, rejected and raw records come into their tables, and the sequence sets tell of them."""
    gates = store.gates
    gates.create_gate(GATE)
    assert gates.list_gates() == [GATE]
    gates.insert(GATE, framed(0, batch(1, 3)) + framed(1, batch(4, 2)) + framed(2, batch(1, 2), DUPLICATE))
    gates.insert(GATE, framed(3, batch(8, 2)) + framed(0, rejected_batch(6, 2), QUARANTINE, QUARANTINE_TOPIC))
    liar = record(4, batch(1, 1, "T9"))
    gates.insert(GATE, b"".join(raw_frame(liar, "it lies")))
    assert store.rows() == (7, 2, 3)
    found = gates.read_sequences([1], {(SALES_TOPIC, 1): 1, (QUARANTINE_TOPIC, 1): 0})
    assert {key: sorted(ranges) for key, ranges in found.stored.items()} == {(b"T1", EPOCH): [(1, 5), (8, 9)]}
    assert dict(found.quarantined) == {(b"T1", EPOCH): [(6, 7)]}
    assert found.replayed == {(SALES_TOPIC, 1, 1): [(4, 5)], (SALES_TOPIC, 1, 3): [(8, 9)]}
    assert found.rejected == {(QUARANTINE_TOPIC, 1, 0)}
    assert found.condemned == {(SALES_TOPIC, 1, 4)}
    other = gates.read_sequences([2], {})
    assert (dict(other.stored), dict(other.quarantined), other.replayed) == ({}, {}, {})


def test_an_insert_is_never_deduplicated_but_places_are(store: Store) -> None:
    """The same sales inserted again are there twice; the same duplicates and rejected records count once."""
    gates = store.gates
    gates.create_gate(GATE)
    for _ in range(2):
        gates.insert(GATE, framed(0, batch(1, 3)) + framed(1, batch(1, 3), DUPLICATE))
        gates.insert(GATE, framed(0, rejected_batch(6, 2), QUARANTINE, QUARANTINE_TOPIC))
    assert store.rows() == (6, 3, 2)


def test_nothing_gets_through_a_dropped_gate(store: Store) -> None:
    """An insert after the drop fails, and not because of its records; dropping again does no harm."""
    gates = store.gates
    other = Gate(4, "loader_1", 1, "cd34")
    gates.create_gate(GATE)
    gates.create_gate(other)
    gates.drop_gate(GATE)
    with pytest.raises(StoreError, match="UNKNOWN_TABLE") as told:
        gates.insert(GATE, framed(0, batch(1, 3)))
    assert not told.value.poison
    gates.drop_gate(GATE)
    assert gates.list_gates() == [other]
    assert store.rows() == (0, 0, 0)
    gates.insert(other, framed(0, batch(1, 3)))
    assert store.rows() == (3, 0, 0)


@pytest.mark.parametrize("kind", ["lies about its numbers", "is no message", "lies about its terminal"])
def test_a_poisoned_record_fails_its_insert(store: Store, kind: str) -> None:
    """Of an insert in one block with a bad record nothing is stored, and the records are said to be at fault."""
    gates = store.gates
    gates.create_gate(GATE)
    bad = record(1, batch(4, 2, "T2"))
    span = RecordRange(EPOCH, 5, 6, 2) if kind == "lies about its numbers" else span_of(batch(4, 2))
    value = b"\xff" * 30 if kind == "is no message" else bad.value
    key = b"T3" if kind == "lies about its terminal" else bad.key
    changed = Record(SALES_TOPIC, 1, 1, key, value, bad.timestamp_ms, span)
    with pytest.raises(StoreError) as told:
        gates.insert(GATE, framed(0, batch(1, 3)) + b"".join(frame(changed, value, span, STORE)))
    assert told.value.poison
    assert store.rows() == (0, 0, 0)


class Group(Protocol):
    """A log with four partitions, and processes that join its group."""

    def write(self, count: int) -> None:
        """Puts records of terminal T1 into the sales topic."""

    def member(self, instance: str) -> GroupConsumer:
        """A process joins under that name."""

    def until(self, condition: Callable[[], object], members: Sequence[GroupConsumer]) -> None:
        """Lets the members take part until something holds."""


class ModelGroup:
    """The simulation's."""

    def __init__(self) -> None:
        self._world = World(1)
        self._log = Log(self._world, [topics.SALES, topics.QUARANTINE], 4, wall_ms=0)
        self._coordinator = Coordinator(self._log, session_ms=6_000, rebalance_ms=12_000)
        self._written = 0

    def write(self, count: int) -> None:
        """Appends."""
        for number in range(self._written, self._written + count):
            header = (HEADER_NAME, encode_range(RecordRange(EPOCH, number + 1, number + 1, 1)))
            place = self._log.partition_of(topics.SALES, b"T1")
            outgoing = Outgoing(topics.SALES, b"T1", batch(number + 1, 1).SerializeToString(), [header])
            self._log.append(place, self._log.new_producer(), 0, [outgoing])
        self._written += count

    def member(self, instance: str) -> GroupConsumer:
        """Over the model of the client."""
        host = Host(self._world, instance)
        host.begin()
        made = ModelConsumer(self._coordinator, host, instance)
        with patch.object(consumer_adapter, "KafkaConsumer", lambda **_settings: made):
            return GroupConsumer(
                GroupSettings("model", "group", instance),
                [topics.SALES, topics.QUARANTINE],
                clock=lambda: self._world.now / 1000,
            )

    def until(self, condition: Callable[[], object], members: Sequence[GroupConsumer]) -> None:
        """In virtual time."""
        for _ in range(100):
            for member in members:
                member.poll(100)
            if condition():
                return
            self._world.run(self._world.now + 100)
        raise AssertionError("it never came to that")


class BrokerGroup:
    """Kafka's."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._group = f"contract-{uuid.uuid4().hex[:8]}"
        self._members: list[GroupConsumer] = []
        self._written = 0

    def write(self, count: int) -> None:
        """Produces."""
        writer = Writer(self._bootstrap)
        writer.write(batch(number + 1, 1) for number in range(self._written, self._written + count))
        writer.flush()
        writer.close()
        self._written += count

    def member(self, instance: str) -> GroupConsumer:
        """Over the real client."""
        settings = GroupSettings(self._bootstrap, self._group, instance, session_timeout_ms=6_000)

        def joined() -> bool:
            try:
                self._members.append(GroupConsumer(settings, [topics.SALES, topics.QUARANTINE]))
            except UnknownTopicOrPartitionError:
                return False  # created a moment ago: not every part of the broker has heard of it
            return True

        eventually(joined)
        return self._members[-1]

    def until(self, condition: Callable[[], object], members: Sequence[GroupConsumer]) -> None:
        """In time, all members at once, as processes do: in turn, the leader would never poll when the others join.

        kafka-python joins anew where the answer comes between two polls, and a leader that joins parts the group again.
        """
        with ThreadPoolExecutor(max(len(members), 1)) as pool:

            def look() -> bool:
                list(pool.map(lambda member: member.poll(500), members))
                return bool(condition())

            eventually(look, 20)

    def close(self) -> None:
        """All leave."""
        for member in self._members:
            member.close()


@pytest.fixture(params=["model", "broker"])
def group(request: pytest.FixtureRequest) -> Iterator[Group]:
    """Each of the two, empty."""
    if request.param == "model":
        yield ModelGroup()
        return
    bootstrap = request.getfixturevalue("kafka_broker")
    renew_topics(bootstrap, TopicLayout(partitions=4))
    made = BrokerGroup(bootstrap)
    yield made
    made.close()


def test_a_static_member_comes_back_to_what_it_had(group: Group) -> None:
    """A new process under the same name gets partitions and offsets in the same generation."""
    group.write(5)
    first = group.member("loader-0")
    offsets: list[int] = []
    places: set[tuple[str, int]] = set()

    def take(member: GroupConsumer) -> int:
        for each in member.poll(5_000):  # longer than a join takes: one cut short is begun anew, in a new generation
            offsets.append(each.offset)
            places.add((each.topic, each.partition))
        return len(offsets)

    group.until(lambda: take(first) >= 5, [])
    assert (offsets, len(places)) == ([0, 1, 2, 3, 4], 1)
    place = places.pop()
    first.commit({place: 2})
    assert first.committed([place]) == {place: 2}
    second = group.member("loader-0")
    offsets.clear()
    group.until(lambda: take(second) >= 3, [])
    assert offsets == [2, 3, 4]
    assert second.generation == first.generation
    assert second.assigned() == first.assigned()


def test_a_member_commits_what_it_lost(group: Group) -> None:
    """The broker takes a live member's commit for a partition of another; only the adapter's look keeps it back."""
    group.write(5)
    first, second = group.member("loader-0"), group.member("loader-1")
    group.until(lambda: len(first.assigned()) == 8, [first])
    group.until(lambda: len(first.assigned()) == len(second.assigned()) == 4, [first, second])
    assert first.generation == second.generation
    lost = next(iter(sorted(second.assigned())))
    with pytest.raises(RebalancingError, match="no longer assigned"):
        first.commit({lost: 1})
    first._consumer.commit({TopicPartition(*lost): OffsetAndMetadata(1)}, timeout_ms=5_000)  # noqa: SLF001 (past the look)
    assert second.committed([lost]) == {lost: 1}


def test_a_replaced_member_is_fenced(group: Group) -> None:
    """Once another process has its name a member cannot commit, and what it reads in the meantime does not count."""
    first = group.member("loader-0")
    group.until(lambda: len(first.assigned()) == 8, [first])
    place = next(iter(sorted(first.assigned())))
    second = group.member("loader-0")
    group.until(lambda: len(second.assigned()) == 8, [second])

    def commits() -> bool:
        try:
            first.commit({place: 0})
        except RebalancingError:  # it was told so before it is told that another has its name
            first.poll(50)
            return False
        return True

    with pytest.raises(MembershipLostError):
        group.until(commits, [])
    second.commit({place: 0})
