"""The page of a bulletin: head, sections in order, foot, as one HTML document that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from xml.etree.ElementTree import Element

from fucai.cli.output import Lang
from fucai.cli.query.conditions import conditions
from fucai.cli.report import sections
from fucai.cli.report.markup import Child, document, el
from fucai.cli.report.sections import Page
from fucai.cli.report.summary import cautions, direction, verdict
from fucai.cli.report.texts import pick
from fucai.domain.labels import Label
from fucai.runtime.telemetry import version

SECTIONS: dict[str, Callable[[Page], list[Element]]] = {
    "headline": sections.headline,
    "measures": sections.measures,
    "scale": sections.scale,
    "curve": sections.curve,
    "why": sections.why,
    "shares": sections.shares,
    "rankings": sections.rankings,
    "movers": sections.movers,
    "profile": sections.profile,
    "silent": sections.silent,
    "alerts": sections.alerts,
    "freshness": sections.freshness,
    "definitions": sections.definitions,
}
"""The sections by the key of their title, in order."""
_TAGS = {Lang.ZH: "zh-CN", Lang.EN: "en"}


def html(page: Page) -> str:
    """The document. A language's texts only; names come as the registry has them."""
    title = page.say("title week" if page.bulletin.span.is_week else "title month", name=page.bulletin.span.name)
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="generator", content=page.say("software", version=version())),
        el("title", title),
        el("style", _style()),
    )
    body = el(
        "body",
        _header(page, title),
        el("main", *(_section(page, key) for key in SECTIONS)),
        el("footer", el("p", page.say("source")), el("p", page.say("software", version=version()))),
    )
    return document(el("html", head, body, lang=_TAGS[page.lang]))


def _header(page: Page, title: str) -> Element:
    found, lang = page.bulletin.headline, page.lang
    lead = [direction(found.total, lang), *verdict(found, lang)]
    contents = [el("li", el("a", page.say(key), href=f"#{key}")) for key in SECTIONS]
    return el(
        "header",
        el("h1", title),
        el("p", page.say("subtitle"), class_="subtitle"),
        _sample(page),
        _facts(page),
        el("ul", *(el("li", text) for text in lead), class_="lead"),
        *(
            el("p", el("strong", page.say("caution"), " "), text, class_="caution")
            for text in cautions(page.bulletin, lang)
        ),
        el("nav", el("ol", *contents), aria_label=page.say("contents")),
    )


def _sample(page: Page) -> Child:
    found = page.bulletin.sample
    if found is None:
        return el("p", page.say("sample unknown"), class_="note")
    if not found.samples:
        return None
    return el("p", page.say("sample", all=found.outlets, sample=found.samples), class_="banner")


def _facts(page: Page) -> Element:
    found, pair = page.bulletin.headline, page.bulletin.headline.pairing
    base = f"{found.base_from_day} – {found.base_to_day}" if found.base_from_day else page.say("no base")
    facts = [
        ("period", f"{found.from_day} – {found.to_day}"),
        ("base", base),
        ("rule", pick(Label(pair.rule_zh, pair.rule_en), page.lang)),
        *([("filter", told)] if (told := conditions(page.bulletin.selection, page.lang)) else []),
        ("open days", page.say("open days value", value=pair.open_days, base=pair.base_open_days)),
        ("fresh until", sections.fresh_line(page)),
        ("generated", f"{page.bulletin.made_at:%Y-%m-%d %H:%M %Z}"),
    ]
    return el(
        "dl", *(part for name, text in facts for part in (el("dt", page.say(name)), el("dd", text))), class_="facts"
    )


def _section(page: Page, key: str) -> Element:
    return el("section", el("h2", page.say(key)), *SECTIONS[key](page), id=key)


@cache
def _style() -> str:
    """The style sheet that goes into the page."""
    return files("fucai.cli.report").joinpath("style.css").read_text(encoding="utf-8")
