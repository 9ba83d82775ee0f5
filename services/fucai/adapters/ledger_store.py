"""Reads what became of terminals' numbers: cheap where nothing is missing. Decides nothing.

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
from fucai.domain.validation import MAX_SEQ

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

T = TypeVar("T")
Key = tuple[str, int]
"""Terminal and epoch."""

_PARAMETER_CHARACTERS = 16_000

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
        for terminal, epoch, numbers in rows_of(client, _QUARANTINED.substitute(where=where), parameters, most=MAX_SEQ):
            for first, last in runs(numbers):
                accounts[terminal, epoch].quarantined.add(first, last)
        for waiver in _waivers(client, where, parameters):
            accounts[waiver.terminal_id, waiver.epoch].waive(waiver.first, waiver.last)
        text = (_EXTENTS if whole else _HOLED).substitute(where=where)
        for terminal, epoch, low, high, count in rows_of(client, text, parameters):
            extents[terminal, epoch].append((low, high, count))
    for part in parts_of([key for key in accounts if key not in extents]):
        for terminal, epoch, low, high, count in rows_of(client, _EXTENTS.substitute(where=_OF_KEYS), {"keys": part}):
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


def _read_holed(client: Client, holed: Sequence[Key], accounts: Mapping[Key, Account]) -> None:
    """Enter what is stored of terminals with holes: whole blocks from the projection, the rest number by number."""
    broken: list[tuple[str, int, int]] = []
    for part in parts_of(holed):
        seen: dict[tuple[str, int, int], list[tuple[int, int, int]]] = defaultdict(list)
        for terminal, epoch, block, low, high, count in rows_of(client, _BLOCKS, {"keys": part}):
            seen[terminal, epoch, block].append((low, high, count))
        for (terminal, epoch, block), found in sorted(seen.items()):
            if len(found) == 1 and found[0][1] - found[0][0] + 1 == found[0][2]:
                accounts[terminal, epoch].stored.add(found[0][0], found[0][1])
            else:
                broken.append((terminal, epoch, block))
    for parts in parts_of(broken):
        parameters = {"terminals": sorted({block[0] for block in parts}), "blocks": parts}
        for terminal, epoch, numbers in rows_of(client, _NUMBERS, parameters):
            for first, last in runs(numbers):
                accounts[terminal, epoch].stored.add(first, last)


def _selections(terminals: Sequence[str] | None, keys: Iterable[Key] | None) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield fixed conditions with their parameters, as many as the parameters need to stay short."""
    if keys is not None:
        for chosen in parts_of(sorted(set(keys))):
            yield _OF_KEYS, {"keys": chosen}
    elif terminals is not None:
        for named in parts_of(sorted(set(terminals))):
            yield _OF_TERMINALS, {"terminals": named}
    else:
        yield _EVERYTHING, {}


def _waivers(client: Client, where: str, parameters: Mapping[str, object]) -> Iterator[Waived]:
    for terminal, epoch, first, last, reason, waived_by, at_ms in rows_of(
        client, _WAIVED.substitute(where=where), parameters
    ):
        yield Waived(terminal, epoch, first, last, reason, waived_by, at_ms)


def rows_of(client: Client, text: str, parameters: Mapping[str, object], **more: object) -> Sequence[Any]:
    """Return the rows of one query.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return client.query(text, {**parameters, **more}).result_rows


def parts_of(items: Sequence[T]) -> Iterator[list[T]]:
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
