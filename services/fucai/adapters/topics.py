"""The Kafka topics and their settings. Created here only; the partition count is fixed for ever."""

from __future__ import annotations

from dataclasses import dataclass

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from fucai.domain import topics

__all__ = ["KafkaError", "PartitionCountError", "TopicLayout", "ensure_topics"]

_FIVE_YEARS_MS = 5 * 366 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class TopicLayout:
    """How topics are laid out: partitions, copies, and how many copies must confirm a write."""

    partitions: int
    replication: int = 1
    min_insync: int = 1


class PartitionCountError(ValueError):
    """An existing topic has another number of partitions; changing it would scatter the terminals."""


def ensure_topics(bootstrap: str, layout: TopicLayout) -> list[str]:
    """Create the topics that are missing and return their names.

    Raises:
        PartitionCountError: a topic exists with another partition count.
        kafka.errors.KafkaError: the broker cannot be reached or refuses.
    """
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, client_id="fucai-migrate")
    try:
        wanted = (topics.SALES, topics.QUARANTINE, topics.DAYCLOSE)
        created = [name for name in wanted if _create(admin, name, layout)]
        existing = [name for name in wanted if name not in created]
        for described in admin.describe_topics(existing) if existing else []:
            found = len(described["partitions"])
            if found != layout.partitions:
                raise PartitionCountError(
                    f"topic {described['name']} has {found} partitions, configured are {layout.partitions}: the count "
                    f"is fixed for ever (a terminal's events would move to another partition); "
                    f"set FUCAI_PARTITIONS={found}"
                )
        return created
    finally:
        admin.close()


def _create(admin: KafkaAdminClient, name: str, layout: TopicLayout) -> bool:
    """Create one topic; False if it was there."""
    settings = {
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(layout.min_insync),
        "retention.ms": str(_FIVE_YEARS_MS),
        "max.message.bytes": str(8 * 1024 * 1024),
        "compression.type": "lz4",  # whatever a foreign producer chose: loaders need to read no other
    }
    topic = NewTopic(name, layout.partitions, layout.replication, topic_configs=settings)
    try:
        admin.create_topics([topic])
    except TopicAlreadyExistsError:
        return False
    return True
