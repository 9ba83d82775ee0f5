"""A sheet as one JSON document, and as the metadata that binary files carry. Integers are exact, keys are stable."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from fucai.cli.out.flat import Plain, fields, plain_facts, plain_row
from fucai.cli.out.sheet import Sheet
from fucai.cli.output import Lang, as_dict
from fucai.domain.labels import Label


def document(sheet: Sheet, lang: Lang) -> dict[str, Any]:
    """The whole answer: what `about` tells, and the rows as objects by column name.

    Tables that belong to it, where it has any, are documents under `beside`, by name.
    """
    names = [field.name for field in fields(sheet.columns)]
    rows = [_object(names, plain_row(sheet.columns, row, lang)) for row in sheet.rows]
    beside = {part.name: document(part, lang) for part in sheet.beside}
    return {**about(sheet, lang), "rows": rows, **({"beside": beside} if beside else {})}


def about(sheet: Sheet, lang: Lang) -> dict[str, Any]:
    """All but the rows: title, columns, row count, total, facts, notes, definitions, freshness."""
    plain = fields(sheet.columns)
    names = [field.name for field in plain]
    return {
        "question": sheet.name,
        "title": _both(sheet.title),
        "currency": sheet.currency or None,
        "columns": [
            {
                "name": field.name,
                "type": str(field.type),
                "kind": str(field.column.kind),
                "label": _both(field.column.label),
                "definition": field.column.definition or None,
            }
            for field in plain
        ],
        "row_count": len(sheet.rows),
        "rows_available": sheet.all_rows,
        "total": None if sheet.total is None else _object(names, plain_row(sheet.columns, sheet.total, lang)),
        "facts": {name: _json(value) for name, value in plain_facts(sheet, lang).items()},
        "notes": [_both(note.text) for note in sheet.notes],
        "definitions": [{"name": item.name, **_both(item.text)} for item in sheet.definitions],
        "freshness": None if sheet.freshness is None else as_dict(sheet.freshness),
    }


def as_json(tree: dict[str, Any], *, indent: int | None = 2) -> str:
    """The document as text.

    Raises:
        ValueError: a figure is no number (NaN or infinite).
    """
    return json.dumps(tree, ensure_ascii=False, allow_nan=False, indent=indent)


def _object(names: list[str], values: list[Plain]) -> dict[str, Any]:
    return {name: _json(value) for name, value in zip(names, values, strict=True)}


def _json(value: Plain) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _both(label: Label) -> dict[str, str]:
    return {"zh": label.zh, "en": label.en}
