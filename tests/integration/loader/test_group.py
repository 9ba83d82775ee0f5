"""The loader's place in its consumer group, as far as Kafka alone decides it."""

from __future__ import annotations

from typing import Any

import pytest

from fucai.adapters.consumer import (
    GroupConsumer,
    GroupSettings,
    KafkaError,
    MembershipLostError,
    RebalancingError,
)
from fucai.domain import topics
from tests.support.batches import Writer, batch
from tests.support.waiting import eventually


class KnowsNothing:
    """What a broker may say of topics while they are being created."""

    def partitions_for_topic(self, _topic: str) -> set[int] | None:
        """Return that the topic is unknown."""
        return None


def test_partitions_shared_out_too_early_are_shared_again(broker: str) -> None:
    """A member gets its partitions soon after it was given none, because known topics were unknown for a moment."""
    member = GroupConsumer(GroupSettings(broker, "early", "loader-0"), [topics.SALES, topics.QUARANTINE])
    sharing, coordinator = member._sharing, member._consumer._coordinator  # noqa: SLF001 (no other way to that moment)
    known, clusters = sharing.assign, [KnowsNothing()]

    def assign(cluster: Any, members: Any) -> Any:
        told = {topic: cluster.partitions_for_topic(topic) for topic in (topics.SALES, topics.QUARANTINE)}
        if not clusters or not all(told.values()):
            return known(cluster, members)
        coordinator._assignment_snapshot = told  # noqa: SLF001 (what it had known before)
        return known(clusters.pop(), members)

    sharing.assign = assign  # type: ignore[method-assign]
    try:
        eventually(lambda: member.poll(100) or len(member.assigned()) == 8, 20)
    finally:
        member.close()
    assert not clusters


def test_missing_topic_is_named(broker: str) -> None:
    """A member of a group whose topics are not there says so, instead of waiting for partitions in silence."""
    with pytest.raises(KafkaError, match=r"no topic fucai\.nothing\.v1; run fucai migrate"):
        GroupConsumer(GroupSettings(broker, "early", "loader-0"), [topics.SALES, "fucai.nothing.v1"])


def test_ends_are_known_of_what_is_not_fetched(broker: str, writer: Writer) -> None:
    """A paused place shows its end all the same, so that lag is never mistaken for rest."""
    writer.write([batch(1, 3, f"T{number}") for number in range(40)])
    writer.flush()
    now = [0.0]
    member = GroupConsumer(GroupSettings(broker, "ends", "loader-0"), [topics.SALES], lambda: now[0])
    try:
        eventually(lambda: member.poll(100) or len(member.assigned()) == 4, 20)
        member.pause(member.assigned())
        now[0] += 60
        assert sum(member.high_water(place) or 0 for place in member.assigned()) == 40
    finally:
        member.close()


def test_joining_that_outlasts_a_poll_is_not_forgotten(broker: str) -> None:
    """A member whose reason to join again has gone while it was joining becomes a member all the same, soon."""
    member = GroupConsumer(GroupSettings(broker, "forgetful", "loader-0", 2_000), [topics.SALES, topics.QUARANTINE])
    coordinator = member._consumer._coordinator  # noqa: SLF001 (no other way to that moment)

    def commits() -> bool:
        member.poll(1)
        try:
            member.commit(member.committed(member.assigned()))
        except (RebalancingError, MembershipLostError):
            return False
        return len(member.assigned()) == 8

    try:
        eventually(commits, 20)
        for _ in range(5):
            coordinator._assignment_snapshot = {topics.SALES: {0}}  # noqa: SLF001 (as if partitions had changed)
            member.poll(1)
            eventually(commits, 10)
    finally:
        member.close()
