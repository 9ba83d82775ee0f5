"""A sheet as parquet or arrow file: int64 fen, utf8 ids, date32 days; the rest of the answer as metadata."""

from __future__ import annotations

from typing import IO, Any

from fucai.cli.errors import CliError
from fucai.cli.out.document import about, as_json
from fucai.cli.out.flat import Field, Type, fields, plain_rows
from fucai.cli.out.sheet import Sheet
from fucai.cli.output import Lang

METADATA_KEY = b"fucai"


def write_parquet(sheet: Sheet, out: IO[bytes], lang: Lang) -> None:
    """Writes a parquet file.

    Raises:
        CliError: pyarrow is not installed.
    """
    table = _table(sheet, lang)
    from pyarrow import parquet  # noqa: PLC0415 (an extra: only who asks for it needs it)

    parquet.write_table(table, out, compression="zstd")


def write_arrow(sheet: Sheet, out: IO[bytes], lang: Lang) -> None:
    """Writes an Arrow IPC file.

    Raises:
        CliError: pyarrow is not installed.
    """
    table = _table(sheet, lang)
    from pyarrow import ipc  # noqa: PLC0415 (an extra: only who asks for it needs it)

    with ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


def require_pyarrow() -> Any:
    """The module.

    Raises:
        CliError: it is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 (an extra: only who asks for it needs it)
    except ImportError as error:
        raise CliError(
            "parquet and arrow files need pyarrow, which is not installed",
            hint="pip install 'fucai-channel[columnar]', or take --format csv, json or xlsx",
        ) from error
    return pa


def _table(sheet: Sheet, lang: Lang) -> Any:
    pa = require_pyarrow()
    plain = fields(sheet.columns)
    schema = pa.schema(
        [pa.field(field.name, _type(pa, field.type), metadata=_about_field(field)) for field in plain],
        metadata={METADATA_KEY: as_json(about(sheet, lang), indent=None).encode()},
    )
    rows = list(plain_rows(sheet, lang))
    arrays = [pa.array([row[place] for row in rows], type=field.type) for place, field in enumerate(schema)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _type(pa: Any, kind: Type) -> Any:
    return {
        Type.TEXT: pa.string(),
        Type.INTEGER: pa.int64(),
        Type.FLOAT: pa.float64(),
        Type.BOOLEAN: pa.bool_(),
        Type.DAY: pa.date32(),
        Type.TIME: pa.timestamp("ms", tz="UTC"),
        Type.INTEGERS: pa.list_(pa.int64()),
    }[kind]


def _about_field(field: Field) -> dict[str, str]:
    column = field.column
    told = {"kind": str(column.kind), "label_zh": column.label.zh, "label_en": column.label.en}
    return {**told, "definition": column.definition} if column.definition else told
