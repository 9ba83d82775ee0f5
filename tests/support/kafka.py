"""A real broker for tests: one process, a folder of its own, free ports. Not shared with anything else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from fucai.adapters.topics import TopicLayout, ensure_topics
from fucai.devstack.parts import port_state
from fucai.domain import topics
from tests.support.ports import free_ports
from tests.support.waiting import eventually

READY_SECONDS = 60.0


@contextmanager
def running_kafka(data: Path, ports: list[int] | None = None) -> Iterator[str]:
    """Run a broker on `data` and yield its bootstrap address once it answers."""
    port, controller_port = ports or free_ports(2)
    command = [sys.executable, "-m", "fucai.devstack.kafka", "run", "--data", str(data)]
    command += ["--port", str(port), "--controller-port", str(controller_port)]
    data.mkdir(parents=True, exist_ok=True)
    log = data / "broker.out"
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        bootstrap = f"127.0.0.1:{port}"
        _await_broker(bootstrap, process, log)
        yield bootstrap
    finally:
        process.kill()
        process.wait()


def _await_broker(bootstrap: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the broker lists topics; fail with its log otherwise."""
    failure = ""

    def lists_topics() -> bool:
        nonlocal failure
        assert process.poll() is None, f"the broker ended: {failure}\n{log.read_text(errors='replace')[-2_000:]}"
        failure = port_state(bootstrap)
        if failure:
            return False
        try:
            admin = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=5_000)
            admin.list_topics()
            admin.close()
        except KafkaError as error:
            failure = str(error)
        return not failure

    eventually(lists_topics, READY_SECONDS, what=f"a broker that lists topics (see {log})")


def renew_topics(bootstrap: str, layout: TopicLayout) -> None:
    """Delete the suite's topics with all records, and create them empty."""
    names = [topics.SALES, topics.QUARANTINE, topics.DAYCLOSE]
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        for name in names:
            try:
                admin.delete_topics([name])
            except UnknownTopicOrPartitionError:
                continue
        eventually(lambda: not set(names) & set(admin.list_topics()), what="the deletion of the topics")
    finally:
        admin.close()
    assert ensure_topics(bootstrap, layout) == names
