"""Folds a line of Chinese and Latin text to a width, as print does: between characters, but not before a comma."""

from __future__ import annotations

import re

from rich.cells import cell_len

_CLOSES = "，。；：、！？）》」』”’％"
_OPENS = "（《「『“‘"
_WIDE = "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
# What stays together: a wide character or a word of others, with the signs that belong to it, and the blanks behind.
_PIECE = re.compile(rf"[{_OPENS}]*(?:[{_WIDE}]|[^\s{_WIDE}{_OPENS}{_CLOSES}]+)?[{_CLOSES}]*\s*")


def folded(text: str, width: int) -> str:
    """The text with line feeds, so that no line takes more than `width` cells; a longer word stays whole.

    Nothing but the blanks at the end of a line is left out.
    """
    lines, line, used = [], "", 0
    for piece in filter(None, _PIECE.findall(text)):
        cells = cell_len(piece.rstrip())
        if line and used + cells > width:
            lines.append(line.rstrip())
            line, used = "", 0
        line += piece
        used += cell_len(piece)
    return "\n".join([*lines, line.rstrip()])
