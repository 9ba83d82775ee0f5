"""Several streams to the collector at once, each outlet's batches in order on one of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from zlib import crc32

import grpc.aio

from fucai.runtime.client import connect
from fucai.runtime.errors import FatalError
from fucai.terminal.sender import Sender, SendPolicy
from fucai.v1.sales_pb2 import Receipt, SalesBatch


class Fleet:
    """Hands each batch to the sender of its terminal."""

    def __init__(self, senders: list[Sender]) -> None:
        self._senders = senders

    @property
    def resent(self) -> int:
        """Batches sent more than once so far."""
        return sum(sender.resent for sender in self._senders)

    async def put(self, batch: SalesBatch) -> None:
        """Hands over a batch; waits while its sender's window is full."""
        await self._senders[crc32(batch.terminal_id.encode()) % len(self._senders)].put(batch)


@asynccontextmanager
async def open_fleet(
    address: str, streams: int, on_receipt: Callable[[SalesBatch, Receipt], None], policy: SendPolicy
) -> AsyncIterator[Fleet]:
    """Opens the streams; the block ends when everything handed over has its receipt.

    Raises:
        FatalError: see `Sender.run`; the block is cancelled at once.
    """
    channel = connect(address)
    senders = [Sender(channel, address, on_receipt, policy) for _ in range(streams)]
    try:
        async with asyncio.TaskGroup() as group:
            for sender in senders:
                group.create_task(sender.run())
            yield Fleet(senders)
            for sender in senders:
                await sender.close()
    except BaseExceptionGroup as failures:  # not except*: Python 3.11.2 wraps what is raised there in a group again
        known = failures.subgroup((FatalError, grpc.aio.AioRpcError))
        if known is None:
            raise
        raise _first(known) from failures
    finally:
        await channel.close(None)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = failures
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
