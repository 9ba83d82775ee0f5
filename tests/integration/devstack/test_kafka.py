"""The local broker: what was acknowledged survives kill -9, and it serves this machine only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from kafka.structs import OffsetAndMetadata, TopicPartition

from fucai.devstack import kafka
from tests.support.kafka import running_kafka
from tests.support.ports import free_ports

NEWS = TopicPartition("news", 0)
RECORDS = [b"record %d" % number for number in range(1_000)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that is killed and started again on its folder after it confirmed 1,000 records and an offset."""
    data, ports = tmp_path_factory.mktemp("kafka") / "data", free_ports(2)
    with running_kafka(data, ports) as bootstrap:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.create_topics([NewTopic("news", 1, 1)])
        admin.close()
        producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type="lz4")
        confirmed = [producer.send("news", record) for record in RECORDS]
        assert [sent.get(timeout=30).offset for sent in confirmed] == list(range(1_000))
        producer.close()
        reader = KafkaConsumer(bootstrap_servers=bootstrap, group_id="readers", enable_auto_commit=False)
        reader.assign([NEWS])
        reader.commit({NEWS: OffsetAndMetadata(400, "", -1)})
        reader.close()
    with running_kafka(data, ports) as bootstrap:
        yield bootstrap


def read(bootstrap: str, count: int, group: str | None = None) -> list[bytes]:
    """Return the next records, from the group's offset where there is a group."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    consumer.assign([NEWS])
    found = [record.value for _, record in zip(range(count), consumer, strict=False)]
    consumer.close()
    return found


def test_confirmed_records_survive_kill_9(broker: str) -> None:
    """Every record that was confirmed before the broker was killed is there after its restart, in order."""
    assert read(broker, len(RECORDS)) == RECORDS


def test_committed_offsets_survive_kill_9(broker: str) -> None:
    """A group goes on where it had committed before the broker was killed."""
    assert read(broker, 1, group="readers") == [RECORDS[400]]


def test_creates_no_topic_by_itself(broker: str) -> None:
    """Sending to a topic that nobody created fails, and does not create it."""
    producer = KafkaProducer(bootstrap_servers=broker, max_block_ms=1_000)
    with pytest.raises(KafkaTimeoutError):
        producer.send("typo", b"lost").get(timeout=5)
    producer.close()
    admin = KafkaAdminClient(bootstrap_servers=broker)
    names = admin.list_topics()
    admin.close()
    assert "typo" not in names


def test_takes_records_up_to_its_limit(broker: str) -> None:
    """A record just below the limit is taken, one above it is refused by the broker."""
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.create_topics([NewTopic("big", 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=broker, acks="all", max_request_size=2 * kafka.MAX_MESSAGE_BYTES)
    assert producer.send("big", bytes(kafka.MAX_MESSAGE_BYTES - 1_000)).get(timeout=30).offset == 0
    with pytest.raises(MessageSizeTooLargeError):
        producer.send("big", bytes(kafka.MAX_MESSAGE_BYTES + 1)).get(timeout=30)
    producer.close()


def test_listens_on_loopback_only(broker: str) -> None:
    """Nothing listens on other addresses of the machine: 127.0.0.2 stands for them."""
    port = int(broker.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_says_what_to_do_when_offline(tmp_path: Path) -> None:
    """Without jars and without network, the error names the folder to copy, and the exit code is EX_UNAVAILABLE."""
    (closed,) = free_ports(1)
    nowhere = f"http://127.0.0.1:{closed}"
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "HTTPS_PROXY": nowhere, "https_proxy": nowhere}
    env |= {"NO_PROXY": "", "no_proxy": "", "COLUMNS": "1000"}
    command = [sys.executable, "-m", "fucai.devstack.kafka", "prepare"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == os.EX_UNAVAILABLE
    assert f"offline, copy {tmp_path / 'fucai' / f'kafka-{kafka.VERSION}'}" in done.stderr
    assert not list(tmp_path.rglob("*.jar"))


def test_jar_of_another_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that hands out another jar than the pinned one is named, and the cache stays empty."""
    genuine = kafka.prepare() / kafka.pinned_jars()[0].file_name
    jar = kafka.pinned_jars()[0]
    forged = kafka.Jar(jar.group, jar.artifact, jar.version, "0" * 64, genuine.stat().st_size)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kafka, "pinned_jars", lambda: [forged])
    monkeypatch.setattr("jgo.maven.Artifact.resolve", lambda _: genuine)
    with pytest.raises(kafka.FetchError, match=f"{jar.artifact}.*SHA-256 {jar.sha256}, pinned is 0000"):
        kafka.prepare()
    assert not list(tmp_path.rglob("*.jar"))
