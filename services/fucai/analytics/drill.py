"""The lines of a drill in the order in which they are read: each group followed by its own; a top and the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from fucai.domain.decomposition import Group, Line, Row, decompose
from fucai.domain.moves import Moved, moves

OTHERS = "others"
_REST = "\0"  # no value of a dimension has a NUL
_AMOUNTS = tuple(field.name for field in fields(Line) if field.name.endswith("_fen"))


@dataclass(frozen=True, slots=True)
class Drilled:
    """A line of a drill with its moves; `others` is the number of groups summed in it, 0 for a group itself."""

    line: Line
    moved: Moved
    others: int = 0


def drill(rows: Sequence[Row], opened: Collection[str] = (), top: int = 0) -> list[Drilled]:
    """The whole, then depth first all groups: the largest change (up or down) first, equals by group, the others last.

    With `top`, that many groups stand below each group, and one line has the sums of the rest, in which an outlet
    counts once. No sum above depends on `top`.

    Raises:
        ValueError: the groups differ in length.
    """
    lines = decompose(rows, opened)
    below: defaultdict[Group, list[Line]] = defaultdict(list)
    for group, line in lines.items():
        if group:
            below[group[:-1]].append(line)
    for found in below.values():
        found.sort(key=lambda line: (-abs(line.change_fen), line.group))
    if top:
        kept = {line.group for found in below.values() for line in found[:top]}
        rows = [(_folded(row[0], kept), *row[1:]) for row in rows]
        folded = decompose(rows, opened)
        lines |= {group: line for group, line in folded.items() if group and group[-1] == _REST}
    return list(_walk((), lines, moves(rows), below, top))


def _folded(group: Group, kept: Collection[Group]) -> Group:
    """The group, with what is not kept of it put into the rest."""
    for depth in range(1, len(group) + 1):
        if group[:depth] not in kept:
            return (*group[: depth - 1], *[_REST] * (len(group) - depth + 1))
    return group


def _walk(
    group: Group,
    lines: Mapping[Group, Line],
    moved: Mapping[Group, Moved],
    below: Mapping[Group, Sequence[Line]],
    top: int,
) -> Iterator[Drilled]:
    yield Drilled(lines[group], moved[group])
    children = below.get(group, ())
    shown, rest = (children[:top], children[top:]) if top else (children, ())
    for line in shown:
        yield from _walk(line.group, lines, moved, below, top)
    if rest:
        counted = lines[*group, _REST]
        sums = {name: sum(getattr(line, name) for line in rest) for name in _AMOUNTS}
        yield Drilled(replace(counted, group=(*group, OTHERS), **sums), moved[*group, _REST], len(rest))
