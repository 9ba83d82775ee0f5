"""What a worker needs of the store, and ClickHouse as that store. Decides nothing: the order of calls is `Worker`'s.

A *gate* is a table of one worker's own, through which alone it writes. Dropping it returns when no insert runs in it
any more, and every later insert into it fails: that is what a fence is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from fucai.adapters import gates
from fucai.adapters.clickhouse import ClickHouseError, error_code
from fucai.adapters.sequence_store import StoredSequences, read_sequences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fucai.adapters.clickhouse import Client
    from fucai.adapters.gates import Gate


class StoreError(Exception):
    """The store is away or refuses. After an insert: it may be stored in part, or whole, or still be going on.

    `poison` says that the records are at fault, so that the same insert can never succeed.
    """

    def __init__(self, message: str, *, poison: bool = False) -> None:
        """Keep the store's words."""
        super().__init__(message)
        self.poison = poison


class GateStore(Protocol):
    """The store as one worker sees it. Each method returns when its effect is on disk, or raises StoreError."""

    def create_gate(self, gate: Gate) -> None:
        """Create a gate under a name never used before."""

    def list_gates(self) -> list[Gate]:
        """Return every gate of which anything is left."""

    def drop_gate(self, gate: Gate) -> None:
        """Close a gate for ever, whether it is there or not; returns when no insert runs in it any more."""

    def insert(self, gate: Gate, frames: bytes) -> None:
        """Store length-prefixed SalesBatch messages; after a StoreError any part of them may be stored."""

    def read_sequences(self, partitions: Sequence[int], committed: Mapping[tuple[int, int], int]) -> StoredSequences:
        """Return which numbers are stored of the terminals in `partitions`; see `adapters.sequence_store`."""

    def close(self) -> None:
        """Disconnect."""


class ClickHouseStore:
    """ClickHouse through one client, which is this store's own; business days are those of `timezone`."""

    def __init__(self, client: Client, timezone: str) -> None:
        """Take the client over; `close` closes it."""
        self._client = client
        self._timezone = timezone

    def create_gate(self, gate: Gate) -> None:
        """Create its table and views."""
        with _told():
            gates.create_gate(self._client, gate, self._timezone)

    def list_gates(self) -> list[Gate]:
        """Return every gate whose table or one of whose views exists."""
        with _told():
            return gates.list_gates(self._client)

    def drop_gate(self, gate: Gate) -> None:
        """Drop its table, then its views."""
        with _told():
            gates.drop_gate(self._client, gate)

    def insert(self, gate: Gate, frames: bytes) -> None:
        """Insert through a gate."""
        with _told():
            gates.insert_batches(self._client, gate, frames)

    def read_sequences(self, partitions: Sequence[int], committed: Mapping[tuple[int, int], int]) -> StoredSequences:
        """Read what is stored and quarantined."""
        with _told():
            return read_sequences(self._client, partitions, committed)

    def close(self) -> None:
        """Close the client."""
        self._client.close()


@contextmanager
def _told() -> Iterator[None]:
    """Turn ClickHouse's errors into the loader's."""
    try:
        yield
    except ClickHouseError as error:
        raise StoreError(str(error), poison=gates.is_poison(error_code(error))) from error
