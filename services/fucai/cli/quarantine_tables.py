"""Tables of events in quarantine for 100 columns; figures that the ledger withholds are told to be withheld."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fucai.cli.ledger_tables import cells, moment, numbers, plain_table, waiver_line, word
from fucai.cli.numbers import exact
from fucai.cli.output import Lang
from fucai.domain.completeness import runs
from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import sales_pb2

_DETAILS = 5
_FIGURES = ("amount_fen", "bets", "multiplier", "face_value_fen", "companion_fen")


def reason_of(number: sales_pb2.QuarantineReason.ValueType) -> str:
    """A reason for people."""
    return sales_pb2.QuarantineReason.Name(number).removeprefix("QUARANTINE_REASON_").lower()


def state_of(entry: pb.QuarantinedEvent) -> str:
    """How an entry stands, for people."""
    return pb.QuarantineState.Name(entry.state).removeprefix("QUARANTINE_STATE_").lower()


def entry_table(found: pb.ListQuarantinedResponse, lang: Lang) -> RenderableType:
    """One line an entry, then the terminals in flood."""
    floods = [
        Text(f"! {flood.terminal_id} {word('flood', lang)}: {flood.quarantined:,} / {flood.stored:,}", "bold red")
        for flood in found.floods
    ]
    if not found.entries:
        return Group(Text(word("empty", lang)), *floods)
    names = ("received", "terminal", "number", "reason", "game", "draw", "amount", "state")
    table = plain_table(lang, names, right={6})
    for entry in found.entries:
        table.add_row(
            moment(entry.received_at_ms),
            Text(f"{entry.terminal_id} !" if entry.in_flood else entry.terminal_id, "red" if entry.in_flood else ""),
            f"{entry.epoch}/{entry.seq}",
            reason_of(entry.reason),
            *cells(entry.event.game, entry.event.draw_no),
            _amount(entry, lang),
            state_of(entry),
        )
    return Group(table, *floods, *_details(found), Text(entries_talk(found), "dim"))


def whole_entry(found: pb.GetQuarantinedResponse, lang: Lang) -> RenderableType:
    """All that is known of one number: each entry field by field, then replays, waivers and what to do."""
    parts: list[RenderableType] = []
    for entry in found.entries:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in _fields(entry, lang):
            table.add_row(name, Text(value))
        parts += [table, ""]
    for attempt in found.replays:
        outcome = pb.ReplayOutcome.Name(attempt.outcome).removeprefix("REPLAY_OUTCOME_").lower()
        why = f": {reason_of(attempt.reason)} {attempt.field} {attempt.detail}".rstrip() if attempt.reason else ""
        parts.append(Text(f"{outcome} ({attempt.replayed_by}, {moment(attempt.at_ms)}){why}"))
    parts += [Text(waiver_line(waiver, lang)) for waiver in found.waivers]
    return Group(*parts, Text(found.remedy, "cyan"))


def still_bad_table(found: pb.ReplayQuarantinedResponse, lang: Lang) -> RenderableType:
    """One line for events in a row that are still bad for the same reason."""
    table = plain_table(lang, ("terminal", "number", "reason", "detail"))
    alike = groupby(found.still_bad, key=lambda bad: (bad.terminal_id, bad.epoch, bad.reason, bad.field, bad.detail))
    for (terminal, epoch, reason, field, detail), group in alike:
        for first, last in runs(bad.seq for bad in group) or [(0, 0)]:
            told = f"{field} {detail}".rstrip()
            table.add_row(Text(terminal), f"{epoch}/{numbers(first, last)}", reason_of(reason), Text(told))
    return table


def entries_talk(found: pb.ListQuarantinedResponse) -> str:
    """How many entries, and whether there are more."""
    count = len(found.entries)
    more = "; more follow: raise --limit" if found.next_page_token else ""
    return f"{count:,} {'entry' if count == 1 else 'entries'}{more}"


def entries_csv(found: pb.ListQuarantinedResponse) -> tuple[list[str], list[list[object]]]:
    """Header and rows; figures are empty where they are withheld."""
    header = ["terminal_id", "epoch", "seq", "outlet_id", "reason", "field", "detail", "state", "in_flood"]
    header += ["received_at_ms", "sold_at_ms", "kind", "game", "draw_no", "withheld", *_FIGURES]
    header += ["kafka_topic", "kafka_partition", "kafka_offset"]
    rows: list[list[object]] = []
    for entry in found.entries:
        event = entry.event
        hidden = entry.withheld or not entry.HasField("event")
        rows.append(
            [
                *(entry.terminal_id, entry.epoch, entry.seq, entry.outlet_id, reason_of(entry.reason), entry.field),
                *(entry.detail, state_of(entry), str(entry.in_flood).lower(), entry.received_at_ms),
                *(event.sold_at_ms or None, event.kind or None, event.game, event.draw_no),
                *(str(entry.withheld).lower(), *(None if hidden else getattr(event, name) for name in _FIGURES)),
                *(entry.kafka_topic, entry.kafka_partition, entry.kafka_offset),
            ]
        )
    return header, rows


def _details(found: pb.ListQuarantinedResponse) -> Iterator[Text]:
    """What was found wrong, the most frequent first, each once."""
    details = Counter((entry.reason, entry.detail) for entry in found.entries if entry.detail)
    for (reason, detail), count in details.most_common(_DETAILS):
        yield Text(f"{reason_of(reason)}: {detail} ({count:,})", "dim")
    if len(details) > _DETAILS:
        yield Text("... `fucai quarantine show` tells of each", "dim")


def _amount(entry: pb.QuarantinedEvent, lang: Lang) -> Text:
    if not entry.HasField("event"):
        return Text("")
    return Text(word("sealed", lang), "yellow") if entry.withheld else Text(exact(entry.event.amount_fen))


def _fields(entry: pb.QuarantinedEvent, lang: Lang) -> Iterator[tuple[str, str]]:
    """Name and value of everything in an entry, as the contract names it."""
    yield "terminal_id", entry.terminal_id + (f"  ({word('flood', lang)})" if entry.in_flood else "")
    yield "epoch/seq", f"{entry.epoch}/{entry.seq}"
    yield "state", state_of(entry)
    yield "reason", f"{reason_of(entry.reason)}  {entry.field}"
    if entry.detail:
        yield "detail", entry.detail
    yield "outlet_id", entry.outlet_id
    yield "received", f"{moment(entry.received_at_ms)}  {entry.collector_id}"
    yield "kafka", f"{entry.kafka_topic}/{entry.kafka_partition} @ {entry.kafka_offset}"
    if entry.raw_bytes:
        yield "raw_record", f"{entry.raw_bytes:,} bytes, SHA-256 {entry.raw_sha256}"
    if not entry.HasField("event"):
        return
    for field, value in entry.event.ListFields():
        if field.name == "seq":
            continue
        shown = str(value).strip().replace("\n", ", ")
        if field.name == "sold_at_ms":
            shown = f"{value}  ({moment(int(value))})"
        elif field.name == "kind":
            shown = sales_pb2.EventKind.Name(value) if value in sales_pb2.EventKind.values() else f"{value}"
        yield field.name, shown
    if entry.withheld:
        yield ", ".join(_FIGURES[:2]) + " ...", word("withheld", lang)
