"""An outlet's card on a terminal: one screen, read from its sheet. Computes no figure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fucai.cli.numbers import MoneyUnit, growth_text, mark_notes, money_unit, percent, sparkline
from fucai.cli.out.screen import View, clean
from fucai.cli.out.sheet import Cell, Change, Fact, Kind, Row, Sheet, Tone
from fucai.cli.out.words import COMMA, fresh
from fucai.cli.output import Lang
from fucai.cli.query.outlet_sheet import ALERT, DAY, GAME, MEASURE, VERSION
from fucai.domain.labels import Label

_VERSIONS_SHOWN = 4
_CURVE_CELLS = 56
_BAR_CELLS = 20
_WORDS = {
    "measure": Label("指标", "measure"),
    "value": Label("本期", "period"),
    "base": Label("基期", "base"),
    "growth": Label("增长", "growth"),
    "by day": Label("日销售", "by day"),
    "low": Label("最低", "least"),
    "high": Label("最高", "most"),
    "no registry": Label("未登记，但有销售", "not registered, but it sells"),
    "no sale": Label("尚无销售", "none yet"),
    "unit": Label("单位", "unit"),
}


def card(sheet: Sheet, view: View) -> RenderableType:
    """Who it is, what it sells against its base, its curve and games, where it stands, and its history."""
    facts = {fact.key: fact for fact in sheet.facts}
    sections = {name: [row for row in sheet.rows if row[0] == name] for name in (MEASURE, GAME, VERSION, ALERT, DAY)}
    money = [sheet.place(key) for key in ("money", "base_money")]
    amounts = [row[place] for row in sheet.rows for place in money]
    unit = money_unit((fen for fen in amounts if isinstance(fen, int)), sheet.currency, view.lang, view.unit)
    parts: list[RenderableType] = [*_head(facts, sections[VERSION], view.lang), Text("")]
    parts.append(_measures(sheet, sections[MEASURE], unit, view.lang))
    parts += [Text(""), *_curve(sheet, sections[DAY], unit, view.lang), *_games(sheet, sections[GAME], unit, view.lang)]
    parts += [*_standing(facts, unit, view.lang), *_versions(sections[VERSION], view.lang)]
    parts += [Text(_text(row[-2], view.lang), "yellow") for row in sections[ALERT]]
    return Group(*parts, *_foot(sheet, unit, view.lang))


def _head(facts: dict[str, Fact], versions: Sequence[Row], lang: Lang) -> list[Text]:
    title = Text(f"{_value(facts['outlet_id'])} {_value(facts['outlet_name'])}".strip(), "bold")
    now = _text(versions[0][-2], lang) if versions else _word("no registry", lang)
    told = [
        f"{_in(facts[key].label, lang)} {value}"
        for key in ("opened", "closed", "terminals")
        if (value := _value(facts[key]))
    ]
    last = facts["last_sale"]
    told.append(f"{_in(last.label, lang)} {_value(last)[:16] or _word('no sale', lang)}")
    return [title, Text(now), Text(" · ".join(told), "dim")]


def _measures(sheet: Sheet, rows: Sequence[Row], unit: MoneyUnit, lang: Lang) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(_word("measure", lang))
    for key in ("value", "base", "growth"):
        table.add_column(_word(key, lang), justify="right")
    kinds = (("money", "base_money"), ("count", "base_count"), ("ratio", "base_ratio"))
    for row in rows:
        cells = ["", ""]
        for value, base in kinds:
            for at, key in enumerate((value, base)):
                place = sheet.place(key)
                cells[at] = cells[at] or _amount(row[place], sheet.columns[place].kind, unit)
        growth = row[sheet.place("growth")]
        table.add_row(_text(row[2], lang), *cells, growth_text(growth if isinstance(growth, Change) else None, lang))
    return table


def _curve(sheet: Sheet, rows: Sequence[Row], unit: MoneyUnit, lang: Lang) -> list[Text]:
    sales = [fen for row in rows if isinstance(fen := row[sheet.place("money")], int)]
    if not sales:
        return []
    text = Text(f"{_word('by day', lang)} ")
    text.append(sparkline(sales, _CURVE_CELLS), "cyan")
    span = f" {_word('low', lang)} {unit.show(min(sales))}{COMMA[lang]}{_word('high', lang)} {unit.show(max(sales))}"
    return [text.append(span, "dim")]


def _games(sheet: Sheet, rows: Sequence[Row], unit: MoneyUnit, lang: Lang) -> list[RenderableType]:
    if not rows:
        return []
    table = Table.grid(padding=(0, 2, 0, 0))
    for justify in ("left", "left", "right", "right"):
        table.add_column(justify=justify)
    for row in rows:
        share, sales = row[sheet.place("ratio")], row[sheet.place("money")]
        ratio = share if isinstance(share, float) else 0.0
        bar = Text("█" * round(ratio * _BAR_CELLS), "cyan")
        table.add_row(_text(row[2], lang), bar, percent(ratio).removeprefix("+"), _amount(sales, Kind.MONEY, unit))
    return [table]


def _standing(facts: dict[str, Fact], unit: MoneyUnit, lang: Lang) -> list[Text]:
    lines = []
    place, count = facts["place_in_area"].value, facts["outlets_in_area"].value
    area = clean(_value(facts["mgmt_area"]))
    if isinstance(place, int):
        zh, en = f"{area} 第 {place} 名，共 {count} 家", f"place {place} of {count} in {area}"
        lines.append(zh if lang is Lang.ZH else en)
    average = facts["zone_type_average"].value
    if isinstance(average, int):
        kind = _text(facts["zone_type"].value, lang)
        zh, en = f"{kind}站均 {unit.show(average)}", f"average in {kind} {unit.show(average)}"
        lines.append(zh if lang is Lang.ZH else en)
    return [Text(" · ".join(lines))] if lines else []


def _versions(rows: Sequence[Row], lang: Lang) -> list[Text]:
    """The earlier attributes, newest first."""
    earlier = rows[1:]
    lines = [
        Text(f"{row[1]} {_text(row[2], lang)} · {_text(row[-2], lang)}", "dim") for row in earlier[:_VERSIONS_SHOWN]
    ]
    if len(earlier) > _VERSIONS_SHOWN:
        more = len(earlier) - _VERSIONS_SHOWN
        lines.append(Text(f"另有 {more} 条，见导出" if lang is Lang.ZH else f"{more} more in exports", "dim"))
    return lines


def _foot(sheet: Sheet, unit: MoneyUnit, lang: Lang) -> list[Text]:
    styles = {Tone.WARNING: "yellow", Tone.STRONG: "bold"}
    lines = [Text(clean(_in(note.text, lang)), styles.get(note.tone, "dim")) for note in sheet.notes]
    lines.insert(0, Text(f"{_word('unit', lang)} {unit.name}", "dim"))
    changes = (cell for row in sheet.rows for cell in row if isinstance(cell, Change))
    lines += [Text(line, "dim") for line in mark_notes(changes, lang)]
    return lines if sheet.freshness is None else [*lines, Text(fresh(sheet.freshness, lang), "dim")]


def _amount(cell: Cell, kind: Kind, unit: MoneyUnit) -> str:
    if isinstance(cell, int):
        return unit.show(cell) if kind is Kind.MONEY else f"{cell:,}"
    return percent(cell).removeprefix("+") if isinstance(cell, float) else ""


def _value(fact: Fact) -> str:
    return "" if fact.value is None else clean(str(fact.value))


def _text(cell: Cell, lang: Lang) -> str:
    return clean(_in(cell, lang)) if isinstance(cell, Label) else clean(str(cell or ""))


def _word(name: str, lang: Lang) -> str:
    return _in(_WORDS[name], lang)


def _in(label: Label, lang: Lang) -> str:
    return str(getattr(label, lang))
