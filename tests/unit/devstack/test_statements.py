"""Where an insert's data begins and which format is asked for, on texts written by people and by chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.devstack.clickhouse.statements import InsertHead, first_word, insert_head, into_file, output_format


@pytest.mark.parametrize(
    ("text", "head"),
    [
        (b"INSERT INTO t FORMAT Native\n\x00", InsertHead(b"INSERT INTO t ", b"", "Native", 28)),
        (b"insert into t (a, `format`) format CSV \r\n1", InsertHead(b"insert into t (a, `format`) ", b"", "CSV", 41)),
        (b"INSERT INTO t VALUES (1)", InsertHead(b"INSERT INTO t ", b"", "Values", 20)),
        (b"/* FORMAT x */ INSERT INTO t FORMAT TSV\n", InsertHead(b"/* FORMAT x */ INSERT INTO t ", b"", "TSV", 40)),
        (b"INSERT INTO x.values FORMAT TSV\n", InsertHead(b"INSERT INTO x.values ", b"", "TSV", 32)),
        (
            b"INSERT INTO t SETTINGS a = 'FORMAT x' FORMAT Protobuf\n",
            InsertHead(b"INSERT INTO t ", b"SETTINGS a = 'FORMAT x' ", "Protobuf", 54),
        ),
        (
            b"INSERT INTO FUNCTION null('a FORMAT b') FORMAT JSONEachRow {}",
            InsertHead(b"INSERT INTO FUNCTION null('a FORMAT b') ", b"", "JSONEachRow", 59),
        ),
        (b"INSERT INTO t SELECT 1 FORMAT TSV", None),
        (b"INSERT INTO t FROM INFILE 'x' FORMAT TSV\n", None),
        (b"INSERT INTO t (a, b", None),
        (b"INSERT INTO t FORMAT Nat", None),
        (b"SELECT 'INSERT INTO t FORMAT TSV'", None),
        (b"", None),
    ],
)
def test_head_of_an_insert(text: bytes, head: InsertHead | None) -> None:
    """The head ends before FORMAT or VALUES that are keywords; a head that is cut off, or no insert, has none."""
    assert insert_head(text) == head


@given(st.binary())
def test_data_of_an_insert_is_never_read_as_sql(payload: bytes) -> None:
    """Whatever bytes follow the line of the statement, they are the data, all of them."""
    text = b"INSERT INTO `t` (`a`) FORMAT RowBinary\n" + payload
    head = insert_head(text)
    assert head is not None
    assert (head.target, head.format, text[head.data_at :]) == (b"INSERT INTO `t` (`a`) ", "RowBinary", payload)


@given(st.binary())
def test_any_bytes_can_be_looked_at(text: bytes) -> None:
    """No text is too strange: it is for the engine to refuse it."""
    assert isinstance(first_word(text), str)
    insert_head(text)
    output_format(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1\n FORMAT Native;", "Native"),
        (b"SELECT 1 format CSV SETTINGS max_threads = 1", "CSV"),
        (b"SELECT 1 FORMAT CSV -- the end", "CSV"),
        (b"SELECT 1 -- FORMAT CSV", None),
        (b"SELECT 'FORMAT x'", None),
        (b"SELECT format FROM t", None),
        (b"SELECT format('{}', x) FROM t", None),
        (b"FORMAT", None),
    ],
)
def test_format_of_a_query(text: bytes, name: str | None) -> None:
    """The format is that of the clause at the end, not of a word that only looks like it."""
    found = output_format(text)
    assert (found.name if found else None) == name


def test_result_into_a_file() -> None:
    """A query whose result goes to a file keeps its format, or gets the default one."""
    assert into_file(b"SELECT 1 FORMAT JSON SETTINGS a = 1", "'f'", "TSV") == (
        b"SELECT 1 \nINTO OUTFILE 'f' COMPRESSION 'none'\nFORMAT JSON SETTINGS a = 1"
    )
    assert into_file(b"SELECT 1; -- done", "'f'", "JSON") == (
        b"SELECT 1\nINTO OUTFILE 'f' COMPRESSION 'none'\nFORMAT JSON"
    )
