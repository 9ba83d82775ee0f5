"""Events in quarantine: what stands there, and judging it again by newer rules. Sends and stores nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from fucai.domain import topics
from fucai.domain.batches import ParsedBatch, Record, Stamper, make_records
from fucai.domain.validation import Validator, refusals
from fucai.v1 import sales_pb2

TOPICS = (topics.SALES, topics.QUARANTINE)
"""Names of the topics that entries come from, by the loader's numbers."""

_MOST_EVENTS = 1_000
_REASONS = sales_pb2.QuarantineReason
BAD_RECORD = _REASONS.QUARANTINE_REASON_BAD_RECORD
_BAD_SEQUENCE = _REASONS.QUARANTINE_REASON_BAD_SEQUENCE


class Number(NamedTuple):
    """What names an event: terminal, epoch and sequence number."""

    terminal_id: str
    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry in quarantine. `place` is topic (0 sales, 1 quarantine), partition and offset of its Kafka record.

    An unreadable record (reason BAD_RECORD) has no event; its number is what its header claims to begin with.
    """

    number: Number
    outlet_id: str
    reason: sales_pb2.QuarantineReason.ValueType
    field: str
    detail: str
    event: sales_pb2.SalesEvent
    received_at_ms: int
    collector_id: str
    place: tuple[int, int, int]
    raw_bytes: int = 0
    raw_sha256: str = ""

    @property
    def readable(self) -> bool:
        """Whether it is an event, not a record's raw bytes."""
        return self.reason != BAD_RECORD


class Judged(NamedTuple):
    """An entry that is still bad, and why."""

    entry: Entry
    finding: sales_pb2.Finding


@dataclass(slots=True)
class Judgement:
    """What judging again found: records for the sales topic, each with the entries in it, and what is still bad."""

    good: list[tuple[Record, list[Entry]]] = field(default_factory=list)
    bad: list[Judged] = field(default_factory=list)


def one_for_each_number(entries: Iterable[Entry]) -> list[Entry]:
    """The entry to replay for each number, by number: the one received first, but rather one that was numbered well."""
    chosen: dict[Number, Entry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.reason == _BAD_SEQUENCE, entry.received_at_ms, entry.place)):
        chosen.setdefault(entry.number, entry)
    return sorted(chosen.values(), key=lambda entry: entry.number)


def judge_again(entries: Sequence[Entry], validator: Validator, stamper: Stamper) -> Judgement:
    """Judges events as of when each was received, and makes records of the good ones, under their own numbers.

    `entries` are readable, in the order of their numbers, one for each. The records carry the original time of receipt.
    """
    judgement = Judgement()
    for _, group in groupby(entries, key=_batch_key):
        together = list(group)
        for start in range(0, len(together), _MOST_EVENTS):
            _judge(together[start : start + _MOST_EVENTS], validator, stamper, judgement)
    return judgement


def _judge(entries: Sequence[Entry], validator: Validator, stamper: Stamper, judgement: Judgement) -> None:
    first = entries[0]
    batch = sales_pb2.SalesBatch(
        terminal_id=first.number.terminal_id,
        outlet_id=first.outlet_id,
        epoch=first.number.epoch,
        events=[entry.event for entry in entries],
    )
    refused = refusals(batch, max_events=_MOST_EVENTS)
    if refused:
        fault = sales_pb2.Finding(reason=BAD_RECORD, field=refused[0].field, detail=refused[0].description)
        judgement.bad += [Judged(entry, fault) for entry in entries]
        return
    runs = validator.examine(batch, now_ms=first.received_at_ms)
    parsed = ParsedBatch(batch, batch.SerializeToString())
    checked = make_records(parsed, runs, stamper.stamp(first.received_at_ms))
    for run, record in zip(runs, checked.records, strict=True):
        part = list(entries[run.start : run.stop])
        if run.findings:
            judgement.bad += [Judged(entry, finding) for entry, finding in zip(part, run.findings, strict=True)]
        else:
            judgement.good.append((record, part))


def _batch_key(entry: Entry) -> tuple[str, int, str, int]:
    return (entry.number.terminal_id, entry.number.epoch, entry.outlet_id, entry.received_at_ms)
