"""Reads entries of the quarantine, and keeps what people decided about them. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from string import Template
from typing import TYPE_CHECKING, Any

from fucai.domain.quarantine import Entry, Number
from fucai.v1 import sales_pb2

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

PREFIX = "QUARANTINE_REASON_"
_BAD_REFERENCE = sales_pb2.QuarantineReason.QUARANTINE_REASON_BAD_REFERENCE

# $where stands for fixed conditions, $order for one of two fixed orders.
_ENTRIES = Template("""
SELECT terminal_id, epoch, seq, outlet_id, reason, field, detail, toUnixTimestamp64Milli(received_at) AS received_ms,
       collector_id, kafka_topic, kafka_partition, kafka_offset, length(raw_record),
       if(raw_record = '', '', lower(hex(SHA256(raw_record)))),
       kind, game, draw_no, amount_fen, bets, multiplier, face_value_fen, companion_fen, daily_summary, ticket_serial,
       sold_at_ms, refers_terminal, refers_epoch, refers_seq
FROM quarantine FINAL
WHERE $where
ORDER BY $order
LIMIT {rows:UInt32}
""")
_NEWEST_FIRST = "received_ms DESC, kafka_topic DESC, kafka_partition DESC, kafka_offset DESC, seq DESC"
_BY_NUMBER = "terminal_id, epoch, seq, received_ms, kafka_topic, kafka_partition, kafka_offset"
_BEFORE = (
    "(received_ms, kafka_topic, kafka_partition, kafka_offset, seq) < "
    "({after_1:Int64}, {after_2:UInt8}, {after_3:UInt16}, {after_4:UInt64}, {after_5:UInt64})"
)
_AFTER = "(terminal_id, epoch, seq) > ({after_1:String}, {after_2:UInt32}, {after_3:UInt64})"
_REPLAYS = """
SELECT outcome, reason, field, detail, replayed_by, toUnixTimestamp64Milli(at) FROM quarantine_replays
WHERE terminal_id = {terminal_id:String} AND epoch = {epoch:UInt32} AND seq = {seq:UInt64} ORDER BY at
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are meant; what is empty or 0 selects nothing away. Times are Unix ms, `before_ms` excluded."""

    reason: str = ""
    outlet_id: str = ""
    terminal_id: str = ""
    from_ms: int = 0
    before_ms: int = 0
    epoch: int = 0
    first_seq: int = 0
    last_seq: int = 0

    @property
    def selects(self) -> bool:
        """Whether anything is selected away."""
        return any(getattr(self, each.name) for each in fields(self))


_CONDITIONS = {
    "reason": "reason = {reason:String}",
    "outlet_id": "outlet_id = {outlet_id:String}",
    "terminal_id": "terminal_id = {terminal_id:String}",
    "from_ms": "received_ms >= {from_ms:Int64}",
    "before_ms": "received_ms < {before_ms:Int64}",
    "epoch": "epoch = {epoch:UInt32}",
    "first_seq": "seq >= {first_seq:UInt64}",
    "last_seq": "seq <= {last_seq:UInt64}",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to replay an event: outcome, and why it is still bad."""

    outcome: str
    reason: str
    field: str
    detail: str
    replayed_by: str
    at_ms: int = 0


def newest_entries(
    client: Client, selection: Selection, *, rows: int, after: tuple[int, int, int, int, int] | None = None
) -> list[Entry]:
    """Return at most `rows` entries, newest first, from the place `after` on (time received, topic, partition,
    offset, number).

    Raises:
        ClickHouseError: the server is away or refuses.
    """  # noqa: D205 (the summary needs two lines)
    return _entries(client, selection, rows, _NEWEST_FIRST, _BEFORE, after)


def entries_by_number(
    client: Client, selection: Selection, *, rows: int, after: tuple[str, int, int] | None = None
) -> list[Entry]:
    """Return at most `rows` entries by terminal, epoch and number, those above the number `after`.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return _entries(client, selection, rows, _BY_NUMBER, _AFTER, after)


def read_replays(client: Client, number: Number) -> list[Attempt]:
    """Return the attempts to replay one event, in their order.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return [Attempt(*row) for row in client.query(_REPLAYS, number._asdict()).result_rows]


def keep_replays(client: Client, attempts: Iterable[tuple[Number, Attempt]]) -> None:
    """Write down attempts to replay events.

    Raises:
        ClickHouseError: they may be kept or not.
    """
    rows = [
        [*number, attempt.outcome, attempt.reason, attempt.field, attempt.detail, attempt.replayed_by]
        for number, attempt in attempts
    ]
    names = ["terminal_id", "epoch", "seq", "outcome", "reason", "field", "detail", "replayed_by"]
    if rows:
        client.insert("quarantine_replays", rows, column_names=names)


def keep_waiver(client: Client, terminal_id: str, epoch: int, span: tuple[int, int], reason: str, name: str) -> None:
    """Write down a waiver, for ever.

    Raises:
        ClickHouseError: it may be kept or not.
    """
    names = ["terminal_id", "epoch", "first_seq", "last_seq", "reason", "waived_by"]
    client.insert("waivers", [[terminal_id, epoch, *span, reason, name]], column_names=names)


def reason_number(name: str) -> sales_pb2.QuarantineReason.ValueType:
    """Return the contract's number of a reason as the store names it; 0 for a name of no reason."""
    known = sales_pb2.QuarantineReason.DESCRIPTOR.values_by_name.get(PREFIX + name)
    return sales_pb2.QuarantineReason.ValueType(known.number if known else 0)


def reason_name(number: int) -> str:
    """Return the store's name of a reason."""
    return sales_pb2.QuarantineReason.Name(sales_pb2.QuarantineReason.ValueType(number)).removeprefix(PREFIX)


def _entries(
    client: Client, selection: Selection, rows: int, order: str, beyond: str, after: Sequence[object] | None
) -> list[Entry]:
    parameters: dict[str, object] = {name: getattr(selection, name) for name in _CONDITIONS if getattr(selection, name)}
    conditions = [_CONDITIONS[name] for name in parameters]
    if after is not None:
        conditions.append(beyond)
        parameters |= {f"after_{index}": value for index, value in enumerate(after, 1)}
    text = _ENTRIES.substitute(where=" AND ".join(conditions) or "1", order=order)
    return [_entry(row) for row in client.query(text, {**parameters, "rows": rows}).result_rows]


def _entry(row: Sequence[Any]) -> Entry:
    terminal_id, epoch, seq, outlet_id, reason, field, detail, received_ms, collector_id, *rest = row
    topic, partition, offset, raw_bytes, raw_sha256, *shape = rest
    number = reason_number(reason)
    return Entry(
        number=Number(terminal_id, epoch, seq),
        outlet_id=outlet_id,
        reason=number,
        field=field,
        detail=detail,
        event=_event(seq, number, shape),
        received_at_ms=received_ms,
        collector_id=collector_id,
        place=(topic, partition, offset),
        raw_bytes=raw_bytes,
        raw_sha256=raw_sha256,
    )


def _event(seq: int, reason: int, shape: Sequence[Any]) -> sales_pb2.SalesEvent:
    *values, refers_terminal, refers_epoch, refers_seq = shape
    plain: Mapping[str, Any] = dict(zip(_EVENT_FIELDS, values, strict=True))
    event = sales_pb2.SalesEvent(seq=seq, **plain)
    if refers_terminal or refers_epoch or refers_seq or reason == _BAD_REFERENCE:
        # An empty reference is told from none only by what was found wrong with it.
        reference = sales_pb2.EventReference(terminal_id=refers_terminal, epoch=refers_epoch, seq=refers_seq)
        event.refers_to.CopyFrom(reference)
    return event


_EVENT_FIELDS = (
    *("kind", "game", "draw_no", "amount_fen", "bets", "multiplier", "face_value_fen", "companion_fen"),
    *("daily_summary", "ticket_serial", "sold_at_ms"),
)
