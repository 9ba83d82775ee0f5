"""How people see an answer of one or a few rows with many columns: a line for each value, not a table."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from fucai.cli.out.screen import View, besides, cell_text, notes, units_of
from fucai.cli.out.sheet import Sheet


def card(sheet: Sheet, view: View) -> RenderableType:
    """Each row as lines of label and value, what is empty left out; then notes, and the tables beside."""
    units = units_of(sheet, view)
    shown: list[RenderableType] = []
    for row in sheet.rows:
        lines = Table(box=None, show_header=False, pad_edge=False)
        lines.add_column(style="dim", no_wrap=True)
        lines.add_column(overflow="fold")
        for column, cell in zip(sheet.columns, row, strict=True):
            text = cell_text(cell, column, units, view)
            if column.screen is not None and text.plain:
                lines.add_row(str(getattr(column.label, view.lang)), text)
        shown += [lines, ""]
    if not sheet.rows:
        shown.append(str(getattr(sheet.empty, view.lang)))
    return Group(*shown, *notes(sheet, view, sheet.rows, units, []), *besides(sheet, view))
