"""Events in quarantine as sheets; what the ledger withholds is missing, and told to be withheld. Asks nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from fucai.cli.definitions import QUARANTINE
from fucai.cli.gaps_sheet import EPOCH, FIRST, LAST, TERMINAL, waivers_sheet
from fucai.cli.out.sheet import Column, Fact, Kind, Note, Row, Sheet, Tone
from fucai.cli.out.words import time_of
from fucai.domain.completeness import runs
from fucai.domain.labels import Label
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import sales_pb2

_DETAILS = 5
_ENTRY = [
    Column("received", Kind.TIME, Label("接收", "received"), screen=3),
    TERMINAL,
    EPOCH,
    Column("seq", Kind.ID, Label("序号", "seq")),
    Column("outlet_id", Kind.ID, Label("网点", "outlet"), screen=None),
    Column("reason", Kind.ID, Label("原因", "reason")),
    Column("field", Kind.TEXT, Label("字段", "field"), screen=None),
    Column("detail", Kind.TEXT, Label("说明", "what is wrong"), screen=None),
    Column("state", Kind.ID, Label("状态", "state"), screen=4),
    Column("in_flood", Kind.FLAG, Label("隔离过多", "in flood"), screen=None),
    Column("kind", Kind.ID, Label("类型", "kind"), screen=None),
    Column("game", Kind.ID, Label("游戏", "game")),
    Column("draw_no", Kind.ID, Label("期号", "draw"), screen=1),
    Column("withheld", Kind.FLAG, Label("封存", "sealed"), screen=2),
    Column("amount", Kind.MONEY, Label("金额", "amount")),
    Column("bets", Kind.COUNT, Label("注数", "bets"), screen=None),
    Column("multiplier", Kind.COUNT, Label("倍数", "multiplier"), screen=None),
    Column("face_value", Kind.MONEY, Label("面值", "face value"), screen=None),
    Column("companion", Kind.MONEY, Label("伴随消费", "companion spend"), screen=None),
    Column("ticket_serial", Kind.ID, Label("票号", "ticket serial"), screen=None),
    Column("refers_to", Kind.ID, Label("涉及销售", "refers to"), screen=None),
    Column("daily_summary", Kind.FLAG, Label("日汇总", "daily summary"), screen=None),
    Column("sold_at", Kind.TIME, Label("售出", "sold at"), screen=None),
    Column("sold_at_ms", Kind.ID, Label("售出(毫秒)", "sold at (ms)"), screen=None),
    Column("collector_id", Kind.ID, Label("采集器", "collector"), screen=None),
    Column("kafka_topic", Kind.ID, Label("Kafka 主题", "Kafka topic"), screen=None),
    Column("kafka_partition", Kind.ID, Label("Kafka 分区", "Kafka partition"), screen=None),
    Column("kafka_offset", Kind.ID, Label("Kafka 位移", "Kafka offset"), screen=None),
    Column("raw_bytes", Kind.COUNT, Label("原始字节", "raw bytes"), screen=None),
    Column("raw_sha256", Kind.ID, Label("原始记录 SHA-256", "raw SHA-256"), screen=None),
]
_REPLAYS = [
    Column("at", Kind.TIME, Label("时间", "at")),
    Column("outcome", Kind.ID, Label("结果", "outcome")),
    Column("replayed_by", Kind.TEXT, Label("操作人", "by")),
    Column("reason", Kind.ID, Label("原因", "reason")),
    Column("field", Kind.TEXT, Label("字段", "field"), screen=1),
    Column("detail", Kind.TEXT, Label("说明", "what is wrong")),
]
_STILL_BAD = [
    *(TERMINAL, EPOCH, FIRST, LAST),
    Column("reason", Kind.ID, Label("原因", "reason")),
    Column("field", Kind.TEXT, Label("字段", "field"), screen=1),
    Column("detail", Kind.TEXT, Label("说明", "what is wrong")),
]
_FLOODS = [
    TERMINAL,
    Column("quarantined", Kind.COUNT, Label("隔离", "quarantined")),
    Column("stored", Kind.COUNT, Label("入库", "stored")),
]
_WITHHELD = Note(Label("封存期次的金额在开奖前不显示", "amounts are withheld until the draw has ended"), Tone.WARNING)


def entries_sheet(found: pb.ListQuarantinedResponse) -> Sheet:
    """A row for each entry, those of terminals in flood bold; what was found wrong most often stands below."""
    floods: list[Row] = [(flood.terminal_id, flood.quarantined, flood.stored) for flood in found.floods]
    more = Label("还有更多：加大 --limit", "more follow: raise --limit")
    return Sheet(
        name="quarantine",
        title=Label("隔离事件", "Events in quarantine"),
        columns=_ENTRY,
        rows=[_entry(entry) for entry in found.entries],
        currency=ServiceSettings.from_env().currency,
        facts=[Fact("more_follow", Kind.FLAG, Label("还有更多", "more follow"), bool(found.next_page_token))],
        notes=[
            *([Note(more, Tone.WARNING)] if found.next_page_token else []),
            *([_WITHHELD] if any(entry.withheld for entry in found.entries) else []),
            *map(Note, _details(found.entries)),
        ],
        definitions=[QUARANTINE],
        bold=frozenset(at for at, entry in enumerate(found.entries) if entry.in_flood),
        beside=[Sheet("floods", Label("隔离过多的终端", "Terminals in flood"), _FLOODS, floods)],
        empty=Label("隔离区无此类事件", "nothing of the kind is in quarantine"),
    )


def dossier_sheet(found: pb.GetQuarantinedResponse) -> Sheet:
    """All that is known of one number: its entries, what to do, and beside them every replay and waiver."""
    replays: list[Row] = [
        (
            time_of(attempt.at_ms),
            pb.ReplayOutcome.Name(attempt.outcome).removeprefix("REPLAY_OUTCOME_").lower(),
            attempt.replayed_by,
            reason_of(attempt.reason) if attempt.reason else "",
            *(attempt.field, attempt.detail),
        )
        for attempt in found.replays
    ]
    return Sheet(
        name="quarantined",
        title=Label("隔离事件详情", "An event in quarantine"),
        columns=[replace(column, screen=0) for column in _ENTRY],
        rows=[_entry(entry) for entry in found.entries],
        currency=ServiceSettings.from_env().currency,
        facts=[Fact("remedy", Kind.TEXT, Label("处理", "what to do"), found.remedy)],
        notes=[
            Note(Label(found.remedy, found.remedy), Tone.STRONG),
            *([_WITHHELD] if any(entry.withheld for entry in found.entries) else []),
        ],
        definitions=[QUARANTINE],
        beside=[Sheet("replays", Label("重放", "Replays"), _REPLAYS, replays), waivers_sheet(found.waivers)],
    )


def still_bad_sheet(total: pb.ReplayQuarantinedResponse) -> Sheet:
    """What replaying did: a row for events in a row that are still bad for the same reason, and the counts."""
    alike = groupby(total.still_bad, key=lambda bad: (bad.terminal_id, bad.epoch, bad.reason, bad.field, bad.detail))
    rows: list[Row] = [
        (terminal, str(epoch), str(first), str(last), reason_of(reason), field, detail)
        for (terminal, epoch, reason, field, detail), group in alike
        for first, last in runs(bad.seq for bad in group) or [(0, 0)]
    ]
    counts = {
        "replayed": (Label("已重放", "replayed"), total.replayed),
        "still_bad": (Label("仍不合格", "still bad"), len(total.still_bad)),
        "stored_before": (Label("此前已入库", "stored before"), total.stored_before),
        "waived": (Label("已核销，未动", "waived and left alone"), total.waived),
        "unreadable": (Label("无法读取", "unreadable (see `fucai quarantine show`)"), total.unreadable),
        "repeated_numbers": (Label("序号重复", "with a number that another entry has"), total.repeated_numbers),
        "registry_revision": (Label("登记表版本", "registry revision"), total.registry_revision),
    }
    return Sheet(
        name="still_bad",
        title=Label("重放结果", "Replayed"),
        columns=_STILL_BAD,
        rows=rows,
        facts=[Fact(key, Kind.COUNT, label, count) for key, (label, count) in counts.items()],
        notes=[Note(_replayed([*counts.values()]), Tone.STRONG)],
        empty=Label("没有仍不合格的事件", "none is still bad"),
    )


def reason_of(number: sales_pb2.QuarantineReason.ValueType) -> str:
    """A reason as options write it."""
    return sales_pb2.QuarantineReason.Name(number).removeprefix("QUARANTINE_REASON_").lower()


def _entry(entry: pb.QuarantinedEvent) -> Row:
    event, told = entry.event, entry.HasField("event")
    hidden = entry.withheld or not told
    figures = (event.amount_fen, event.bets, event.multiplier, event.face_value_fen, event.companion_fen)
    sale = event.refers_to
    return (
        *(time_of(entry.received_at_ms), entry.terminal_id, str(entry.epoch), str(entry.seq), entry.outlet_id),
        *(reason_of(entry.reason), entry.field, entry.detail),
        pb.QuarantineState.Name(entry.state).removeprefix("QUARANTINE_STATE_").lower(),
        entry.in_flood,
        _kind(event.kind) if told else "",
        *(event.game, event.draw_no, entry.withheld),
        *([None] * len(figures) if hidden else figures),
        event.ticket_serial,
        f"{sale.terminal_id}/{sale.epoch}/{sale.seq}" if event.HasField("refers_to") else "",
        event.daily_summary if told else None,
        time_of(event.sold_at_ms),
        str(event.sold_at_ms) if told else "",
        entry.collector_id,
        *(entry.kafka_topic, str(entry.kafka_partition), str(entry.kafka_offset)),
        entry.raw_bytes or None,
        entry.raw_sha256,
    )


def _kind(number: int) -> str:
    """The kind of an event; a number that is none, as it came."""
    if number not in sales_pb2.EventKind.values():
        return str(number)
    return sales_pb2.EventKind.Name(sales_pb2.EventKind.ValueType(number)).removeprefix("EVENT_KIND_").lower()


def _details(entries: Iterable[pb.QuarantinedEvent]) -> Iterator[Label]:
    """What was found wrong, the most frequent first, each once."""
    details = Counter((entry.reason, entry.detail) for entry in entries if entry.detail)
    for (reason, detail), count in details.most_common(_DETAILS):
        text = f"{reason_of(reason)}: {detail} ({count:,})"
        yield Label(text, text)
    if len(details) > _DETAILS:
        yield Label("…… 其余见 `fucai quarantine show`", "... `fucai quarantine show` tells of each")


def _replayed(counts: Sequence[tuple[Label, int]]) -> Label:
    """What replaying did, in one line: replayed and still bad, then of the others those that there were."""
    (_, replayed), (_, bad), *others, (_, revision) = counts
    more = [(label, count) for label, count in others if count]
    return Label(
        f"已重放 {replayed:,}，按登记表版本 {revision} 仍不合格 {bad:,}"
        + "".join(f"；{label.zh} {count:,}" for label, count in more),
        f"{replayed:,} replayed, {bad:,} still bad by registry revision {revision}"
        + "".join(f"; {count:,} {label.en}" for label, count in more),
    )
