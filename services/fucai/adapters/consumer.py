"""The Kafka side of a consumer group member whose every commit proves that it still is one. Stores nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
)
from kafka.structs import OffsetAndMetadata

from fucai.adapters.headernames import accept_any_header_name
from fucai.adapters.offsets import ask_offsets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Place = tuple[str, int]
"""Topic and partition."""

_ANSWER_MS = 5_000
"""How long a broker has to answer; whoever asks tries again later."""

_LOOK_SECONDS = 10.0
_LOOK_MS = 2_000


class MembershipLostError(Exception):
    """Another process has this member's identity, or the group went on without it: end, and let a new process start."""


class RebalancingError(Exception):
    """The group is being shared out anew: poll, and look at the assignment again."""


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """Who joins which group, and how long the group waits for a silent member."""

    bootstrap: str
    group: str
    instance: str
    session_timeout_ms: int = 10_000
    max_poll_records: int = 5_000
    partition_fetch_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FetchedRecord:
    """A record as Kafka holds it."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]


class GroupConsumer:
    """A static member of a consumer group, assigned eagerly. Use it from one thread."""

    def __init__(
        self, settings: GroupSettings, topics: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Join the group on the first poll.

        Raises:
            kafka.errors.KafkaError: no broker answers, or a topic does not exist.
        """
        accept_any_header_name()
        self._clock = clock
        self._listener = _Listener()
        self._sharing = _NotingAssignor()
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.bootstrap,
            client_id=f"fucai-{settings.instance}",
            group_id=settings.group,
            group_instance_id=settings.instance,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=max(settings.session_timeout_ms // 5, 500),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(self._sharing,),
            max_poll_records=settings.max_poll_records,
            max_partition_fetch_bytes=settings.partition_fetch_bytes,
            fetch_max_wait_ms=100,
            metadata_max_age_ms=10_000,
            reconnect_backoff_max_ms=1_000,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
        missing = sorted(set(topics) - self._consumer.topics())
        if missing:
            self.close()
            raise UnknownTopicOrPartitionError(f"there is no topic {', '.join(missing)}; run fucai migrate")
        self._consumer.subscribe(topics=list(topics), listener=self._listener)
        self._ends: dict[TopicPartition, int] = {}
        self._looked_at = float("-inf")
        self._silence: KafkaError | None = None

    @property
    def assignments(self) -> int:
        """How often partitions were assigned or taken away so far; another number means: start over."""
        return self._listener.count

    @property
    def generation(self) -> int:
        """Generation of the group that this member belongs to."""
        return int(self._consumer.group_metadata().generation_id)

    def assigned(self) -> set[Place]:
        """Return topic and partition of everything assigned."""
        return {(place.topic, place.partition) for place in self._consumer.assignment()}

    def poll(self, timeout_ms: int) -> list[FetchedRecord]:
        """Return the next records, at most a few thousand, after at most `timeout_ms`.

        Raises:
            MembershipLostError: another process has this member's identity.
            kafka.errors.KafkaError: no broker answers, or it refuses. Nothing was delivered, but where places are read
                on may have moved: seek before polling again.
        """
        coordinator = self._consumer._coordinator  # noqa: SLF001 (kafka-python has no public way)
        # A join that outlasts a poll is taken up by the next one, but kafka-python 3.0.12 forgets it where the reason
        # to join, other partitions than were shared out, has gone meanwhile: it would never be a member again.
        is_forgotten = coordinator.rejoining and not coordinator.need_rejoin()
        if self._sharing.was_too_early or is_forgotten:
            self._sharing.was_too_early = False
            coordinator.request_rejoin()
        try:
            polled = self._consumer.poll(timeout_ms=timeout_ms)
        except FencedInstanceIdError as error:
            raise MembershipLostError(str(error)) from error
        return [
            FetchedRecord(
                record.topic,
                record.partition,
                record.offset,
                record.timestamp,
                record.key or b"",
                record.value or b"",
                record.headers,
            )
            for records in polled.values()
            for record in records
        ]

    def commit(self, offsets: Mapping[Place, int]) -> None:
        """Commit offsets; that it succeeds proves that this process is a current member.

        Raises:
            RebalancingError: the group is being shared out anew, or one of the places is no longer assigned.
            MembershipLostError: the group went on without this process.
            kafka.errors.KafkaError: no broker confirmed it.
        """
        wanted = {TopicPartition(*place): OffsetAndMetadata(offset) for place, offset in offsets.items()}
        lost = set(wanted) - self._consumer.assignment()
        if lost:
            message = f"no longer assigned: {sorted(lost)}"
            raise RebalancingError(message)
        try:
            self._consumer.commit(wanted, timeout_ms=_ANSWER_MS)
        except RebalanceInProgressError as error:
            raise RebalancingError(str(error)) from error
        except (CommitFailedError, FencedInstanceIdError, IllegalGenerationError, UnknownMemberIdError) as error:
            raise MembershipLostError(str(error) or type(error).__name__) from error

    def committed(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the offset from which each place is to be read; the earliest where none was committed.

        Raises:
            kafka.errors.KafkaError: no broker answers.
        """
        found: dict[Place, int] = {}
        fresh = []
        for place in places:
            offset = self._consumer.committed(TopicPartition(*place), timeout_ms=_ANSWER_MS)
            if offset is None:
                fresh.append(TopicPartition(*place))
            else:
                found[place] = int(offset)
        if fresh:
            earliest = ask_offsets(self._consumer.beginning_offsets, fresh, _ANSWER_MS)
            found.update(((place.topic, place.partition), int(offset)) for place, offset in earliest.items())
        return found

    def seek(self, offsets: Mapping[Place, int]) -> None:
        """Read on from these offsets."""
        for place, offset in offsets.items():
            self._consumer.seek(TopicPartition(*place), offset)

    def pause(self, places: Iterable[Place]) -> None:
        """Fetch nothing more from these places until they are resumed."""
        self._consumer.pause(*[TopicPartition(*place) for place in places])

    def resume(self, places: Iterable[Place]) -> None:
        """Fetch from these places again."""
        self._consumer.resume(*[TopicPartition(*place) for place in places])

    def high_water(self, place: Place) -> int | None:
        """Return the end of a place as the newest fetch said, or a look at all ends each few seconds; None before.

        Raises:
            kafka.errors.KafkaError: that look got no answer: what is said of the ends is out of date.
        """
        self._look_at_ends()
        if self._silence is not None:
            raise self._silence
        fetched, looked = self._consumer.highwater(TopicPartition(*place)), self._ends.get(TopicPartition(*place))
        known = [int(mark) for mark in (fetched, looked) if mark is not None]
        return max(known, default=None)

    def _look_at_ends(self) -> None:
        """Ask for the ends of everything assigned, also of what is paused: fetches alone would not tell."""
        if self._clock() - self._looked_at < _LOOK_SECONDS:
            return
        places = list(self._consumer.assignment())
        try:
            self._ends = ask_offsets(self._consumer.end_offsets, places, _LOOK_MS) if places else {}
            self._silence = None
        except KafkaError as error:
            self._silence = error
        self._looked_at = self._clock()

    def close(self) -> None:
        """Stop fetching. A static member keeps its partitions until its session ends."""
        self._consumer.close(autocommit=False, timeout_ms=2_000)


class _NotingAssignor(RangePartitionAssignor):  # type: ignore[misc]  # kafka-python has no types
    """Notes when partitions were shared out while some topic's were unknown.

    kafka-python shares again when it learns more, but not if it had known as much before, as it may while topics are
    being created: then nothing would ever be assigned.
    """

    def __init__(self) -> None:
        """Start with nothing shared out."""
        self.was_too_early = False
        self._unknown = False

    def assign(self, cluster: Any, members: Any) -> Any:
        """Share out what is known."""
        wanted = {topic for member in members for topic in member.metadata.topics}
        self._unknown = any(cluster.partitions_for_topic(topic) is None for topic in wanted)
        return super().assign(cluster, members)

    def on_assignment(self, assignment: Any, generation: Any) -> None:
        """The group has joined: only now it may be asked to share out again."""
        super().on_assignment(assignment, generation)
        self.was_too_early, self._unknown = self._unknown, False


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Counts assignments; the owner acts on them between polls."""

    def __init__(self) -> None:
        """Start at zero."""
        self.count = 0
        self._lock = threading.Lock()

    def on_partitions_revoked(self, revoked: object) -> None:
        """Note that something was taken away."""
        del revoked
        with self._lock:
            self.count += 1

    def on_partitions_assigned(self, assigned: object) -> None:
        """Note that something was assigned."""
        del assigned
        with self._lock:
            self.count += 1


__all__ = [
    "FetchedRecord",
    "GroupConsumer",
    "GroupSettings",
    "KafkaError",
    "MembershipLostError",
    "Place",
    "RebalancingError",
]
