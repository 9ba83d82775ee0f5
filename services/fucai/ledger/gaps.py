"""Which numbers are missing, where and since when. Reads; what is missing closes by itself when it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fucai.adapters.arrivals_store import quarantine_outlets, since_when
from fucai.adapters.ledger_store import Key, Waived, read_accounts, read_waivers
from fucai.domain.completeness import Account, Stretch
from fucai.domain.silence import Roster


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers first..last of a terminal and epoch that are missing."""

    terminal_id: str
    epoch: int
    first: int
    last: int
    outlet_id: str

    @property
    def numbers(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1

    @property
    def place(self) -> tuple[str, int, int]:
        """What a list of gaps is ordered by."""
        return (self.terminal_id, self.epoch, self.first)

    @property
    def end(self) -> tuple[str, int, int]:
        """What the time since when it is missing is asked by."""
        return (self.terminal_id, self.epoch, self.last)


@dataclass(frozen=True, slots=True)
class TerminalLedger:
    """All that is known of one terminal's numbers. `since` has the Unix ms by epoch and last number of a gap."""

    outlet_id: str
    accounts: Mapping[int, tuple[Account, Sequence[Stretch]]]
    since_ms: Mapping[tuple[str, int, int], int]
    waivers: Sequence[Waived]


class Places:
    """Where terminals stand: by the registry, else by what their quarantined events say."""

    def __init__(self, client: Any, roster: Roster, today: date) -> None:
        """Reads what quarantined events say.

        Raises:
            ClickHouseError: the server is away or refuses.
        """
        self._roster = roster
        self._today = today
        self._claimed = {
            terminal: outlet
            for terminal, outlet in quarantine_outlets(client).items()
            if not roster.outlet_of(terminal, today)
        }

    def outlet_of(self, terminal_id: str) -> str:
        """The outlet of a terminal; empty where nothing says."""
        return self._roster.outlet_of(terminal_id, self._today) or self._claimed.get(terminal_id, "")

    def terminals_of(self, outlet_id: str) -> list[str]:
        """The terminals of an outlet."""
        claimed = [terminal for terminal, outlet in self._claimed.items() if outlet == outlet_id]
        return [*self._roster.terminals_of(outlet_id, self._today), *claimed]


def find_gaps(client: Any, roster: Roster, today: date, *, outlet_id: str = "", terminal_id: str = "") -> list[Gap]:
    """Return what is missing, by terminal, epoch and number; of one outlet or terminal, where one is given.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    places = Places(client, roster, today)
    terminals = None
    if terminal_id:
        terminals = [terminal_id] if outlet_id in ("", places.outlet_of(terminal_id)) else []
    elif outlet_id:
        terminals = places.terminals_of(outlet_id)
    accounts = read_accounts(client, terminals=terminals)
    found = [
        Gap(terminal, epoch, stretch.first, stretch.last, places.outlet_of(terminal))
        for (terminal, epoch), account in accounts.items()
        for stretch in account.gaps()
    ]
    return sorted(found, key=lambda gap: gap.place)


def oldest_gap_ms(client: Any, gaps: Sequence[Gap]) -> int:
    """Return since when a number has been missing for the longest time, in Unix ms; 0 where none is.

    The first gap of a terminal and epoch is its oldest: what was received above a later one lies above it, too.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    firsts: dict[Key, Gap] = {}
    for gap in gaps:
        firsts.setdefault((gap.terminal_id, gap.epoch), gap)
    return min(since_when(client, [gap.end for gap in firsts.values()]).values(), default=0)


def terminal_ledger(client: Any, roster: Roster, today: date, terminal_id: str) -> TerminalLedger:
    """Return all ranges of one terminal.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    found = read_accounts(client, terminals=[terminal_id], whole=True)
    accounts = {epoch: (account, account.stretches()) for (_, epoch), account in sorted(found.items())}
    gaps = [(terminal_id, epoch, gap.last) for (_, epoch), account in found.items() for gap in account.gaps()]
    return TerminalLedger(
        Places(client, roster, today).outlet_of(terminal_id),
        accounts,
        since_when(client, gaps),
        read_waivers(client, terminals=[terminal_id]),
    )
