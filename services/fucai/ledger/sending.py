"""Sends records to Kafka and tells which of them it has. Connects when there is something to send."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from fucai.adapters.producer import BrokerAwayError, Producer
from fucai.domain.batches import Record

_HANG_SECONDS = 5.0


class RecordSender:
    """One producer, connected on demand; callers may come at the same time."""

    def __init__(self, producer: Producer, *, delivery_seconds: float) -> None:
        """`delivery_seconds` are the producer's own limit: one that answers nothing for longer is given up."""
        self._producer = producer
        self._wait_s = delivery_seconds + _HANG_SECONDS
        self._turn = asyncio.Lock()

    async def send(self, records: Sequence[tuple[bytes, Record]]) -> list[bool]:
        """For each record, with its key: whether Kafka has confirmed it. One that it has not may be there or not.

        Raises:
            BrokerAwayError: no broker can be had; nothing was sent.
        """
        async with self._turn:
            if not self._producer.connected:
                await self._producer.connect()
        waiting = [asyncio.get_running_loop().create_future() for _ in records]
        for (key, record), done in zip(records, waiting, strict=True):
            try:
                self._producer.send(
                    record.topic,
                    key=key,
                    value=record.value,
                    headers=record.headers,
                    confirm=partial(_settle, done),
                )
            except BrokerAwayError:
                _settle(done, BrokerAwayError("not sent"))
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=self._wait_s)
            if late:
                self._producer.give_up(f"a record is neither confirmed nor lost after {self._wait_s:.0f} s")
        return [done.done() and done.result() for done in waiting]


def _settle(done: asyncio.Future[bool], error: Exception | None) -> None:
    if not done.done():
        done.set_result(error is None)
