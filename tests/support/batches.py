"""Batches as a collector writes them, and the way to put them into Kafka past it. Checks nothing."""

from __future__ import annotations

from collections.abc import Iterable

from kafka import KafkaProducer

from fucai.domain import topics
from fucai.domain.record import HEADER_NAME, RecordRange, encode_range
from fucai.v1 import sales_pb2

NOON_MS = 1_760_000_000_000
EPOCH = 7


def batch(first: int, count: int, terminal: str = "T1") -> sales_pb2.SalesBatch:
    """Return sales first..first+count-1 of a terminal, as a collector writes them."""
    events = [
        sales_pb2.SalesEvent(
            seq=number,
            kind=sales_pb2.EVENT_KIND_SALE,
            game="3d",
            draw_no="2025280",
            amount_fen=200 * (number % 7 + 1),
            bets=number % 7 + 1,
            sold_at_ms=NOON_MS + number * 1_000,
        )
        for number in range(first, first + count)
    ]
    return sales_pb2.SalesBatch(
        terminal_id=terminal,
        outlet_id=f"O-{terminal}",
        epoch=EPOCH,
        events=events,
        received_at_ms=NOON_MS + 500,
        collector_id="collector-0",
    )


def rejected_batch(first: int, count: int, terminal: str = "T1") -> sales_pb2.SalesBatch:
    """Return the same for the quarantine topic, with a finding for each event."""
    made = batch(first, count, terminal)
    reason = sales_pb2.QUARANTINE_REASON_UNKNOWN_GAME
    made.findings.extend(sales_pb2.Finding(seq=event.seq, reason=reason, field="game") for event in made.events)
    return made


def span_of(made: sales_pb2.SalesBatch) -> RecordRange:
    """Return the range that the record's header names."""
    return RecordRange(made.epoch, made.events[0].seq, made.events[-1].seq, len(made.events))


class Writer:
    """Writes records into Kafka, good and bad. Close it."""

    def __init__(self, bootstrap: str) -> None:
        """Connect."""
        self._producer = KafkaProducer(
            bootstrap_servers=bootstrap, acks="all", compression_type="lz4", linger_ms=5, max_request_size=8 << 20
        )

    def write(self, batches: Iterable[sales_pb2.SalesBatch], topic: str = topics.SALES) -> None:
        """Write good records."""
        for made in batches:
            self.write_raw(made.terminal_id.encode(), made.SerializeToString(), span_of(made), topic)

    def write_raw(
        self, key: bytes | None, value: bytes | None, span: RecordRange | None, topic: str = topics.SALES
    ) -> None:
        """Write a record as given; without a header where `span` is None."""
        headers = [(HEADER_NAME, encode_range(span))] if span else []
        self._producer.send(topic, key=key, value=value, headers=headers)

    def flush(self) -> None:
        """Return when Kafka has everything."""
        self._producer.flush()

    def close(self) -> None:
        """Send what is left and disconnect."""
        self._producer.close()
