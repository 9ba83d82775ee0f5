"""The frame of every service process: wire it, serve it, stop it gracefully. Use `run` from a `__main__.py`.

class CollectorSettings(ServiceSettings):
    past_days: int = 62

async def build(service: Service[CollectorSettings]) -> None:
    snapshot = await service.enter(RegistrySnapshot(service.settings))        # closed last, in reverse order
    refreshing = service.progress("registry", stalled_after_s=60)             # shows in health and /ready
    service.background("refresh", snapshot.keep_fresh(refreshing))            # its failure ends the process
    service.add(add_CollectorServiceServicer_to_server, CollectorService(snapshot, service.metrics, service.log))

if __name__ == "__main__":
    run("collector", CollectorSettings, build)
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Generic, NoReturn, TypeVar

from prometheus_client import CollectorRegistry, Gauge
from structlog.typing import FilteringBoundLogger

from fucai.runtime.errors import FatalError
from fucai.runtime.monitoring import MonitoringServer
from fucai.runtime.progress import Probe, Progress, Readiness, combine
from fucai.runtime.rpc import RpcMetrics, RpcObserver
from fucai.runtime.server import Health, Servicers, build_server
from fucai.runtime.settings import ServiceSettings
from fucai.runtime.telemetry import configure_logging, process_registry

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
T = TypeVar("T")

HEALTH_SECONDS = 0.5
RPC_GRACE_SECONDS = 2.0
WATCHDOG_SECONDS = 2.0


class Service(Generic[SettingsT]):
    """One service process while it is being wired and while it serves.

    Attributes:
        settings: what the environment said.
        metrics: the process's own registry; pass it to each metric (`Counter(..., registry=service.metrics)`).
        log: structlog logger with service and instance bound.
        stopping: set when the process shall end. Workers watch it.
        grpc_address, metrics_address: where it listens, with the real port; empty until it does.
    """

    def __init__(self, name: str, settings: SettingsT, log: FilteringBoundLogger) -> None:
        self.name = name
        self.settings = settings
        self.log = log
        self.metrics: CollectorRegistry = process_registry(service=name, instance=settings.instance)
        self.stopping = asyncio.Event()
        self.grpc_address = ""
        self.metrics_address = ""
        self._ready_gauge = Gauge(
            "fucai_ready", "1 while this part of the process can do its work, else 0.", ["probe"], registry=self.metrics
        )
        self._probes: dict[str, Probe] = {}
        self._servicers = Servicers()
        self._background: dict[str, asyncio.Task[None]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._resources = AsyncExitStack()
        self._failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def add(self, register: Callable[[Any, Any], None], servicer: object) -> None:
        """Serves a gRPC servicer: `add(collector_pb2_grpc.add_CollectorServiceServicer_to_server, servicer)`."""
        self._servicers.add(register, servicer)

    def probe(self, name: str, probe: Probe) -> None:
        """Makes readiness depend on `probe`, which answers at once, from any thread, and does not raise."""
        self._probes[name] = probe
        self._ready_gauge.labels(name).set_function(lambda: float(probe().ready))

    def progress(self, name: str, *, stalled_after_s: float = 30.0, silent_after_s: float | None = None) -> Progress:
        """A new `Progress` for one work loop, already a probe of that name."""
        progress = Progress(stalled_after_s=stalled_after_s, silent_after_s=silent_after_s)
        self.probe(name, progress.readiness)
        return progress

    def background(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` beside the server until it returns; a stop cancels it at once. If it raises, the process ends."""
        self._background[name] = self._start(name, work)

    def worker(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work`, which returns by itself soon after `stopping` is set (it may flush, commit, join its threads).

        It is cancelled only when `stop_seconds` are over. If it raises, or returns earlier, the process ends.
        """
        self._workers[name] = self._start(name, work)

    async def enter(self, resource: AbstractAsyncContextManager[T]) -> T:
        """Enters `resource` now; it is left after the server and all tasks have ended, the newest first."""
        return await self._resources.enter_async_context(resource)

    def closing(self, close: Callable[[], Awaitable[None]]) -> None:
        """Awaits `close()` after the server and all tasks have ended, the newest first."""
        self._resources.push_async_callback(close)

    def readiness(self) -> Readiness:
        """What /ready and gRPC health say now."""
        return combine({name: probe() for name, probe in self._probes.items()})

    @asynccontextmanager
    async def running(
        self, build: Callable[[Service[SettingsT]], Awaitable[None]]
    ) -> AsyncIterator[Service[SettingsT]]:
        """Wires the service by `build`, serves while the block runs, then stops. Tests use it directly.

        Raises:
            FatalError: an address cannot be listened on.
        """
        async with self._resources:
            starting = Progress()
            self.probe("start", starting.readiness)
            monitoring = self._listen_for_monitoring()
            self._resources.push_async_callback(asyncio.to_thread, monitoring.close)
            try:
                await build(self)
                health = Health(self._servicers.names)
                observer = RpcObserver(RpcMetrics(self.metrics), self.log)
                server = build_server(
                    self._servicers,
                    health_of=health,
                    interceptors=[observer],
                    max_message_bytes=self.settings.max_message_bytes,
                )
                self._listen_for_rpcs(server)
                await server.start()
                starting.idle("serving")
                self.background("health", self._follow_readiness(health))
                self.log.info("serving", grpc=self.grpc_address, metrics=self.metrics_address)
                try:
                    yield self
                finally:
                    starting.blocked("stopping")
                    self.stopping.set()
                    await health.stop()
                    await server.stop(min(RPC_GRACE_SECONDS, self.settings.stop_seconds / 2))
            finally:
                self.stopping.set()
                await self._end_tasks()

    async def wait(self) -> None:
        """Returns when `stopping` is set; raises what a background task or worker raised."""
        stopping: asyncio.Future[Any] = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait([stopping, self._failed], return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                self._failed.result()
        finally:
            stopping.cancel()

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{self.name}/{name}")
        task.add_done_callback(lambda done: self._ended(name, done))
        return task

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is None and name in self._workers and not self.stopping.is_set():
            error = FatalError(f"worker {name!r} returned although nobody stopped it")
        if error is None:
            return
        if self._failed.done() or self.stopping.is_set():
            self.log.error("task failed while stopping", task=name, exc_info=error)
        else:
            self._failed.set_exception(error)
            self._failed.exception()  # marks it as seen: `wait` may never be called

    def _listen_for_monitoring(self) -> MonitoringServer:
        try:
            monitoring = MonitoringServer(self.settings.metrics, registry=self.metrics, probes=self._probes)
        except OSError as error:
            message = f"cannot listen on FUCAI_METRICS={self.settings.metrics}: {error.strerror}; free it or change it"
            raise FatalError(message, exit_code=os.EX_UNAVAILABLE) from error
        self.metrics_address = monitoring.address
        return monitoring

    def _listen_for_rpcs(self, server: Any) -> None:
        asked = self.settings.grpc
        host, _, _ = asked.rpartition(":")
        try:
            port = server.add_insecure_port(asked)
        except RuntimeError as error:
            message = f"cannot listen on FUCAI_GRPC={asked}; free it or change it"
            raise FatalError(message, exit_code=os.EX_UNAVAILABLE) from error
        self.grpc_address = asked if asked.startswith("unix:") else f"{host}:{port}"

    async def _follow_readiness(self, health: Health) -> None:
        last: Readiness | None = None
        while True:
            now = self.readiness()
            await health.show(now)
            if last is None or now.ready != last.ready:
                (self.log.info if now.ready else self.log.warning)("readiness", ready=now.ready, reason=now.reason)
            last = now
            await asyncio.sleep(HEALTH_SECONDS)

    async def _end_tasks(self) -> None:
        for task in self._background.values():
            task.cancel()
        workers = set(self._workers.values())
        if workers:
            _, late = await asyncio.wait(workers, timeout=self.settings.stop_seconds / 2)
            for task in late:
                self.log.error("worker did not end in time; cancelled", task=task.get_name())
                task.cancel()
        await asyncio.gather(*self._background.values(), *workers, return_exceptions=True)


def run(
    name: str,
    settings_class: type[SettingsT],
    build: Callable[[Service[SettingsT]], Awaitable[None]],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> NoReturn:
    """Runs a service process until SIGTERM, SIGINT or a failure, and exits. The loop is asyncio's if not told.

    Exit codes: 0 after a signal, 69 when an address is taken, 70 after a failed task, 78 for unusable settings, or
    what a `FatalError` says. A stop that takes longer than `stop_seconds`, or a second signal, ends it the hard way.
    """
    run_with(name, settings_class.from_env_or_exit(), build, loop_factory=loop_factory)


def run_with(
    name: str,
    settings: SettingsT,
    build: Callable[[Service[SettingsT]], Awaitable[None]],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> NoReturn:
    """As `run`, for a process whose settings come from elsewhere, such as its command line."""
    log = configure_logging(
        service=name, instance=settings.instance, level=settings.log_level, style=settings.log_format
    )
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        sys.exit(runner.run(_serve(name, settings, log, build)))


async def _serve(
    name: str,
    settings: SettingsT,
    log: FilteringBoundLogger,
    build: Callable[[Service[SettingsT]], Awaitable[None]],
) -> int:
    service = Service(name, settings, log)
    serving = asyncio.create_task(_serve_until_stopped(service, build))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, service, serving, number)
    try:
        await serving
    except asyncio.CancelledError:
        log.info("stopped while starting")
    except FatalError as error:
        log.error(str(error))  # noqa: TRY400 (the message says it all; a traceback would bury it)
        return error.exit_code
    except Exception:
        log.exception("ended by an unexpected error")
        return os.EX_SOFTWARE
    finally:
        _start_watchdog(settings.stop_seconds + WATCHDOG_SECONDS, log)
    log.info("stopped")
    return os.EX_OK


async def _serve_until_stopped(
    service: Service[SettingsT], build: Callable[[Service[SettingsT]], Awaitable[None]]
) -> None:
    async with service.running(build):
        await service.wait()


def _stop(service: Service[Any], serving: asyncio.Task[None], number: signal.Signals) -> None:
    if service.stopping.is_set():
        service.log.warning("second signal: ending at once", signal=number.name)
        os._exit(128 + number)
    service.log.info("stopping", signal=number.name)
    _start_watchdog(service.settings.stop_seconds + WATCHDOG_SECONDS, service.log)
    service.stopping.set()
    if not service.grpc_address:
        serving.cancel()


def _start_watchdog(seconds: float, log: FilteringBoundLogger) -> None:
    """Ends the process the hard way when a graceful stop, or a thread that does not end, takes too long."""

    def end() -> None:
        log.error("graceful stop took too long; ending at once", seconds=seconds)
        os._exit(os.EX_SOFTWARE)

    watchdog = threading.Timer(seconds, end)
    watchdog.daemon = True
    watchdog.start()
