"""What the pipeline needs of the log and of its place in the consumer group; `adapters.consumer` has it of Kafka.

A *place* is a topic and a partition. A place is *assigned* to one member at a time. The *committed* offset of a place
is the one from which whoever gets it next reads on: everything before it is on disk in the store. The *high water* is
where the place ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fucai.adapters.consumer import FetchedRecord, Place


class Group(Protocol):
    """A member of the group. One thread uses it; what it raises is said in `adapters.consumer.GroupConsumer`."""

    @property
    def assignments(self) -> int:
        """How often places were assigned or taken away so far; another number means: start over."""

    @property
    def generation(self) -> int:
        """The group's generation that this member belongs to; every sharing out makes a new one."""

    def assigned(self) -> set[Place]:
        """Return everything assigned to this member."""

    def poll(self, timeout_ms: int) -> list[FetchedRecord]:
        """Return the next records of places that are not paused; take part in the group's life.

        A KafkaError where the log does not answer: nothing was delivered, but positions may have moved; seek again.
        """

    def commit(self, offsets: Mapping[Place, int]) -> None:
        """Commit offsets; that it succeeds proves that this is a current member."""

    def committed(self, places: Iterable[Place]) -> dict[Place, int]:
        """Return the committed offset of each place; the earliest there is where none was committed."""

    def seek(self, offsets: Mapping[Place, int]) -> None:
        """Read on from these offsets."""

    def pause(self, places: Iterable[Place]) -> None:
        """Fetch nothing more from these places until they are resumed."""

    def resume(self, places: Iterable[Place]) -> None:
        """Fetch from these places again."""

    def high_water(self, place: Place) -> int | None:
        """Return the end of a place as far as it is known; a KafkaError where the log has not answered for long."""

    def close(self) -> None:
        """Leave the log; the places stay assigned until the session ends."""
