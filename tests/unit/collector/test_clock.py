"""A collector whose own clock cannot be right."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest

from fucai.runtime.errors import retry_after_ms
from fucai.v1.collector_pb2_grpc import CollectorServiceStub
from tests.support.collector_server import collecting
from tests.support.tills import batch, sale


@pytest.mark.parametrize("now_ms", [0, 1_000_000_000_000, 4_102_444_800_000], ids=["1970", "2001", "2100"])
def test_clock_that_cannot_be_right_takes_nothing(now_ms: int) -> None:
    """It would put every event into quarantine, or stamp what no store takes: terminals are told to come again."""

    async def scenario() -> None:
        async with collecting(now_ms) as collector, grpc.aio.insecure_channel(collector.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError, match="clock shows") as refused:
                await CollectorServiceStub(channel).Submit(batch(sale(1)), timeout=10)
            assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
            assert retry_after_ms(refused.value) == 1_000

    asyncio.run(scenario())
