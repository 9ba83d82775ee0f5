"""A loader's process in the simulation: the real Pipeline, Worker and GroupConsumer over models of log and store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any, TypeVar
from unittest.mock import patch

import structlog
from prometheus_client import CollectorRegistry

from fucai.adapters import consumer as consumer_adapter
from fucai.adapters.consumer import GroupConsumer, GroupSettings, MembershipLostError
from fucai.adapters.gates import instance_of
from fucai.loader.lane import FlushPolicy
from fucai.loader.metrics import LoaderMetrics
from fucai.loader.pipeline import TOPICS, Pipeline
from fucai.loader.worker import Worker
from fucai.runtime.progress import Progress
from tests.simulation.consumer import ModelConsumer
from tests.simulation.log import Coordinator
from tests.simulation.store import Engine, Insert, ModelStore
from tests.simulation.world import FOREVER, Host

T = TypeVar("T")
BUSY_MS, WAKE_MS, IDLE_MS = 15, 5, 1_500
RESTART_MS = 1_000
POLICY = FlushPolicy(linger_s=0.03, retry_s=0.7, careful_s=2.0)
_METRICS = LoaderMetrics(CollectorRegistry())
_LOG = structlog.wrap_logger(
    structlog.PrintLogger(), wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
).bind()
_PROGRESS = Progress()


class SimulatedFuture(Future[T]):
    """A flush under way: over once its inserts are answered, with what they came to."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self._began = False
        self._outcome: T | None = None
        self._error: Exception | None = None
        self._inserts: Sequence[Insert] = ()

    def begin(self, outcome: T | None, error: Exception | None, inserts: Sequence[Insert]) -> None:
        """The thread has done its work, up to the answers of the inserts if there are any."""
        self._began, self._outcome, self._error, self._inserts = True, outcome, error, inserts

    def done(self) -> bool:
        """Whether it is over."""
        if not self._began:
            return False
        for insert in self._inserts:
            if insert.answer_ms > self._host.world.now:
                return False
            if insert.error is not None:
                return True
        return True

    def result(self, timeout: float | None = None) -> T:
        """Waits for the outcome."""
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._outcome  # type: ignore[return-value]  # there is one where there is no error

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Waits for the outcome; the error, if it is one."""
        world = self._host.world
        deadline_ms = FOREVER if timeout is None else world.now + timeout * 1000
        while not self.done():
            if world.now >= deadline_ms:
                raise TimeoutError
            self._host.sleep(BUSY_MS)
        return self._error or next((insert.error for insert in self._inserts if insert.error is not None), None)


class SimulatedExecutor(Executor):
    """The thread of one worker: begins a little later, and ends when its inserts are answered."""

    def __init__(self, loader: Loader, store: ModelStore) -> None:
        self._loader, self._store = loader, store
        store.on_answer = loader.wake

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Runs `fn` soon."""
        del kwargs
        host = self._loader.host
        future: SimulatedFuture[T] = SimulatedFuture(host)
        host.at(host.random.randint(0, 3), self._run, future, fn, args)
        return future

    def _run(self, future: SimulatedFuture[T], fn: Callable[..., T], args: tuple[Any, ...]) -> None:
        inserts: list[Insert] = []
        self._store.under_way = inserts
        try:
            future.begin(fn(*args), None, inserts)
        except Exception as error:  # noqa: BLE001 (a thread keeps it for whoever asks)
            future.begin(None, error, ())
        self._loader.wake()


class Loader:
    """One loader: process after process under one instance name."""

    def __init__(self, host: Host, coordinator: Coordinator, engine: Engine, *, instance: str, workers: int) -> None:
        self.host = host
        self.instance = instance
        self.is_wanted = True
        self.pipeline: Pipeline | None = None
        self.consumer: ModelConsumer | None = None
        self._coordinator, self._engine, self._workers = coordinator, engine, workers
        self._turn = 0
        self._next_ms = FOREVER
        self._is_stepping = self._is_woken = self._is_stopping = False
        host.on_crash = self._died
        coordinator.on_change.append(self.wake)

    def start(self) -> None:
        """A new process: joins the group with its first poll."""
        if self.host.is_alive or not self.is_wanted:
            return
        host = self.host
        host.begin()
        self._is_stepping = self._is_woken = self._is_stopping = False
        self.consumer = made = ModelConsumer(self._coordinator, host, self.instance)
        made.wake = self.wake
        with patch.object(consumer_adapter, "KafkaConsumer", lambda **_settings: made):
            group = GroupConsumer(
                GroupSettings("model", "loader", self.instance), list(TOPICS), clock=lambda: host.world.now / 1000
            )
        stores = [ModelStore(self._engine, host) for _ in range(self._workers)]
        self.pipeline = Pipeline(
            group,
            [
                Worker(number, store, attempt=lambda: f"{host.random.getrandbits(48):012x}")
                for number, store in enumerate(stores)
            ],
            instance=instance_of(self.instance),
            policy=POLICY,
            metrics=_METRICS,
            progress=_PROGRESS,
            log=_LOG,
            clock=lambda: host.world.now / 1000,
            executors=[SimulatedExecutor(self, store) for store in stores],
        )
        self._schedule(1)

    def stop(self) -> None:
        """Ends gracefully: what is under way is finished and committed."""
        self.is_wanted, self._is_stopping = False, True
        self.wake()

    def wake(self) -> None:
        """Something may be there to be done: look sooner."""
        self._is_woken = True
        if not self._is_stepping and self._next_ms > self.host.world.now + WAKE_MS:
            self._schedule(WAKE_MS)

    @property
    def is_quiet(self) -> bool:
        """Whether it neither holds nor inserts anything."""
        lanes = self.pipeline._lanes if self.pipeline is not None else []  # noqa: SLF001 (nobody else asks)
        return not any(lane.waiting or lane.flush is not None or lane.to_commit for lane in lanes)

    def _schedule(self, delay_ms: int) -> None:
        self._turn += 1
        self._next_ms = self.host.world.now + delay_ms
        self.host.at(delay_ms, self._step, self._turn)

    def _step(self, turn: int) -> None:
        """One turn of the pipeline; the world may go on within it, but this loader's thread is in here."""
        if turn != self._turn or self.pipeline is None:
            return
        pipeline = self.pipeline
        self._next_ms = FOREVER
        self._is_stepping, self._is_woken = True, False
        try:
            pipeline.step()
        except MembershipLostError as error:
            self.host.world.note(self.host.name, f"ends: {error}")
            self.host.crash("lost membership")
            return
        self._is_stepping = False
        if self._is_stopping:
            self._drain()
            return
        lanes = pipeline._lanes  # noqa: SLF001 (see above)
        is_busy = any((lane.waiting and lane.flush is None) or not lane.open for lane in lanes if lane.places)
        self._schedule(WAKE_MS if self._is_woken else BUSY_MS if is_busy else IDLE_MS)

    def _drain(self) -> None:
        if self.pipeline is None:
            return
        self._turn += 1
        self._is_stepping = True
        try:
            self.pipeline.drain()
        except MembershipLostError as error:
            self.host.world.note(self.host.name, f"ends: {error}")
        self.host.crash("stop")

    def _died(self, _how: str) -> None:
        self.pipeline = None
        self._turn += 1
        self._next_ms = FOREVER
        if self.is_wanted:
            self.host.world.at(RESTART_MS, self.start)
