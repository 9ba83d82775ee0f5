"""Kafka's recount against the store's: blocks as a whole first, then the events of those that differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from fucai.adapters.audit_rows import BlockKey, read_blocks
from fucai.adapters.clickhouse import Client
from fucai.adapters.consumer import Place
from fucai.auditor.days import DayClock
from fucai.auditor.findings import Finding, Kind
from fucai.auditor.fold import BLOCK_BITS, Block, Scope
from fucai.auditor.narrow import TOPICS, AtFault, Narrower, read_versions
from fucai.auditor.recount import Recount
from fucai.auditor.stored import Stored, as_event

MOST_NARROWED = 4_096
"""Blocks that are looked into event by event; where more differ, the rest is named by the block."""
_AT_ONCE = 128


def differing_blocks(recount: Recount, stored: Stored) -> list[tuple[BlockKey, Block | None]]:
    """Blocks that are not the same on both sides, or in which a number stands twice in Kafka; in the order of Kafka."""
    found: list[tuple[BlockKey, Block | None]] = []
    left = set(stored.blocks)
    for (terminal, epoch), fold in recount.folds.items():
        name = terminal.decode("utf-8", "replace")
        for number, block in fold.blocks.items():
            key = (name, epoch, number)
            left.discard(key)
            other = stored.blocks.get(key)
            counts = (0, 0) if other is None else (other.count, other.total)
            if block.repeated or (block.count, block.total) != counts or (other is not None and other.doubtful):
                found.append((key, block))
    found += [(key, None) for key in sorted(left)]
    found.sort(key=lambda pair: (pair[1].partition, pair[1].offsets[0]) if pair[1] else (-1, 0))
    return found


def compare(
    narrower: Narrower,
    client: Client,
    recount: Recount,
    stored: Stored,
    scope: Scope,
    clock: DayClock,
    told: Callable[[int, int], None],
) -> AtFault:
    """Compare both sides; `told` hears how many blocks are done, of how many.

    Raises:
        KafkaError, ClickHouseError: a neighbour is away.
    """
    unlike = differing_blocks(recount, stored)
    for key, _ in unlike[MOST_NARROWED:]:
        first = max(key[2] << BLOCK_BITS, 1)
        detail = f"Kafka and store differ within these numbers; more than {MOST_NARROWED} blocks do"
        last = (key[2] + 1 << BLOCK_BITS) - 1
        scope.findings.add(Finding(Kind.CHANGED, key[0], key[1], first, last, "sales", "", detail))
    chosen = unlike[:MOST_NARROWED]
    for start in range(0, len(chosen), _AT_ONCE):
        part = chosen[start : start + _AT_ONCE]
        told(start, len(chosen))
        ranges: defaultdict[Place, list[tuple[int, int]]] = defaultdict(list)
        for _, block in part:
            for topic in TOPICS if block is not None else ():
                if block is not None and block.offsets[2 * topic + 1] >= 0:
                    span = (block.offsets[2 * topic], block.offsets[2 * topic + 1])
                    ranges[TOPICS[topic], block.partition].append(span)
        versions = read_versions(narrower.reader, ranges, {key for key, _ in part}, clock)
        sales, held = read_blocks(client, [key for key, _ in part])
        narrower.compare(versions, [as_event(row, clock) for row in sales], [as_event(row, clock) for row in held])
    told(len(chosen), len(chosen))
    return narrower.at_fault


def compare_bad(
    recount: Recount,
    kept: Mapping[tuple[int, int, int], str],
    committed: Mapping[Place, int],
    scope: Scope,
) -> int:
    """Records that cannot be believed must be kept whole in quarantine, byte for byte; returns how many there are."""
    for place, (terminal, why, digest) in recount.bad.items():
        topic, partition, offset = place
        if offset >= committed.get((TOPICS[topic], partition), 0):
            continue
        if kept.get(place, "").lower() != digest:
            state = "kept with other bytes" if place in kept else "not kept in quarantine"
            detail = f"{TOPICS[topic]}/{partition} offset {offset}: {why}; {state}"
            scope.findings.add(Finding(Kind.BAD_RECORD, terminal, 0, 0, 0, "quarantine", "raw_record", detail))
    return len(recount.bad)
