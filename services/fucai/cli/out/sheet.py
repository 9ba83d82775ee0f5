"""A `Sheet`: an answer as exact values, before any format. Computes no figure and knows no file, screen or language."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias

from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb

NO_TEXT = Label("", "")


class Kind(enum.StrEnum):
    """What a column holds, hence how every format writes it."""

    TEXT = "text"  # str
    NAME = "name"  # str or Label: a name for people
    ID = "id"  # str: stays text everywhere, whatever it looks like
    DAY = "day"  # date
    TIME = "time"  # aware datetime
    MONEY = "money"  # int, fen
    COUNT = "count"  # int
    NUMBER = "number"  # float with a unit of its own, such as hours
    RATIO = "ratio"  # float; 0.07 is 7 %
    POINTS = "points"  # float, percentage points
    GROWTH = "growth"  # Change
    FLAG = "flag"  # bool
    CURVE = "curve"  # tuple of int, fen


class Mark(enum.StrEnum):
    """How a growth figure is to be read, as `GrowthMark` of the contract has it."""

    RATIO = "RATIO"
    NEW = "NEW"
    BOTH_ZERO = "BOTH_ZERO"
    NEGATIVE_BASE = "NEGATIVE_BASE"
    NO_BASE = "NO_BASE"
    PARTIAL_BASE = "PARTIAL_BASE"
    SMALL_BASE = "SMALL_BASE"


@dataclass(frozen=True, slots=True)
class Change:
    """Change against a base: a ratio (0.07 is 7 %) where the mark allows one, and the mark."""

    ratio: float | None
    mark: Mark


Cell: TypeAlias = str | int | float | bool | date | datetime | Label | Change | tuple[int, ...] | None
Row: TypeAlias = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    `key` is its stable name for programs; money `sales` becomes `sales_fen`, growth `growth` becomes `growth_ratio` and
    `growth_mark`. `definition` names the definition that its figures follow; money columns of one definition share a
    unit on screen. `screen` says when a narrow table gives it up: 0 never, else the highest number first; None keeps it
    to the exports. `adds` says that the column's sum over the rows has a meaning. `signed` figures are changes: a
    screen writes their sign, and with `bars` draws them beside, all of the column on one axis.
    """

    key: str
    kind: Kind
    label: Label
    definition: str = ""
    screen: int | None = 0
    adds: bool = False
    signed: bool = False
    bars: bool = False


class Tone(enum.StrEnum):
    """How loud a note is on screen."""

    PLAIN = "plain"
    STRONG = "strong"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Note:
    """A line that belongs to the answer: the rule of a comparison, a benchmark, what was left out and why."""

    text: Label
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure means, exactly."""

    name: str
    text: Label


@dataclass(frozen=True, slots=True)
class Fact:
    """A single value of the answer that is no row: its period, the benchmark's growth. `key` as in columns."""

    key: str
    kind: Kind
    label: Label
    value: Cell


@dataclass(frozen=True, slots=True)
class Plot:
    """Which columns a curve is made of: `across` names the places on its axis, each of `lines` is one line of money.

    With `split`, there is a line of the first of `lines` for every value of that column instead.
    """

    across: str
    lines: Sequence[str]
    split: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """An answer: rows of exact values under columns, what belongs to them, and how many rows there are in all.

    `name` is the question's, such as trend. `available` is the number of rows that the answer has where they are not
    all here, else None. `bold` are places of rows that stand for a whole, such as the channel beside its groups, or
    that need a look. `beside` are smaller tables that belong to the answer, such as findings beside what was proven:
    tables, json and xlsx hold them, one after the other; of a csv, parquet or arrow file stderr says what it lacks.
    """

    name: str
    title: Label
    columns: Sequence[Column]
    rows: Sequence[Row]
    total: Row | None = None
    available: int | None = None
    currency: str = ""
    facts: Sequence[Fact] = ()
    notes: Sequence[Note] = ()
    definitions: Sequence[Definition] = ()
    freshness: pb.DataFreshness | None = None
    bold: frozenset[int] = frozenset()
    plot: Plot | None = None
    beside: Sequence[Sheet] = ()
    empty: Label = field(default=Label("没有数据", "nothing found"))

    def __post_init__(self) -> None:
        width = len(self.columns)
        for row in (*self.rows, *([self.total] if self.total is not None else [])):
            if len(row) != width:
                raise ValueError(f"sheet {self.name}: a row has {len(row)} cells under {width} columns: {row!r}")
        keys = [column.key for column in self.columns]
        if len(set(keys)) != width:
            raise ValueError(f"sheet {self.name}: two columns have the same key: {keys}")

    @property
    def all_rows(self) -> int:
        """How many rows the answer has, here or not."""
        return len(self.rows) if self.available is None else self.available

    def place(self, key: str) -> int:
        """Where the column with that key stands.

        Raises:
            KeyError: there is none.
        """
        for place, column in enumerate(self.columns):
            if column.key == key:
                return place
        raise KeyError(f"sheet {self.name} has no column {key}")


def summed(columns: Sequence[Column], rows: Sequence[Row], label: Label) -> Row | None:
    """A row of totals: sums of the columns that add, `label` in the first one shown, else None.

    A sum over a value that is missing would be too small, so it is None. Without rows there is no total.
    """
    if not rows or not any(column.adds for column in columns):
        return None
    first = next(place for place, column in enumerate(columns) if column.screen is not None)
    cells: list[Cell] = [label if place == first else None for place in range(len(columns))]
    for place, column in enumerate(columns):
        values = [row[place] for row in rows]
        if column.adds and not any(value is None for value in values):
            cells[place] = sum(value for value in values if isinstance(value, int))
    return tuple(cells)
