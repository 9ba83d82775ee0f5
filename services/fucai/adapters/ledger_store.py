"""Reads what became of terminals' numbers, and when events came in. Cheap where nothing is missing; decides nothing.

As in `sequence_store`: terminals without holes are known from one projection, holes are looked for in another, and
only rows around them are read. What is quarantined is read first: a number stored in between counts as stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Any, TypeVar

from fucai.domain.completeness import Account, runs
from fucai.domain.flood import Traffic
from fucai.domain.validation import MAX_SEQ

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

T = TypeVar("T")
Key = tuple[str, int]
"""Terminal and epoch."""

BLOCK = 1024
_PARAMETER_CHARACTERS = 16_000
_FLOOD_DAYS = 62

# $where stands for one of the fixed texts below it.
_QUARANTINED = Template("""
SELECT terminal_id, epoch, groupUniqArray(seq) FROM quarantine
WHERE reason != 'BAD_RECORD' AND seq BETWEEN 1 AND {most:UInt64} AND $where
GROUP BY terminal_id, epoch
""")
_WAIVED = Template("""
SELECT terminal_id, epoch, first_seq, last_seq, reason, waived_by, toUnixTimestamp64Milli(at) FROM waivers
WHERE $where ORDER BY at, first_seq, last_seq
""")
_EXTENTS = Template("""
SELECT terminal_id, epoch, min(seq) AS low, max(seq) AS high, count() AS stored FROM sales
WHERE $where GROUP BY kafka_partition, terminal_id, epoch
""")
_HOLED = Template(_EXTENTS.template + "HAVING low != 1 OR high != stored")
_EVERYTHING = "1"
_OF_TERMINALS = "terminal_id IN {terminals:Array(String)}"
_OF_KEYS = "(terminal_id, epoch) IN {keys:Array(Tuple(String, UInt32))}"

_BLOCKS = """
SELECT terminal_id, epoch, intDiv(seq, 1024) AS block, min(seq), max(seq), count() FROM sales
WHERE (terminal_id, epoch) IN {keys:Array(Tuple(String, UInt32))}
GROUP BY kafka_partition, terminal_id, epoch, intDiv(seq, 1024)
"""
_NUMBERS = """
SELECT terminal_id, epoch, groupArray(seq) FROM sales
WHERE terminal_id IN {terminals:Array(String)}
  AND (terminal_id, epoch, intDiv(seq, 1024)) IN {blocks:Array(Tuple(String, UInt32, UInt64))}
GROUP BY terminal_id, epoch
"""
_ARRIVALS = """
SELECT terminal_id, epoch, intDiv(seq, 1024) AS block, toUnixTimestamp64Milli(min(received_at)) FROM sales
WHERE (terminal_id, epoch) IN {keys:Array(Tuple(String, UInt32))}
GROUP BY kafka_partition, terminal_id, epoch, intDiv(seq, 1024)
"""
_ARRIVALS_IN_BLOCKS = """
SELECT terminal_id, epoch, seq, toUnixTimestamp64Milli(received_at) FROM sales
WHERE terminal_id IN {terminals:Array(String)}
  AND (terminal_id, epoch, intDiv(seq, 1024)) IN {blocks:Array(Tuple(String, UInt32, UInt64))}
"""
_QUARANTINE_ARRIVALS = """
SELECT terminal_id, epoch, seq, toUnixTimestamp64Milli(min(received_at)) FROM quarantine
WHERE (terminal_id, epoch) IN {keys:Array(Tuple(String, UInt32))}
  AND reason != 'BAD_RECORD' AND seq BETWEEN 1 AND {most:UInt64}
GROUP BY terminal_id, epoch, seq
"""
_LAST_STORED = "SELECT terminal_id, toUnixTimestamp64Milli(max(received_at)) FROM sales GROUP BY terminal_id"
_LAST_QUARANTINED = """
SELECT terminal_id, toUnixTimestamp64Milli(max(received_at)) FROM quarantine
WHERE reason != 'BAD_RECORD' GROUP BY terminal_id
"""
_QUARANTINE_OUTLETS = """
SELECT terminal_id, argMax(outlet_id, received_at) FROM quarantine WHERE outlet_id != '' GROUP BY terminal_id
"""
_RECENTLY_QUARANTINED = """
SELECT terminal_id, uniqExact(kafka_topic, kafka_partition, kafka_offset, seq) AS entries FROM quarantine
WHERE received_at > fromUnixTimestamp64Milli({since:Int64}) GROUP BY terminal_id HAVING entries >= {fewest:UInt64}
"""
_RECENTLY_STORED = """
SELECT terminal_id, count() FROM sales
WHERE terminal_id IN {terminals:Array(String)} AND received_at > fromUnixTimestamp64Milli({since:Int64})
  AND business_day >= toDate(fromUnixTimestamp64Milli({since:Int64})) - {days:UInt16}
GROUP BY terminal_id
"""


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver as it is kept."""

    terminal_id: str
    epoch: int
    first: int
    last: int
    reason: str
    waived_by: str
    at_ms: int


def read_accounts(
    client: Client, *, terminals: Sequence[str] | None = None, keys: Iterable[Key] | None = None, whole: bool = False
) -> dict[Key, Account]:
    """Return the accounts of some terminals, of some terminals and epochs, or of all.

    Left out are those that lack nothing and in which nothing was ever quarantined or waived, unless `whole`.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    accounts: defaultdict[Key, Account] = defaultdict(Account)
    extents: dict[Key, list[tuple[int, int, int]]] = defaultdict(list)
    for where, parameters in _selections(terminals, keys):
        for terminal, epoch, numbers in _rows(client, _QUARANTINED.substitute(where=where), parameters, most=MAX_SEQ):
            for first, last in runs(numbers):
                accounts[terminal, epoch].quarantined.add(first, last)
        for waiver in _waivers(client, where, parameters):
            accounts[waiver.terminal_id, waiver.epoch].waived.add(waiver.first, waiver.last)
        text = (_EXTENTS if whole else _HOLED).substitute(where=where)
        for terminal, epoch, low, high, count in _rows(client, text, parameters):
            extents[terminal, epoch].append((low, high, count))
    for part in _parts([key for key in accounts if key not in extents]):
        for terminal, epoch, low, high, count in _rows(client, _EXTENTS.substitute(where=_OF_KEYS), {"keys": part}):
            extents[terminal, epoch].append((low, high, count))
    holed = []
    for key, found in extents.items():
        if len(found) == 1 and found[0][1] - found[0][0] + 1 == found[0][2]:
            accounts[key].stored.add(found[0][0], found[0][1])
        else:
            holed.append(key)
    _read_holed(client, holed, accounts)
    return dict(accounts)


def read_waivers(client: Client, *, terminals: Sequence[str]) -> list[Waived]:
    """Return the waivers of some terminals, in the order in which they were given.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return list(_waivers(client, _OF_TERMINALS, {"terminals": list(terminals)}))


def since_when(client: Client, gaps: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], int]:
    """Return, by terminal, epoch and last number of a gap, the Unix ms when a higher number was first received.

    Without those above which nothing was received.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    wanted: dict[Key, list[int]] = defaultdict(list)
    for terminal, epoch, last in gaps:
        wanted[terminal, epoch].append(last)
    blocks: dict[Key, list[tuple[int, int]]] = defaultdict(list)
    numbers: dict[Key, list[tuple[int, int]]] = defaultdict(list)
    for part in _parts(list(wanted)):
        for terminal, epoch, block, received in _rows(client, _ARRIVALS, {"keys": part}):
            blocks[terminal, epoch].append((block, received))
        for terminal, epoch, seq, received in _rows(client, _QUARANTINE_ARRIVALS, {"keys": part}, most=MAX_SEQ):
            numbers[terminal, epoch].append((seq, received))
    own = {(*key, last // BLOCK) for key, found in wanted.items() for last in found if (last + 1) % BLOCK}
    for parts in _parts(sorted(own)):
        parameters = {"terminals": sorted({block[0] for block in parts}), "blocks": parts}
        for terminal, epoch, seq, received in _rows(client, _ARRIVALS_IN_BLOCKS, parameters):
            numbers[terminal, epoch].append((seq, received))
    found_at: dict[tuple[str, int, int], int] = {}
    for key, lasts in wanted.items():
        for last in lasts:
            later = [received for block, received in blocks[key] if block > last // BLOCK]
            later += [received for seq, received in numbers[key] if seq > last]
            if later:
                found_at[(*key, last)] = min(later)
    return found_at


def last_events(client: Client) -> dict[str, int]:
    """Return the Unix ms at which each terminal's last event was received, stored or quarantined.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    found = {str(terminal): int(received) for terminal, received in _rows(client, _LAST_QUARANTINED, {})}
    for terminal, received in _rows(client, _LAST_STORED, {}):
        found[terminal] = max(int(received), found.get(terminal, 0))
    return found


def quarantine_outlets(client: Client) -> dict[str, str]:
    """Return the outlet that the newest quarantined event of each terminal names.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return {str(terminal): str(outlet) for terminal, outlet in _rows(client, _QUARANTINE_OUTLETS, {})}


def recent_traffic(client: Client, *, since_ms: int, fewest: int) -> list[Traffic]:
    """Return what came in since then of each terminal of which at least `fewest` entries were quarantined.

    Events stored count where they happened within 62 days before: older ones come from no till.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    parameters = {"since": since_ms, "fewest": fewest}
    bad = {str(terminal): int(entries) for terminal, entries in _rows(client, _RECENTLY_QUARANTINED, parameters)}
    stored: dict[str, int] = {}
    for part in _parts(list(bad)):
        parameters = {"terminals": part, "since": since_ms, "days": _FLOOD_DAYS}
        stored.update((str(terminal), int(count)) for terminal, count in _rows(client, _RECENTLY_STORED, parameters))
    return [Traffic(terminal, entries, stored.get(terminal, 0)) for terminal, entries in sorted(bad.items())]


def _read_holed(client: Client, holed: Sequence[Key], accounts: Mapping[Key, Account]) -> None:
    """Enter what is stored of terminals with holes: whole blocks from the projection, the rest number by number."""
    broken: list[tuple[str, int, int]] = []
    for part in _parts(holed):
        seen: dict[tuple[str, int, int], list[tuple[int, int, int]]] = defaultdict(list)
        for terminal, epoch, block, low, high, count in _rows(client, _BLOCKS, {"keys": part}):
            seen[terminal, epoch, block].append((low, high, count))
        for (terminal, epoch, block), found in sorted(seen.items()):
            if len(found) == 1 and found[0][1] - found[0][0] + 1 == found[0][2]:
                accounts[terminal, epoch].stored.add(found[0][0], found[0][1])
            else:
                broken.append((terminal, epoch, block))
    for parts in _parts(broken):
        parameters = {"terminals": sorted({block[0] for block in parts}), "blocks": parts}
        for terminal, epoch, numbers in _rows(client, _NUMBERS, parameters):
            for first, last in runs(numbers):
                accounts[terminal, epoch].stored.add(first, last)


def _selections(
    terminals: Sequence[str] | None, keys: Iterable[Key] | None
) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield fixed conditions with their parameters, as many as the parameters need to stay short."""
    if keys is not None:
        yield from ((_OF_KEYS, {"keys": part}) for part in _parts(sorted(set(keys))))
    elif terminals is not None:
        yield from ((_OF_TERMINALS, {"terminals": part}) for part in _parts(sorted(set(terminals))))
    else:
        yield _EVERYTHING, {}


def _waivers(client: Client, where: str, parameters: Mapping[str, object]) -> Iterator[Waived]:
    for terminal, epoch, first, last, reason, waived_by, at_ms in _rows(
        client, _WAIVED.substitute(where=where), parameters
    ):
        yield Waived(terminal, epoch, first, last, reason, waived_by, at_ms)


def _rows(client: Client, text: str, parameters: Mapping[str, object], **more: object) -> Sequence[Any]:
    return client.query(text, {**parameters, **more}).result_rows


def _parts(items: Sequence[T]) -> Iterator[list[T]]:
    """Cut a list so that each part fits into a query's address."""
    part: list[T] = []
    size = 0
    for item in items:
        size += len(str(item)) * 2
        if part and size > _PARAMETER_CHARACTERS:
            yield part
            part, size = [], len(str(item)) * 2
        part.append(item)
    if part:
        yield part
