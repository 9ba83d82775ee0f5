"""Words that every output shares, Chinese and English, and the line that says how fresh an answer is."""

from __future__ import annotations

from datetime import datetime

from fucai.cli.output import Lang
from fucai.domain.labels import Label
from fucai.runtime.settings import ServiceSettings
from fucai.v1 import analytics_pb2 as pb

_WORDS = {
    "all": Label("--all 显示全部", "--all shows every row"),
    "ask": Label("可请求更多行，或缩小提问", "ask for more rows, or narrow the question"),
    "beside": Label("不在此文件中（json、xlsx 中有）", "not in this file (json and xlsx have them)"),
    "column": Label("列", "column"),
    "definition": Label("定义", "definition"),
    "definitions": Label("定义", "definitions"),
    "about": Label("说明", "about"),
    "curves": Label("走势", "curves"),
    "currency": Label("币种", "currency"),
    "fen": Label("分", "fen"),
    "freshness": Label("数据时效", "freshness"),
    "key": Label("字段", "key"),
    "kind": Label("类型", "kind"),
    "meaning": Label("含义", "meaning"),
    "narrow": Label("屏幕较窄，未显示（导出中有）：", "too narrow to show (exports have them): "),
    "no": Label("否", "no"),
    "note": Label("注", "note"),
    "nothing": Label("库中尚无可显示的销售", "nothing is stored yet that may be shown"),
    "open end": Label("恢复时间待定（fucai draws list --sealed）", "for how long is open (fucai draws list --sealed)"),
    "question": Label("提问", "question"),
    "received": Label("数据接收至", "data received until"),
    "returns": Label("预计恢复显示", "back by"),
    "rounded": Label(
        "各行分别取整，相加与合计或差末位；导出为精确数",
        "rows are rounded one by one and may not sum to the total; exports are exact",
    ),
    "row": Label("行", "row"),
    "rows": Label("行", "rows"),
    "row count": Label("行数", "rows"),
    "stored": Label("已存营业日", "stored business days"),
    "total": Label("合计", "total"),
    "unit": Label("单位", "unit"),
    "unknown": Label("（未登记）", "(none)"),
    "without draw": Label("不含封存中的 {:,} 期", "without {:,} draw that is sealed"),
    "without draws": Label("不含封存中的 {:,} 期", "without {:,} draws that are sealed"),
    "written": Label("已写入", "written to"),
    "yes": Label("是", "yes"),
}
COMMA = {Lang.ZH: "，", Lang.EN: ", "}
LISTED = {Lang.ZH: "、", Lang.EN: ", "}
SEMICOLON = {Lang.ZH: "；", Lang.EN: "; "}


def word(name: str, lang: Lang) -> str:
    """A word in a language."""
    return str(getattr(_WORDS[name], lang))


def fresh(found: pb.DataFreshness, lang: Lang) -> str:
    """How far the data reach; the time in the business time zone."""
    if not found.first_day:
        return f"{word('nothing', lang)}{_withheld(found, lang)}"
    received = local_time(found.latest_received_ms).isoformat(sep=" ", timespec="seconds")
    stored = f"{word('stored', lang)} {found.first_day}..{found.last_day}"
    return f"{word('received', lang)} {received}{COMMA[lang]}{stored}{_withheld(found, lang)}"


def _withheld(found: pb.DataFreshness, lang: Lang) -> str:
    """How many draws no figure contains because they are sealed, and when the last of them returns; empty for none."""
    if not found.withheld_draws:
        return ""
    name = "without draw" if found.withheld_draws == 1 else "without draws"
    text = f"{COMMA[lang]}{word(name, lang).format(found.withheld_draws)}{COMMA[lang]}"
    returns = [draw.returns_ms for draw in found.withheld]
    if len(returns) < found.withheld_draws or not all(at_ms > found.answered_ms for at_ms in returns):
        return f"{text}{word('open end', lang)}"
    return f"{text}{word('returns', lang)} {local_time(max(returns)):%Y-%m-%d %H:%M}"


def local_time(unix_ms: int) -> datetime:
    """A moment in the business time zone (FUCAI_TIMEZONE)."""
    return datetime.fromtimestamp(unix_ms / 1000, ServiceSettings.from_env().zone)


def time_of(unix_ms: int) -> datetime | None:
    """A moment in the business time zone; None for 0, and for a number that no calendar has (after 9999)."""
    try:
        return local_time(unix_ms) if unix_ms else None
    except (ValueError, OverflowError, OSError):
        return None
