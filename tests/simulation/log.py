"""Model of the log: partitions with idempotent producers, committed offsets, and the coordinator of one consumer group.

What it takes from Kafka and kafka-python is held against the real ones in test_contract.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from kafka import TopicPartition
from kafka.errors import CommitFailedError, FencedInstanceIdError

from tests.simulation.world import World

TICK_MS = 500


class LogRecord(NamedTuple):
    """A record as a consumer gets it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


class Outgoing(NamedTuple):
    """A record on its way into the log."""

    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


@dataclass(slots=True)
class Member:
    """One member of the group as its coordinator sees it."""

    member_id: str
    instance: str
    is_reachable: Callable[[], bool]
    beat_ms: int
    has_joined: bool = True
    generation: int = -1
    assignment: list[TopicPartition] = field(default_factory=list)


class Log:
    """One broker: it is up or away, never wrong."""

    def __init__(self, world: World, topics: Sequence[str], partitions: int, *, wall_ms: int) -> None:
        self.world = world
        self.partitions = partitions
        self.records: dict[TopicPartition, list[LogRecord]] = {
            TopicPartition(topic, number): [] for topic in topics for number in range(partitions)
        }
        self.committed: dict[TopicPartition, int] = {}
        self.is_up = True
        self.on_append: list[Callable[[LogRecord], None]] = []
        self.on_commit: list[Callable[[TopicPartition, int], None]] = []
        self._wall_ms = wall_ms
        self._sequences: dict[tuple[int, TopicPartition], int] = defaultdict(int)
        self._producers = 0

    def new_producer(self) -> int:
        """An id for a producer."""
        self._producers += 1
        return self._producers

    def partition_of(self, topic: str, key: bytes) -> TopicPartition:
        """Where the records of a key go."""
        return TopicPartition(topic, crc32(key) % self.partitions)

    def append(self, place: TopicPartition, producer: int, first: int, records: Sequence[Outgoing]) -> bool:
        """Takes records numbered from `first` by their producer: none that it has, none past a gap."""
        expected = self._sequences[producer, place]
        if first > expected:
            return False
        for number, outgoing in enumerate(records, first):
            if number < expected:
                self.world.note("log", f"{place.topic}/{place.partition}: producer {producer} sends {number} again")
                continue
            kept = self.records[place]
            stamp = self._wall_ms + self.world.now
            record = LogRecord(
                place.topic, place.partition, len(kept), stamp, outgoing.key, outgoing.value, outgoing.headers
            )
            kept.append(record)
            self._sequences[producer, place] = number + 1
            for look in self.on_append:
                look(record)
        return True

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Takes offsets, forwards or back."""
        for place, offset in sorted(offsets.items()):
            for look in self.on_commit:
                look(place, offset)
            self.committed[place] = offset


class Coordinator:
    """Shares the partitions out among static members, eagerly."""

    def __init__(self, log: Log, *, session_ms: int, rebalance_ms: int) -> None:
        self.log = log
        self.generation = 0
        self.members: dict[str, Member] = {}
        self.is_preparing = False
        self.on_change: list[Callable[[], None]] = []
        self._session_ms, self._rebalance_ms = session_ms, rebalance_ms
        self._deadline_ms = 0
        self._ids = 0
        log.world.at(TICK_MS, self._tick)

    def join(self, instance: str, is_reachable: Callable[[], bool]) -> Member:
        """A process joins without a member id: a known instance takes its place again, quietly."""
        self._ids += 1
        world = self.log.world
        known = self.members.get(instance)
        member = Member(f"{instance}/{self._ids}", instance, is_reachable, world.now)
        self.members[instance] = member
        world.note("group", f"{member.member_id} joins")
        if known is not None:
            member.generation, member.assignment = known.generation, known.assignment
            if self.is_preparing:
                self._complete_if_all_joined()
            elif known.generation != self.generation:
                self._prepare()
            return member
        self._prepare()
        member.has_joined = True
        self._complete_if_all_joined()
        return member

    def rejoin(self, member: Member) -> None:
        """A member takes part in the new sharing out."""
        member.has_joined = True
        if self.is_preparing:
            self._complete_if_all_joined()

    def check(self, instance: str, member_id: str, generation: int) -> None:
        """A member speaks.

        Raises:
            FencedInstanceIdError: another process has its place.
            CommitFailedError: the group went on without it.
        """
        member = self.members.get(instance)
        if member is None:
            raise CommitFailedError("unknown member")
        if member.member_id != member_id:
            raise FencedInstanceIdError(f"{member.member_id} has the place of {member_id}")
        if generation != self.generation:
            raise CommitFailedError(f"generation {generation} is over, it is {self.generation}")

    def _tick(self) -> None:
        world = self.log.world
        world.at(TICK_MS, self._tick)
        for member in list(self.members.values()):
            if member.is_reachable() or not self.log.is_up:
                member.beat_ms = world.now
            elif world.now - member.beat_ms > self._session_ms:
                world.note("group", f"{member.member_id} is silent and put out")
                del self.members[member.instance]
                self._prepare()
        if self.is_preparing and self.log.is_up:
            if world.now >= self._deadline_ms:
                for member in [each for each in self.members.values() if not each.has_joined]:
                    world.note("group", f"{member.member_id} does not join again and is put out")
                    del self.members[member.instance]
            self._complete_if_all_joined()

    def _prepare(self) -> None:
        world = self.log.world
        if self.is_preparing:
            return
        self.is_preparing = True
        self._deadline_ms = world.now + self._rebalance_ms
        for member in self.members.values():
            member.has_joined = False
        self._tell()

    def _complete_if_all_joined(self) -> None:
        if not self.is_preparing or not all(member.has_joined for member in self.members.values()):
            return
        self.is_preparing = False
        self.generation += 1
        ranked = sorted(self.members.values(), key=lambda member: member.instance)
        for member in ranked:
            member.generation, member.assignment = self.generation, []
        for topic in sorted({place.topic for place in self.log.records}):
            share, more = divmod(self.log.partitions, len(ranked)) if ranked else (0, 0)
            number = 0
            for rank, member in enumerate(ranked):
                size = share + (rank < more)
                member.assignment += [TopicPartition(topic, each) for each in range(number, number + size)]
                number += size
        shares = {member.member_id: sorted({place.partition for place in member.assignment}) for member in ranked}
        self.log.world.note("group", f"generation {self.generation}: {shares}")
        self._tell()

    def _tell(self) -> None:
        for look in self.on_change:
            look()
