"""The batches of one stream that wait for their receipts, in order, within a bound."""

from __future__ import annotations

import asyncio
from collections import deque

from fucai.collector.delivery import Delivery


class ReceiptLine:
    """One reader puts deliveries in, one writer takes them out, settled, in the same order."""

    def __init__(self, *, max_batches: int, max_bytes: int) -> None:
        self._max_batches = max_batches
        self._max_bytes = max_bytes
        self._waiting: deque[Delivery] = deque()
        self._batches = 0
        self._bytes = 0
        self._ended = False
        self._reason: BaseException | None = None
        self._writer: asyncio.Future[None] | None = None
        self._reader: asyncio.Future[None] | None = None

    @property
    def has_room(self) -> bool:
        """Whether another batch may be read: a batch takes room until its receipt is written."""
        return self._batches < self._max_batches and self._bytes < self._max_bytes

    async def room(self) -> None:
        """Returns when another batch may be read."""
        while not self.has_room:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader

    def put(self, delivery: Delivery) -> None:
        """Lines up a delivery whose `notify` is `self.settled`."""
        self._waiting.append(delivery)
        self._batches += 1
        self._bytes += delivery.size
        self.settled()

    def end(self, reason: BaseException | None) -> None:
        """Nothing more will be put in; the writer sees `reason` after the last receipt. The first reason counts."""
        if not self._ended:
            self._ended, self._reason = True, reason
            self.settled()

    def settled(self) -> None:
        """Some delivery has settled: wakes the writer if it is the one it waits for."""
        writer = self._writer
        if writer is not None and not writer.done() and self._has_news:
            writer.set_result(None)

    async def take(self) -> Delivery | None:
        """The next delivery, settled; None after the last.

        Raises:
            BaseException: the reason given to `end`, after the last delivery.
        """
        while not self._has_news:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
        if not self._waiting:
            if self._reason is not None:
                raise self._reason
            return None
        return self._waiting.popleft()

    def answered(self, delivery: Delivery) -> None:
        """The receipt of a delivery taken out has been written: its room is free."""
        self._batches -= 1
        self._bytes -= delivery.size
        reader = self._reader
        if reader is not None and not reader.done() and self.has_room:
            reader.set_result(None)

    @property
    def _has_news(self) -> bool:
        return self._waiting[0].settled if self._waiting else self._ended
