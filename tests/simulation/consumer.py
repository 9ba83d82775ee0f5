"""Model of kafka-python's consumer, as far as adapters/consumer.py uses it: the real `GroupConsumer` runs on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kafka import ConsumerRebalanceListener, TopicPartition
from kafka.errors import CommitFailedError, FencedInstanceIdError, KafkaTimeoutError, RebalanceInProgressError
from kafka.structs import OffsetAndMetadata

from tests.simulation.log import Coordinator, LogRecord, Member
from tests.simulation.world import Host

HEARTBEAT_MS = 1_200
ANSWER_MS = 5_000
"""How long a call waits for a broker that is away."""


@dataclass(frozen=True, slots=True)
class GroupMetadata:
    """What `group_metadata` tells."""

    generation_id: int


class NeverForgets:
    """What the adapter asks of kafka-python's coordinator before each poll: here no join is forgotten."""

    rejoining = False


class ModelConsumer:
    """One process's place in the group. It learns of changes with its heartbeats, so some time after they happened."""

    def __init__(self, coordinator: Coordinator, host: Host, instance: str) -> None:
        self._group, self._log = coordinator, coordinator.log
        self._host, self._instance = host, instance
        self._incarnation = host.incarnation
        self._listener: Any = None
        self._member: Member | None = None
        self._generation = -1
        self._assignment: list[TopicPartition] = []
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._rejoining = False
        self._is_fenced = False
        self._coordinator = NeverForgets()
        self._notice_at: int | None = None
        self.cut_until = 0
        self.wake: Callable[[], None] = _nobody

    def subscribe(self, *, topics: list[str], listener: ConsumerRebalanceListener) -> None:
        """Names the topics; all there are, here."""
        del topics
        self._listener = listener

    def assignment(self) -> set[TopicPartition]:
        """What was assigned last; kept while the group is being shared out anew, as kafka-python keeps it."""
        return set(self._assignment)

    def group_metadata(self) -> GroupMetadata:
        """The generation joined last."""
        return GroupMetadata(self._generation)

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[LogRecord]]:
        """Takes part in the group, and fetches."""
        del timeout_ms
        self._host.passing("poll")
        if not self._can_reach():
            return {}
        self._heed_group()
        if self._rejoining and not self._complete_join():
            return {}
        return self._fetch()

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata], timeout_ms: int) -> None:
        """Commits if this is a current member; which partitions it has, the broker does not look at."""
        del timeout_ms
        if self._host.passing("commit"):
            raise KafkaTimeoutError("the commit was lost")
        self._await_broker()
        if not offsets:
            return
        if self._rejoining:
            raise RebalanceInProgressError("the group is being shared out")
        if self._member is None:
            raise CommitFailedError("not a member")
        try:
            self._group.check(self._instance, self._member.member_id, self._generation)
        except CommitFailedError:
            self._notice_at = 0
            raise
        plain = {place: told.offset for place, told in offsets.items()}
        self._host.world.note(
            self._host.name,
            "commits " + ", ".join(f"{place.topic}/{place.partition}: {at}" for place, at in sorted(plain.items())),
        )
        self._log.commit(plain)
        if self._host.passing("committed"):
            raise KafkaTimeoutError("the answer to the commit was lost")

    def topics(self) -> set[str]:
        """The topics there are."""
        return {place.topic for place in self._log.records}

    def committed(self, place: TopicPartition, timeout_ms: int) -> int | None:
        """The offset committed, by whomever."""
        del timeout_ms
        self._await_broker()
        return self._log.committed.get(place)

    def end_offsets(self, places: Iterable[TopicPartition], timeout_ms: int) -> dict[TopicPartition, int]:
        """Where partitions end."""
        del timeout_ms
        if not self._can_reach():
            raise KafkaTimeoutError("no broker")
        return {place: len(self._log.records[place]) for place in places}

    def beginning_offsets(self, places: Iterable[TopicPartition], timeout_ms: int) -> dict[TopicPartition, int]:
        """Nothing is ever deleted here."""
        del timeout_ms
        self._await_broker()
        return dict.fromkeys(places, 0)

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Reads on from there."""
        self._positions[place] = offset

    def pause(self, *places: TopicPartition) -> None:
        """Fetches nothing from there."""
        self._paused.update(places)

    def resume(self, *places: TopicPartition) -> None:
        """Fetches from there again."""
        self._paused.difference_update(places)
        self.wake()

    def highwater(self, place: TopicPartition) -> int | None:
        """Where the partition ends."""
        return len(self._log.records[place])

    def close(self, *, autocommit: bool, timeout_ms: int) -> None:
        """A static member does not leave."""
        del autocommit, timeout_ms

    def is_reachable(self) -> bool:
        """Whether its heartbeats get through: not from a process that is dead, stopped, or cut off."""
        return self._host.is_running and self._host.incarnation == self._incarnation and not self._is_cut

    @property
    def _is_cut(self) -> bool:
        return self._host.world.now < self.cut_until

    def _can_reach(self) -> bool:
        return self._log.is_up and not self._is_cut

    def _await_broker(self) -> None:
        deadline = self._host.world.now + ANSWER_MS
        while not self._can_reach():
            if self._host.world.now >= deadline:
                raise KafkaTimeoutError("no broker")
            self._host.sleep(500)

    def _heed_group(self) -> None:
        """Learns from a heartbeat that the group is being shared out, or went on without this process."""
        if self._member is None:
            self._member = self._group.join(self._instance, self.is_reachable)
            self._rejoining = True
            return
        if self._is_fenced or self._rejoining:
            return
        current = self._group.members.get(self._instance)
        is_current = current is not None and current.member_id == self._member.member_id
        if is_current and not self._group.is_preparing and self._generation == self._group.generation:
            self._notice_at = None
            return
        now = self._host.world.now
        if self._notice_at is None:
            self._notice_at = now + self._host.random.randint(0, HEARTBEAT_MS)
        if now < self._notice_at:
            return
        self._notice_at = None
        if current is not None and not is_current:
            self._is_fenced = True
            return
        if current is None:
            if self._assignment:
                self._listener.on_partitions_lost(set(self._assignment))
            self._assignment = []
            self._member = self._group.join(self._instance, self.is_reachable)
        else:
            self._listener.on_partitions_revoked(set(self._assignment))
            self._group.rejoin(self._member)
        self._rejoining = True

    def _complete_join(self) -> bool:
        member = self._member
        if member is None or self._group.members.get(self._instance) is not member:
            if member is not None and self._instance in self._group.members:
                raise FencedInstanceIdError("another process joined in this one's place")
            self._member, self._rejoining = None, False
            return False
        if not self._group.is_preparing and member.generation == self._group.generation:
            self._rejoining = False
            self._generation, self._assignment = member.generation, list(member.assignment)
            self._positions = {place: self._log.committed.get(place, 0) for place in self._assignment}
            self._paused.clear()
            self._listener.on_partitions_assigned(set(self._assignment))
            return True
        if self._group.is_preparing and not member.has_joined:
            self._group.rejoin(member)
        return False

    def _fetch(self) -> dict[TopicPartition, list[LogRecord]]:
        found: dict[TopicPartition, list[LogRecord]] = defaultdict(list)
        for place in self._assignment:
            if place in self._paused:
                continue
            position, kept = self._positions[place], self._log.records[place]
            if position < len(kept):
                found[place] = kept[position : position + self._host.random.randint(1, 6)]
                self._positions[place] = position + len(found[place])
        return found


def _nobody() -> None:
    """Nobody waits."""
