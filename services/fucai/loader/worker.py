"""One insert worker: owns some partitions, one gate and one client, and makes one insert at a time. Reads no Kafka."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fucai.adapters import gates
from fucai.adapters.clickhouse import ClickHouseError, error_code
from fucai.adapters.sequence_store import read_sequences
from fucai.loader.ledger import Ledger
from fucai.loader.plan import NOBODY, Plan, Suspects, plan_flush

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fucai.adapters.clickhouse import Client
    from fucai.loader.record import Record


class FlushError(Exception):
    """An insert failed, in part or whole; `poison` where the records themselves are at fault."""

    def __init__(self, cause: ClickHouseError, *, poison: bool) -> None:
        """Keep ClickHouse's words."""
        super().__init__(str(cause))
        self.poison = poison


@dataclass(frozen=True, slots=True)
class Membership:
    """Whose gates a worker opens: the group's generation, the loader's instance, the business time zone."""

    generation: int
    instance: str
    timezone: str


class Worker:
    """Writes the records of its partitions through a gate of its own.

    The order matters and is the caller's: `open_gate`, then a Kafka commit that succeeds, then `fence`, then `restore`,
    then `flush`. Use each worker from one thread at a time.
    """

    def __init__(self, number: int, client: Client) -> None:
        """Start without a gate; `client` is the worker's own."""
        self.number = number
        self.gate: gates.Gate | None = None
        self.ledger = Ledger()
        self._client = client

    def open_gate(self, membership: Membership) -> gates.Gate:
        """Create a new gate under a name never used before; the old one stays until it is fenced."""
        gate = gates.Gate(membership.generation, membership.instance, self.number, secrets.token_hex(6))
        gates.create_gate(self._client, gate, membership.timezone)
        self.gate = gate
        return gate

    def fence(self, keep: frozenset[gates.Gate], membership: Membership) -> int:
        """Drop every gate but those in `keep` and those of other instances of this generation; return how many.

        Afterwards no older write can appear: the drop waited for inserts that ran, later ones find no table.
        """
        dropped = 0
        for gate in gates.list_gates(self._client):
            neighbour = gate.generation == membership.generation and gate.instance != membership.instance
            if gate not in keep and not neighbour:
                gates.drop_gate(self._client, gate)
                dropped += 1
        return dropped

    def restore(self, partitions: Sequence[int], committed: Mapping[tuple[int, int], int]) -> None:
        """Read the ledger of `partitions` from the store; `committed` as in `read_sequences`."""
        found = read_sequences(self._client, partitions, committed)
        ledger = Ledger(replayed=found.replayed)
        for (terminal, epoch), ranges in found.stored.items():
            for first, last in sorted(ranges):
                ledger.of(terminal, epoch).stored.add(first, last)
        for (terminal, epoch), ranges in found.quarantined.items():
            for first, last in sorted(ranges):
                ledger.of(terminal, epoch).quarantined.add(first, last)
        self.ledger = ledger

    def flush(self, records: Sequence[Record], suspects: Suspects = NOBODY) -> Plan:
        """Insert records and return what became of them; they are on disk then.

        Raises:
            FlushError: the outcome is unknown: open a new gate, fence, restore, read again from the committed offsets.
        """
        if self.gate is None:
            message = f"worker {self.number} has no gate: open_gate comes before flush"
            raise RuntimeError(message)
        plan = plan_flush(records, self.ledger, suspects)
        body = plan.body
        if body:
            try:
                gates.insert_batches(self._client, self.gate, body)
            except ClickHouseError as error:
                raise FlushError(error, poison=gates.is_poison(error_code(error))) from error
        return plan

    def close(self) -> None:
        """Close the client."""
        self._client.close()
