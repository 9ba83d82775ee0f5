"""Reads Kafka topics between given offsets, without a group: nobody's position changes. Interprets no record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from fucai.adapters.consumer import FetchedRecord, Place
from fucai.adapters.headernames import accept_any_header_name
from fucai.adapters.offsets import ask_offsets

__all__ = ["KafkaError", "LogReader", "committed_offsets"]

_POLL_MS = 500


class LogReader:
    """A plain consumer of one place at a time. Use it from one thread, and close it."""

    def __init__(self, bootstrap: str, *, fetch_bytes: int = 4 * 1024 * 1024) -> None:
        """Connect.

        Raises:
            KafkaError: no broker answers.
        """
        accept_any_header_name()
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id="fucai-auditor",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_poll_records=5_000,
            max_partition_fetch_bytes=fetch_bytes,
            fetch_max_wait_ms=100,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )

    def places(self, topics: Sequence[str]) -> list[Place]:
        """Every topic and partition that exists, in order.

        Raises:
            LookupError: a topic does not exist.
        """
        found: list[Place] = []
        for topic in topics:
            partitions = self._consumer.partitions_for_topic(topic)
            if not partitions:
                raise LookupError(f"topic {topic} does not exist: run `fucai migrate`, or look at another broker")
            found += [(topic, int(partition)) for partition in sorted(partitions)]
        return found

    def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """The offset after the last record of each place."""
        found = ask_offsets(self._consumer.end_offsets, [TopicPartition(*place) for place in places])
        return {(place.topic, place.partition): offset for place, offset in found.items()}

    def beginnings(self, places: Sequence[Place]) -> dict[Place, int]:
        """The offset of the oldest record kept of each place."""
        found = ask_offsets(self._consumer.beginning_offsets, [TopicPartition(*place) for place in places])
        return {(place.topic, place.partition): offset for place, offset in found.items()}

    def offsets_at(self, places: Sequence[Place], at_ms: int) -> dict[Place, int]:
        """The first offset of each place that Kafka received at that time or later; the end where there is none."""
        ends = self.ends(places)
        found = self._consumer.offsets_for_times({TopicPartition(*place): max(at_ms, 0) for place in places})
        return {
            place: ends[place] if (hit := found.get(TopicPartition(*place))) is None else int(hit.offset)
            for place in places
        }

    def read(self, place: Place, start: int, end: int) -> Iterator[FetchedRecord]:
        """Yield the records of a place from offset `start` up to, and without, `end`.

        Raises:
            KafkaError: the broker is away, or no longer has `start`.
        """
        if start >= end:
            return
        wanted = TopicPartition(*place)
        self._consumer.assign([wanted])
        self._consumer.seek(wanted, start)
        while self._consumer.position(wanted) < end:
            for record in self._consumer.poll(timeout_ms=_POLL_MS).get(wanted, ()):
                if record.offset >= end:
                    return
                yield FetchedRecord(
                    record.topic,
                    record.partition,
                    record.offset,
                    record.timestamp,
                    record.key or b"",
                    record.value or b"",
                    record.headers,
                )

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close(autocommit=False, timeout_ms=2_000)


def committed_offsets(bootstrap: str, group: str) -> Mapping[Place, int]:
    """What a consumer group has committed; empty where it never did.

    Raises:
        KafkaError: no broker answers.
    """
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, client_id="fucai-auditor")
    try:
        found = admin.list_group_offsets(group)[group]
        return {(place.topic, place.partition): int(kept.offset) for place, kept in found.items() if kept.offset >= 0}
    finally:
        admin.close()
