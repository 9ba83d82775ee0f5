"""Reads back from ClickHouse which sequence numbers are stored: the loader's only memory. Decides nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clickhouse_connect.driver.client import Client

_EXTENTS = """
SELECT terminal_id, epoch, min(seq) AS low, max(seq) AS high, count() AS events
FROM sales WHERE kafka_partition IN {partitions:Array(UInt16)}
GROUP BY kafka_partition, terminal_id, epoch
"""
_BLOCKS = f"""
SELECT terminal_id, epoch, intDiv(seq, 1024) AS block, min(seq) AS low, max(seq) AS high, count() AS events
FROM sales
WHERE kafka_partition IN {{partitions:Array(UInt16)}}
  AND (terminal_id, epoch) IN (SELECT terminal_id, epoch FROM ({_EXTENTS}) WHERE high - low + 1 != events)
GROUP BY kafka_partition, terminal_id, epoch, intDiv(seq, 1024)
"""  # noqa: S608 (the text of another query of this file)
_WHOLE_BLOCKS = f"SELECT terminal_id, epoch, low, high FROM ({_BLOCKS}) WHERE high - low + 1 = events"  # noqa: S608
_RANGES = """
SELECT terminal_id, epoch, arrayFilter((number, step) -> step != 1, numbers, steps),
       arrayFilter((number, step) -> step != 1, numbers, arrayPushBack(arrayPopFront(steps), 0))
FROM (SELECT terminal_id, epoch, numbers, arrayDifference(numbers) AS steps FROM ("""
"""Where ranges of rising `numbers` begin and end: the server finds them, so that the numbers need not travel."""

_HOLED = f"""{_RANGES}
    SELECT terminal_id, epoch, arraySort(groupArray(seq)) AS numbers
    FROM sales
    WHERE kafka_partition IN {{partitions:Array(UInt16)}} AND cityHash64(terminal_id, epoch, intDiv(seq, 1024)) IN
        (SELECT cityHash64(terminal_id, epoch, block) FROM ({_BLOCKS}) WHERE high - low + 1 != events)
    GROUP BY terminal_id, epoch
))
"""  # noqa: S608
"""The blocks with holes; others whose hash is the same are looked at too, which harms nothing."""

_QUARANTINED = f"""{_RANGES}
    SELECT terminal_id, epoch, arraySort(groupUniqArray(seq)) AS numbers
    FROM quarantine
    WHERE kafka_partition IN {{partitions:Array(UInt16)}} AND reason != 'BAD_RECORD'
      AND seq BETWEEN 1 AND 9223372036854775807
    GROUP BY terminal_id, epoch
))
"""  # noqa: S608
_REPLAYED = """
SELECT kafka_partition, kafka_offset, min(seq) AS low, max(seq) AS high, count() AS events,
       if(high - low + 1 = events, [], groupArray(seq))
FROM sales
WHERE kafka_partition IN {partitions:Array(UInt16)} AND kafka_offset >= {lowest_sales:UInt64}
  AND kafka_offset >= transform(kafka_partition, {partitions:Array(UInt16)}, {sales:Array(UInt64)}, toUInt64(0))
GROUP BY kafka_partition, kafka_offset
"""
_SET_ASIDE = """
SELECT DISTINCT kafka_topic, kafka_partition, kafka_offset, reason = 'BAD_RECORD'
FROM quarantine
WHERE kafka_partition IN {partitions:Array(UInt16)} AND kafka_offset >= if(kafka_topic = 0,
    transform(kafka_partition, {partitions:Array(UInt16)}, {sales:Array(UInt64)}, toUInt64(0)),
    transform(kafka_partition, {partitions:Array(UInt16)}, {rejected:Array(UInt64)}, toUInt64(0)))
"""

Place = tuple[int, int, int]
"""Topic (0 sales, 1 quarantine), partition and offset of a record."""

Numbers = dict[tuple[bytes, int], list[tuple[int, int]]]
"""Ranges of sequence numbers, both ends included, by terminal and epoch."""


@dataclass(slots=True)
class StoredSequences:
    """What the store holds for some partitions, and of which records that are not committed.

    `replayed` has the numbers that stand in `sales` from a record itself; `rejected` the records of the quarantine
    topic of which events stand in `quarantine`; `condemned` the records that stand there whole.
    """

    stored: Numbers = field(default_factory=lambda: defaultdict(list))
    quarantined: Numbers = field(default_factory=lambda: defaultdict(list))
    replayed: dict[Place, list[tuple[int, int]]] = field(default_factory=dict)
    rejected: set[Place] = field(default_factory=set)
    condemned: set[Place] = field(default_factory=set)


def read_sequences(
    client: Client, partitions: Sequence[int], committed: Mapping[tuple[int, int], int]
) -> StoredSequences:
    """Return what is stored and quarantined of the terminals in `partitions`.

    `committed` maps (topic, partition) to the offset from which records will be read again. Terminals without holes
    are read from one projection, holes are looked for in another, and numbers are looked at around the holes only.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    found = StoredSequences()
    if not partitions:
        return found
    _read_stored(client, {"partitions": list(partitions)}, found.stored)
    for terminal, epoch, firsts, lasts in client.query(_QUARANTINED, {"partitions": list(partitions)}).result_rows:
        found.quarantined[_key(terminal), epoch].extend(zip(firsts, lasts, strict=True))
    sales = [committed.get((0, partition), 0) for partition in partitions]
    rejected = [committed.get((1, partition), 0) for partition in partitions]
    parameters = {"partitions": list(partitions), "sales": sales, "lowest_sales": min(sales), "rejected": rejected}
    for partition, offset, low, high, _, numbers in client.query(_REPLAYED, parameters).result_rows:
        found.replayed[0, partition, offset] = _ranges(numbers) or [(low, high)]
    for topic, partition, offset, whole in client.query(_SET_ASIDE, parameters).result_rows:
        (found.condemned if whole else found.rejected).add((topic, partition, offset))
    return found


def _read_stored(client: Client, parameters: dict[str, list[int]], stored: Numbers) -> None:
    """Enter the terminals without holes; of the others whole blocks, then what is left."""
    is_holed = False
    for terminal, epoch, low, high, count in client.query(_EXTENTS, parameters).result_rows:
        if high - low + 1 == count:
            stored[_key(terminal), epoch].append((low, high))
        else:
            is_holed = True
    if not is_holed:
        return
    for terminal, epoch, low, high in client.query(_WHOLE_BLOCKS, parameters).result_rows:
        stored[_key(terminal), epoch].append((low, high))
    for terminal, epoch, firsts, lasts in client.query(_HOLED, parameters).result_rows:
        stored[_key(terminal), epoch].extend(zip(firsts, lasts, strict=True))


def _key(terminal: str | bytes) -> bytes:
    """Return a terminal id as it stands in a record's key."""
    return terminal.encode() if isinstance(terminal, str) else terminal


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return numbers as ranges."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges
