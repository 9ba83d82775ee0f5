"""The registry service on a thread of its own, as its process would run it, and a blocking client of it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
import structlog

from fucai.registry.__main__ import build
from fucai.runtime.client import connect_blocking
from fucai.runtime.progress import Readiness
from fucai.runtime.service import Service
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import registry_pb2 as pb
from fucai.v1.registry_pb2_grpc import RegistryServiceStub


@dataclass(frozen=True, slots=True)
class Running:
    """A registry that serves."""

    service: Service[ServiceSettings]
    stub: RegistryServiceStub

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.service.grpc_address

    def readiness(self) -> Readiness:
        """What /ready says."""
        return self.service.readiness()

    def import_files(self, **texts: str | bytes) -> pb.ImportFilesResponse:
        """Import files of these table names, in small pieces."""
        contents = {f"{name}.csv": text.encode() if isinstance(text, str) else text for name, text in texts.items()}
        return self.stub.ImportFiles(pieces(contents))

    def snapshot(self, known_revision: int = 0) -> list[pb.GetSnapshotResponse]:
        """All parts of a snapshot."""
        return list(self.stub.GetSnapshot(pb.GetSnapshotRequest(known_revision=known_revision)))


def pieces(contents: Mapping[str, bytes], size: int = 1_000) -> Iterator[pb.ImportFilesRequest]:
    """The files as a stream of pieces."""
    for file, content in contents.items():
        for start in range(0, len(content) or 1, size):
            yield pb.ImportFilesRequest(file=file, content=content[start : start + size])


@contextmanager
def serving(url: str, database: str) -> Iterator[Running]:
    """Run the service on free ports while the block runs; stop it gracefully in the end."""
    ended = threading.Event()
    ready: list[tuple[Service[ServiceSettings], asyncio.Event]] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        stop = asyncio.Event()
        settings = ServiceSettings(clickhouse=url, database=database, stop_seconds=4)
        log = structlog.wrap_logger(structlog.PrintLogger(sys.stderr))  # not whatever stdout is when it logs
        service = Service("registry", settings, log)
        async with service.running(build):
            ready.append((service, stop))
            started.set()
            await stop.wait()

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            started.set()
            ended.set()

    thread = threading.Thread(target=work, name="registry")
    thread.start()
    started.wait()
    (service, stop) = ready[0]
    try:
        with connect_blocking(service.grpc_address) as channel:
            grpc.channel_ready_future(channel).result(timeout=10)
            yield Running(service, RegistryServiceStub(channel))
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
