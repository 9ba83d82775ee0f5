"""Sending replayed records: only what Kafka confirmed counts as sent."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from kafka.errors import KafkaTimeoutError

from fucai.adapters.producer import BrokerAwayError, Confirm, Producer
from fucai.domain import topics
from fucai.domain.batches import Record
from fucai.ledger.sending import RecordSender

RECORDS = [(b"T", Record(topics.SALES, bytes([number]), [])) for number in range(3)]


class FakeProducer:
    """Confirms, loses or forgets records as told."""

    def __init__(self, *, outcomes: str = "", away: bool = False) -> None:
        self.outcomes = outcomes
        self.away = away
        self.connected = False
        self.connections = 0
        self.given_up = ""

    async def connect(self) -> None:
        """Connects, unless Kafka is away."""
        if self.away:
            raise BrokerAwayError("no Kafka broker answers")
        self.connected = True
        self.connections += 1

    def send(self, _topic: str, *, value: bytes, confirm: Confirm, **_more: Any) -> None:
        """Takes one record: + is confirmed, - lost, x not taken, ? never heard of again."""
        outcome = self.outcomes[value[0]]
        if outcome == "x":
            raise BrokerAwayError("Kafka is not connected")
        if outcome in "+-":
            asyncio.get_running_loop().call_soon(confirm, None if outcome == "+" else KafkaTimeoutError())

    def give_up(self, reason: str) -> None:
        """Lets go."""
        self.given_up = reason
        self.connected = False


def send(fake: FakeProducer, delivery_seconds: float = 20) -> list[bool]:
    """Sends three records."""

    async def scenario() -> list[bool]:
        return await RecordSender(cast("Producer", fake), delivery_seconds=delivery_seconds).send(RECORDS)

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("outcomes", "sent"), [("+++", [True, True, True]), ("+-+", [True, False, True]), ("+xx", [True, False, False])]
)
def test_each_record_has_its_own_outcome(outcomes: str, sent: list[bool]) -> None:
    """A record that is lost, or not taken, is told apart from its neighbours."""
    fake = FakeProducer(outcomes=outcomes)
    assert send(fake) == sent
    assert fake.connections == 1


def test_a_producer_that_hangs_is_given_up() -> None:
    """A record of which nothing is heard counts as not sent, and the next call connects anew."""
    fake = FakeProducer(outcomes="+?+")
    assert send(fake, delivery_seconds=-4.95) == [True, False, True]
    assert "neither confirmed nor lost" in fake.given_up


def test_kafka_away_sends_nothing() -> None:
    """The caller hears of it before anything was sent."""
    with pytest.raises(BrokerAwayError, match="no Kafka broker"):
        send(FakeProducer(away=True))
