"""Brings quarantined events into the figures after their cause was mended: judge again, send, write down."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fucai.adapters.quarantine_store import Attempt, Selection, entries_by_number, keep_replays, reason_name
from fucai.domain.batches import Stamper
from fucai.domain.quarantine import Judged, Number, judge_again, one_for_each_number
from fucai.ledger.desk import Listed, Standing, UnknownNumberError, with_standings
from fucai.ledger.registry import CurrentRegistry
from fucai.ledger.sending import RecordSender
from fucai.ledger.store import Store

REPLAYED, STILL_BAD, UNCONFIRMED = "REPLAYED", "STILL_BAD", "UNCONFIRMED"

UNREADABLE_REMEDY = (
    "the record is no batch that could be judged again: look at its bytes (table quarantine, column raw_record) and at "
    "who wrote it; let the terminal send the events anew, or waive the numbers if they are missing"
)


class CannotReplayError(Exception):
    """An event that was named cannot be replayed as asked; the message says why and what to do."""


class UnconfirmedError(Exception):
    """Kafka did not confirm all of what was sent; replaying it again is safe."""


@dataclass(slots=True)
class ReplayResult:
    """What one call did. `standings` counts the entries left alone; `after` is where to go on, None at the end."""

    revision: int
    replayed: int = 0
    still_bad: list[Judged] = field(default_factory=list)
    standings: Counter[Standing] = field(default_factory=Counter)
    repeated_numbers: int = 0
    after: tuple[str, int, int] | None = None


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Which entries, who wants it, whether waived ones too, how many entries to look at, and after which number."""

    selection: Selection
    replayed_by: str
    include_waived: bool
    rows: int
    after: tuple[str, int, int] | None = None


class Replayer:
    """Replays. The loader stores each number once, however often and by however many it is replayed."""

    def __init__(self, store: Store, registry: CurrentRegistry, sender: RecordSender, *, instance: str) -> None:
        self._store = store
        self._registry = registry
        self._sender = sender
        self._instance = instance

    async def replay(self, request: ReplayRequest) -> ReplayResult:
        """Replays the entries selected, those that are open, by number.

        Raises:
            CannotReplayError: a number was named that was waived, or is raw bytes; nothing was sent.
            UnknownNumberError: a number was named that stands not in quarantine.
            UnconfirmedError: Kafka did not confirm a record.
            RegistryAwayError, StoreAwayError, BrokerAwayError: what is needed is away.
        """
        known = await self._registry.refresh()
        listed = await self._store.run(_look, request)
        if _names_numbers(request.selection):
            _refuse_named(listed, request)
        result = ReplayResult(known.revision)
        if len(listed) >= request.rows:
            result.after = listed[-1].entry.number
        wanted = {Standing.OPEN, Standing.WAIVED} if request.include_waived else {Standing.OPEN}
        result.standings = Counter(item.standing for item in listed if not _is_wanted(item, wanted))
        candidates = [item.entry for item in listed if _is_wanted(item, wanted)]
        chosen = one_for_each_number(candidates)
        result.repeated_numbers = len(candidates) - len(chosen)
        judgement = judge_again(chosen, known.validator, Stamper(self._instance))
        result.still_bad = judgement.bad
        attempts = [(bad.entry.number, _still_bad(bad, request.replayed_by)) for bad in judgement.bad]
        records = [(entries[0].number.terminal_id.encode(), record) for record, entries in judgement.good]
        confirmed = await self._sender.send(records) if records else []
        for (_, entries), has_it in zip(judgement.good, confirmed, strict=True):
            result.replayed += len(entries) if has_it else 0
            attempts += [
                (entry.number, Attempt(REPLAYED if has_it else UNCONFIRMED, "", "", "", request.replayed_by))
                for entry in entries
            ]
        await self._store.run(keep_replays, attempts)
        if not all(confirmed):
            lost = sum(len(entries) for (_, entries), ok in zip(judgement.good, confirmed, strict=True) if not ok)
            raise UnconfirmedError(f"Kafka did not confirm {lost} of the events: replay them again, which is safe")
        return result


def _look(client: Any, request: ReplayRequest) -> list[Listed]:
    entries = entries_by_number(client, request.selection, rows=request.rows, after=request.after)
    return with_standings(client, entries)


def _is_wanted(item: Listed, wanted: set[Standing]) -> bool:
    return item.standing in wanted and item.entry.readable


def _names_numbers(selection: Selection) -> bool:
    """Whether the caller named numbers, so that leaving some of them alone would surprise."""
    return bool(selection.terminal_id and selection.epoch and selection.first_seq and selection.last_seq)


def _refuse_named(listed: list[Listed], request: ReplayRequest) -> None:
    if not listed and request.after is None:
        raise UnknownNumberError("none of the numbers named stands in quarantine")
    for item in listed:
        if item.standing is Standing.WAIVED and item.entry.readable and not request.include_waived:
            raise CannotReplayError(
                f"{_spelled(item.entry.number)} was waived; `fucai quarantine show` tells by whom and why, "
                "--include-waived replays it all the same"
            )
    unreadable = [item.entry.number for item in listed if not item.entry.readable]
    if unreadable and len(unreadable) == len(listed):
        raise CannotReplayError(f"{_spelled(unreadable[0])} cannot be replayed: {UNREADABLE_REMEDY}")


def _spelled(number: Number) -> str:
    return f"number {number.seq} of terminal {number.terminal_id!r}, epoch {number.epoch},"


def _still_bad(bad: Judged, name: str) -> Attempt:
    finding = bad.finding
    return Attempt(STILL_BAD, reason_name(finding.reason), finding.field, finding.detail, name)
