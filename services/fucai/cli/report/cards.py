"""The figures that stand large at the top: sales, channel scale, sales per outlet, same-outlet growth."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from fucai.cli.report.figures import Figures
from fucai.cli.report.gather import Bulletin, Missing
from fucai.cli.report.markup import Child, el
from fucai.cli.report.texts import say
from fucai.v1 import analytics_pb2 as pb


def cards(bulletin: Bulletin, figures: Figures) -> Element:
    """The cards in a row; the last two only where growth was answered."""
    lang, unit, total, totals = figures.lang, figures.unit, bulletin.headline.total, bulletin.totals
    sales, base_sales = (figures.amount(fen, unit) for fen in (total.sales_fen, total.base_sales_fen))
    active, base_active = (figures.count(number) for number in (total.active_outlets, total.base_active_outlets))
    made = [
        _card(f"{say('sales', lang)} ({unit.name})", sales, total.sales_growth, base_sales, figures),
        _card(say("active", lang), active, total.scale_growth, base_active, figures),
    ]
    if not isinstance(totals, Missing):
        made += [_per_outlet(totals.total, figures), _same_outlet(totals.total, figures)]
    return el("div", *made, class_="cards")


def _per_outlet(row: pb.GrowthRow, figures: Figures) -> Element:
    one = next((one for one in row.measurements if one.measure == "sales_per_outlet"), pb.Measurement())
    unit = figures.fitting(one.value.fen, one.base.fen)
    value = figures.amount(one.value.fen, unit) if one.HasField("value") else say("none", figures.lang)
    name = f"{say('per outlet', figures.lang)} ({unit.name})"
    return _card(name, value, one.growth, figures.amount(one.base.fen, unit), figures)


def _same_outlet(row: pb.GrowthRow, figures: Figures) -> Element:
    return el(
        "div",
        el("p", say("same outlet", figures.lang), class_="name"),
        el("p", figures.growth(row.same_outlet.growth), class_="value"),
        el("p", say("outlets count", figures.lang, count=row.same_outlets), class_="base"),
        class_="card",
    )


def _card(name: str, value: Child, growth: pb.Growth, base: Child, figures: Figures) -> Element:
    based = growth.mark not in (pb.GROWTH_MARK_NO_BASE, pb.GROWTH_MARK_UNSPECIFIED)
    lang = figures.lang
    return el(
        "div",
        el("p", name, class_="name"),
        el("p", value, class_="value"),
        el("p", figures.growth(growth), class_="growth"),
        el("p", say("base", lang), " ", base if based else say("no base", lang), class_="base"),
        class_="card",
    )
