"""Loaders for tests: in a thread to look inside, or as a process of their own to be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import CollectorRegistry

from fucai.adapters.clickhouse import connect
from fucai.adapters.consumer import GroupConsumer, GroupSettings
from fucai.adapters.gates import instance_of
from fucai.loader.lane import FlushPolicy
from fucai.loader.metrics import LoaderMetrics
from fucai.loader.pipeline import TOPICS, Pipeline
from fucai.loader.store import ClickHouseStore
from fucai.loader.worker import Worker
from fucai.runtime.progress import Progress

SESSION_MS = 4_000


def group_of(database: str) -> str:
    """Return the consumer group for a database: a group for each test, so that none waits for another's members."""
    return f"loader-{database}"


@contextmanager
def loader_thread(
    bootstrap: str, url: str, database: str, instance: str = "loader-0", progress: Progress | None = None
) -> Iterator[CollectorRegistry]:
    """Run a loader in a thread and yield its metrics; stop it gracefully in the end and raise what it raised.

    It tells `progress` how it fares.
    """
    registry = CollectorRegistry()
    pipeline = Pipeline(
        GroupConsumer(GroupSettings(bootstrap, group_of(database), instance, SESSION_MS), list(TOPICS)),
        [Worker(number, ClickHouseStore(connect(url, database), "Asia/Shanghai")) for number in range(2)],
        instance=instance_of(instance),
        policy=FlushPolicy(linger_s=0.05),
        metrics=LoaderMetrics(registry),
        progress=progress or Progress(),
        log=structlog.get_logger(),
    )
    stopping = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            pipeline.run(stopping)
        except BaseException as error:  # noqa: BLE001 (raised again in the test's own thread)
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield registry
    finally:
        stopping.set()
        thread.join()
        pipeline.close()
    if failures:
        raise failures[0]


def start_loader(
    bootstrap: str, url: str, database: str, instance: str = "loader-0", failpoints: str = "", **settings: str
) -> subprocess.Popen[bytes]:
    """Start a loader as a process of its own, with failpoints as in `runtime.failpoints`.

    `settings` are FUCAI_* variables in small letters.
    """
    env = {
        **os.environ,
        "FUCAI_KAFKA": bootstrap,
        "FUCAI_CLICKHOUSE": url,
        "FUCAI_DATABASE": database,
        "FUCAI_GROUP": group_of(database),
        "FUCAI_INSTANCE": instance,
        "FUCAI_LINGER_MS": "20",
        "FUCAI_SESSION_TIMEOUT_MS": str(SESSION_MS),
        "FUCAI_FAILPOINTS": failpoints,
        **{f"FUCAI_{name.upper()}": value for name, value in settings.items()},
    }
    return subprocess.Popen([sys.executable, "-m", "fucai.loader"], env=env, stderr=subprocess.DEVNULL)
