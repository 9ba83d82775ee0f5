"""Builds HTML and SVG as trees, so that every text is escaped by construction. Knows nothing of bulletins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

Child = Element | str | None

# What HTML forbids in a text, and what would turn its direction of reading.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def el(tag: str, *children: Child, **attributes: str | float | None) -> Element:
    """An element; None among children and attributes is left out.

    An attribute's underscores are hyphens and a trailing one is dropped: `class_="x"`, `font_size=12`.
    """
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(name.rstrip("_").replace("_", "-"), clean(value if isinstance(value, str) else number(value)))
    return extend(made, children)


def extend(parent: Element, children: Iterable[Child]) -> Element:
    """Puts further children at the end of an element, which it returns."""
    for child in children:
        if isinstance(child, Element):
            parent.append(child)
        elif child and len(parent):
            parent[-1].tail = (parent[-1].tail or "") + clean(child)
        elif child:
            parent.text = (parent.text or "") + clean(child)
    return parent


def clean(text: str) -> str:
    """The text without characters that no page may have."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def document(root: Element) -> str:
    """The tree as an HTML document. Only `style` is written as it is, so no text of others may stand in one."""
    return f"<!DOCTYPE html>\n{tostring(root, encoding='unicode', method='html')}\n"
