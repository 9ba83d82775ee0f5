"""One insert worker: owns some partitions, one gate and one store, and makes one insert at a time. Reads no Kafka."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fucai.adapters.gates import Gate
from fucai.loader.ledger import MAX_RANGES, Ledger
from fucai.loader.plan import NOBODY, Plan, Suspects, plan_flush
from fucai.runtime.failpoints import failpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fucai.loader.record import Record
    from fucai.loader.store import GateStore


@dataclass(frozen=True, slots=True)
class Membership:
    """Whose gates a worker opens: the group's generation and the loader's instance."""

    generation: int
    instance: str


def random_attempt() -> str:
    """Return what makes a gate's name one that was never used before: twelve hexadecimal digits."""
    return secrets.token_hex(6)


class Worker:
    """Writes the records of its partitions through a gate of its own.

    The order matters and is the caller's: `open_gate`, then a Kafka commit that succeeds, then `fence`, then `restore`,
    then `flush`. Each raises StoreError where the store is away or refuses. Use each worker from one thread at a time.
    """

    def __init__(
        self,
        number: int,
        store: GateStore,
        attempt: Callable[[], str] = random_attempt,
        *,
        max_ranges: int = MAX_RANGES,
    ) -> None:
        """Start without a gate; `store` is the worker's own, `attempt` names its gates; `max_ranges` as in Ledger."""
        self.number = number
        self.gate: Gate | None = None
        self.ledger = Ledger()
        self._store = store
        self._attempt = attempt
        self._max_ranges = max_ranges

    def open_gate(self, membership: Membership) -> Gate:
        """Create a new gate under a name never used before; the old one stays until it is fenced."""
        gate = Gate(membership.generation, membership.instance, self.number, self._attempt())
        self._store.create_gate(gate)
        self.gate = gate
        return gate

    def fence(self, keep: frozenset[Gate], membership: Membership) -> int:
        """Drop every gate but those in `keep` and those of other instances of this generation; return how many.

        Afterwards no older write can appear: the drop waited for inserts that ran, later ones find no table.
        """
        dropped = 0
        for gate in self._store.list_gates():
            neighbour = gate.generation == membership.generation and gate.instance != membership.instance
            if gate not in keep and not neighbour:
                self._store.drop_gate(gate)
                failpoint("loader.between-drops")
                dropped += 1
        return dropped

    def restore(self, partitions: Sequence[int], committed: Mapping[tuple[int, int], int]) -> None:
        """Read the ledger of `partitions` from the store; `committed` as in `read_sequences`."""
        self.ledger = Ledger.of_store(self._store.read_sequences(partitions, committed), self._max_ranges)

    def flush(self, records: Sequence[Record], suspects: Suspects = NOBODY) -> Plan:
        """Insert records and return what became of them; they are on disk then.

        Raises:
            StoreError: the outcome is unknown: open a new gate, fence, restore, read again from the committed offsets.
        """
        if self.gate is None:
            message = f"worker {self.number} has no gate: open_gate comes before flush"
            raise RuntimeError(message)
        plan = plan_flush(records, self.ledger, suspects)
        for body in (plan.body, plan.duplicates_body):
            if body:
                failpoint("loader.before-insert")
                self._store.insert(self.gate, body)
                failpoint("loader.after-insert")
        return plan

    def close(self) -> None:
        """Close the store."""
        self._store.close()
