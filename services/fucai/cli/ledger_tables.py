"""What the commands about the ledger share: options, words, tables of 100 columns, all pages of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import typer
from google.protobuf.message import Message
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from fucai.cli.out.words import local_time
from fucai.cli.output import Format, Lang, stderr_console, stdout_console, write_csv, write_json
from fucai.domain.labels import Label
from fucai.v1 import ledger_pb2 as pb

PAGE = 1_000
DATA = typer.Option(help="Folder of the stack that `fucai up` runs; else FUCAI_LEDGER or FUCAI_DATA says where.")
LANG = typer.Option(help="Language of labels; else that of the locale.")
TIMEOUT = typer.Option(min=0.1, max=60, help="Seconds to wait for each answer.")
FORMAT = typer.Option("--format", help="Table, or exact csv or json for programs.")

_WORDS = {
    "terminal": Label("终端", "terminal"),
    "outlet": Label("网点", "outlet"),
    "epoch": Label("纪元", "epoch"),
    "numbers": Label("序号", "numbers"),
    "missing": Label("缺失", "missing"),
    "since": Label("自", "since"),
    "age": Label("时长", "age"),
    "state": Label("状态", "state"),
    "count": Label("数量", "count"),
    "last event": Label("最近事件", "last event"),
    "silent": Label("静默", "silent"),
    "open": Label("开市时间内", "in open time"),
    "expected": Label("预期之内", "expected"),
    "yes": Label("是", "yes"),
    "no": Label("否", "NO"),
    "why": Label("原因", "why"),
    "never": Label("从未", "never"),
    "no gaps": Label("无缺失：所有已知最大序号以下的事件均已入库、隔离或豁免", "nothing is missing"),
    "nobody": Label("无静默终端", "no terminal is silent"),
    "stored": Label("已入库", "stored"),
    "quarantined": Label("已隔离", "quarantined"),
    "waived": Label("已豁免", "waived"),
    "waiver": Label("豁免", "waived"),
    "received": Label("接收", "received"),
    "number": Label("纪元/序号", "epoch/seq"),
    "reason": Label("原因", "reason"),
    "game": Label("游戏", "game"),
    "draw": Label("期号", "draw"),
    "amount": Label("金额", "amount"),
    "detail": Label("说明", "what is wrong"),
    "sealed": Label("封存", "sealed"),
    "flood": Label("隔离事件过多", "in flood"),
    "empty": Label("隔离区无此类事件", "nothing of the kind is in quarantine"),
    "in quarantine": Label("隔离待处理", "open"),
    "duplicate": Label("重复", "duplicate"),
    "stored since": Label("后已入库", "stored since"),
    "withheld": Label("开奖前不显示", "withheld until the draw has ended"),
    "all": Label("合计", "all"),
}

_STIFF = frozenset(
    {
        "since",
        "last event",
        "age",
        "silent",
        "open",
        "epoch",
        "expected",
        "received",
        "amount",
        "draw",
        "game",
        "state",
        "number",
        "reason",
    }
)


def word(name: str, lang: Lang) -> str:
    """A word of the tables in a language."""
    return str(getattr(_WORDS[name], lang))


def whole(call: Callable[..., Any], request: Any, field: str, timeout: float) -> Any:
    """All pages of a list as one answer; totals are those of the first page.

    Raises:
        grpc.RpcError: a page cannot be had.
    """
    answer = page = call(request, timeout=timeout)
    while page.next_page_token:
        request.page_token = page.next_page_token
        page = call(request, timeout=timeout)
        getattr(answer, field).extend(getattr(page, field))
    answer.next_page_token = ""
    return answer


def plain_table(lang: Lang, names: Sequence[str], *, right: Iterable[int] = ()) -> Table:
    """A table with these columns, those at `right` aligned to the right; ids and explanations fold, figures do not."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for place, name in enumerate(names):
        stiff = name in _STIFF
        table.add_column(
            word(name, lang), justify="right" if place in right else "left", no_wrap=stiff, overflow="fold"
        )
    return table


def numbers(first: int, last: int) -> str:
    """A range for people."""
    return f"{first}" if first == last else f"{first}..{last}"


def moment(unix_ms: int) -> str:
    """A moment in the business time zone, to the minute; empty for 0."""
    return f"{local_time(unix_ms):%Y-%m-%d %H:%M}" if unix_ms else ""


def duration(hours: float) -> str:
    """Hours for people: below two days in hours, else in days."""
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:,.1f} d"  # noqa: PLR2004 (two days read better in hours)


def waiver_line(waiver: pb.Waiver, lang: Lang) -> str:
    """Who waived what, when and why."""
    span = numbers(waiver.first_seq, waiver.last_seq)
    who = f"{waiver.waived_by}, {moment(waiver.at_ms)}"
    return f"{word('waiver', lang)} {waiver.epoch}/{span} ({who}): {waiver.reason}"


def cells(*texts: str) -> Iterable[Text]:
    """Cells that are shown as they are, whatever marks they contain."""
    return (Text(text) for text in texts)


def show_answer(
    answer: Message, form: Format, table: RenderableType, rows: tuple[list[str], list[list[object]]], talk: str
) -> None:
    """Prints an answer in a format: data to stdout, and beside csv and json the talk to stderr."""
    if form is Format.TABLE:
        stdout_console().print(table)
        return
    if form is Format.JSON:
        write_json(answer)
    else:
        write_csv(*rows)
    stderr_console().print(talk)
