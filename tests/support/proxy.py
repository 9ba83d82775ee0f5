"""A TCP proxy between two parts of the channel that can be made to misbehave while it runs. Knows no protocol."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")
_PIECE = 64 * 1024
_HELD_BYTES = 64 * 1024 * 1024
"""What one connection may have in the proxy while nothing is passed on: more than any test sends."""


class Way(Enum):
    """A direction."""

    UP = "to the server"
    DOWN = "to the client"


@dataclass(slots=True)
class _Lane:
    """How one direction behaves now."""

    passing: asyncio.Event
    delay_s: float = 0.0
    bytes_per_s: float = 0.0
    to_corrupt: int = 0
    held: int = 0


@dataclass(slots=True)
class Passed:
    """What went through since the start."""

    connections: int = 0
    corrupted: int = 0
    bytes: dict[Way, int] = field(default_factory=lambda: dict.fromkeys(Way, 0))


class Proxy:
    """Listens on a port of loopback and passes everything on to another, as well as it is told to.

    Its methods may be called from any thread and have taken effect when they return. What `hold` keeps back is passed
    on by `heal`, even if the client has gone meanwhile: that is how a message comes late.
    """

    def __init__(self, port: int, target_port: int, loop: asyncio.AbstractEventLoop) -> None:
        """Do not listen yet; `open_proxies` does."""
        self.port = port
        self.passed = Passed()
        self._target_port = target_port
        self._loop = loop
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[Way, _Lane] = {}
        self._random = random.Random(port)

    @property
    def address(self) -> str:
        """Where clients connect to."""
        return f"127.0.0.1:{self.port}"

    def held(self, way: Way) -> int:
        """How many pieces of what is on its way in this direction are kept back now."""
        return self._lanes[way].held

    def cut(self) -> None:
        """Reset every connection there is; new ones work."""
        self._do(self._reset)

    def refuse(self) -> None:
        """Reset every connection and take none until healed."""

        async def refuse() -> None:
            await self._stop_listening()
            await self._reset()

        self._do(refuse)

    def hold(self, *ways: Way) -> None:
        """Take connections and bytes, but pass nothing on in these directions (both, if none is named)."""

        async def hold() -> None:
            for way in ways or Way:
                self._lanes[way].passing.clear()

        self._do(hold)

    def delay(self, seconds: float) -> None:
        """Let each piece wait in both directions."""

        async def delay() -> None:
            for lane in self._lanes.values():
                lane.delay_s = seconds

        self._do(delay)

    def throttle(self, bytes_per_s: float, *ways: Way) -> None:
        """Pass no more than so many bytes a second on each connection."""

        async def throttle() -> None:
            for way in ways or Way:
                self._lanes[way].bytes_per_s = bytes_per_s

        self._do(throttle)

    def corrupt(self, way: Way, pieces: int = 1) -> None:
        """Flip one byte in each of the next pieces."""

        async def corrupt() -> None:
            self._lanes[way].to_corrupt = pieces

        self._do(corrupt)

    def heal(self) -> None:
        """Behave: pass on what was held, and everything from now on at once."""

        async def heal() -> None:
            for lane in self._lanes.values():
                lane.delay_s = lane.bytes_per_s = 0.0
                lane.to_corrupt = 0
                lane.passing.set()
            if self._server is None:
                await self._listen()

        self._do(heal)

    def heal_and_cut(self) -> None:
        """Behave from now on, but what was held and whatever was open is lost."""
        self._do(self._reset)
        self.heal()

    async def start(self) -> None:
        """Listen."""
        self._lanes = {way: _Lane(asyncio.Event()) for way in Way}
        for lane in self._lanes.values():
            lane.passing.set()
        await self._listen()

    async def stop(self) -> None:
        """Stop listening and close everything."""
        await self._stop_listening()
        await self._reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, limit=_HELD_BYTES)

    async def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def _reset(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.passed.connections += 1
        writers = {to_client}
        self._open.add(to_client)
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target_port, limit=_HELD_BYTES)
            writers.add(to_server)
            self._open.add(to_server)
            up = asyncio.create_task(self._pass(Way.UP, from_client, to_server))
            down = asyncio.create_task(self._pass(Way.DOWN, from_server, to_client))
            try:
                await asyncio.gather(up, down)
            finally:
                up.cancel()
                down.cancel()
        except OSError:
            return  # the server is away: the client's connection ends, as it would without a proxy
        finally:
            for writer in writers:
                writer.close()
            self._open -= writers
            self._tasks.discard(task)

    async def _pass(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one direction on until its sender ends or breaks off, and let the receiver know which."""
        lane = self._lanes[way]
        try:
            while piece := await reader.read(_PIECE):
                lane.held += 1
                try:
                    await lane.passing.wait()
                finally:
                    lane.held -= 1
                await self._pass_piece(way, lane, piece, writer)
        except ConnectionError:
            await lane.passing.wait()
            writer.transport.abort()
            return
        await lane.passing.wait()
        with suppress(OSError):  # a receiver that has gone need not be told
            writer.write_eof()

    async def _pass_piece(self, way: Way, lane: _Lane, piece: bytes, writer: asyncio.StreamWriter) -> None:
        if lane.delay_s:
            await asyncio.sleep(lane.delay_s)
        if lane.to_corrupt:
            lane.to_corrupt -= 1
            self.passed.corrupted += 1
            piece = self._with_flipped_byte(piece)
        step = max(1, int(lane.bytes_per_s / 20)) if lane.bytes_per_s else len(piece)
        for start in range(0, len(piece), step):
            part = piece[start : start + step]
            with suppress(ConnectionError):
                writer.write(part)
                await writer.drain()
            self.passed.bytes[way] += len(part)
            if lane.bytes_per_s:
                await asyncio.sleep(len(part) / lane.bytes_per_s)

    def _with_flipped_byte(self, piece: bytes) -> bytes:
        """Flip a bit among the first bytes, where frames have their heads."""
        at = self._random.randrange(min(9, len(piece)))
        return piece[:at] + bytes([piece[at] ^ 0x20]) + piece[at + 1 :]

    def _do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(10)


@contextmanager
def background_loop(name: str) -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop on a thread of its own while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def open_proxies(**ports: tuple[int, int]) -> Iterator[dict[str, Proxy]]:
    """Run proxies, by name, from (port, target port), on a thread of their own while the block runs."""
    with background_loop("proxies") as loop:
        proxies = {name: Proxy(port, target, loop) for name, (port, target) in ports.items()}
        try:
            for proxy in proxies.values():
                asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(10)
            yield proxies
        finally:
            for proxy in proxies.values():
                asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(10)
