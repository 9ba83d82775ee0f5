"""What an audit can find, each with a kind that has a name in Chinese and English. Looks for nothing."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from fucai.domain.labels import Label

MOST_LISTED = 10_000
"""Findings listed one by one; further ones are only counted."""


class Kind(enum.StrEnum):
    """What is wrong. Its value stands in tables, metrics and files."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    MISSING = "missing"
    SEQ_REUSE = "seq_reuse"
    DIGEST_MISMATCH = "digest_mismatch"
    LINES_DIFFER = "lines_differ"
    BAD_RECORD = "bad_record"
    TWO_PARTITIONS = "two_partitions"
    UNREADABLE_STATEMENT = "unreadable_statement"
    FORGED_SIGNATURE = "forged_signature"
    UNKNOWN_KEY = "unknown_key"
    ALTERED_CLOSE = "altered_close"
    FORK = "fork"
    STATEMENT_GAP = "statement_gap"
    CLOSES_DO_NOT_JOIN = "closes_do_not_join"
    EPOCH_NEVER_OPENED = "epoch_never_opened"
    EPOCH_ENDED = "epoch_ended"
    ROOT_CHANGED = "root_changed"


LABELS: dict[Kind, Label] = {
    Kind.CHANGED: Label("库中记录被改动", "a stored row was changed"),
    Kind.ADDED: Label("库中多出记录", "a stored row that no Kafka record holds"),
    Kind.REMOVED: Label("库中缺少记录", "a Kafka record's event is missing in the store"),
    Kind.MISSING: Label("终端已日结而 Kafka 中没有", "stated by the terminal, missing in Kafka"),
    Kind.SEQ_REUSE: Label("同一序号内容不同", "one sequence number with two contents"),
    Kind.DIGEST_MISMATCH: Label("摘要链不符", "the events do not give the digest that was stated"),
    Kind.LINES_DIFFER: Label("日结合计与事件不符", "a close's totals are not those of its events"),
    Kind.BAD_RECORD: Label("无法采信的 Kafka 记录", "a Kafka record that says something else than it is"),
    Kind.TWO_PARTITIONS: Label("同一终端出现在两个分区", "a terminal's events in two partitions"),
    Kind.UNREADABLE_STATEMENT: Label("声明无法读取", "a statement that cannot be read"),
    Kind.FORGED_SIGNATURE: Label("签名无效", "a forged signature"),
    Kind.UNKNOWN_KEY: Label("未登记的公钥", "signed with a key that is not registered for the terminal"),
    Kind.ALTERED_CLOSE: Label("日结被替换", "a day close with a number used before and other content"),
    Kind.FORK: Label("终端出现两套历史", "two histories for one terminal"),
    Kind.STATEMENT_GAP: Label("声明编号缺失", "statements are missing before this one"),
    Kind.CLOSES_DO_NOT_JOIN: Label("日结首尾不相接", "a close does not begin where the one before ended"),
    Kind.EPOCH_NEVER_OPENED: Label("纪元未经声明开启", "an epoch that was never opened"),
    Kind.EPOCH_ENDED: Label("已终结纪元出现新序号", "new sequence numbers under an epoch whose successor began"),
    Kind.ROOT_CHANGED: Label("当日根哈希与上次不同", "the day's root hash is not the one kept"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: whose, which sequence numbers (both ends included, 0 where none), where, and in which field."""

    kind: Kind
    terminal_id: str
    epoch: int
    first_seq: int
    last_seq: int
    where: str
    field: str = ""
    detail: str = ""

    @property
    def sequences(self) -> str:
        """The numbers as text: 7 or 7-9; empty where it is about none."""
        if not self.last_seq:
            return ""
        return str(self.first_seq) if self.first_seq == self.last_seq else f"{self.first_seq}-{self.last_seq}"

    def line(self) -> str:
        """The finding in one line for people."""
        seqs = f" seq {self.sequences}" if self.sequences else ""
        named = f" field {self.field}:" if self.field else ""
        return (
            f"{self.kind}: terminal {self.terminal_id} epoch {self.epoch}{seqs} in {self.where}:{named} {self.detail}"
        )


@dataclass(slots=True)
class Findings:
    """Collects findings: neighbours alike in all else become one range; beyond a bound they are only counted."""

    counts: Counter[Kind] = field(default_factory=Counter)
    unlisted: int = 0
    _listed: list[Finding] = field(default_factory=list)

    def add(self, found: Finding) -> None:
        """Take one."""
        self.counts[found.kind] += max(found.last_seq - found.first_seq + 1, 1) if found.last_seq else 1
        before = self._listed[-1] if self._listed else None
        if before is not None and before.last_seq and before.last_seq + 1 == found.first_seq:
            joined = replace(before, last_seq=found.last_seq)
            if replace(found, first_seq=joined.first_seq) == joined:
                self._listed[-1] = joined
                return
        if len(self._listed) < MOST_LISTED:
            self._listed.append(found)
        else:
            self.unlisted += 1

    def clear(self) -> None:
        """Forget those listed, which are kept elsewhere; the counts stay."""
        self._listed.clear()
        self.unlisted = 0

    def __iter__(self) -> Iterator[Finding]:
        """Those listed, in the order found."""
        return iter(self._listed)

    def __len__(self) -> int:
        """How many there are, listed or not."""
        return len(self._listed) + self.unlisted
