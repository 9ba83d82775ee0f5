"""A heat map of hours by weekdays as inline SVG; every field has its number, so no colour need be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from fucai.cli.numbers import MoneyUnit
from fucai.cli.report.charts import GREY, INK, WIDTH, svg
from fucai.cli.report.markup import Child, el

_WEEKDAYS = range(1, 8)
_DARK = 0.65  # part of the largest field from which white ink has the better contrast
_TEN = 10
_PALE, _DEEP = (0xEF, 0xF4, 0xFA), (0x08, 0x30, 0x6B)


def heat(
    key: str, title: str, about: str, fen: Mapping[tuple[int, int], int], weekdays: Sequence[str], unit: MoneyUnit
) -> Element:
    """Amounts by weekday (Monday 1) and hour, from the first hour with any to the last; there must be one."""
    hours = [hour for _, hour in fen]
    shown = range(min(hours), max(hours) + 1)
    left, top, tall = 44, 20, 24
    wide = (WIDTH - left - 4) / len(shown)
    most = max([1, *fen.values()])
    parts: list[Child] = [
        el("text", f"{hour:02}", x=left + wide * (place + 0.5), y=14, text_anchor="middle", fill=GREY, font_size=10)
        for place, hour in enumerate(shown)
    ]
    for row, weekday in enumerate(_WEEKDAYS):
        y = top + row * tall
        parts.append(el("text", weekdays[row], x=left - 6, y=y + 16, text_anchor="end"))
        for place, hour in enumerate(shown):
            x, amount = left + place * wide, fen.get((weekday, hour))
            part = max(amount or 0, 0) / most
            box = {"x": x, "y": y, "width": wide - 1, "height": tall - 1, "stroke_width": 0.4}
            parts.append(el("rect", fill=_shade(part), stroke="#c4c4c4", **box))
            if amount is not None:
                ink = "#ffffff" if part >= _DARK else INK
                middle = {"x": x + (wide - 1) / 2, "y": y + 15, "font_size": 9}
                parts.append(el("text", _brief(amount, unit), text_anchor="middle", fill=ink, **middle))
    return svg(key, title, about, top + len(_WEEKDAYS) * tall, *parts)


def _brief(fen: int, unit: MoneyUnit) -> str:
    """The amount in two or three digits."""
    amount = fen / unit.fen
    return f"{amount:.1f}" if abs(amount) < _TEN else f"{amount:,.0f}"


def _shade(part: float) -> str:
    """From pale for nothing to deep for the most; darker in grey too."""
    return "#" + "".join(f"{round(pale + (deep - pale) * part):02x}" for pale, deep in zip(_PALE, _DEEP, strict=True))
