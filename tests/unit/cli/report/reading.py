"""Reads a bulletin back: its tables with exact values, its pictures, its texts. Refuses what is not well-formed."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree.ElementTree import Element, TreeBuilder

_VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})


class _Reader(HTMLParser):
    """Builds a tree; every element must be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.builder = TreeBuilder()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"<{tag}> has an attribute twice"
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in _VOID:
            self.builder.end(tag)
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.builder.data(data)


def read(page: str) -> Element:
    """The page as a tree."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open, f"not closed: {reader.open}"
    return reader.builder.close()


def text(found: Element) -> str:
    """All its text."""
    return "".join(found.itertext())


def table(tree: Element, key: str) -> list[list[str]]:
    """The rows of the table with that id: exact values where there are some, else texts."""
    (found,) = (one for one in tree.iter("table") if one.get("id") == key)
    (body,) = found.iter("tbody")
    return [[_value(cell) for cell in row] for row in body]


def header(tree: Element, key: str) -> list[str]:
    """The names of the columns of that table."""
    (found,) = (one for one in tree.iter("table") if one.get("id") == key)
    return [text(cell) for head in found.iter("thead") for row in head for cell in row]


def _value(cell: Element) -> str:
    exact = cell.find("data")
    return text(cell) if exact is None else exact.get("value", "")
