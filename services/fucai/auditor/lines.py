"""Three accounts of a day beside each other: what the terminal closed, what Kafka holds, what is stored. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fucai.auditor.days import day_text
from fucai.auditor.fold import Fold, LineKey, without
from fucai.auditor.narrow import AtFault, joined
from fucai.auditor.recount import Recount
from fucai.auditor.statements import Sums
from fucai.auditor.stored import Moving, Stored
from fucai.domain.embargo import Embargo

KINDS = {1: "SALE", 2: "VOID", 3: "PAYOUT"}
_NONE: Sums = (0, 0, 0)
_MOST_RANGES = 20


class Verdict(enum.StrEnum):
    """What comparing the accounts of one line gave."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NO_CLOSE = "no_close"
    IN_FLIGHT = "in_flight"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Line:
    """One business day, terminal, epoch, game and kind. Sums are events, bets, fen; `stated` is None without a close.

    `closed` is what Kafka holds of the events that closes cover. While a draw in the line is sealed, `withheld` is true
    and no sum may be shown; so it is where the line has events of which only the game is known, closed and not found or
    in quarantine without a draw, while any draw of the game is sealed.
    """

    business_day: str
    outlet_id: str
    terminal_id: str
    epoch: int
    game: str
    kind: str
    stated: Sums | None
    closed: Sums
    kafka: Sums
    stored: Sums
    quarantined: Sums
    in_flight: int
    verdict: Verdict
    withheld: bool
    sequences: str
    detail: str


class Sealed:
    """Which sums of lines are withheld at one moment."""

    def __init__(self, embargo: Embargo, now_ms: int) -> None:
        self._embargo, self._now_ms = embargo, now_ms
        self._games = {game for game, _ in embargo.sealed(now_ms)}

    def draw(self, game: str, draw_no: str) -> bool:
        """Whether those of a draw are; an empty number stands for no draw."""
        return self._embargo.is_sealed(game, draw_no, self._now_ms)

    def game(self, game: str) -> bool:
        """Whether those of events whose draw nobody knows are: while any draw of the game is sealed."""
        return game in self._games


_Short = tuple[int, bytes, int]
"""Day, game, kind."""


def make_lines(
    recount: Recount,
    stored: Stored,
    at_fault: AtFault,
    waived: Mapping[tuple[str, int], Sequence[tuple[int, int]]],
    sealed: Sealed,
) -> list[Line]:
    """Return the lines of every terminal and epoch on any side, ordered by day, outlet, terminal, game and kind."""
    by_name = {(terminal.decode("utf-8", "replace"), epoch): fold for (terminal, epoch), fold in recount.folds.items()}
    found: list[Line] = []
    moving = recount.moving | stored.moving
    for key in sorted(by_name.keys() | stored.lines.keys() | stored.quarantined.keys()):
        found += _lines_of(key, by_name.get(key), stored, moving, at_fault, waived.get(key, ()), sealed)
    found.sort(key=lambda line: (line.business_day, line.outlet_id, line.terminal_id, line.epoch, line.game, line.kind))
    return found


def _lines_of(
    key: tuple[str, int],
    fold: Fold | None,
    stored: Stored,
    moving: Moving,
    at_fault: AtFault,
    waived: Sequence[tuple[int, int]],
    sealed: Sealed,
) -> list[Line]:
    """The lines of one terminal and epoch."""
    covered, unclosed = (fold.covered, fold.open_lines) if fold else ({}, {})
    rows, held = stored.lines.get(key, {}), stored.quarantined.get(key, {})
    blamed = at_fault.sequences.get(key, {})
    stated, close_outlets = _stated(fold)
    all_keys = [*covered, *unclosed, *rows, *held, *blamed]
    missing = fold.missing() if fold else []
    unexplained = without(missing, waived)
    found = []
    for short in sorted({_short(line) for line in all_keys} | stated.keys()):
        mine = [line for line in all_keys if _short(line) == short]
        closed, rest = _sum(covered, short), _sum(unclosed, short)
        kafka = _add(closed, rest)
        in_store, in_quarantine = _sum(rows, short), _sum(held, short)
        on_its_way = kafka[0] - in_store[0] - in_quarantine[0]
        is_moving = (*key, *short) in moving
        seqs = sorted({seq for line, numbers in blamed.items() if _short(line) == short for seq in numbers})
        has_close = short in stated or closed != _NONE
        claimed = stated.get(short, _NONE) if has_close else None
        ranges = joined([(seq, seq) for seq in seqs])
        detail = "events after the last close" if has_close and rest[0] else ""
        if ranges or (kafka != _add(in_store, in_quarantine) and not is_moving):
            verdict, detail = Verdict.DIFFERS, "Kafka and store differ"
        elif claimed is not None and claimed != closed:
            lacking = claimed[0] - closed[0]
            is_explained = bool(missing) and not unexplained and 0 < lacking <= _width(missing)
            verdict = Verdict.WAIVED if is_explained else Verdict.DIFFERS
            detail = "missing in Kafka, and waived" if is_explained else "close and Kafka differ"
            ranges = missing
        elif kafka != _add(in_store, in_quarantine):
            verdict, detail = Verdict.IN_FLIGHT, "events were on their way into the store while the sides were read"
        else:
            verdict = Verdict.AGREES if has_close else Verdict.NO_CLOSE
        outlets = sorted({line[0].decode("utf-8", "replace") for line in mine} | (close_outlets if not mine else set()))
        day, game, kind = short
        name = game.decode("utf-8", "replace")
        is_open = (claimed is not None and claimed != closed) or any(
            not line[4] for line in held if _short(line) == short
        )
        withheld = any(sealed.draw(name, line[4].decode("utf-8", "replace")) for line in mine)
        withheld = withheld or (is_open and sealed.game(name))
        found.append(
            Line(
                day_text(day), ",".join(outlets), key[0], key[1], name, KINDS.get(kind, str(kind)),
                claimed, closed, kafka, in_store, in_quarantine, max(on_its_way, 0),
                verdict, withheld, ranges_text(ranges), detail,
            )
        )  # fmt: skip
    return found


def _stated(fold: Fold | None) -> tuple[dict[_Short, Sums], set[str]]:
    """What the closes say of the days asked for, and of which outlets they are."""
    found: dict[_Short, Sums] = {}
    outlets: set[str] = set()
    for close in fold.closes if fold else ():
        for (day, game, kind), sums in close.lines.items():
            ordinal = fold.asked_day(day) if fold else 0
            if ordinal:
                key = (ordinal, game.encode(), kind)
                found[key] = _add(found.get(key, _NONE), sums)
                outlets.add(close.outlet_id)
    return found, outlets


def ranges_text(ranges: Sequence[tuple[int, int]]) -> str:
    """Ranges of numbers for people: 3,7-9; the first twenty of them."""
    shown = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges[:_MOST_RANGES])
    return f"{shown},..." if len(ranges) > _MOST_RANGES else shown


def _short(line: LineKey) -> _Short:
    return line[1], line[2], line[3]


def _sum(lines: Mapping[LineKey, Sequence[int]], short: _Short) -> Sums:
    return _add(*((sums[0], sums[1], sums[2]) for line, sums in lines.items() if _short(line) == short))


def _add(*sums: Sums) -> Sums:
    return sum(each[0] for each in sums), sum(each[1] for each in sums), sum(each[2] for each in sums)


def _width(ranges: Iterable[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in ranges)
