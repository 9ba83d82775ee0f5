"""Storing master data in the real engine: all or nothing, corrected or with history, visible at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import grpc
import pytest

from fucai.adapters.registry_store import read_records, read_state, save
from fucai.domain.registry.changes import Entry, Plan, plan
from fucai.domain.registry.tables import OUTLETS, ZONES, Snapshot, empty_records
from fucai.runtime.errors import violations_of
from fucai.v1 import registry_pb2 as pb
from tests.integration.registry.serving import Running, pieces, serving
from tests.support.clickhouse import Database
from tests.unit.registry.records import good, kind_of

HEADER = "outlet_id,valid_from,name,agent_id,zone_id,district_code,mgmt_area,format,channel_class,opened,closed\n"
ZONES_CSV = """zone_id,name,zone_type,district_code,district,basis
Z1,金街,complex,120101,和平,
Z2,夜市,night_market,120102,河东,
"""


def outlet_line(outlet_id: str, valid_from: str, name: str, zone_id: str = "Z1") -> str:
    """A line of outlets.csv."""
    return f"{outlet_id},{valid_from},{name},A1,{zone_id},,一分区,cinema,social,2020-01-01,\n"


def record(message: Any) -> pb.RegistryRecord:
    """The message as a record of any table."""
    return pb.RegistryRecord(**{kind_of(message): message})


def zone_type_on(database: Database, outlet_id: str, day: str) -> str:
    """What the dictionary of the engine says of an outlet on a day."""
    client = database.client()
    try:
        text = "SELECT dictGetOrDefault('outlet_history', 'zone_type', tuple({outlet:String}), {day:Date}, '?')"
        return str(client.query(text, {"outlet": outlet_id, "day": day}).result_rows[0][0])
    finally:
        client.close()


def test_sample_set_is_stored_once(registry: Running, clickhouse_database: Database) -> None:
    """The packaged set goes in whole; again it changes nothing; what comes out is what went in."""
    contents = _sample()
    first = registry.stub.ImportFiles(pieces(contents, 64 * 1024))
    assert not first.problems
    assert (first.summary.import_id, first.summary.revision) == (1, 1)
    assert first.summary.added == sum(len(read) for read in _stored(clickhouse_database).values())
    again = registry.stub.ImportFiles(pieces(contents, 64 * 1024)).summary
    assert (again.import_id, again.revision, again.unchanged) == (0, 1, first.summary.added)
    assert {table.table: table.unchanged for table in again.tables} == {
        table.table: table.added for table in first.summary.tables
    }
    with serving(clickhouse_database.url, clickhouse_database.name) as restarted:
        assert restarted.snapshot() == registry.snapshot()
        assert restarted.import_files(zones=ZONES_CSV.replace("Z1", "Z90").replace("Z2", "Z91")).summary.import_id == 2


def test_same_day_corrects_and_a_later_one_adds_history(registry: Running, clickhouse_database: Database) -> None:
    """The figures see a correction and a move at once, each on its days; rows that are absent stay."""
    first = HEADER + outlet_line("001", "2020-01-01", "old") + outlet_line("002", "2020-01-01", "other")
    registry.import_files(zones=ZONES_CSV, outlets=first)
    assert zone_type_on(clickhouse_database, "001", "2024-06-30") == "complex"
    assert zone_type_on(clickhouse_database, "001", "2019-12-31") == "?"

    moved = HEADER + outlet_line("001", "2020-01-01", "new") + outlet_line("001", "2024-07-01", "moved", "Z2")
    summary = registry.import_files(outlets=moved).summary
    assert (summary.added, summary.corrected, summary.unchanged) == (1, 1, 0)
    assert zone_type_on(clickhouse_database, "001", "2024-06-30") == "complex"
    assert zone_type_on(clickhouse_database, "001", "2024-07-01") == "night_market"
    assert zone_type_on(clickhouse_database, "002", "2024-07-01") == "complex"

    client = clickhouse_database.client()
    rows = client.query(
        "SELECT outlet_id, toString(valid_from), toString(valid_to), name FROM outlets ORDER BY outlet_id, valid_from"
    ).result_rows
    client.close()
    assert rows == [
        ("001", "2020-01-01", "2024-06-30", "new"),
        ("001", "2024-07-01", "2149-06-06", "moved"),
        ("002", "2020-01-01", "2149-06-06", "other"),
    ]


def test_one_bad_line_stores_nothing(registry: Running, clickhouse_database: Database) -> None:
    """An import with a bad line leaves no row behind, not even of its good files."""
    bad = registry.import_files(zones=ZONES_CSV, outlets=HEADER + outlet_line("001", "2020-01-01", "a", "Z9"))
    assert not bad.HasField("summary")
    assert [(p.file, p.line, p.field, p.value) for p in bad.problems] == [("outlets.csv", 2, "zone_id", "Z9")]
    client = clickhouse_database.client()
    assert client.query("SELECT count() FROM zone_rows").result_rows == [(0,)]
    client.close()
    assert registry.snapshot()[0].revision == 0


class _Breaking:
    """A client whose connection breaks at an insert into one table, before or after the rows are written."""

    def __init__(self, client: Any, table: str, *, written: bool) -> None:
        self._client = client
        self._table = table
        self._written = written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def insert(self, table: str, *arguments: Any, **more: Any) -> None:
        """Insert, or break."""
        if table != self._table or self._written:
            self._client.insert(table, *arguments, **more)
        if table == self._table:
            raise ConnectionError("broken by the test")


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("table", ["import_numbers", "zone_rows", "outlet_rows", "imports"])
def test_import_that_breaks_off_is_whole_or_invisible(
    clickhouse_database: Database, table: str, *, written: bool
) -> None:
    """Wherever an import breaks off, its rows show all or none, and never come up with a later import."""
    client = clickhouse_database.client()
    broken = _plan(good("zone", name="broken"), good("outlet", name="broken"))
    with pytest.raises(ConnectionError):
        save(_Breaking(client, table, written=written), broken, "broken")  # type: ignore[arg-type] # stands in for it
    visible = table == "imports" and written
    assert read_state(client).imports == int(visible)
    assert read_records(client) == (broken.records_after if visible else empty_records())

    later = _plan(good("zone", zone_id="Z2"))
    save(client, later, "later")
    names = {message.name for message in read_records(client)["outlets"].values()}
    assert names == ({"broken"} if visible else set())
    client.close()


def test_any_sequence_of_imports_leaves_what_a_dictionary_would(
    registry: Running, clickhouse_database: Database
) -> None:
    """Random uploads of versions and corrections give what a plain dict gives, in the service and in the engine."""
    draw = random.Random(7)
    model: dict[tuple[str, str], Any] = {}
    registry.stub.UpsertRecords(pb.UpsertRecordsRequest(records=[record(good("zone"))]))
    for _ in range(12):
        upload = {}
        for _ in range(draw.randrange(1, 6)):
            key = (f"{draw.randrange(4):03}", f"2024-0{draw.randrange(1, 6)}-01")
            upload[key] = good("outlet", outlet_id=key[0], valid_from=key[1], name=draw.choice("abc"))
        summary = registry.stub.UpsertRecords(
            pb.UpsertRecordsRequest(records=[record(message) for message in upload.values()], source="test")
        ).summary
        assert summary.added == len(upload.keys() - model.keys())
        assert summary.unchanged == sum(model.get(key) == message for key, message in upload.items())
        model |= upload
        assert _outlets(registry) == model
        assert _stored(clickhouse_database)["outlets"] == model
    days = [f"2024-0{month}-15" for month in range(1, 7)]
    client = clickhouse_database.client()
    for day in days:
        for number in range(4):
            outlet_id = f"{number:03}"
            known = [key for key in model if key[0] == outlet_id and key[1] <= day]
            text = "SELECT dictGetOrDefault('outlet_history', 'name', tuple({o:String}), {d:Date}, '')"
            found = client.query(text, {"o": outlet_id, "d": day}).result_rows[0][0]
            assert found == (model[max(known)].name if known else "")
    client.close()


def test_imports_at_the_same_time_all_count(registry: Running) -> None:
    """Writers from many sides wait for each other: every record is there, every import has a number of its own."""
    registry.stub.UpsertRecords(pb.UpsertRecordsRequest(records=[record(good("zone"))]))

    def upload(number: int) -> int:
        outlet = good("outlet", outlet_id=f"{number:03}")
        request = pb.UpsertRecordsRequest(records=[record(outlet)])
        return int(registry.stub.UpsertRecords(request).summary.import_id)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(upload, range(16)))
    assert sorted(numbers) == list(range(2, 18))
    assert len(_outlets(registry)) == 16


def test_import_whose_caller_gives_up_is_whole_or_absent(registry: Running) -> None:
    """A client that hangs up in the middle leaves all of its import or nothing, and the next one works."""
    call = registry.stub.ImportFiles.future(pieces(_sample()), timeout=0.1)
    with pytest.raises(grpc.RpcError):
        call.result()
    kept = sum(len(part.records) for part in registry.snapshot())
    summary = registry.stub.ImportFiles(pieces(_sample())).summary
    assert kept == summary.unchanged
    assert kept in (0, summary.added + kept)
    assert 0 in (summary.added, summary.unchanged)


def test_refused_records_name_each_field(quiet_registry: Running) -> None:
    """A refused upsert is INVALID_ARGUMENT with the path of each field, and stores nothing."""
    records = [
        record(good("zone", zone_type="park")),
        record(good("outlet", zone_id="Z9", opened="")),
        record(good("game")),
    ]
    with pytest.raises(grpc.RpcError) as caught:
        quiet_registry.stub.UpsertRecords(pb.UpsertRecordsRequest(records=records))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in violations_of(caught.value)] == [
        "records[0].zone.zone_type",
        "records[1].outlet.opened",
        "records[1].outlet.zone_id",
    ]
    assert quiet_registry.snapshot()[0].revision == 0


def test_thousands_of_faults_fit_into_a_status(quiet_registry: Running) -> None:
    """However many records are bad, the answer stays small enough for gRPC and says how many there are."""
    records = [record(good("zone", zone_id="市" * 60 + str(n), name="", zone_type="x" * 300)) for n in range(1_000)]
    with pytest.raises(grpc.RpcError) as caught:
        quiet_registry.stub.UpsertRecords(pb.UpsertRecordsRequest(records=records))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "1000 of 1000 records" in str(caught.value.details())
    assert violations_of(caught.value)


def test_unusable_requests_are_refused(quiet_registry: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that is none, an import without a file or a name, and one that is too large are INVALID_ARGUMENT."""
    monkeypatch.setattr("fucai.registry.service.MAX_IMPORT_BYTES", 10_000)

    def attempts() -> list[Any]:
        stub = quiet_registry.stub
        return [
            lambda: stub.UpsertRecords(pb.UpsertRecordsRequest(records=[pb.RegistryRecord()])),
            lambda: stub.ImportFiles(iter(())),
            lambda: stub.ImportFiles(iter([pb.ImportFilesRequest(content=b"x")])),
            lambda: stub.ImportFiles(pieces({"zones.csv": b"x" * 10_001})),
        ]

    for attempt in attempts():
        with pytest.raises(grpc.RpcError) as caught:
            attempt()
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def _sample() -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in files("fucai.registry").joinpath("sample").iterdir()}


def _plan(*messages: Any) -> Plan:
    tables = {"zone": ZONES, "outlet": OUTLETS}
    return plan([Entry(0, tables[kind_of(message)], message) for message in messages], Snapshot())


def _stored(database: Database) -> Any:
    client = database.client()
    try:
        return read_records(client)
    finally:
        client.close()


def _outlets(registry: Running) -> dict[tuple[str, str], Any]:
    found = [record.outlet for part in registry.snapshot() for record in part.records if record.HasField("outlet")]
    return {(outlet.outlet_id, outlet.valid_from): outlet for outlet in found}
