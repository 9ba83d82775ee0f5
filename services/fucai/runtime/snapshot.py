"""The registry as the collector last saw it: fetched over gRPC, kept on disk if asked. Knows nothing of the rules."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from google.protobuf.message import DecodeError

from fucai.runtime.errors import explain
from fucai.v1 import registry_pb2, registry_pb2_grpc


class RegistryAwayError(Exception):
    """The registry does not answer; the message says how."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All records of the registry at one revision, as one message."""

    content: registry_pb2.GetSnapshotResponse

    @property
    def revision(self) -> int:
        """The registry's revision."""
        return self.content.revision


async def fetch(channel: grpc.aio.Channel, *, known_revision: int, timeout_s: float) -> Snapshot | None:
    """The newest snapshot; None where `known_revision` (above 0) is still current.

    Raises:
        RegistryAwayError: the registry does not answer in time, or refuses.
    """
    content = registry_pb2.GetSnapshotResponse()
    registry = registry_pb2_grpc.RegistryServiceStub(channel)
    request = registry_pb2.GetSnapshotRequest(known_revision=known_revision)
    try:
        async for part in registry.GetSnapshot(request, timeout=timeout_s):
            content.revision = part.revision
            content.records.MergeFrom(part.records)
    except grpc.aio.AioRpcError as error:
        raise RegistryAwayError(explain(error)) from error
    if not content.records and known_revision and content.revision in {0, known_revision}:
        return None
    return Snapshot(content)


def load(path: Path) -> Snapshot | None:
    """The snapshot kept in a file; None where there is none, or none that can be read."""
    try:
        return Snapshot(registry_pb2.GetSnapshotResponse.FromString(path.read_bytes()))
    except (FileNotFoundError, DecodeError):
        return None


def save(snapshot: Snapshot, path: Path) -> None:
    """Keeps a snapshot in a file, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.write_bytes(snapshot.content.SerializeToString())
    draft.replace(path)
