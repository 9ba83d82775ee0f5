"""Starts a service whose protocol is broken on purpose: `MUTATION=name python -m tests.faults.mutant fucai.loader`.

It patches the service from outside, so that the product has no hook for it. As a pytest plugin, with
`-p tests.faults.mutant`, it breaks what the tests import.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from kafka import TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from fucai.adapters import gates
from fucai.adapters.consumer import GroupConsumer
from fucai.adapters.gates import Gate
from fucai.collector.delivery import Delivery
from fucai.loader.pipeline import TOPICS, Pipeline
from fucai.loader.store import ClickHouseStore
from fucai.loader.worker import Worker
from fucai.runtime.failpoints import failpoint
from fucai.terminal.agent import database

VARIABLE = "MUTATION"
_NAMES = {number: name for name, number in TOPICS.items()}


def no_gate() -> None:
    """All loaders write through one table that is never dropped."""
    shared = Gate(0, "shared", 0, "00")
    create, insert = gates.create_gate, ClickHouseStore.insert

    def create_once(client: Any, _gate: Gate, timezone: str) -> None:
        if shared not in gates.list_gates(client):
            create(client, shared, timezone)

    vars(gates)["create_gate"] = create_once
    _set(ClickHouseStore, "insert", lambda store, _gate, frames: insert(store, shared, frames))
    _set(ClickHouseStore, "drop_gate", lambda _store, _gate: None)


def gates_not_dropped() -> None:
    """A loader makes a gate of its own but leaves those of its predecessors."""
    _set(Worker, "fence", lambda _worker, _keep, _membership: 0)


def view_before_table() -> None:
    """A gate's views are dropped before its table: an insert between the two is acknowledged and stored nowhere."""

    def drop_gate(client: Any, gate: Gate) -> None:
        for view in ("to_sales", "to_duplicates", "to_quarantine", "to_raw"):
            client.command(f"DROP VIEW IF EXISTS {gate.name}_{view} SYNC")
        if client.command(f"EXISTS TABLE {gate.name}"):  # not a gate that another has dropped meanwhile
            failpoint("mutation.between-views-and-table")
        client.command(f"DROP TABLE IF EXISTS {gate.name} SYNC")

    vars(gates)["drop_gate"] = drop_gate


def restore_before_drop() -> None:
    """A loader reads what is stored while its predecessor can still write."""
    fence, restore = Worker.fence, Worker.restore
    asked: dict[int, tuple[Any, Any]] = {}

    def remember(worker: Worker, keep: Any, membership: Any) -> int:
        asked[worker.number] = keep, membership
        return 0

    def restore_and_fence(worker: Worker, partitions: Sequence[int], committed: Mapping[tuple[int, int], int]) -> None:
        restore(worker, partitions, committed)
        failpoint("mutation.before-late-fence")
        fence(worker, *asked[worker.number])

    _set(Worker, "fence", remember)
    _set(Worker, "restore", restore_and_fence)


def commit_before_insert() -> None:
    """A loader commits what it is about to insert."""
    dispatch = Pipeline._dispatch  # noqa: SLF001 (broken on purpose)

    def commit_and_dispatch(pipeline: Any) -> None:
        for lane in pipeline._lanes:  # noqa: SLF001
            if lane.due(pipeline._clock(), pipeline._policy):  # noqa: SLF001
                offsets = {(_NAMES[one.topic], one.partition): one.offset + 1 for one in lane.waiting}
                pipeline._consumer.commit(offsets)  # noqa: SLF001
        dispatch(pipeline)

    _set(Pipeline, "_dispatch", commit_and_dispatch)


def commit_unchecked() -> None:
    """A loader commits what it had read of partitions that were taken from it: the broker does not mind."""
    start_over = Pipeline._start_over  # noqa: SLF001 (broken on purpose)

    def commit(consumer: Any, offsets: Mapping[Any, int]) -> None:
        wanted = {TopicPartition(*place): OffsetAndMetadata(offset) for place, offset in offsets.items()}
        consumer._consumer.commit(wanted, timeout_ms=30_000)  # noqa: SLF001

    read: dict[tuple[str, int], int] = {}

    def start_over_and_commit(pipeline: Any) -> None:
        for lane in pipeline._lanes:  # noqa: SLF001
            read.update({(_NAMES[one.topic], one.partition): one.offset + 1 for one in (*lane.flushing, *lane.waiting)})
        start_over(pipeline)
        with suppress(KafkaError):  # in the midst of sharing out; then once that is over
            commit(pipeline._consumer, read)  # noqa: SLF001
            read.clear()

    _set(GroupConsumer, "commit", commit)
    _set(Pipeline, "_start_over", start_over_and_commit)


def ack_before_answer() -> None:
    """The collector writes a receipt as soon as it has handed a batch to its producer."""
    _set(Delivery, "settled", property(lambda _delivery: True))


def outbox_without_fsync() -> None:
    """The agent's outbox never waits for the disk."""
    opening = database.open_database

    def careless(path: Path, vfs: str = "") -> Any:
        connection = opening(path, vfs)
        connection.pragma("synchronous", "off")
        return connection

    vars(database)["open_database"] = careless


def _set(owner: type, name: str, value: object) -> None:
    setattr(cast("Any", owner), name, value)


MUTATIONS: dict[str, Callable[[], None]] = {
    mutation.__name__.replace("_", "-"): mutation
    for mutation in (
        no_gate,
        gates_not_dropped,
        view_before_table,
        restore_before_drop,
        commit_before_insert,
        commit_unchecked,
        ack_before_answer,
        outbox_without_fsync,
    )
}

if os.environ.get(VARIABLE):
    MUTATIONS[os.environ[VARIABLE]]()

if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
