"""One agent for each terminal: over real gRPC, with Kafka played by a sender that confirms at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import grpc
import grpc.aio
import pytest

from fucai.collector.leases import AGENT_KEY, TERMINAL_KEY
from fucai.runtime import server as runtime_server
from fucai.v1.collector_pb2_grpc import CollectorServiceStub
from fucai.v1.sales_pb2 import SalesBatch
from tests.support.collector_server import Collecting, collecting
from tests.support.tills import TILL, batch, sale

FIRST, SECOND = "00000000000000aa", "00000000000000bb"


class Agent:
    """One stream of an agent, over a connection of its own."""

    def __init__(self, address: str, agent_id: str = FIRST, terminal_id: str = TILL) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        metadata = ((AGENT_KEY, agent_id), (TERMINAL_KEY, quote(terminal_id)))
        self.call: Any = CollectorServiceStub(self._channel).Collect(None, metadata=metadata)
        self._terminal_id = terminal_id

    async def send(self, seq: int, **spoiled: Any) -> int:
        """Sends one sale and returns what its receipt says."""
        sent: SalesBatch = batch(sale(seq), **{"terminal_id": self._terminal_id, **spoiled})
        await self.call.write(sent)
        return int((await self.call.read()).through_seq)

    async def close(self) -> None:
        """Breaks the connection off."""
        await self._channel.close(None)


class Cable:
    """A line to the collector that may be pulled out at both ends: nothing comes through, and nobody is told."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.rpartition(":")
        self._whole = asyncio.Event()
        self._whole.set()
        self._tasks: list[asyncio.Task[None]] = []
        self.address = ""

    async def lay(self) -> None:
        """Listens."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def pull(self) -> None:
        """Lets nothing through any more."""
        self._whole.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, int(self._port))
        self._tasks += [
            asyncio.create_task(self._carry(reader, far_writer)),
            asyncio.create_task(self._carry(far_reader, writer)),
        ]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while carried := await reader.read(65_536):
            await self._whole.wait()
            writer.write(carried)


def run(scenario: Callable[[Collecting], Awaitable[None]]) -> None:
    """Runs a scenario against a collector of its own, within 20 s."""

    async def limited() -> None:
        async with collecting() as collector:
            await asyncio.wait_for(scenario(collector), 20)

    asyncio.run(limited())


async def refusal_at_once(agent: Agent) -> grpc.StatusCode:
    """The code with which a stream ends on which nothing was sent."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await agent.call.read()
    return refused.value.code()


def test_second_agent_is_refused_while_the_first_has_a_stream() -> None:
    """Another machine with the terminal's identity is told so, and gets in when the first one is gone."""

    async def scenario(collector: Collecting) -> None:
        first = Agent(collector.address)
        assert await first.send(1) == 1
        second = Agent(collector.address, SECOND)
        assert await refusal_at_once(second) == grpc.StatusCode.ALREADY_EXISTS
        details = await second.call.details()
        assert FIRST in details
        assert SECOND in details
        assert collector.count("streams_refused_total") == 1
        assert await first.send(2) == 2
        assert await Agent(collector.address, SECOND, "T-other").send(1) == 1
        await first.close()
        await collector.becomes("leased_terminals", 1)
        assert await Agent(collector.address, SECOND).send(1) == 1

    run(scenario)


def test_newer_stream_of_the_same_agent_ends_the_older() -> None:
    """An agent that connects anew is served at once; its older stream ends with ABORTED, and frees nothing."""

    async def scenario(collector: Collecting) -> None:
        older = Agent(collector.address)
        assert await older.send(1) == 1
        assert await Agent(collector.address).send(2) == 2
        assert await older.call.code() == grpc.StatusCode.ABORTED
        assert collector.count("streams_superseded_total") == 1
        assert collector.count("leased_terminals") == 1
        assert await refusal_at_once(Agent(collector.address, SECOND)) == grpc.StatusCode.ALREADY_EXISTS

    run(scenario)


def test_dead_connection_does_not_lock_its_agent_out() -> None:
    """An agent that starts again while its old connection hangs half-open is served at once."""

    async def scenario(collector: Collecting) -> None:
        cable = Cable(collector.address)
        await cable.lay()
        hanging = Agent(cable.address)
        assert await hanging.send(1) == 1
        cable.pull()
        assert await Agent(collector.address).send(2) == 2

    run(scenario)


def test_dead_connection_of_another_agent_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that vanished without a word holds its terminal only until the server's pings stay unanswered."""
    monkeypatch.setattr(runtime_server, "_KEEPALIVE_MS", 300)
    monkeypatch.setattr(runtime_server, "_KEEPALIVE_TIMEOUT_MS", 300)

    async def scenario(collector: Collecting) -> None:
        cable = Cable(collector.address)
        await cable.lay()
        assert await Agent(cable.address).send(1) == 1
        cable.pull()
        assert await refusal_at_once(Agent(collector.address, SECOND)) == grpc.StatusCode.ALREADY_EXISTS
        await collector.becomes("leased_terminals", 0)
        assert await Agent(collector.address, SECOND).send(1) == 1

    run(scenario)


def test_leased_stream_carries_one_terminal() -> None:
    """A batch of another terminal ends the stream; a name that is no ASCII is written percent-encoded."""

    async def scenario(collector: Collecting) -> None:
        agent = Agent(collector.address, terminal_id="终端 1")
        assert await agent.send(1) == 1
        with pytest.raises(grpc.aio.AioRpcError, match="of this stream") as refused:
            await agent.send(2, terminal_id="T-other")
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        await collector.becomes("leased_terminals", 0)

    run(scenario)


@pytest.mark.parametrize(("agent_id", "terminal_id"), [("", TILL), (FIRST.upper(), TILL), (FIRST, "")])
def test_identity_in_no_usable_form_is_refused(agent_id: str, terminal_id: str) -> None:
    """An agent that names itself must do it right."""

    async def scenario(collector: Collecting) -> None:
        assert (
            await refusal_at_once(Agent(collector.address, agent_id, terminal_id)) == grpc.StatusCode.INVALID_ARGUMENT
        )

    run(scenario)
