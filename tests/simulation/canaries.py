"""Planted bugs: each breaks the protocol in one way that a person might, and the simulation has to find it.

They change the real code where the mistake would be made there, and the models where it would be made in an adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from kafka import TopicPartition

from fucai.adapters.consumer import GroupConsumer, KafkaError, MembershipLostError, RebalancingError
from fucai.adapters.gates import Gate
from fucai.collector.delivery import Delivery
from fucai.domain.sequences import SequenceSet
from fucai.loader import plan as loader_plan
from fucai.loader.ledger import Ledger
from fucai.loader.pipeline import Pipeline, as_record
from fucai.loader.worker import Worker
from fucai.terminal.agent.machine import Acknowledge, Action, Send, SendingMachine
from tests.simulation.channel import Outcome, run
from tests.simulation.outbox import ModelOutbox
from tests.simulation.scenario import make_scenario
from tests.simulation.store import ModelStore
from tests.simulation.views import VIEWS

Original = Callable[..., Any]
CANARIES: dict[str, Callable[[], Any]] = {}
"""Context managers that plant a bug, by name."""


SLOW = frozenset(
    (
        "a drop that finds nothing is believed",
        "records stored in part count as stored",
        "views dropped before their table",
    )
)
"""Those that need a rare history; `python -m tests.simulation --canaries` looks for them, the test suite does not."""


def seeds_for(name: str) -> range:
    """The seeds among which a bug has to be found."""
    return range(6_000) if name in SLOW else range(600)


def find(name: str, seeds: range) -> Outcome | None:
    """Plants a bug and returns the first history that shows it; None if no seed does."""
    with CANARIES[name]():
        for seed in seeds:
            outcome = run(make_scenario(seed))
            if outcome.violation:
                return outcome
    return None


def _canary(name: str, owner: Any, attribute: str) -> Callable[[Callable[[Original], Any]], Callable[[Original], Any]]:
    """Registers a maker of a replacement: it gets the original."""

    def register(make: Callable[[Original], Any]) -> Callable[[Original], Any]:
        @contextmanager
        def plant() -> Iterator[None]:
            with patch.object(owner, attribute, make(getattr(owner, attribute))):
                yield

        CANARIES[name] = plant
        return make

    return register


@_canary("gates are not dropped", Worker, "fence")
def _no_fence(_original: Original) -> Original:
    return lambda *_args: 0


@_canary("a fence spares its own older gates of this generation", Worker, "fence")
def _mild_fence(original: Original) -> Original:
    def fence(self: Worker, keep: frozenset[Gate], membership: Any) -> int:
        gates = self._store.list_gates()
        spared = frozenset(gate for gate in gates if gate.generation == membership.generation)
        return int(original(self, keep | spared, membership))

    return fence


@_canary("a fence spares the gates of other loaders", Worker, "fence")
def _private_fence(original: Original) -> Original:
    def fence(self: Worker, keep: frozenset[Gate], membership: Any) -> int:
        spared = frozenset(gate for gate in self._store.list_gates() if gate.instance != membership.instance)
        return int(original(self, keep | spared, membership))

    return fence


@_canary("a retry reuses the old gate", Worker, "open_gate")
def _reuse(original: Original) -> Original:
    return lambda self, membership: self.gate if self.gate is not None else original(self, membership)


@contextmanager
def _no_gate() -> Iterator[None]:
    """All loaders write through one table that nobody ever drops."""

    def open_gate(self: Worker, _membership: Any) -> Gate:
        self.gate = Gate(0, "all", 0, "00")
        if self.gate not in self._store.list_gates():
            self._store.create_gate(self.gate)
        return self.gate

    with patch.object(Worker, "open_gate", open_gate), patch.object(Worker, "fence", lambda *_args: 0):
        yield


@contextmanager
def _restore_first() -> Iterator[None]:
    """The sets are read before the old gates are dropped."""
    fence, restore = Worker.fence, Worker.restore
    due: dict[int, tuple[Any, ...]] = {}

    def later(self: Worker, *args: Any) -> int:
        due[id(self)] = args
        return 0

    def restore_then_fence(self: Worker, *args: Any) -> None:
        restore(self, *args)
        fence(self, *due.pop(id(self)))

    with patch.object(Worker, "fence", later), patch.object(Worker, "restore", restore_then_fence):
        yield


CANARIES["no gate"] = _no_gate
CANARIES["restore before the drop"] = _restore_first


@_canary("views dropped before their table", ModelStore, "drop_gate")
def _views_first(_original: Original) -> Original:
    def drop_gate(self: ModelStore, gate: Gate) -> None:
        for part in (*VIEWS, ""):
            self.drop(gate, part)
        self.await_inserts(gate)

    return drop_gate


@contextmanager
def _trusting_drop() -> Iterator[None]:
    """A drop that finds nothing is believed, though another is still waited for."""

    def drop_gate(self: ModelStore, gate: Gate) -> None:
        for part in ("", *VIEWS):
            self.drop(gate, part)

    def list_gates(self: ModelStore) -> list[Gate]:
        self._call("list")
        return [gate for name, gate in self._engine.gates.items() if self._engine.parts[name]]

    with patch.object(ModelStore, "drop_gate", drop_gate), patch.object(ModelStore, "list_gates", list_gates):
        yield


CANARIES["a drop that finds nothing is believed"] = _trusting_drop


@_canary("commit before insert", Pipeline, "_take")
def _commit_first(original: Original) -> Original:
    def take(self: Pipeline, fetched: Any) -> None:
        original(self, fetched)
        for record in map(as_record, fetched):
            lane = self._lanes[record.partition % len(self._lanes)]
            if lane.open:
                lane.to_commit[record.topic, record.partition] = record.offset + 1

    return take


@contextmanager
def _commit_lost() -> Iterator[None]:
    """What was read is committed after the partitions went to others: the broker does not mind."""
    start_over = Pipeline._start_over  # noqa: SLF001 (a bug is planted where it would be made)
    read: dict[int, dict[tuple[str, int], int]] = {}

    def commit_what_was_read(self: Pipeline) -> None:
        for lane in self._lanes:
            for record in (*lane.flushing, *lane.waiting):
                topic = ("fucai.sales.v1", "fucai.quarantine.v1")[record.topic]
                read.setdefault(id(self), {})[topic, record.partition] = record.offset + 1
        start_over(self)
        try:
            self._consumer.commit(read.get(id(self), {}))
        except (RebalancingError, KafkaError, MembershipLostError):
            return
        read.pop(id(self), None)

    with patch.object(Pipeline, "_start_over", commit_what_was_read), _unchecked_commit():
        yield


@contextmanager
def _unchecked_commit() -> Iterator[None]:
    commit = GroupConsumer.commit

    def unchecked(self: GroupConsumer, offsets: Any) -> None:
        with patch.object(self._consumer, "assignment", lambda: {TopicPartition(*place) for place in offsets}):
            commit(self, offsets)

    with patch.object(GroupConsumer, "commit", unchecked):
        yield


CANARIES["commit without assignment check"] = _commit_lost


@_canary("an offset too far is committed", GroupConsumer, "commit")
def _one_too_far(original: Original) -> Original:
    return lambda self, offsets: original(self, {place: at + (at > 0) for place, at in offsets.items()})


@_canary("nothing is read again after a doubt", GroupConsumer, "seek")
def _no_seek(_original: Original) -> Original:
    return lambda *_args: None


@_canary("rebalance keeps the old lanes", Pipeline, "_start_over")
def _keep_lanes(original: Original) -> Original:
    def start_over(self: Pipeline) -> None:
        if any(lane.open for lane in self._lanes):
            self._seen, self._generation = self._consumer.assignments, self._consumer.generation
        else:
            original(self)

    return start_over


@_canary("a doubtful insert counts as done", Pipeline, "_doubt")
def _no_doubt(_original: Original) -> Original:
    def doubt(_self: Pipeline, lane: Any, _error: Any) -> None:
        for record in lane.flushing:
            lane.to_commit[record.topic, record.partition] = record.offset + 1

    return doubt


@_canary("a failed insert is repeated with the same sets", Pipeline, "_doubt")
def _same_sets(_original: Original) -> Original:
    return lambda _self, lane, _error: lane.waiting.extendleft(reversed(lane.flushing))


@_canary("records stored before count as duplicates", Ledger, "of_store")
def _no_replayed(original: Original) -> Original:
    def of_store(*args: Any) -> Ledger:
        ledger: Ledger = original(*args)
        ledger.replayed.clear()
        return ledger

    return of_store


@_canary("records stored in part count as stored", Ledger, "of_store")
def _whole_replayed(original: Original) -> Original:
    def of_store(*args: Any) -> Ledger:
        ledger: Ledger = original(*args)
        ledger.replayed = {place: SequenceSet([(1, 1 << 40)]) for place in ledger.replayed}
        return ledger

    return of_store


@_canary("a gap counts as stored", Ledger, "of_store")
def _filled_gaps(original: Original) -> Original:
    def of_store(*args: Any) -> Ledger:
        ledger: Ledger = original(*args)
        for known in ledger.terminals.values():
            if known.stored.highest:
                known.stored.add(1, known.stored.highest)
        return ledger

    return of_store


@_canary("quarantine counts as stored", Ledger, "of_store")
def _quarantine_is_stored(original: Original) -> Original:
    def of_store(*args: Any) -> Ledger:
        ledger: Ledger = original(*args)
        for known in ledger.terminals.values():
            for first, last in known.quarantined.ranges():
                known.stored.add(first, last)
        return ledger

    return of_store


@_canary("sequence sets are off by one", SequenceSet, "add")
def _off_by_one(original: Original) -> Original:
    return lambda self, first, last: original(self, first, max(first, last - 1))


@_canary("a split keeps the wrong half", SequenceSet, "missing")
def _wrong_half(_original: Original) -> Original:
    return lambda self, first, last: self.within(first, last)


@_canary("a duplicate is stored", loader_plan, "_DUPLICATE")
def _store_duplicates(_original: Original) -> Any:
    return loader_plan._STORE  # noqa: SLF001 (see above)


@_canary("a receipt goes out before the broker's answer", Delivery, "settled")
def _early_receipt(_original: Original) -> Any:
    return property(lambda _self: True)


@_canary("a batch lost in part counts as confirmed", Delivery, "confirm")
def _no_error(original: Original) -> Original:
    return lambda self, _error: original(self, None)


@_canary("outbox without sync", ModelOutbox, "_sync")
def _no_sync(_original: Original) -> Original:
    return lambda _self: None


@_canary("an epoch is used again after damage", ModelOutbox, "next_epoch")
def _old_epoch(_original: Original) -> Original:
    return lambda _self, known, _wall_s: known


@_canary("a receipt for the wrong batch is believed", SendingMachine, "_fault_of")
def _credulous(_original: Original) -> Original:
    return lambda self, _receipt: "" if self._in_flight else "nothing was asked"


@_canary("events are acknowledged when sent", SendingMachine, "_go_on")
def _on_send(original: Original) -> Original:
    def go_on(self: SendingMachine, actions: list[Action], now_ms: int) -> list[Action]:
        found = original(self, actions, now_ms)
        return [*found, *[Acknowledge(action.batch, ()) for action in found if isinstance(action, Send)]]

    return go_on


@_canary("a resend skips the last batch", SendingMachine, "_fail")
def _short_resend(original: Original) -> Original:
    def fail(self: SendingMachine, *args: Any) -> None:
        original(self, *args)
        if self._again:
            self._again.pop()

    return fail


@_canary("the window is not resent in order", SendingMachine, "_fail")
def _disordered(original: Original) -> Original:
    def fail(self: SendingMachine, *args: Any) -> None:
        original(self, *args)
        self._again.reverse()

    return fail
