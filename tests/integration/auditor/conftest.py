"""What the auditor's tests share: empty topics, a way past the collector, a world of tills, and the audit itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256

import pytest
from clickhouse_connect.driver.client import Client

from fucai.adapters.topics import TopicLayout
from fucai.auditor.keys import Keys, parse_keys
from fucai.auditor.run import Audit, Question, audit
from fucai.domain import topics
from fucai.v1 import sales_pb2, statement_pb2
from tests.support.batches import Writer
from tests.support.clickhouse import Database
from tests.support.kafka import renew_topics
from tests.support.loading import group_of, loader_thread
from tests.support.stating import DAY, ZONE, Till
from tests.support.waiting import eventually

NOW_MS = 1_760_100_000_000


@dataclass(slots=True)
class World:
    """A broker, a database, and tills that write past the collector."""

    broker: str
    database: Database
    client: Client
    writer: Writer
    tills: dict[str, Till] = field(default_factory=dict)
    sent: int = 0

    def till(self, terminal: str, epoch: int = 7) -> Till:
        """A till whose key the registry has."""
        made = self.tills[terminal] = Till(terminal, epoch)
        return made

    def send(self, *batches: sales_pb2.SalesBatch, topic: str = topics.SALES) -> None:
        """Write batches into Kafka."""
        self.writer.write(batches, topic)
        self.sent += sum(len(batch.events) for batch in batches)

    def state(self, *statements: statement_pb2.SignedStatement, key: str = "") -> None:
        """Write statements into Kafka, in order."""
        for signed in statements:
            name = key or statement_pb2.Statement.FromString(signed.content).terminal_id
            self.writer.write_raw(name.encode(), signed.SerializeToString(), None, topics.DAYCLOSE)
        self.writer.flush()

    def load(self, rows: int | None = None) -> None:
        """Run the real loader until everything sent, or so many rows, are stored."""
        self.writer.flush()
        wanted = self.sent if rows is None else rows
        with loader_thread(self.broker, self.database.url, self.database.name) as metrics:

            def loaded() -> bool:
                count = 0.0
                for outcome in ("stored", "duplicate", "quarantined"):
                    count += metrics.get_sample_value("fucai_loader_events_total", {"outcome": outcome}) or 0
                return count >= wanted

            eventually(loaded, 60, what=f"{wanted} events")
        self.sent = 0

    def keys(self) -> Keys:
        """The keys of all tills, as the registry has them."""
        return Keys((name, date(2020, 1, 1), parse_keys(till.public_key)) for name, till in self.tills.items())

    def audit(self, first: date = DAY, last: date | None = None, *, lines: bool = True) -> Audit:
        """Audit a day, or a period."""
        question = Question(first, last or first, with_lines=lines, loader_group=group_of(self.database.name))

        def silent(_what: str, _total: int) -> object:
            return lambda _steps: None

        return audit(
            self.broker,
            self.client,
            question,
            zone=ZONE,
            now_ms=lambda: NOW_MS,
            keys=self.keys(),
            stage=silent,  # type: ignore[arg-type]  # says nothing
        )


@pytest.fixture
def world(kafka_broker: str, clickhouse_database: Database) -> Iterator[World]:
    """An empty world."""
    renew_topics(kafka_broker, TopicLayout(partitions=4))
    writer, client = Writer(kafka_broker), clickhouse_database.client()
    yield World(kafka_broker, clickhouse_database, client, writer)
    writer.close()
    client.close()


def found(done: Audit) -> list[tuple[str, str, int, str]]:
    """Kind, terminal, first number and place of each finding, without order."""
    return sorted((str(each.kind), each.terminal_id, each.first_seq, each.where) for each in done.findings)


def forged(signed: statement_pb2.SignedStatement) -> statement_pb2.SignedStatement:
    """The same statement with a signature that does not fit."""
    copy = statement_pb2.SignedStatement()
    copy.CopyFrom(signed)
    copy.signature = sha256(signed.signature).digest() * 2
    return copy


def verdicts(done: Audit) -> set[str]:
    """The verdicts of all lines."""
    return {str(line.verdict) for line in done.lines}


def settle(client: Client, statements: Iterable[str]) -> None:
    """Change the store behind everybody's back, and wait until it is done."""
    for text in statements:
        client.command(text, settings={"mutations_sync": 2})
