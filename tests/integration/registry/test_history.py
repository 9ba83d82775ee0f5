"""Letting files of history in: who claims a day first has it, and what is stored is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import grpc
import pytest

from fucai.adapters.history_store import claims_of, epoch_of, let_in
from fucai.domain.registry.history import Place
from fucai.registry.history import Claiming, _open
from fucai.runtime.errors import violations_of
from fucai.v1 import registry_pb2 as pb
from tests.integration.registry.serving import Running, serving
from tests.support.clickhouse import Database
from tests.unit.registry.records import good

Days = Mapping[tuple[str, str], Sequence[str]]
COLUMNS = (
    *("terminal_id", "epoch", "seq", "outlet_id", "business_day", "sold_at", "kind", "game", "amount_fen"),
    "kafka_partition",
)
JANUARY = [f"2024-01-{day:02}" for day in range(1, 32)]


@pytest.fixture
def registry(registry: Running) -> Running:
    """A registry with outlets 001 to 003 and a game."""
    outlets = [good("outlet", outlet_id=f"{n:03}", zone_id="") for n in range(1, 4)]
    records = [pb.RegistryRecord(outlet=outlet) for outlet in outlets] + [pb.RegistryRecord(game=good("game"))]
    registry.stub.UpsertRecords(pb.UpsertRecordsRequest(records=records))
    return registry


def sha(name: str) -> str:
    """A hash for a file of that name."""
    return hashlib.sha256(name.encode()).hexdigest()


def claims(name: str, days: Days) -> Iterator[pb.OpenHistoryRequest]:
    """What a file of that name brings."""
    for (outlet_id, game), texts in days.items():
        yield pb.OpenHistoryRequest(content_sha256=sha(name), file=name, outlet_id=outlet_id, game=game, days=texts)


def open_file(registry: Running, name: str, days: Days) -> pb.OpenHistoryResponse:
    """Open a file of history."""
    return registry.stub.OpenHistory(claims(name, days))


def test_same_file_gets_the_same_epoch(registry: Running, clickhouse_database: Database) -> None:
    """A file keeps its epoch, also after a restart, and other files get higher ones."""
    first = open_file(registry, "a.csv", {("001", "ssq"): JANUARY})
    second = open_file(registry, "b.csv", {("002", "ssq"): JANUARY})
    assert abs(first.epoch - datetime.now(UTC).timestamp()) < 600
    assert second.epoch > first.epoch
    with serving(clickhouse_database.url, clickhouse_database.name) as restarted:
        assert open_file(restarted, "a.csv", {("001", "ssq"): JANUARY[::-1]}).epoch == first.epoch


def test_overlap_is_refused_with_the_list_and_claims_nothing(registry: Running) -> None:
    """Days that another file brought are listed, each once, with that file; the rest is free for others."""
    open_file(registry, "a.csv", {("001", "ssq"): JANUARY[:10], ("002", "ssq"): JANUARY[:3]})
    refused = open_file(registry, "b.csv", {("001", "ssq"): [*JANUARY[8:12], "2024-03-01"], ("003", "ssq"): JANUARY})
    assert refused.epoch == 0
    assert [(c.outlet_id, c.game, c.day, c.file) for c in refused.conflicts] == [
        ("001", "ssq", "2024-01-09", "a.csv"),
        ("001", "ssq", "2024-01-10", "a.csv"),
    ]
    assert open_file(registry, "c.csv", {("001", "ssq"): JANUARY[10:12], ("003", "ssq"): JANUARY}).epoch


def test_one_of_two_files_at_the_same_time_wins(registry: Running) -> None:
    """Of files that overlap and come at once, exactly one is let in."""
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: open_file(registry, f"{n}.csv", {("001", "ssq"): JANUARY}), range(6)))
    winners = [answer for answer in answers if answer.epoch]
    assert len(winners) == 1
    assert {len(answer.conflicts) for answer in answers} == {0, 31}
    assert len({conflict.file for answer in answers for conflict in answer.conflicts}) == 1


def test_same_hash_with_other_days_is_refused(registry: Running) -> None:
    """A hash stands for one content."""
    open_file(registry, "a.csv", {("001", "ssq"): JANUARY})
    with pytest.raises(grpc.RpcError) as caught:
        open_file(registry, "a.csv", {("001", "ssq"): JANUARY[1:]})
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in violations_of(caught.value)] == ["content_sha256"]


@pytest.mark.parametrize(
    ("days", "field"),
    [({}, "days"), ({("009", "ssq"): JANUARY}, "outlet_id"), ({("001", "ssq"): ["1 Jan"]}, "days")],
)
def test_unusable_claims_are_refused(quiet_registry: Running, days: Days, field: str) -> None:
    """No claim, an unknown outlet and a day that is none are INVALID_ARGUMENT with the field."""
    with pytest.raises(grpc.RpcError) as caught:
        open_file(quiet_registry, "a.csv", days)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in violations_of(caught.value)] == [field]


def test_claims_that_break_off_do_not_count(clickhouse_database: Database) -> None:
    """Claims count with the last row written; broken off before it, the days are free and the epoch is spent."""
    client = clickhouse_database.client()
    place = Place("001", "ssq")
    span = (date(2024, 1, 1), date(2024, 1, 31))

    class Broken:
        """Breaks before the last row."""

        def insert(self, table: str, *arguments: Any, **more: Any) -> None:
            if table == "history_files":
                raise ConnectionError("broken by the test")
            client.insert(table, *arguments, **more)

    with pytest.raises(ConnectionError):
        let_in(Broken(), 5_000, sha("a"), "a.csv", {place: [span]})  # type: ignore[arg-type] # stands in for a client
    assert epoch_of(client, sha("a")) == 0
    claiming = Claiming()
    for request in claims("b.csv", {place: JANUARY}):
        claiming.add(request)
    opened = _open(client, claiming.content_sha256, "b.csv", claiming.claims(), lambda: 1_000.0)
    assert opened.epoch == 5_001
    assert claims_of(client, 5_001) == {place: [span]}
    client.close()


def test_what_is_stored_is_told_up_to_the_first_doubt(registry: Running, clickhouse_database: Database) -> None:
    """A terminal whose numbers 1 to n are stored is told with n, one with a hole or without number 1 is not."""
    days: Days = {(f"{n:03}", "ssq"): JANUARY for n in range(1, 4)}
    epoch = open_file(registry, "a.csv", days).epoch
    numbers = {"import:001": [1, 2, 3], "import:002": [1, 3], "import:003": [2, 3]}
    noon = datetime(2024, 1, 1, 4, tzinfo=UTC)
    rows = [
        [terminal, epoch, seq, terminal[-3:], (noon + timedelta(days=seq)).date(), noon, "SALE", "ssq", 7, part]
        for part, (terminal, seqs) in enumerate(numbers.items())
        for seq in seqs
    ]
    rows += [["import:001", epoch + 1, seq, "001", noon.date(), noon, "SALE", "ssq", 7, 0] for seq in range(4, 9)]
    client = clickhouse_database.client()
    for half in (rows[::2], rows[1::2]):
        client.insert("sales", half, column_names=COLUMNS)
    client.close()
    answer = open_file(registry, "a.csv", days)
    assert answer.epoch == epoch
    assert {stored.terminal_id: stored.seq for stored in answer.stored} == {"import:001": 3}


def test_a_year_of_a_thousand_outlets_is_opened_in_seconds(registry: Running) -> None:
    """Claims are kept as runs of days, so a large file is quick to open, and to open again."""
    outlets = [good("outlet", outlet_id=f"L{n:04}", zone_id="", valid_from="2020-01-01") for n in range(1_000)]
    registry.stub.UpsertRecords(
        pb.UpsertRecordsRequest(records=[pb.RegistryRecord(outlet=outlet) for outlet in outlets])
    )
    year = [(date(2023, 1, 1) + timedelta(days=n)).isoformat() for n in range(365)]
    days: Days = {(outlet.outlet_id, "ssq"): year for outlet in outlets}
    begun = datetime.now(UTC)
    assert open_file(registry, "large.csv", days).epoch == open_file(registry, "large.csv", days).epoch
    assert len(open_file(registry, "other.csv", {("L0999", "ssq"): year}).conflicts) == 365
    assert (datetime.now(UTC) - begun).total_seconds() < 30
