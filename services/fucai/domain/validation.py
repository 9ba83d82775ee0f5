"""Which events of a batch are good, and where its Kafka records begin: terminal, time window, numbering, then the sale.

Says nothing of duplicates: the collector cannot know them. What a single sale must look like is in `salerules`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fucai.domain.catalogue import Binding, Catalogue, History
from fucai.domain.salerules import MAX_EVENT_FEN, Fault, Shape, judge, judge_beside_the_rules, quoted, shape_key
from fucai.v1 import sales_pb2

DAY_MS = 86_400_000
EARLIEST_MS = DAY_MS
"""Before it (1970-01-02) nothing can have happened, whoever tells it."""

MAX_ID_BYTES = 256
_SURELY_FITS = MAX_ID_BYTES // 4  # characters: none takes more than four bytes
MAX_DIGEST_BYTES = 64
MAX_SEQ = 2**63 - 1
"""Where a run of sequence numbers may begin at most."""

_LONGEST_BAD_RUN = 1_000
"""Events of one record in a batch with bad ones: with its findings it stays below what Kafka takes."""

_BAD_SEQUENCE = sales_pb2.QUARANTINE_REASON_BAD_SEQUENCE

_REASONS = sales_pb2.QuarantineReason
_REMEMBERED_SHAPES = 20_000
_REMEMBERED_PLACES = 20_000
_SALE = sales_pb2.EVENT_KIND_SALE
_RESERVED = frozenset(field.name for field in sales_pb2.SalesBatch.DESCRIPTOR.fields if field.number in range(20, 40))
_envelope = attrgetter(
    "terminal_id", "outlet_id", "epoch", "events", "digest", "findings", *sorted(_RESERVED - {"findings"})
)
_, _, _, _, _, _, *_RESERVED_UNSET = _envelope(sales_pb2.SalesBatch())

Verdicts = dict[tuple[int, str, str, int, int, int, int, bool], Fault | None]


@dataclass(frozen=True, slots=True)
class Window:
    """How far from the collector's clock an event of a till may lie, in ms; import terminals are bound only ahead."""

    past_ms: int = 62 * DAY_MS
    ahead_ms: int = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a whole batch cannot be taken: the field, and what is wrong with it and what to do."""

    field: str
    description: str


class Run(NamedTuple):
    """Events start..stop-1 of a batch that make one Kafka record: all good, or each with its finding.

    Where `picked` is not empty it names the events instead: those of bad numbers, from all over the batch.
    """

    start: int
    stop: int
    findings: Sequence[sales_pb2.Finding] = ()
    picked: Sequence[int] = ()

    def of(self, events: Sequence[sales_pb2.SalesEvent]) -> Sequence[sales_pb2.SalesEvent]:
        """The run's events among those of its batch."""
        return [events[index] for index in self.picked] if self.picked else events[self.start : self.stop]


def refusals(batch: sales_pb2.SalesBatch, *, max_events: int) -> list[Refusal]:
    """What makes the batch unusable as a whole; empty for one whose events can be looked at."""
    terminal_id, outlet_id, epoch, events, digest, findings, *reserved = _envelope(batch)
    count = len(events)
    ids_fit = terminal_id and outlet_id and len(terminal_id) <= _SURELY_FITS and len(outlet_id) <= _SURELY_FITS
    unset = not findings and reserved == _RESERVED_UNSET
    if ids_fit and unset and epoch and 0 < count <= max_events and len(digest) <= MAX_DIGEST_BYTES:
        return []
    found: list[Refusal] = []
    for field, value in (("terminal_id", terminal_id), ("outlet_id", outlet_id)):
        if not value:
            found.append(Refusal(field, "is missing; every batch names its terminal and outlet"))
        elif len(value.encode()) > MAX_ID_BYTES:
            found.append(Refusal(field, f"has {len(value.encode())} bytes; at most {MAX_ID_BYTES} are taken"))
    if not epoch:
        found.append(Refusal("epoch", "is 0; use the Unix seconds when the outbox was created"))
    if not count:
        found.append(Refusal("events", "is empty; a batch holds at least one event"))
    elif count > max_events:
        found.append(Refusal("events", f"holds {count} events; send at most {max_events} in a batch"))
    if len(digest) > MAX_DIGEST_BYTES:
        found.append(Refusal("digest", f"has {len(digest)} bytes; at most {MAX_DIGEST_BYTES} are taken"))
    found += [
        Refusal(field.name, "is reserved for the collector and the loader; leave it unset")
        for field, _ in batch.ListFields()
        if field.name in _RESERVED
    ]
    return found


class Validator:
    """The rules at one revision of the catalogue. Remembers its verdicts: equal sales of one day are judged once."""

    def __init__(self, catalogue: Catalogue, *, zone: ZoneInfo, window: Window) -> None:
        self.catalogue = catalogue
        self.window = window
        self._zone = zone
        self._verdicts: dict[tuple[int, bool], Verdicts] = {}
        self._places: dict[tuple[str, str], _Place] = {}
        self._misses = 0
        self._day = (0, 0, 0)

    def examine(self, batch: sales_pb2.SalesBatch, *, now_ms: int) -> list[Run]:
        """Splits the batch's events into runs, in order; one good run is what a healthy terminal gets.

        The sequence numbers of a run are contiguous, and its events all good or all bad. Events with BAD_SEQUENCE come
        before all others, in runs of rising numbers. The batch holds at least one event.
        """
        events = batch.events
        faults: dict[int, Fault] = {}
        jumps: set[int] = set()
        place = self._place_of(batch)
        place.look_at_clock(now_ms)
        low_ms, high_ms, verdicts = place.low_ms, place.high_ms, place.verdicts
        previous = max(min(events[0].seq, MAX_SEQ) - 1, 0)
        for index, event in enumerate(events):
            seq = event.seq
            if seq != previous + 1:
                if seq <= previous or seq > MAX_SEQ:
                    faults[index] = _bad_sequence(seq, previous)
                    continue
                jumps.add(index)
            previous = seq
            sold_at_ms = event.sold_at_ms
            if not low_ms <= sold_at_ms < high_ms:
                fault = place.move(sold_at_ms)
                low_ms, high_ms, verdicts = place.low_ms, place.high_ms, place.verdicts
                if fault is not None:
                    faults[index] = fault
                    continue
            shape = shape_key(event)
            try:
                fault = verdicts[shape]
            except KeyError:
                fault = verdicts[shape] = self._judge(Shape._make(shape), place)
            if fault is None and (shape[0] != _SALE or not 0 <= event.companion_fen <= MAX_EVENT_FEN):
                fault = judge_beside_the_rules(event)
            if fault is not None:
                faults[index] = fault
        if not faults and not jumps:
            return [Run(0, len(events))]
        return list(_runs(events, faults, jumps))

    def day_of(self, at_ms: int) -> tuple[int, int, int]:
        """The business day of an instant: its ordinal, and its first and its following day's first ms."""
        if not self._day[1] <= at_ms < self._day[2]:
            day = datetime.fromtimestamp(at_ms // 1000, self._zone).date()
            midnights = (datetime.combine(d, time(), self._zone) for d in (day, day + timedelta(days=1)))
            start_ms, end_ms = (round(midnight.timestamp() * 1000) for midnight in midnights)
            self._day = (day.toordinal(), start_ms, end_ms)
        return self._day

    def verdicts_of(self, day: int, *, takes_history: bool) -> Verdicts:
        """The verdicts remembered for a day and a kind of terminal, to be read and added to."""
        return self._verdicts.setdefault((day, takes_history), {})

    def _place_of(self, batch: sales_pb2.SalesBatch) -> _Place:
        key = (batch.terminal_id, batch.outlet_id)
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= _REMEMBERED_PLACES:
                self._places.clear()
            place = self._places[key] = _Place(self, *key)
        return place

    def _judge(self, shape: Shape, place: _Place) -> Fault | None:
        self._misses += 1
        if self._misses % _REMEMBERED_SHAPES == 0:
            self._verdicts.clear()
            self._places.clear()
        rules = self.catalogue.game_on(shape.game, place.day)
        return judge(shape, rules, takes_history=place.takes_history)


class _Place:
    """Where a terminal stands while its events are walked: the outlet, the business day, and what holds there and then.

    Within low_ms <= sold_at_ms < high_ms nothing about it changes. It is used again for the terminal's next batch.
    """

    __slots__ = (
        "_bindings", "_end_ms", "_now_ms", "_outlet_id", "_start_ms", "_terminal_id", "_validator",
        "day", "high_ms", "low_ms", "takes_history", "verdicts",
    )  # fmt: skip

    def __init__(self, validator: Validator, terminal_id: str, outlet_id: str) -> None:
        self._validator = validator
        self._terminal_id = terminal_id
        self._outlet_id = outlet_id
        self._bindings: History[Binding] | None = validator.catalogue.terminals.get(terminal_id)
        self._now_ms = self._start_ms = self._end_ms = 0
        self.low_ms = self.high_ms = 0
        self.day = 0
        self.takes_history = False
        self.verdicts: Verdicts = {}

    def look_at_clock(self, now_ms: int) -> None:
        """Another batch has come; the day last stood on is kept, as far as it lies within the window."""
        window = self._validator.window
        self._now_ms = now_ms
        oldest_ms = EARLIEST_MS if self.takes_history else now_ms - window.past_ms
        newest_ms = now_ms + window.ahead_ms
        self.low_ms = max(oldest_ms, self._start_ms)
        self.high_ms = self._end_ms if self._end_ms <= newest_ms else newest_ms + 1

    def move(self, sold_at_ms: int) -> Fault | None:
        """Goes to the business day of an event; the fault, if it cannot have happened there and then."""
        if self._bindings is None:
            detail = f"{quoted(self._terminal_id)} is not registered; register it, or correct the id"
            return Fault(_REASONS.QUARANTINE_REASON_UNKNOWN_TERMINAL, "terminal_id", detail)
        window = self._validator.window
        if sold_at_ms > self._now_ms + window.ahead_ms:
            detail = f"{sold_at_ms} is {sold_at_ms - self._now_ms} ms ahead of the collector; set the terminal's clock"
            return Fault(_REASONS.QUARANTINE_REASON_IN_THE_FUTURE, "sold_at_ms", detail)
        if sold_at_ms < EARLIEST_MS:
            detail = f"{sold_at_ms} is before 1970-01-02; give Unix milliseconds"
            return Fault(_REASONS.QUARANTINE_REASON_TOO_OLD, "sold_at_ms", detail)
        day, start_ms, end_ms = self._validator.day_of(sold_at_ms)
        binding = self._bindings.on(day)
        takes_history = (binding or self._bindings.newest).takes_history
        if not takes_history and sold_at_ms < self._now_ms - window.past_ms:
            detail = f"{sold_at_ms} is more than {window.past_ms} ms ago; import it as history"
            return Fault(_REASONS.QUARANTINE_REASON_TOO_OLD, "sold_at_ms", detail)
        if binding is None or binding.outlet_id != self._outlet_id:
            where = f"at {quoted(binding.outlet_id)}" if binding and binding.outlet_id else "nowhere"
            detail = f"{quoted(self._outlet_id)} is wrong: the terminal stood {where} on that day; register the move"
            return Fault(_REASONS.QUARANTINE_REASON_WRONG_OUTLET, "outlet_id", detail)
        self.day, self._start_ms, self._end_ms, self.takes_history = day, start_ms, end_ms, takes_history
        self.verdicts = self._validator.verdicts_of(day, takes_history=takes_history)
        self.look_at_clock(self._now_ms)
        return None


def _runs(events: Sequence[sales_pb2.SalesEvent], faults: Mapping[int, Fault], jumps: Iterable[int]) -> Iterable[Run]:
    """Cuts where the numbering jumps, where good turns to bad or back, and long runs; bad numbers go apart."""
    apart = [index for index, fault in faults.items() if fault.reason == _BAD_SEQUENCE]
    yield from _runs_apart(events, faults, apart)
    rest = sorted(set(range(len(events))) - set(apart)) if apart else range(len(events))
    cuts = {0, len(rest), *(bisect_left(rest, jump) for jump in jumps)}
    if faults:
        cuts.update(range(0, len(rest), _LONGEST_BAD_RUN))
    cuts |= {at for at in range(1, len(rest)) if (rest[at] in faults) != (rest[at - 1] in faults)}
    for start, stop in pairwise(sorted(cuts)):
        indices = rest[start:stop]
        findings = tuple(_finding(events[index].seq, faults[index]) for index in indices if index in faults)
        whole = indices[-1] - indices[0] + 1 == len(indices)
        yield Run(indices[0], indices[-1] + 1, findings, () if whole else indices)


def _runs_apart(
    events: Sequence[sales_pb2.SalesEvent], faults: Mapping[int, Fault], apart: Iterable[int]
) -> Iterable[Run]:
    """Gathers events of bad numbers into few runs; no number stands twice in one, for a record keeps each once."""
    rounds: dict[int, int] = {}
    sharing: dict[int, list[int]] = {}
    for index in apart:
        seq = events[index].seq
        rounds[seq] = rounds.get(seq, 0) + 1
        sharing.setdefault(rounds[seq], []).append(index)
    for indices in sharing.values():
        indices.sort(key=lambda index: events[index].seq)
        for start in range(0, len(indices), _LONGEST_BAD_RUN):
            picked = indices[start : start + _LONGEST_BAD_RUN]
            findings = tuple(_finding(events[index].seq, faults[index]) for index in picked)
            yield Run(min(picked), max(picked) + 1, findings, picked)


def _finding(seq: int, fault: Fault) -> sales_pb2.Finding:
    return sales_pb2.Finding(seq=seq, reason=fault.reason, field=fault.field, detail=fault.detail)


def _bad_sequence(seq: int, previous: int) -> Fault:
    if seq > MAX_SEQ:
        detail = f"{seq} is above {MAX_SEQ}; count from 1"
    else:
        detail = f"{seq} is not above {previous}, the one before it" if seq else "is 0; numbers start at 1"
    return Fault(_REASONS.QUARANTINE_REASON_BAD_SEQUENCE, "seq", detail)
