"""Draws answers: which figures of an answer go into which chart, with its title and description. Computes none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from xml.etree.ElementTree import Element

from fucai.cli.numbers import percent, signed
from fucai.cli.out.reading import group_cells
from fucai.cli.out.screen import View, units_of
from fucai.cli.out.words import word
from fucai.cli.output import Lang
from fucai.cli.query.profile_sheet import WEEKDAYS, profile_sheet
from fucai.cli.report import charts
from fucai.cli.report.figures import Figures
from fucai.cli.report.heat import heat
from fucai.cli.report.markup import el
from fucai.cli.report.texts import COLON, JOIN, pick, say
from fucai.domain.labels import Label
from fucai.v1 import analytics_pb2 as pb

_BARS = 16  # of one chart; the table beneath has all
_CHANGES = "changes", "changes about"


def daily(found: pb.TrendResponse, figures: Figures) -> Element:
    """Sales by day, the period's over the base's."""
    lang, unit = figures.lang, figures.fitting(*(row.figures.sales_fen for row in found.rows))
    value = [row.figures.sales_fen for row in found.rows]
    base = [row.base.sales_fen if row.base_first_day else None for row in found.rows]
    lines = [charts.Line(say("period", lang), value)]
    if any(fen is not None for fen in base):
        lines.append(charts.Line(say("base", lang), base))
    sums = {"value": unit.show(sum(value)), "base": unit.show(sum(fen or 0 for fen in base))}
    about = say("curve about", lang, count=len(value), unit=unit.name, **sums)
    days = [f"{date.fromisoformat(row.first_day):%m-%d}" for row in found.rows]
    title = f"{say('curve', lang)} ({unit.name})"
    return _figure(title, charts.curve("curve-chart", title, about, days, lines, unit))


def waterfall(total: pb.Waterfall, figures: Figures) -> Element:
    """From the base to the value."""
    lang, unit = figures.lang, figures.unit
    steps = [
        charts.Step(say("base", lang), total.base_fen, whole=True),
        charts.Step(say("opened", lang), total.opened_fen),
        charts.Step(say("first sales", lang), total.first_sales_fen),
        charts.Step(say("closed", lang), total.closed_fen),
        charts.Step(say("same", lang), total.same_fen),
        charts.Step(say("period", lang), total.value_fen, whole=True),
    ]
    names = ("base", "opened", "first", "closed", "same", "value")
    texts = {name: unit.show(step.fen) for name, step in zip(names, steps, strict=True)}
    title = say("waterfall", lang, unit=unit.name)
    about = say("waterfall about", lang, unit=unit.name, **texts)
    return _figure(title, charts.waterfall("waterfall-chart", title, about, steps, unit, say("axis cut", lang)))


def factors(total: pb.Waterfall, figures: Figures) -> Element:
    """The change by factors."""
    lang = figures.lang
    parts = [
        (say("outlets effect", lang), total.scale_effect_fen),
        (say("intensity effect", lang), total.intensity_effect_fen),
        (say("price effect", lang), total.price_effect_fen),
        (say("other effect", lang), total.other_effect_fen),
    ]
    return _changes("factors-chart", ("factors", "factors about"), parts, figures)


def changes(groups: Sequence[pb.Waterfall], by: str, name: str, figures: Figures) -> Element:
    """The change of each group."""
    lang = figures.lang
    parts = [
        (
            _others(line.others, lang) if line.others else _group(by, line.group, line.group_names, lang),
            line.value_fen - line.base_fen,
        )
        for line in groups[:_BARS]
    ]
    return _changes(f"changes-{by}-chart", _CHANGES, parts, figures, by=_by(name, lang))


def movers(rows: Sequence[pb.RankRow], figures: Figures) -> Element:
    """Contributions of outlets."""
    return _changes("movers-chart", _CHANGES, [(row.name, row.contribution) for row in rows], figures, by="")


def shares(rows: Sequence[pb.GrowthRow], by: str, name: str, figures: Figures) -> Element:
    """The share of each group, and that of the base as a stroke."""
    lang = figures.lang
    bars = []
    for row in rows[:_BARS]:
        share = next((one for one in row.measurements if one.measure == "share"), pb.Measurement())
        base = share.base.ratio if share.HasField("base") else None
        text = percent(share.value.ratio).removeprefix("+") if share.HasField("value") else say("none", lang)
        bars.append(charts.Bar(_group(by, row.group, row.group_names, lang), share.value.ratio, text, base))
    title = say("share", lang, by=_by(name, lang))
    about = say("share about", lang, parts=JOIN[lang].join(f"{bar.name} {bar.text}" for bar in bars))
    return _figure(title, charts.bars(f"share-{by}-chart", title, about, bars))


def hours(found: pb.ProfileResponse, figures: Figures) -> list[Element]:
    """Average sales a day by weekday and hour, with the sum of all."""
    lang, sheet = figures.lang, profile_sheet(found, by="")
    place = sheet.place("sales_per_day")
    amounts = {
        (cell.weekday, cell.hour): amount
        for cell, row in zip(found.cells, sheet.rows, strict=True)
        if isinstance(amount := row[place], int)
    }
    unit = units_of(sheet, View(lang, 0))["profile"]
    (weekday, hour), most = max(amounts.items(), key=lambda each: each[1])
    names = [pick(name, lang) for name in WEEKDAYS]
    title = say("heat", lang, unit=unit.name)
    about = say("heat about", lang, unit=unit.name, day=names[weekday - 1], hour=hour, most=unit.show(most))
    chart = _figure(title, heat("hours-chart", title, about, amounts, names, unit))
    sales = sum(cell.figures.sales_fen for cell in found.cells)
    events = sum(cell.figures.events for cell in found.cells)
    whole = figures.fitting(sales)
    return [
        chart,
        el("p", say("heat note", lang, events=events, sales=whole.show(sales), unit=whole.name), class_="note"),
    ]


def _changes(
    key: str, texts: tuple[str, str], parts: Iterable[tuple[str, int]], figures: Figures, **blanks: str
) -> Element:
    found = list(parts)
    lang, unit = figures.lang, figures.fitting(*(fen for _, fen in found))
    bars = [charts.Bar(name, fen, signed(unit.show(fen))) for name, fen in found]
    title = say(texts[0], lang, unit=unit.name, **blanks)
    about = say(texts[1], lang, unit=unit.name, parts=JOIN[lang].join(f"{bar.name} {bar.text}" for bar in bars))
    return _figure(title, charts.bars(key, title, about, bars))


def _figure(title: str, chart: Element) -> Element:
    return el("figure", el("figcaption", title), chart)


def _group(by: str, group: Sequence[str], names: Sequence[str], lang: Lang) -> str:
    _, name = group_cells(by, group[-1], names[-1])
    return pick(name, lang) if isinstance(name, Label) else name or word("unknown", lang)


def _by(name: str, lang: Lang) -> str:
    return f"{COLON[lang]}{name}"


def _others(count: int, lang: Lang) -> str:
    return say("others", lang, count=count)
