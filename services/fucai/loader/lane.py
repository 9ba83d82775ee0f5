"""What one worker has before it: records waiting, the flush under way, and records under suspicion. Does no I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

    from fucai.loader.plan import Plan
    from fucai.loader.record import Record


@dataclass(frozen=True, slots=True)
class FlushPolicy:
    """When to insert: inserts cost by their number, so wait `linger_s` unless there is much.

    A lane holds at most `hold_bytes` and `hold_records` before its partitions are paused. For `careful_s` after a bad
    record every record is decoded before it is inserted: bad ones come in numbers, and finding one by a failed insert
    costs a gate. At the end, inserts under way are waited for `drain_s`.
    """

    linger_s: float = 0.15
    flush_bytes: int = 32 * 1024 * 1024
    flush_records: int = 100_000
    hold_bytes: int = 64 * 1024 * 1024
    hold_records: int = 200_000
    retry_s: float = 1.0
    drain_s: float = 4.0
    careful_s: float = 10.0


@dataclass(slots=True)
class Lane:
    """The work of one worker. `open` is true between a restore and the next failure or rebalance."""

    number: int
    places: frozenset[tuple[int, int]] = frozenset()
    open: bool = False
    paused: bool = False
    retry_at: float = 0.0
    waiting: deque[Record] = field(default_factory=deque)
    waiting_bytes: int = 0
    waiting_since: float = 0.0
    flush: Future[Plan] | None = None
    flushing: list[Record] = field(default_factory=list)
    to_commit: dict[tuple[int, int], int] = field(default_factory=dict)
    suspects: dict[tuple[int, int, int], str] = field(default_factory=dict)
    one_by_one: bool = False
    careful_until: float = 0.0

    def take(self, record: Record, now: float) -> None:
        """Put a record at the end."""
        if not self.waiting:
            self.waiting_since = now
        self.waiting.append(record)
        self.waiting_bytes += len(record.value)

    def due(self, now: float, policy: FlushPolicy) -> bool:
        """Whether the waiting records should be inserted now."""
        if not self.waiting or self.flush is not None or not self.open:
            return False
        full = self.waiting_bytes >= policy.flush_bytes or len(self.waiting) >= policy.flush_records
        return full or now - self.waiting_since >= policy.linger_s

    def crowded(self, policy: FlushPolicy) -> bool:
        """Whether its partitions should be paused: from the bound on, until no more waits than one flush takes."""
        if self.paused:
            return self.waiting_bytes >= policy.flush_bytes or len(self.waiting) >= policy.flush_records
        return self.waiting_bytes > policy.hold_bytes or len(self.waiting) > policy.hold_records

    def next_records(self, policy: FlushPolicy) -> list[Record]:
        """Take the next flush from the front; a single record where records are looked at one by one."""
        taken: list[Record] = []
        size = 0
        while self.waiting and size < policy.flush_bytes and len(taken) < policy.flush_records:
            record = self.waiting[0]
            alone = self.one_by_one and record.place in self.suspects
            if alone and taken:
                break
            taken.append(self.waiting.popleft())
            size += len(record.value)
            if alone:
                break
        self.waiting_bytes -= size
        return taken

    def drop_all(self) -> None:
        """Forget what waits; it will be read again."""
        self.waiting.clear()
        self.waiting_bytes = 0
        self.open = False

    def suspect(self, detail: str) -> None:
        """An insert of `flushing` was refused for what it holds: look closer; condemn a suspect that stood alone."""
        alone = self.flushing[0].place
        if len(self.flushing) == 1 and alone in self.suspects:
            self.suspects[alone] = f"ClickHouse refuses it: {detail}"
            return
        self.one_by_one = self.one_by_one or any(record.place in self.suspects for record in self.flushing)
        for record in self.flushing:
            self.suspects.setdefault(record.place, "")

    def suspected(self, now: float) -> dict[tuple[int, int, int], str]:
        """Return which of `flushing` are to be looked at, with the verdict where there is one: after a bad one, all."""
        known = dict(self.suspects)
        if now < self.careful_until:
            return dict.fromkeys((record.place for record in self.flushing), "") | known
        return known

    def cleared(self, records: list[Record]) -> None:
        """These records are done."""
        if self.suspects:
            for record in records:
                self.suspects.pop(record.place, None)
            self.one_by_one = self.one_by_one and bool(self.suspects)
