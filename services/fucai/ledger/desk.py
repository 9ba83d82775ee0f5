"""The desk for quarantine: how entries stand, and waivers. Replaying is in `replay`."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fucai.adapters.arrivals_store import recent_traffic
from fucai.adapters.ledger_store import Key, Waived, read_accounts, read_waivers
from fucai.adapters.quarantine_store import (
    Attempt,
    Selection,
    entries_by_number,
    keep_waiver,
    newest_entries,
    read_replays,
)
from fucai.domain.completeness import Account, State
from fucai.domain.flood import FloodRule, Traffic
from fucai.domain.quarantine import Entry, Number

_CHUNK = 500
_MOST_CHUNKS = 20
_MOST_ENTRIES_OF_A_NUMBER = 1_000

Place = tuple[int, int, int, int, int]
"""Where a list of entries goes on: time received, topic, partition, offset and number of the last one."""


class Standing(enum.Enum):
    """How an entry stands."""

    OPEN = "open"
    STORED = "stored"
    WAIVED = "waived"
    UNREADABLE = "unreadable"


_STANDINGS = {State.STORED: Standing.STORED, State.WAIVED: Standing.WAIVED}


class UnknownNumberError(Exception):
    """Nothing is known of a terminal, epoch or number; the message says of which."""


class NothingToWaiveError(Exception):
    """A waiver would mean nothing, or would cover numbers that nobody has seen yet; the message says which."""


class Listed(NamedTuple):
    """An entry and how it stands."""

    entry: Entry
    standing: Standing


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that is known of one number in quarantine."""

    entries: Sequence[Listed]
    replays: Sequence[Attempt]
    waivers: Sequence[Waived]


@dataclass(frozen=True, slots=True)
class WaiveRequest:
    """Numbers first..last of a terminal and epoch, why they are waived and by whom."""

    terminal_id: str
    epoch: int
    first: int
    last: int
    reason: str
    waived_by: str

    @property
    def key(self) -> Key:
        """Terminal and epoch."""
        return (self.terminal_id, self.epoch)


@dataclass(frozen=True, slots=True)
class WaiveResult:
    """The waiver as it is kept, and what its numbers were before; quarantined ones include unreadable records."""

    waiver: Waived
    before: Counter[State]


def accounts_of(client: Any, entries: Iterable[Entry]) -> dict[Key, Account]:
    """Return the accounts that tell how entries stand.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    keys = {(entry.number.terminal_id, entry.number.epoch) for entry in entries}
    return read_accounts(client, keys=keys, whole=True)


def standing_of(entry: Entry, account: Account | None) -> Standing:
    """How an entry stands. A record's raw bytes stay unreadable whatever is stored under the number that they claim."""
    account = account or Account()
    if entry.readable:
        return _STANDINGS.get(account.state_of(entry.number.seq), Standing.OPEN)
    return Standing.WAIVED if account.is_waived(entry.number.seq) else Standing.UNREADABLE


def list_entries(
    client: Any, selection: Selection, standings: frozenset[Standing], *, rows: int, after: Place | None
) -> tuple[list[Listed], Place | None]:
    """Return entries, newest first, and where the next page begins; None at the end.

    After looking at ten thousand entries in vain it returns what it has, and where to go on.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    found: list[Listed] = []
    for _ in range(_MOST_CHUNKS):
        chunk = newest_entries(client, selection, rows=_CHUNK, after=after)
        for listed in with_standings(client, chunk):
            if len(found) == rows:
                return found, after
            after = (listed.entry.received_at_ms, *listed.entry.place, listed.entry.number.seq)
            if listed.standing in standings:
                found.append(listed)
        if len(chunk) < _CHUNK:
            return found, None
    return found, after


def with_standings(client: Any, entries: Sequence[Entry]) -> list[Listed]:
    """Return entries with how they stand.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    accounts = accounts_of(client, entries)
    return [
        Listed(entry, standing_of(entry, accounts.get((entry.number.terminal_id, entry.number.epoch))))
        for entry in entries
    ]


def floods(client: Any, rule: FloodRule, now_ms: int) -> list[Traffic]:
    """Return the terminals in flood now.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    traffic = recent_traffic(client, since_ms=now_ms - rule.window_ms, fewest=rule.fewest)
    return [found for found in traffic if rule.is_flood(found)]


def dossier(client: Any, number: Number) -> Dossier:
    """Return all that is known of one number in quarantine.

    Raises:
        UnknownNumberError: it never stood there.
        ClickHouseError: the server is away or refuses.
    """
    entries = _entries_of(client, number)
    if not entries:
        raise UnknownNumberError(
            f"number {number.seq} of terminal {number.terminal_id!r}, epoch {number.epoch}, never stood in quarantine"
        )
    waivers = [
        waiver
        for waiver in read_waivers(client, terminals=[number.terminal_id])
        if waiver.epoch == number.epoch and waiver.first <= number.seq <= waiver.last
    ]
    return Dossier(with_standings(client, entries), read_replays(client, number), waivers)


def waive(client: Any, request: WaiveRequest) -> WaiveResult:
    """Keep a waiver, and return it with what its numbers were before.

    Raises:
        UnknownNumberError: nothing is known of the terminal and epoch.
        NothingToWaiveError: none of the numbers is missing or in quarantine, or they go beyond the highest known.
        ClickHouseError: the server is away or refuses; the waiver may be kept or not.
    """
    account = read_accounts(client, keys=[request.key], whole=True).get(request.key, Account())
    before: Counter[State] = Counter()
    if 1 <= request.first <= request.last <= account.highest:
        for stretch in account.stretches(request.first, request.last):
            before[stretch.state] += stretch.numbers
    if not before[State.MISSING] + before[State.QUARANTINED]:
        if request.first != request.last or not _stands_alone(client, request):
            raise _refusal(request, account)
        before[State.QUARANTINED] += 1
    span = (request.first, request.last)
    keep_waiver(client, request.terminal_id, request.epoch, span, request.reason, request.waived_by)
    return WaiveResult(read_waivers(client, terminals=[request.terminal_id])[-1], before)


def _stands_alone(client: Any, request: WaiveRequest) -> bool:
    """Whether an entry stands under just this number that a range cannot reach: raw bytes, or no sequence number."""
    entries = _entries_of(client, Number(request.terminal_id, request.epoch, request.first))
    return any(listed.standing in (Standing.OPEN, Standing.UNREADABLE) for listed in with_standings(client, entries))


def _refusal(request: WaiveRequest, account: Account) -> UnknownNumberError | NothingToWaiveError:
    which = f"terminal {request.terminal_id!r}, epoch {request.epoch}"
    if not account.highest:
        return UnknownNumberError(f"nothing is known of {which}: see `fucai gaps --terminal`")
    numbers = f"{request.first} to {request.last}" if request.first != request.last else f"{request.first}"
    if request.last > account.highest:
        return NothingToWaiveError(
            f"{numbers} goes beyond {account.highest}, the highest number known of {which}; waive what is known"
        )
    return NothingToWaiveError(f"{numbers} of {which}: all stored or waived already, there is nothing to waive")


def _entries_of(client: Any, number: Number) -> list[Entry]:
    """All entries of one number. A condition on 0 selects nothing away, so that is looked at here."""
    selection = Selection(terminal_id=number.terminal_id, epoch=number.epoch, first_seq=number.seq, last_seq=number.seq)
    entries = entries_by_number(client, selection, rows=_MOST_ENTRIES_OF_A_NUMBER)
    return [entry for entry in entries if entry.number == number]
