"""Good records from producers other than ours: what Kafka takes, the loader reads."""

from __future__ import annotations

import subprocess

import pytest
from clickhouse_connect.driver.client import Client
from kafka import KafkaProducer

from fucai.devstack.kafka import tool_command
from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, encode_range
from tests.support.batches import Writer, batch, span_of
from tests.support.clickhouse import Database
from tests.support.loading import loader_thread
from tests.support.waiting import eventually


def count(client: Client, table: str = "sales") -> int:
    """Return the rows of a table."""
    return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])


class NoText(str):
    """A header's name that goes out as bytes which are no UTF-8, as a C program may send it."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        """Return such bytes."""
        return b"\xff\xfename"


def test_header_name_that_is_no_text_stops_nothing(broker: str, client: Client, clickhouse_database: Database) -> None:
    """The record is read like any other, among others in one compressed batch and alone."""
    for compression in ("lz4", None):
        producer = KafkaProducer(bootstrap_servers=broker, compression_type=compression, linger_ms=50)
        for terminal in (f"T1-{compression}", f"T2-{compression}"):
            made = batch(1, 3, terminal)
            headers = [(NoText("x"), b"\xff\xfename"), (HEADER_NAME, encode_range(span_of(made))), (NoText("y"), b"")]
            producer.send(topics.SALES, made.SerializeToString(), terminal.encode(), headers)
        producer.close()
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(lambda: count(client) == 12, 20)
    assert count(client, "quarantine") == 0


@pytest.mark.parametrize("codec", ["zstd", "snappy"])
def test_other_codecs_stop_nothing(
    broker: str, writer: Writer, client: Client, clickhouse_database: Database, codec: str
) -> None:
    """Records of a producer that compresses in a way that loaders do not know reach them all the same."""
    tool = "org.apache.kafka.tools.ConsoleProducer"
    command = tool_command(tool, "--bootstrap-server", broker, "--topic", topics.SALES, "--compression-codec", codec)
    subprocess.run(command, input=b"a line\n", check=True, capture_output=True)
    writer.write([batch(1, 3)])
    writer.flush()
    with loader_thread(broker, clickhouse_database.url, clickhouse_database.name):
        eventually(lambda: count(client) == 3 and count(client, "quarantine FINAL") == 1, 20)
