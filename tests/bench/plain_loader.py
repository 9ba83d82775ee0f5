"""The plain way from Kafka to ClickHouse: decode each batch with protobuf, insert rows. At least once, no gates.

A process of its own: `python -m tests.bench.plain_loader BOOTSTRAP URL DATABASE EVENTS`; prints the seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kafka import KafkaConsumer, TopicPartition

from fucai.adapters.clickhouse import connect
from fucai.domain import topics
from fucai.v1 import sales_pb2

ROWS_AN_INSERT = 100_000
COLUMNS = (
    *("outlet_id", "business_day", "sold_at", "sold_hour", "kind", "game", "draw_no"),
    *("amount_fen", "bets", "multiplier", "face_value_fen", "companion_fen"),
    *("daily_summary", "ticket_serial", "terminal_id", "epoch", "seq"),
    *("received_at", "collector_id", "kafka_partition", "kafka_offset"),
)
ZONE = ZoneInfo("Asia/Shanghai")


def rows_of(record: Any) -> Iterator[list[Any]]:
    """Yield a record's events as rows."""
    batch = sales_pb2.SalesBatch.FromString(record.value)
    received = datetime.fromtimestamp(batch.received_at_ms / 1000, UTC)
    for event in batch.events:
        sold = datetime.fromtimestamp(event.sold_at_ms / 1000, UTC)
        local = sold.astimezone(ZONE)
        yield [
            *(batch.outlet_id, local.date(), sold, local.hour, event.kind, event.game, event.draw_no),
            *(event.amount_fen, event.bets, event.multiplier, event.face_value_fen, event.companion_fen),
            *(event.daily_summary, event.ticket_serial, batch.terminal_id, batch.epoch, event.seq),
            *(received, batch.collector_id, record.partition, record.offset),
        ]


def main() -> None:
    """Load the whole topic."""
    bootstrap, url, database, events = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    client = connect(url, database)
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_poll_records=5_000, enable_auto_commit=False
    )
    consumer.assign([TopicPartition(topics.SALES, number) for number in consumer.partitions_for_topic(topics.SALES)])
    begin = time.monotonic()
    waiting: list[list[Any]] = []
    stored = 0
    while stored < events:
        for records in consumer.poll(timeout_ms=100).values():
            for record in records:
                waiting.extend(rows_of(record))
        if len(waiting) >= ROWS_AN_INSERT or stored + len(waiting) >= events:
            client.insert("sales", waiting, column_names=COLUMNS)
            stored += len(waiting)
            waiting = []
    sys.stdout.write(str(time.monotonic() - begin))


if __name__ == "__main__":
    main()
