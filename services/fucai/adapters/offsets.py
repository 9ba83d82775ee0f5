"""Asks Kafka where partitions begin or end. Reads no record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka.errors import LeaderNotAvailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kafka import TopicPartition


def ask_offsets(
    ask: Callable[..., Any], places: Sequence[TopicPartition], timeout_ms: int | None = None
) -> dict[TopicPartition, int]:
    """Return what `ask`, a consumer's `beginning_offsets` or `end_offsets`, says of each place.

    kafka-python 3.0 fails with KeyError when it knows the leaders of some of the places only: while the others' brokers
    are away, or their topic is looked at for the first time. That is an answer to be asked for again.

    Raises:
        kafka.errors.KafkaError: no broker answers in time, or a place has no leader.
    """
    try:
        found = ask(places, timeout_ms=timeout_ms)
    except KeyError as error:
        raise LeaderNotAvailableError(f"no leader is known yet of {error}") from error
    return {place: int(offset) for place, offset in found.items()}
