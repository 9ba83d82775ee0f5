"""What clickhouse-connect's own HTTP client, unmodified, gets from the local endpoint: the contract of a server."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from unittest.mock import ANY
from urllib.parse import urlencode
from uuid import UUID

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from fucai.adapters.clickhouse import connect, error_code
from fucai.adapters.gates import Gate, create_gate, drop_gate, insert_batches
from fucai.v1 import sales_pb2
from tests.support.clickhouse import Database
from tests.support.http import get, post

COLUMNS: list[tuple[str, str, list[Any]]] = [
    ("i", "Int64", [-(2**63), 0, 2**63 - 1]),
    ("u", "UInt256", [0, 1, 2**256 - 1]),
    ("f", "Float64", [-1.5, 0.0, float("inf")]),
    ("dec", "Decimal(38, 4)", [Decimal("-1.0001"), Decimal(0), Decimal("99999999999.9999")]),
    ("s", "String", ["", "a\0b\t\\'\n", "彩票 \U0001f3b0"]),
    ("fs", "FixedString(3)", [b"\0\0\0", b"abc", b"\xff\n\\"]),
    ("lc", "LowCardinality(Nullable(String))", [None, "ssq", "3d"]),
    ("n", "Nullable(UInt8)", [None, 0, 255]),
    ("d", "Date", [dt.date(1970, 1, 1), dt.date(2026, 2, 28), dt.date(2149, 6, 6)]),
    ("t", "DateTime64(3, 'Asia/Shanghai')", [dt.datetime(2026, 1, 1, 20, 15, i, 123_000, dt.UTC) for i in range(3)]),
    ("arr", "Array(Array(String))", [[], [["x"], []], [["y", "z"]]]),
    ("m", "Map(String, UInt64)", [{}, {"a": 1}, {"b": 2, "c": 3}]),
    ("tup", "Tuple(String, Int8)", [("", 0), ("a", -1), ("b", 1)]),
    ("e", "Enum8('SALE' = 1, 'VOID' = 2)", ["SALE", "VOID", "SALE"]),
    ("b", "Bool", [True, False, True]),
    ("id", "UUID", [UUID(int=0), UUID(int=1), UUID(int=2**128 - 1)]),
]


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_every_type_comes_back_as_it_went(database: Database, compress: bool | str) -> None:  # noqa: FBT001
    """Rows of every kind of type survive a Native insert and query, with each compression, in both directions."""
    made = clickhouse_connect.get_client(dsn=database.url, database=database.name, compress=compress)
    made.command(
        f"CREATE TABLE kinds ({', '.join(f'{name} {kind}' for name, kind, _ in COLUMNS)}) ENGINE = MergeTree ORDER BY u"
    )
    rows = list(zip(*(values for _, _, values in COLUMNS), strict=True))
    summary = made.insert("kinds", rows)
    assert summary.written_rows == 3
    assert made.query("SELECT * FROM kinds ORDER BY u").result_rows == rows
    made.close()


@pytest.mark.parametrize(
    ("accepted", "used"),
    [("lz4", "lz4"), ("zstd", "zstd"), ("gzip, deflate", "gzip"), ("br", None), ("lz4;q=0", None), ("", None)],
)
def test_the_answer_is_compressed_as_asked(clickhouse_url: str, accepted: str, used: str | None) -> None:
    """Only a client that accepts an encoding gets it, and Content-Encoding names it."""
    answer = post(
        f"{clickhouse_url}/?enable_http_compression=1", b"SELECT repeat('x', 100000)", {"Accept-Encoding": accepted}
    )
    assert answer.headers.get("Content-Encoding") == used
    assert (len(answer.body) < 10_000) == bool(used)


@pytest.mark.parametrize(
    ("text", "parameters", "row"),
    [
        ("SELECT {a:String}", {"a": "x\ty'\\ \n \0 彩"}, ("x\ty'\\ \n \0 彩",)),
        ("SELECT {a:Array(UInt8)}, {b:Nullable(String)}", {"a": [1, 2], "b": None}, ([1, 2], None)),
        ("SELECT {a:Date} + {b:Int32}", {"a": dt.date(2026, 1, 1), "b": 1}, (dt.date(2026, 1, 2),)),
        ("SELECT count() FROM system.{t:Identifier} WHERE 1 = {one:UInt8}", {"t": "settings", "one": 1}, (ANY,)),
        ("SELECT {a:String} = repeat('z', 20000)", {"a": "z" * 20_000}, (True,)),
    ],
)
def test_parameters(client: Client, text: str, parameters: dict[str, Any], row: tuple[Any, ...]) -> None:
    """Parameters are values and never SQL, in the address or, when long, in a form."""
    assert client.query(text, parameters=parameters).result_rows == [row]


def test_binary_in_the_text_of_a_query(clickhouse_url: str) -> None:
    """Bytes that are no text, NUL among them, reach the engine inside a literal."""
    answer = post(clickhouse_url, b"SELECT 'a\x00\xff\xfe', length('a\x00\xff\xfe') FORMAT RowBinary")
    assert answer.body == b"\x04a\x00\xff\xfe" + (4).to_bytes(8, "little")


@pytest.mark.parametrize(
    ("address", "code", "status"),
    [
        ("?param_a=%FF", 36, 400),
        ("?compress=1", 48, 501),
        ("?role=admin", 48, 501),
        ("?a%20b=1", 115, 404),
        ("?max_block_size=many", 27, 400),
        ("?session_id=s&session_timeout=forever", 374, 500),
        ("?database=no_such", 81, 404),
    ],
)
def test_what_an_address_may_not_hold(clickhouse_url: str, address: str, code: int, status: int) -> None:
    """Parameters that cannot be honoured are refused with a code, and the connection's next request is fine."""
    answer = post(f"{clickhouse_url}/{address}", b"SELECT 1")
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))


def test_pages_beside_the_statements(clickhouse_url: str) -> None:
    """/ping and / say that all is well; there is nothing else, also not for a statement."""
    for path, status in (("/ping", 200), ("/", 200), ("/play", 404)):
        answer = get(f"{clickhouse_url}{path}")
        assert (answer.status, answer.body == b"Ok.\n") == (status, status == 200)
    assert post(f"{clickhouse_url}/play", b"SELECT 1").status == 404


def test_a_get_may_only_read(clickhouse_url: str) -> None:
    """A statement in the address of a GET is answered if it reads, and refused if it writes."""
    for text, status, body in (
        ("SELECT 1", 200, b"1\n"),
        ("CREATE TABLE t (a UInt8) ENGINE = Memory", 500, b"Code: 164."),
    ):
        answer = get(f"{clickhouse_url}/?{urlencode({'query': text})}")
        assert answer.status == status
        assert answer.body.startswith(body)


def test_settings_hold_for_one_request(client: Client) -> None:
    """A setting of one query is not seen by the next one, also not after an error."""
    ask = "SELECT getSetting('max_block_size'), getSetting('log_comment')"
    assert client.query(ask, settings={"max_block_size": 7, "log_comment": "it's\\"}).result_rows == [(7, "it's\\")]
    with pytest.raises(DatabaseError):
        client.query("SELECT nothing", settings={"max_block_size": 8})
    assert client.query(ask).result_rows == [(65_409, "")]


def test_merges_give_way_to_questions(client: Client) -> None:
    """The engine took the setting; whether the system lets it depends on rights."""
    text = "SELECT value FROM system.server_settings WHERE name = 'os_threads_nice_value_merge_mutate'"
    assert client.query(text).result_rows == [("10",)]


def test_the_database_of_a_client(clickhouse_url: str, client: Client) -> None:
    """Names without a database are looked up in the client's own."""
    client.command("CREATE TABLE mine (a UInt8) ENGINE = Memory")
    other = connect(clickhouse_url, "default")
    assert client.command("EXISTS TABLE mine") == 1
    assert other.command("EXISTS TABLE mine") == 0
    with pytest.raises(DatabaseError) as error:
        connect(clickhouse_url, "no_such_database").query("SELECT count() FROM mine")
    assert error_code(error.value) == 81
    other.close()


ROWS = [
    ("TabSeparated", b"1\tx\n2\ty\n"),
    ("CSVWithNames", b"a,b\n1,x\n2,y\n"),
    ("JSONEachRow", b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n'),
    ("Values", b"(1, 'x'), (1 + 1, 'y')"),
    ("RowBinary", b"\x01\x01x\x02\x01y"),
]


@pytest.mark.parametrize(("fmt", "rows"), ROWS, ids=[fmt for fmt, _ in ROWS])
@pytest.mark.parametrize("compression", [None, "lz4", "zstd", "gzip"])
def test_insert_formats(client: Client, fmt: str, rows: bytes, compression: str | None) -> None:
    """Every format goes in, compressed or not, with its length or in chunks of a byte."""
    client.command("CREATE TABLE two (a UInt8, b String) ENGINE = MergeTree ORDER BY a")
    whole = _compressed(rows, compression)
    in_chunks = (whole[at : at + 1] for at in range(len(whole)))
    for block in (whole, in_chunks):
        client.raw_insert("two", ["a", "b"], insert_block=block, fmt=fmt, compression=compression)
        assert client.query("SELECT * FROM two ORDER BY a").result_rows == [(1, "x"), (2, "y")]
        client.command("TRUNCATE TABLE two")


def test_protobuf_with_its_schema_beside_it(clickhouse_database: Database) -> None:
    """The loader's insert: messages with the schema as a setting, through views; a dropped gate refuses with 60."""
    client = clickhouse_database.client()
    gate = Gate(1, "loader_0", 0, "abc")
    create_gate(client, gate, "Asia/Shanghai")
    batch = sales_pb2.SalesBatch(
        terminal_id="T1", outlet_id="O1", epoch=1, received_at_ms=1_700_000_000_000, collector_id="c",
        record_key="T1", record_epoch=1, first_seq=1, event_count=2, disposition=sales_pb2.DISPOSITION_STORE,
    )  # fmt: skip
    for seq in (1, 2):
        batch.events.add(seq=seq, kind=1, game="ssq", draw_no="2026001", amount_fen=200, sold_at_ms=1_700_000_000_000)
    frame = batch.SerializeToString()
    insert_batches(client, gate, bytes([len(frame) & 0x7F | 0x80, len(frame) >> 7]) + frame)
    assert client.query("SELECT count(), sum(amount_fen) FROM sales").result_rows == [(2, 400)]
    batch.record_key = "T2"
    frame = batch.SerializeToString()
    with pytest.raises(DatabaseError) as refused:
        insert_batches(client, gate, bytes([len(frame) & 0x7F | 0x80, len(frame) >> 7]) + frame)
    assert error_code(refused.value) == 395
    drop_gate(client, gate)
    with pytest.raises(DatabaseError) as gone:
        insert_batches(client, gate, b"")
    assert error_code(gone.value) == 60
    assert client.query("SELECT count() FROM sales").result_rows == [(2,)]
    client.close()


@pytest.mark.parametrize(
    ("text", "code", "status"),
    [
        ("SELECT * FROM no_such_table", 60, 404),
        ("SELECT * FROM no_such_database.t", 81, 404),
        ("SELECT nothing", 47, 404),
        ("SELEC 1", 62, 400),
        ("SELECT 1; SELECT 2", 62, 400),
        ("SELECT 1 FORMAT NoSuch", 73, 404),
        ("SELECT 1 SETTINGS no_such = 1", 115, 404),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT toUInt8('x')", 6, 400),
        ("SELECT {a:String}", 456, 500),
        ("SELECT sleepEachRow(1) FROM numbers(30) SETTINGS max_block_size = 1, max_execution_time = 0.1", 159, 408),
        ("INSERT INTO no_such_table FORMAT TSV\n1", 60, 404),
        ("INSERT INTO FUNCTION null('a UInt8') FORMAT TSV\nx", 27, 400),
    ],
)
def test_errors_are_those_of_a_server(clickhouse_url: str, text: str, code: int, status: int) -> None:
    """The code stands in its header, the text begins with it, and the status is the one of a server."""
    answer = post(clickhouse_url, text.encode())
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert answer.body.decode().startswith(f"Code: {code}. DB::Exception: ")
    plain = connect(clickhouse_url)
    with pytest.raises(DatabaseError) as error:
        plain.command(text)
    assert error_code(error.value) == code
    plain.close()


@pytest.mark.parametrize("fmt", ["CSV", "TabSeparated", "JSONEachRow", "Native", "Protobuf"])
def test_an_error_that_quotes_bytes_keeps_its_code(client: Client, fmt: str) -> None:
    """Data that is no text is quoted in the engine's error: it comes whole, with its code, and the client goes on."""
    client.command("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    schema = {"format_schema_source": "string", "format_schema_message_name": "M"}
    schema["format_schema"] = 'syntax = "proto3"; message M { uint32 a = 1; }'
    with pytest.raises(DatabaseError) as error:
        client.raw_insert("t", ["a"], b"\xff\xfe\xe0A" * 100, fmt=fmt, settings=schema)
    assert error_code(error.value) > 0
    assert client.command("SELECT count() FROM t") == 0


def test_an_unknown_setting_is_refused(client: Client) -> None:
    """A setting that the engine does not know is an error, not ignored."""
    with pytest.raises(DatabaseError) as error:
        client.raw_query("SELECT 1", settings={"no_such_setting": 1})
    assert error_code(error.value) == 115


def test_headers_of_an_answer(clickhouse_url: str) -> None:
    """Format, time zone, query id, server and summary stand in ClickHouse's headers."""
    answer = post(f"{clickhouse_url}/?query_id=my-id&wait_end_of_query=1", b"SELECT 1 FORMAT JSONEachRow")
    assert json.loads(answer.body) == {"1": 1}
    assert answer.headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert answer.headers["X-ClickHouse-Query-Id"] == "my-id"
    assert answer.headers["X-ClickHouse-Timezone"]
    assert answer.headers["X-ClickHouse-Server-Display-Name"]
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["result_rows"] == "1"


@pytest.mark.parametrize("fmt", ["JSON", "Parquet", "ArrowStream", "CSVWithNames", "Pretty", "TabSeparated", "Native"])
def test_a_long_result_is_one_document(client: Client, fmt: str) -> None:
    """A format with head or foot has them once, however many blocks the result has."""
    text = "SELECT number, toString(number) AS name FROM numbers(300000)"
    found = client.raw_query(text, fmt=fmt)
    client.command("CREATE TABLE back (number UInt64, name String) ENGINE = Memory")
    if fmt == "Pretty":
        assert found.count("┏".encode()) == 1
        return
    client.raw_insert("back", ["number", "name"], insert_block=found, fmt=fmt)
    assert client.query("SELECT count(), sum(number), max(toUInt64(name)) FROM back").result_rows == [
        (300_000, sum(range(300_000)), 299_999)
    ]


def test_totals_come_after_the_rows(client: Client) -> None:
    """WITH TOTALS sends the total last, as a server does."""
    text = "SELECT number % 2 AS k, count() FROM numbers(10) GROUP BY k WITH TOTALS ORDER BY k"
    assert client.raw_query(text, fmt="TSV") == b"0\t5\n1\t5\n\n0\t10\n"


def test_an_error_in_the_midst_of_a_stream(client: Client) -> None:
    """A query that fails after rows have gone out raises in the client, with the server's code."""
    text = "SELECT throwIf(number = 400000, 'halfway') FROM numbers(1000000) SETTINGS max_block_size = 10000"
    with client.query_row_block_stream(text) as blocks, pytest.raises(StreamFailureError) as error:
        for _ in blocks:
            pass
    assert error_code(error.value) == 395
    with pytest.raises(DatabaseError) as whole:
        client.query(text)
    assert error_code(whole.value) == 395
    assert client.query("SELECT 1").result_rows == [(1,)]


def test_an_empty_result_keeps_its_columns(client: Client) -> None:
    """LIMIT 0 tells the columns; a query without rows is an empty result and no error."""
    assert client.query("SELECT 1 AS a, 'x' AS b LIMIT 0").column_names == ("a", "b")
    assert client.query("SELECT 1 WHERE 0").result_rows == []


def test_statements_that_neither_read_nor_insert(client: Client) -> None:
    """Commands answer as from a server: nothing, a number, or rows."""
    client.command("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    client.command("INSERT INTO t VALUES (1), (2)")
    client.command("INSERT INTO t SELECT a + {more:UInt8} FROM t", parameters={"more": 10})
    assert client.command("SELECT sum(a) FROM t") == 26
    assert client.query("DESCRIBE TABLE t").result_rows[0][:2] == ("a", "UInt8")
    assert client.query("SHOW TABLES LIKE 't'").result_rows == [("t",)]
    assert "MergeTree" in str(client.command("SHOW CREATE TABLE t"))
    assert client.command("ALTER TABLE t DELETE WHERE a > 10 SETTINGS mutations_sync = 1") is not None
    client.command("OPTIMIZE TABLE t FINAL")
    assert client.command("SELECT count() FROM t") == 2


def test_a_dictionary_over_a_query(client: Client) -> None:
    """A range-hashed dictionary over a query of the same store answers, and again after a reload."""
    client.command("CREATE TABLE places (id String, first Date, last Date, zone String) ENGINE = MergeTree ORDER BY id")
    client.command("INSERT INTO places VALUES ('O1', '2025-01-01', '2025-06-30', 'old')")
    client.command(
        "CREATE DICTIONARY place (id String, first Date, last Date, zone String) PRIMARY KEY id "
        f"SOURCE(CLICKHOUSE(QUERY 'SELECT id, first, last, zone FROM {client.database}.places')) "
        "LAYOUT(COMPLEX_KEY_RANGE_HASHED()) RANGE(MIN first MAX last) LIFETIME(0)"
    )
    ask = "SELECT dictGetOrDefault('place', 'zone', tuple('O1'), toDate('2025-08-01'), 'none')"
    assert client.command(ask) == "none"
    client.command("INSERT INTO places VALUES ('O1', '2025-07-01', '2025-12-31', 'new')")
    client.command("SYSTEM RELOAD DICTIONARY place")
    assert client.command(ask) == "new"


def _compressed(content: bytes, encoding: str | None) -> bytes:
    from fucai.devstack.clickhouse.codecs import compressor  # noqa: PLC0415 (not for the other tests)

    if not encoding:
        return content
    codec = compressor(encoding)
    return codec.compress(content) + codec.flush()
